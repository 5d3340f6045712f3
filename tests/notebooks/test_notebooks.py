"""Whole notebooks: nbval's settings and the check of labs, on samples; the sweep over other seeds and data.

nbval itself collects notebooks/*.ipynb (pyproject.toml) and conftest.py adds the labs; here both are tried on
notebooks that must fail.
"""

import argparse
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_driver import missing
from nbformat.v4 import new_code_cell
from notebook_items import check_labs, share
from sample_notebook import sample_notebook

from helpers.plots import Picture, images
from helpers.publish import ThisPython
from helpers.rules import FOLDER, NOTEBOOKS, question_of, verdicts

QUESTIONS = [path for path in NOTEBOOKS if question_of(path)]
SEEDS = range(1, 1 + int(os.environ.get("SWEEP_SEEDS", "1")))
PLACES = (
    Path(os.environ.get("TEACHING_DATA", ""), "mnist.npz"),
    FOLDER.parent / "data" / "mnist.npz",
    FOLDER.parents[1] / "shared" / "data" / "mnist20k.npz",
)
MNIST = next(filter(Path.is_file, PLACES), None)
BROWSER = "labs in the browser"
LAB = """from helpers import labs, plots
labs.Lab(lambda n: plots.images({"": [[[n / 9] * 3] * 3]}), "Grey", n=labs.slider("n", 0, 9, 5))"""


# nbval and the labs ---------------------------------------------------------------------------------------

SAMPLES = {  # name of a sample: what is replaced in it
    "right": {"a picture": "new", "guess = SEED": "assert BUDGET == 0.1"},
    "another_budget": {"guess = SEED": "assert BUDGET == 1"},
    "another_verdict": {"1.1 holds": "1.1 fails"},
    "never_changes": {"n / 9": "0.5"},
    "no_slider": {'labs.slider("n", 0, 9, 5)': 'labs.choice("n", range(9))'},
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """pytest, as the project sets it up, on the samples with a real lab: ({sample: {test: outcome}}, what was said)."""
    folder = tmp_path_factory.mktemp("samples")
    for name, replaced in SAMPLES.items():
        notebook = sample_notebook()
        next(cell for cell in notebook.cells if "'a lab'" in cell.source).source = LAB
        for cell in notebook.cells:
            for what, by in replaced.items():
                cell.source = cell.source.replace(what, by)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n0",
        "-rA",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "-c",
        str(FOLDER.parent / "pyproject.toml"),
        "-p",
        "notebook_items",
        ".",
        "--deselect",
        f"another_budget.ipynb::{BROWSER}",
        "--deselect",
        f"another_verdict.ipynb::{BROWSER}",
        "--deselect",
        f"never_changes.ipynb::{BROWSER}",
    ]
    shared = map(str, (FOLDER.parent, Path(__file__).parent, FOLDER.parent / "tests" / "browser"))
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(shared)},
    )
    outcomes, said = defaultdict(dict), r"^(PASSED|FAILED) (\w+)\.ipynb::(.+?)(?: - .*)?$"
    for outcome, sample, test in re.findall(said, run.stdout, re.MULTILINE):
        outcomes[sample][test] = outcome
    return outcomes, run.stdout


def failed(outcomes):
    return [test for test, outcome in outcomes.items() if outcome == "FAILED"]


def test_only_verdicts_are_compared(ran):
    outcomes, said = ran
    browser = {} if missing() else {BROWSER: "PASSED"}
    assert outcomes["right"] == {**{f"Cell {i}": "PASSED" for i in range(5)}, "labs": "PASSED"} | browser, said


def test_a_notebook_trains_for_a_tenth(ran):
    outcomes, said = ran
    assert failed(outcomes["another_budget"]) == ["Cell 1"], said


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "a tenth"])
def test_a_budget_is_a_number_above_0(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}': give a number above 0, such as 1"):
        share(text)


def test_another_verdict_fails(ran):
    outcomes, said = ran
    assert failed(outcomes["another_verdict"]) == ["Cell 4"], said


def test_a_lab_that_never_changes_fails(ran):
    outcomes, said = ran
    assert failed(outcomes["never_changes"]) == ["labs"], said
    assert "Grey: the same picture at all 6 settings" in said


@pytest.mark.skipif(bool(missing()), reason=str(missing()))
def test_a_lab_that_cannot_be_dragged_fails(ran):
    outcomes, said = ran
    assert failed(outcomes["no_slider"]) == [BROWSER], said
    assert "'Grey' has no slider to drag" in said


@dataclass
class FakeLab:
    draw: object

    def settings(self):
        return [{"n": n} for n in range(3)]

    def picture(self, n):
        return self.draw(n)


