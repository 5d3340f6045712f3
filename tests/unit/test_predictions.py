"""helpers.labs.predictions: what a reader can choose, what was chosen, and the table for readers without a kernel."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers import publish
from helpers.labs.predictions import Predictions

SENTENCES = {"4.1": "Small codes lose.", "4.10": "A <b>linear</b> one is PCA."}


@pytest.fixture
def predictions():
    return Predictions(SENTENCES)


def test_nothing_is_chosen_at_first(predictions):
    assert predictions.chosen() == {}


def test_choices_are_the_verdicts(predictions):
    assert predictions.answers == ["holds", "depends", "fails"]
    assert predictions.sentences == SENTENCES


def test_chosen(predictions):
    predictions.values = {"4.10": "fails"}
    predictions.values = {"4.10": "depends", "4.1": "holds"}  # a reader may think again
    assert predictions.chosen() == {"4.1": "holds", "4.10": "depends"}
    predictions.chosen()["4.1"] = "fails"
    assert predictions.values["4.1"] == "holds"


def test_two_widgets_share_nothing(predictions):
    predictions.values = {"4.1": "holds"}
    assert Predictions(SENTENCES).chosen() == {}


def test_static_twin(predictions):
    data = predictions._repr_mimebundle_()
    assert data["text/markdown"].splitlines() == [
        "| | claim |",
        "|---|---|",
        "| 4.1 | Small codes lose. |",
        "| 4.10 | A <b>linear</b> one is PCA. |",
    ]
    assert data["text/plain"] == "4.1 Small codes lose.\n4.10 A <b>linear</b> one is PCA."
    assert data[publish.WIDGET]["model_id"] == predictions.model_id


def test_published_notebook_keeps_the_twin_alone(predictions):
    output = new_output("execute_result", data=predictions._repr_mimebundle_(), execution_count=1)
    notebook = new_notebook(cells=[new_code_cell("claims.predict()", outputs=[output], execution_count=1)])
    publish.clean(notebook)
    assert set(notebook.cells[0].outputs[0].data) == {"text/markdown", "text/plain"}
    assert publish.problems(notebook) == []
