"""What is recorded of each notebook belongs to its code, and its controls let every case decide something."""

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import evidence, records
from helpers.records import Sample
from helpers.rules import FOLDER

RECORDED = sorted(records.FOLDER.glob("*.csv"))


def problems(notebook, samples):
    return [*records.outdated(notebook, samples), *evidence.unsound(samples)]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_records_of_the_notebook(path):
    notebook = nbformat.read(FOLDER / f"{path.stem}.ipynb", as_version=4)
    samples = records.read(path.stem)
    assert samples and problems(notebook, samples) == []


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