def grey(n, **changes):
    picture = images({"": [[[n / 3] * 3] * 3]})
    return Picture(**{"png": picture.png, "alt": picture.alt, "width": picture.width, **changes})


def test_check_labs_says_what_it_saw(capsys):
    check_labs({"Grey": FakeLab(grey)})
    assert capsys.readouterr().out == "Grey: 3 settings, 3 different pictures\n"


@pytest.mark.parametrize(
    "labs, complaint",
    [
        ({}, "made none"),
        ({"A": FakeLab(grey), "B": FakeLab(lambda n: grey(1))}, "B: the same picture"),
        ({"A": FakeLab(lambda n: grey(n, alt=" "))}, "no alternative text at {'n': 0}"),
        ({"A": FakeLab(lambda n: grey(n, width=0))}, "empty picture"),
        ({"A": FakeLab(lambda n: grey(n, png=b"\x89PNG cut short"))}, "cannot identify"),
    ],
)
def test_check_labs_says_no(labs, complaint):
    with pytest.raises((AssertionError, OSError), match=complaint):
        check_labs(labs)


# The sweep: each notebook under papermill -----------------------------------------------------------------


def executed(path, aside, **parameters):
    """The notebook, run in its own folder with other parameters; the result is kept in the folder `aside`."""
    name = "_".join([path.stem, *map(str, parameters.values())])
    return papermill.execute_notebook(
        path,
        aside / f"{name}.ipynb",
        parameters,
        kernel_name="python3",
        kernel_manager_class=ThisPython,
        cwd=path.parent,
        progress_bar=False,
    )


def by_claim(lines):
    """{claim: verdict} of lines such as `4.5 fails`."""
    return dict(line.split(" ", 1) for line in lines)


def changes(stored_verdicts, found):
    """What other seeds changed. found: {seed: lines}. Returns (table, {claim: how many seeds changed it})."""
    expected, rows, counts = by_claim(stored_verdicts), [], Counter()
    for seed, lines in found.items():
        verdict = by_claim(lines)
        for claim in sorted(expected.keys() | verdict.keys()):
            if expected.get(claim) != verdict.get(claim):
                rows.append(f"{claim}, SEED = {seed}: {verdict.get(claim)}; stored: {expected.get(claim)}")
                counts[claim] += 1
    return "\n".join(rows), counts


def too_many(counts, seeds):
    """The claims that more than one seed in ten changes."""
    return sorted(claim for claim, n in counts.items() if n > seeds // 10)


def test_changes_are_counted_by_claim():
    table, counts = changes(["1.1 holds", "1.2 fails"], {1: ["1.1 holds", "1.2 fails"], 2: ["1.1 fails"]})
    assert counts == {"1.1": 1, "1.2": 1}
    assert table.splitlines() == ["1.1, SEED = 2: fails; stored: holds", "1.2, SEED = 2: None; stored: fails"]


def test_one_seed_in_ten_may_change_a_verdict():
    assert too_many({"1.1": 1, "1.2": 2}, seeds=10) == ["1.2"]
    assert too_many({"1.1": 1}, seeds=9) == ["1.1"]


def test_papermill_sets_the_parameters(sample, stored, tmp_path):
    sample.cells.append(new_code_cell('print(DATASET, SEED, "in the kernel")'))
    run = executed(stored(sample), tmp_path, DATASET="mnist", SEED=7)
    assert run.cells[-1].outputs[0].text == "mnist 7 in the kernel\n"
    assert verdicts(run) == verdicts(sample)


@pytest.mark.sweep
@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_verdicts_stand_with_other_seeds(path, tmp_path, record_property):
    """SWEEP_SEEDS other values of SEED (by default 1): nine of ten must leave a verdict as it is stored."""
    found = {seed: verdicts(executed(path, tmp_path, SEED=seed)) for seed in SEEDS}
    table, counts = changes(verdicts(nbformat.read(path, as_version=4)), found)
    record_property("to read", f"{path.stem}, SEED = {list(SEEDS)}: {table or 'no verdict changed'}")
    assert not too_many(counts, len(SEEDS)), table


@pytest.mark.sweep
@pytest.mark.skipif(MNIST is None, reason="no copy of MNIST: " + ", ".join(map(str, PLACES)))
@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_runs_with_mnist(path, tmp_path, monkeypatch):
    """The notebook runs to its end on 28 × 28 pixels and gives each claim a verdict, which may be another."""
    (tmp_path / "mnist.npz").symlink_to(MNIST)
    monkeypatch.setenv("TEACHING_DATA", str(tmp_path))
    found = verdicts(executed(path, tmp_path, DATASET="mnist"))
    assert list(by_claim(found)) == list(by_claim(verdicts(nbformat.read(path, as_version=4))))
