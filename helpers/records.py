"""Records of evidence: a sample for each run of a notebook and each case that it measured, in small CSV files.

    data/evidence/04_under_overcomplete.csv     what `python -m helpers.sweep` has recorded
    samples = read("04_under_overcomplete")

data/evidence/README.md describes the columns and the rules; the files are meant to be analysed by readers, too.
"""

import csv
import hashlib
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "data" / "evidence"
MIME = "application/vnd.answers.sample+json"  # where an executed notebook's outputs hold its samples
UNCOUNTED = {"parameters", "injected-parameters", "picture", "lab", "colab"}  # cells that cannot change a measure


@dataclass(frozen=True)
class Sample:
    """What one run of a notebook measured in one case of a claim.

    data: the data set's name; n_train, n_test: its images in each half (n_test is 0 for points, drawn anew each time).
    seed, budget: the notebook's parameters. value: the measurement. at_least or at_most: its bar, in the value's unit.
    control: the same measure where it must miss the bar; positive: where it must reach it, if there is such a case.
    code: the fingerprint of the notebook. versions: of what computed it.
    """

    data: str
    n_train: int
    n_test: int
    seed: int
    budget: float
    claim: str
    case: str
    value: float
    at_least: float | None
    at_most: float | None
    unit: str
    control: float
    positive: float | None
    code: str = ""
    versions: str = ""

    @property
    def run(self) -> tuple[str, int, float]:
        """The run that it is from."""
        return self.data, self.seed, self.budget


_KINDS = {
    "n_train": int,
    "n_test": int,
    "seed": int,
    "budget": float,
    "value": float,
    "at_least": float,
    "at_most": float,
    "control": float,
    "positive": float,
}
_MAY_LACK = ("at_least", "at_most", "positive")


def path_of(notebook: str, folder: str | Path | None = None) -> Path:
    """Where a notebook's samples are recorded; folder: for a data set of the reader's own."""
    return Path(folder or FOLDER) / f"{notebook}.csv"


def read(notebook: str, folder: str | Path | None = None) -> list[Sample]:
    """The recorded samples of a notebook, in order; none if nothing was recorded yet.

    Raises ValueError for a file that was damaged, with the number of the line.
    """
    path = path_of(notebook, folder)
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows, samples = csv.DictReader(file), []
        for row in rows:
            try:
                samples.append(Sample(**{name: _value(name, text) for name, text in row.items()}))
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{path}, line {rows.line_num}, is no sample ({error}): take the file from the "
                    "repository again, or delete it and sweep anew"
                ) from None
    return samples


def _value(name, text):
    if text == "" and name in _MAY_LACK:
        return None
    return _KINDS.get(name, str)(text)


def write(notebook: str, samples: Iterable[Sample], folder: str | Path | None = None) -> Path:
    """Record samples in the place of all that were there, sorted, so that a file's differences are those of the runs.

    The file appears whole or not at all. Returns its path.
    """
    path = path_of(notebook, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    with aside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(field.name for field in fields(Sample))
        rows.writerows(map(_row, sorted(samples, key=_place)))
    os.replace(aside, path)
    return path


def _row(sample):
    return ["" if value is None else f"{value:.6g}" if isinstance(value, float) else value for value in astuple(sample)]


def _place(sample):
    return sample.data, sample.budget, sample.seed, [int(part) for part in sample.claim.split(".")]


def add(notebook: str, samples: Iterable[Sample], folder: str | Path | None = None) -> Path:
    """Record the samples of new runs; a run that was recorded before is replaced whole."""
    samples = list(samples)
    new = {sample.run for sample in samples}
    return write(notebook, [*(old for old in read(notebook, folder) if old.run not in new), *samples], folder)


def fingerprint(notebook: Any) -> str:
    """A short text that changes when the code of a notebook does, but for its parameters, pictures and labs.

    notebook: as nbformat reads it. Blank lines, comments and what a cell prints do not count.
    """
    lines = [
        line.rstrip()
        for cell in notebook.cells
        if cell.cell_type == "code" and not UNCOUNTED & set(cell.metadata.get("tags", ()))
        for line in cell.source.splitlines()
    ]
    code = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def samples_of(notebook: Any) -> list[Sample]:
    """The samples that an executed notebook holds in its outputs, with the fingerprint of its code."""
    code = fingerprint(notebook)
    outputs = (
        output["data"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if MIME in output.get("data", {})
    )
    samples = [Sample(**{**data[MIME], "code": code}) for data in outputs]
    return list({(sample.claim, sample.case): sample for sample in samples}.values())  # measured twice: the last one


def outdated(notebook: Any, samples: Iterable[Sample]) -> list[str]:
    """Sentences about runs that were recorded with other code than the notebook holds now."""
    code = fingerprint(notebook)
    old = sorted({sample.run for sample in samples if sample.code != code})
    return [
        f"{data}, SEED = {seed}, BUDGET = {budget:g} was run with other code: sweep again" for data, seed, budget in old
    ]
