"""The buttons of "Predict first" in JupyterLab and Notebook 7, by keyboard alone and by mouse."""

import json

import pytest
from jupyter_driver import wait_for

expect = pytest.importorskip("playwright.sync_api", reason="no Playwright (pip install playwright)").expect

CELLS = (
    "from types import SimpleNamespace\n"
    "from helpers.evidence import Claims\n"
    'images = SimpleNamespace(name="digits", x_train=range(2), x_test=range(1))\n'
    'claims = Claims({"1.1": "It <i>works</i>.", "1.2": "It is new."}, "09_none", images, seed=1)\n'
    "claims.predict()",
    "2",
)


@pytest.fixture(scope="module")
def notebook(app, open_notebook):
    notebook = open_notebook(app, "predictions", *CELLS)
    notebook.run_all()
    yield notebook
    assert notebook.page.errors == []


@pytest.fixture
def button(notebook):
    """button(name) of a fresh panel, in which nothing is chosen."""
    notebook.execute("claims.predicted.values = {}")
    panel = notebook.page.get_by_role("group", name="What do you expect?")
    expect(panel.locator("[aria-pressed=true]")).to_have_count(0)
    return lambda name: panel.get_by_role("button", name=name, exact=True)


def chosen(notebook):
    return json.loads(notebook.execute("import json; print(json.dumps(claims.predicted.chosen()))"))


def test_by_keyboard_alone(notebook, button):
    page, cells = notebook.page, notebook.cells()
    button("1.1 holds").focus()
    for name in ("1.1 depends", "1.1 fails", "1.2 holds", "1.2 depends"):
        page.keyboard.press("Tab")
        expect(button(name)).to_be_focused()
    page.keyboard.press("Enter")
    wait_for(lambda: chosen(notebook) == {"1.2": "depends"}, "Enter does not choose")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    wait_for(lambda: chosen(notebook) == {"1.2": "fails"}, "Space does not choose")
    for key in ("x", "a", "b", "d", "d", "m", "y", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    assert notebook.cells() == cells
    expect(button("1.2 fails")).to_be_focused()


def test_by_mouse_one_answer_a_claim_and_the_page_says_which(notebook, button):
    for name in ("1.1 depends", "1.2 holds", "1.1 fails"):
        button(name).click()
    wait_for(lambda: chosen(notebook) == {"1.1": "fails", "1.2": "holds"}, "a click does not choose")
    pressed = notebook.page.locator(".lab [aria-pressed=true]")
    assert [b.get_attribute("aria-label") for b in pressed.all()] == ["1.1 fails", "1.2 holds"]


def test_sentences_are_text_and_not_markup(notebook, button):
    expect(notebook.page.locator(".claim").first).to_contain_text("It <i>works</i>.")


def test_the_table_of_verdicts_says_what_the_reader_chose(notebook, button):
    button("1.2 depends").click()
    said = notebook.execute(
        "from unittest import mock\nwith mock.patch('IPython.display.display') as show:\n"
        "    claims.table()\nprint(show.call_args.args[0].data)"
    )
    header, _, *rows = [line for line in said.splitlines() if line.startswith("|")]
    assert header.endswith("| you said |") and [row.split(" | ")[-1] for row in rows] == ["– |", "depends |"]
