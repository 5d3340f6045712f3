"""Evidence: the claims of a notebook, what this run measured, and the verdicts that all recorded runs give together.

    claims = Claims({"1.1": "A code keeps more of an image than PCA's code of the same size"}, "01_tasks", data, SEED)
    claims.measure("1.1", 1 - error / pca_error, case="a code of 8", at_least=0.10, unit="%",
                   control=("PCA itself", 0.0))

One run of a notebook is one sample. `python -m helpers.sweep` runs notebooks with other seeds, data sets and budgets
and records their samples; data/evidence/README.md has the rules, and the log of their changes.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import records
from .records import Sample

if TYPE_CHECKING:
    from .data import Dataset, Points
    from .labs.predictions import Predictions

FEWEST = 5  # runs that make a verdict; ten where they cost little
CONFIDENCE = 0.95  # of the interval of a mean
AGREEMENT = 0.99  # how probable it is that all values of another run lie where they are expected
ROUNDED = 1e-5  # records keep six digits, and what rounding leaves is no effect
MARKS = {"yes": "✓", "no": "✗", "small": "✗", "undecided": "?"}


@dataclass(frozen=True)
class Bar:
    """What a value must reach: at least so much, or at most. unit: one that begins with % or points shows shares as
    hundredths."""

    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    def __post_init__(self):
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a measurement needs either at_least or at_most, and not both")

    def met(self, values: ArrayLike) -> np.ndarray:
        """Whether each of the values reaches the bar."""
        values = np.asarray(values, float)
        return values >= self.limit if self.at_most is None else values <= self.limit

    @property
    def limit(self) -> float:
        """The bar itself, on whichever side."""
        return float(self.at_least if self.at_most is None else self.at_most)  # type: ignore[arg-type]

    def decide(self, low: float, high: float) -> str:
        """What an interval says: yes, no, small (above zero, and below the bar), or undecided."""
        if self.at_most is not None:
            return "yes" if high <= self.limit else "no" if low > self.limit else "undecided"
        if high < self.limit:
            return "small" if low > ROUNDED else "no"
        return "yes" if low >= self.limit else "undecided"

    def number(self, value: float) -> str:
        """A value in the bar's unit, to three digits or whole: 0.1 → 10, or 10% where the unit begins so."""
        value = 100 * value if self.unit.startswith(("%", "point")) else value
        return (f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}") + "%" * self.unit.startswith("%")

    def show(self, value: float) -> str:
        """A value with its unit: 10% less error, 0.12 nats."""
        number, unit = self.number(value), self.unit.removeprefix("%").strip()
        return f"{number} {unit.replace('points', 'point', 1) if number == '1' else unit}".strip()

    def __str__(self):
        return f"at {'least' if self.at_most is None else 'most'} {self.show(self.limit)}"


def interval(values: ArrayLike, overlap: float = 0.0, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """An interval of the mean of runs whose training sets overlap: Student's t, corrected (Nadeau and Bengio, 2003).

    values: (n,), from n ≥ 2 random splits. overlap: test images over training images; 0 where each run had data of
    its own.
    """
    from scipy import stats

    values = np.asarray(values, float)
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) * (1 / len(values) + overlap) ** 0.5
    return float(values.mean() - half), float(values.mean() + half)


