"""What is recorded of each notebook belongs to its code, as do its labs' pictures; controls let every case decide."""

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import evidence, records
from helpers.labs import states
from helpers.records import Sample
from helpers.renew import renew
from helpers.rules import FOLDER

RECORDED = sorted(records.FOLDER.glob("*.csv"))


def problems(notebook, samples):
    return [*records.outdated(notebook, samples), *evidence.unsound(samples)]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_records_of_the_notebook(path):
    notebook = nbformat.read(FOLDER / f"{path.stem}.ipynb", as_version=4)
    samples = records.read(path.stem)
    assert samples and problems(notebook, samples) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_pictures_of_the_labs(path):
    assert states.outdated(nbformat.read(path, as_version=4), path) == []


def said(notebook):
    """What the cells with the table and the verdicts show, by what they call."""
    return {
        cell.source: [
            "".join(output.get("text", output.get("data", {}).get("text/markdown", ""))) for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.source in ("claims.table()", "claims.verdicts()")
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_published_verdicts_are_those_of_the_records(path, monkeypatch):
    monkeypatch.setattr(evidence.Claims, "strip", lambda self, sample: ({}, {}))  # drawing takes long
    path = FOLDER / f"{path.stem}.ipynb"
    stored, renewed = (nbformat.read(path, as_version=4) for _ in range(2))
    renew(renewed, path)
    assert said(renewed) == said(stored), "python -m helpers.publish --renew shows what is recorded by now"


def test_what_a_run_measured_is_shown_among_new_records(monkeypatch):
    path = FOLDER / "00_start_here.ipynb"
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    (shown,) = (output for output in outputs if records.MIME in output.get("data", {}))
    before = shown.data
    monkeypatch.setattr(records, "read", lambda name, folder=None: [])
    renew(notebook, path)
    assert shown.data[records.MIME] == before[records.MIME]
    assert "No recorded runs" in "".join(shown.data["text/plain"]) and shown.data["image/png"] != before["image/png"]
    assert "not recorded" in said(notebook)["claims.verdicts()"][0]


def test_a_notebook_that_was_never_run_cannot_be_renewed():
    with pytest.raises(ValueError, match="publish it first"):
        renew(new_notebook(cells=[new_code_cell("claims = Claims({}, 'x')")]), FOLDER / "x.ipynb")


def test_records_that_must_be_made_again_are_named():
    notebook = new_notebook(cells=[new_code_cell("x = 1")])
    fresh = Sample(
        "digits", 1400, 397, 7, 1.0, "1.1", "A", 0.4, 0.1, None, "%", 0.0, 0.5, records.fingerprint(notebook)
    )
    assert problems(notebook, [fresh]) == []
    assert problems(notebook, [replace(fresh, code="old")] * 2) == [
        "digits, SEED = 7, BUDGET = 1 was run with other code: sweep again"
    ]
    assert problems(notebook, [replace(fresh, control=0.2)]) == ["1.1, A, on digits: its control reaches the bar"]
    assert problems(notebook, [replace(fresh, positive=0.0)]) == [
        "1.1, A, on digits: its positive control misses the bar"
    ]