@dataclass(frozen=True)
class Case:
    """All samples of one case of a claim on one data set, with one budget."""

    samples: Sequence[Sample]

    @property
    def bar(self) -> Bar:
        first = self.samples[0]
        return Bar(first.at_least, first.at_most, first.unit)

    @property
    def values(self) -> np.ndarray:
        return np.array([sample.value for sample in self.samples])

    @property
    def met(self) -> int:
        """How many runs reach the bar."""
        return int(self.bar.met(self.values).sum())

    @property
    def unsound(self) -> str:
        """Why this case decides nothing: its controls say that the bar cannot be missed, or cannot be reached."""
        controls, positives = ([getattr(sample, kind) for sample in self.samples] for kind in ("control", "positive"))
        if self.bar.met(np.mean(controls)):
            return "its control reaches the bar"
        positives = [value for value in positives if value is not None]
        return "its positive control misses the bar" if positives and not self.bar.met(np.mean(positives)) else ""

    @property
    def decision(self) -> str:
        """yes, no, small or undecided."""
        if len(self.samples) < FEWEST or self.unsound:
            return "undecided"
        first = self.samples[0]
        return self.bar.decide(*interval(self.values, first.n_test / first.n_train))

    def expects(self, value: float, of: int = 1) -> bool:
        """Whether the value of one more run lies where those recorded let it be expected, as one of so many values."""
        from scipy import stats

        n, values = len(self.samples), self.values
        if n < FEWEST:
            return True
        outside = (1 - AGREEMENT) / of  # Bonferroni: of forty values, one lies outside its own 99% in every third run
        reach = stats.t.ppf(1 - outside / 2, n - 1) * values.std(ddof=1) * (1 + 1 / n) ** 0.5
        return bool(abs(value - values.mean()) <= reach + ROUNDED * max(1, abs(values.mean())))


def cases(samples: Iterable[Sample], claim: str, budget: float = 1) -> dict[tuple[str, str], Case]:
    """{(case, data set): Case} of a claim, from the samples recorded with a budget."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        if sample.claim == claim and sample.budget == budget:
            found.setdefault((sample.case, sample.data), []).append(sample)
    return {key: Case(group) for key, group in found.items()}


@dataclass(frozen=True)
class Verdict:
    """What the recorded runs say of a claim. word: holds, depends, fails, undecided or not recorded. decisions: {(case,
    data set): decision}. longer: those that more training overturns.
    """

    word: str
    decisions: dict[tuple[str, str], str]
    longer: tuple[tuple[str, str], ...] = ()

    def by_data(self) -> list[str]:
        """How many cases got which mark, a line for each data set: digits ✓ 3, ? 1. Of a single case its mark."""
        marks: dict[str, list[str]] = {}
        for (_, data), decision in self.decisions.items():
            marks.setdefault(data, []).append(MARKS[decision])
        lists = [f"{data} {_counted(found)}" for data, found in marks.items()]
        return lists + ([f"longer training: {len(self.longer)} otherwise"] if self.longer else [])

    def lines(self) -> list[str]:
        """The decisions as short lists, one for each mark, and what more training changes."""
        by_case: dict[str, dict[str, list[str]]] = {mark: {} for mark in "✓✗?"}
        for (case, data), decision in self.decisions.items():
            small = ": small" if decision == "small" else ""
            by_case[MARKS[decision]].setdefault(case, []).append(data + small)
        lists = [
            f"{mark} "
            + "; ".join(f"{case} ({', '.join(sets)})" if case else ", ".join(sets) for case, sets in found.items())
            for mark, found in by_case.items()
            if found
        ]
        changed = "; ".join(f"{case} ({data})" if case else data for case, data in self.longer)
        return lists + ([f"with longer training otherwise: {changed}"] if changed else [])


def _counted(marks):
    """How many of each, as in "✓ 3, ? 1"; a single mark as it is."""
    if len(marks) == 1:
        return marks[0]
    return ", ".join(f"{mark}\N{NO-BREAK SPACE}{marks.count(mark)}" for mark in "✓✗?" if mark in marks)


def verdict(samples: Iterable[Sample], claim: str) -> Verdict:
    """The verdict on a claim, from all samples of a notebook: holds if every case does on every data set, fails if
    none does, depends if some do and some do not, undecided as long as anything is that could change this.
    """
    samples = list(samples)
    decided = {key: case.decision for key, case in cases(samples, claim).items()}
    marks = {MARKS[decision] for decision in decided.values()}
    longer = tuple(
        key
        for budget in sorted({sample.budget for sample in samples if sample.budget > 1})
        for key, case in cases(samples, claim, budget).items()
        if _overturned(decided.get(key), case)
    )
    if not decided:
        word = "not recorded"
    elif {"✓", "✗"} <= marks or longer and "?" not in marks:
        word = "depends"
    else:
        word = "undecided" if "?" in marks else "holds" if marks == {"✓"} else "fails"
    return Verdict(word, decided, longer)


def _overturned(decision, case):
    """Whether all runs with a larger budget lie on the other side of the bar, and their controls where they must."""
    turned = case.met == (0 if decision == "yes" else len(case.samples)) and decision in ("yes", "no", "small")
    return turned and not case.unsound


def unsound(samples: Iterable[Sample]) -> list[str]:
    """Sentences about cases whose controls show that they decide nothing."""
    samples = list(samples)
    return [
        f"{claim}, {case or 'the claim'}, on {data}: {found.unsound}"
        for claim in sorted({sample.claim for sample in samples})
        for (case, data), found in cases(samples, claim).items()
        if found.unsound
    ]


class Claims:
    """The claims of a notebook, {number: sentence}, what this run measures, and what the recorded runs say.

    notebook: the file's name without .ipynb. data: the `Dataset` or `Points` of this run. seed, budget: its parameters.
    folder: where its samples are recorded, if not in data/evidence, as for a data set of the reader's own.
    """

    def __init__(
        self,
        sentences: dict[str, str],
        notebook: str,
        data: Dataset | Points,
        seed: int,
        budget: float = 1,
        folder: str | Path | None = None,
    ):
        self.sentences, self.notebook = dict(sentences), notebook
        train, test = getattr(data, "x_train", getattr(data, "x", ())), getattr(data, "x_test", ())
        self.this_run: dict[str, Any] = {
            "data": data.name,
            "n_train": len(train),
            "n_test": len(test),
            "seed": int(seed),
            "budget": float(budget),
        }
        self.folder = folder or getattr(data, "folder", None)
        self.recorded = records.read(notebook, self.folder)
        self.measured: dict[tuple[str, str], Sample] = {}
        self.controls: dict[tuple[str, str], str] = {}
        self.predicted: Predictions | None = None

    def predict(self, *numbers: str) -> Predictions:
        """Let the reader predict the claims of these numbers (all, by default): holds, depends or fails."""
        from .labs.predictions import Predictions

        self.predicted = Predictions({n: self.sentences[n] for n in numbers or self.sentences})
        return self.predicted

    def measure(
        self,
        number: str,
        value: float,
        *,
        control: tuple[str, float],
        case: str = "",
        at_least: float | None = None,
        at_most: float | None = None,
        unit: str = "",
        positive: tuple[str, float] | None = None,
        n_drawn: int | None = None,
    ) -> None:
        """Note what this run measured in a case of a claim, and show it among the recorded runs.

        value: one number. at_least, at_most: the bar. control: (what it is, the same measure of it), where the bar must
        be missed; positive: the same where it must be reached. n_drawn: of a case that is not about the notebook's
        images, how many training examples each run draws of its own. Measuring a case again replaces it.
        """
        from IPython.display import display

        if number not in self.sentences:
            raise ValueError(f"there is no claim {number!r} here: the claims are {', '.join(self.sentences)}")
        bar = Bar(at_least, at_most, unit)
        own = {} if n_drawn is None else {"n_train": n_drawn, "n_test": 0}  # which runs share with no other
        sample = Sample(
            **self.this_run | own,
            claim=number,
            case=case,
            value=_number(value),
            at_least=at_least,
            at_most=at_most,
            unit=unit,
            control=_number(control[1]),
            positive=None if positive is None else _number(positive[1]),
            versions=versions(),
        )
        self.measured[number, case] = sample
        self.controls[number, case] = f"must miss it: {control[0]}, {bar.show(sample.control)}" + (
            f"; must reach it: {positive[0]}, {bar.show(positive[1])}" if positive else ""
        )
        data, described = self.strip(sample)
        display(data, metadata=described, raw=True)

    def strip(self, sample: Sample) -> tuple[dict, dict]:
        """What a cell shows of a sample: its place among the recorded runs, and the sample itself; with metadata."""
        from . import plots

        recorded = cases(self.recorded, sample.claim).items()
        found = {data: each for (case, data), each in recorded if case == sample.case}
        bar = Bar(sample.at_least, sample.at_most, sample.unit)
        title = f"{sample.claim} {sample.case}".strip()
        picture = plots.strip(title, found, sample.data, sample.value, bar, sample.control)
        data, described = picture._repr_mimebundle_()
        return {**data, records.MIME: asdict(sample)}, described

    def verdict(self, number: str) -> Verdict:
        """What the recorded runs say of a claim."""
        return verdict(self.recorded, number)

    def agrees(self, number: str) -> bool:
        """Whether this run's values lie where the recorded ones of the same data set and budget do."""
        known = cases(self.recorded, number, self.this_run["budget"])
        return all(
            known[case, sample.data].expects(sample.value, of=len(self.measured))
            for (claim, case), sample in self.measured.items()
            if claim == number and (case, sample.data) in known
        )

    def verdicts(self) -> None:
        """Print the verdicts, and whether this run agrees: the part of a notebook that must be alike everywhere."""
        for number in self.sentences:
            found = self.verdict(number)
            print(f"{number} {found.word}" + ("" if self.agrees(number) else "; this run does not agree"))
            for line in found.lines():
                print(f"    {line}")

    def table(self) -> None:
        """Show all claims: what this run says, what the recorded runs say, the verdict, and the reader's prediction."""
        from IPython.display import Markdown, display

        display(Markdown(self.as_markdown()))

    def as_markdown(self) -> str:
        """The table of all claims, and the controls of this run, folded."""
        guesses: dict[str, str] = self.predicted.chosen() if self.predicted else {}
        lines = [
            "| | claim | this run | recorded runs | verdict |" + " you said |" * bool(guesses),
            "|---|---|---|---|---|" + "---|" * bool(guesses),
        ]
        for number, sentence in self.sentences.items():
            found = self.verdict(number)
            said = f" {guesses.get(number, '–')} |" * bool(guesses)
            lines.append(
                f"| **{number}** | {sentence} | {self._this(number)} | {'<br>'.join(found.by_data()) or '–'} | "
                f"**{found.word}** |{said}"
            )
        folded = "".join(f"<li>{number} {case}: {words}</li>" for (number, case), words in self.controls.items())
        details = f"<details><summary>The controls of this run</summary><ul>{folded}</ul></details>" * bool(folded)
        return "\n\n".join(filter(None, ("\n".join(lines), details, self._how_to_record())))

    def _this(self, number):
        """✓ or ✗ for this run, or how many of its cases reach their bar."""
        mine = [
            bool(Bar(s.at_least, s.at_most, s.unit).met(s.value)) for (n, _), s in self.measured.items() if n == number
        ]
        if len(mine) < 2:
            return ("✗", "✓")[mine[0]] if mine else "–"
        return f"✓ {sum(mine)} of {len(mine)}".replace(" ", "\N{NO-BREAK SPACE}")

    def _how_to_record(self):
        """What to do about a data set of which nothing is recorded."""
        if any(sample.data == self.this_run["data"] for sample in self.recorded):
            return ""
        return (
            f"Nothing is recorded for {self.this_run['data']} yet. This run is one sample; ten make a verdict: "
            f"`python -m helpers.sweep {self.notebook} --seeds 10 --data …`"
        )


def _number(value):
    value = np.asarray(value, float)
    if value.shape != ():
        raise ValueError(f"a measurement of shape {value.shape}: one run gives one number")
    if not np.isfinite(value):
        raise ValueError(f"a measurement of {value}: a run that diverged measures nothing; say so in another measure")
    return float(value)


def versions() -> str:
    """What computed a sample: Python and the libraries whose numbers it is made of."""
    libraries = {
        name: next((metadata.version(p) for p in (name, f"{name}-cpu") if _there(p)), "")
        for name in ("tensorflow", "keras", "numpy", "scikit-learn")
    }
    return " ".join([f"python {platform.python_version()}", *(f"{name} {v}" for name, v in libraries.items() if v)])


def _there(package):
    return bool(next(iter(metadata.distributions(name=package)), None))
