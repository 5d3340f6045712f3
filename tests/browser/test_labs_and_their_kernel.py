"""Labs whose kernel is at work, ended or not yet started, in JupyterLab and Notebook 7."""

import json

import nbformat
import pytest
from jupyter_driver import Notebook, wait_for

expect = pytest.importorskip("playwright.sync_api", reason="no Playwright (pip install playwright)").expect

LABS = """
import pathlib, time
import numpy as np
from helpers import labs, plots
from helpers.labs.predictions import Predictions

def draw(n):
    return plots.images({f"{n} of 100": np.full((4, 8, 8), n / 100)})

def train(n):
    while pathlib.Path("held").exists():
        time.sleep(.02)
        yield .5
    return n

labs.Lab(draw, "Numbers", n=labs.slider("number", 0, 100, 20))
"""
SLOW = 'labs.RetrainLab(train, lambda result, n: draw(n), "Slow", n=labs.slider("size", 0, 30, 5))'
PREDICTIONS = 'Predictions({"1.1": "Codes are small."})'
BLOCK = """
running, end = pathlib.Path("running"), time.monotonic() + 300
running.touch()
while running.exists() and time.monotonic() < end:
    time.sleep(.02)
"""
PLANE = """
import keras, numpy as np
from helpers import labs
decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(64, "sigmoid")])
labs.LatentPlane(decoder, np.random.normal(size=(50, 2)), np.arange(50) % 10, (8, 8), "Plane")
"""
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = "() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"


@pytest.fixture(scope="module")
def opened(app, open_notebook):
    return with_labs(app, open_notebook)


@pytest.fixture
def notebook(opened):
    """A notebook with a Lab, a RetrainLab and predictions, which has run, and a cell that blocks the kernel.

    One for all tests that leave its kernel alone, and for the last of them, which ends it.
    """
    yield opened
    assert errors(opened) == []


@pytest.fixture
def another(app, open_notebook):
    """Such a notebook for a single test."""
    notebook = with_labs(app, open_notebook)
    yield notebook
    assert errors(notebook) == []


def with_labs(app, open_notebook):
    notebook = open_notebook(app, f"kernel-{app}", LABS, SLOW, PREDICTIONS, BLOCK)
    for cell in range(3):
        notebook.run_cell(cell)
    for title in ("Numbers", "Slow", "What do you expect?"):
        notebook.lab(title)
    return notebook


def errors(notebook):
    """The page's errors but what Jupyter says of messages of its own when a kernel ends."""
    return [error for error in notebook.page.errors if "Canceled future" not in error]


def reopened(notebook):
    """The same notebook in a page loaded anew, as a reader finds it who comes back."""
    return Notebook(notebook.page, notebook.server, f"kernel-{notebook.server.kind}.ipynb")


def saved(notebook):
    """The outputs of the cells, as the file has them once the page has saved it."""
    notebook.command("docmanager:save")
    path = notebook.server.root / f"kernel-{notebook.server.kind}.ipynb"
    return [cell.outputs for cell in nbformat.read(path, as_version=4).cells]


# A kernel at work

# From the release of the slider to the frame in which the lab looks busy, in ms, without what the page itself was late
# by: a timer of its own is watched beside it. Null if the lab never looks busy.
UNTIL_BUSY = """([track, lab]) => new Promise(resolve => {
    setTimeout(() => resolve(null), 20000);
    track.addEventListener('pointerup', () => {
        const start = performance.now(), since = () => performance.now() - start;
        let late = null;
        setTimeout(() => requestAnimationFrame(() => { late = since() - 50 }), 50);
        let took = null, said;
        const look = () => { const sign = lab.querySelector('.waits');
            if (!sign.hidden) { took ??= since(); said ??= sign.textContent }
            if (took === null || late === null) return requestAnimationFrame(look);
            resolve([took - late, said]) };
        look() }, {once: true}) })"""


@pytest.mark.parametrize(("title", "label"), [("Numbers", "number"), ("Slow", "size")])
def test_the_first_touch_while_a_cell_runs_says_within_100_ms_that_it_waits(notebook, title, label):
    running, slider, lab = notebook.server.root / "running", notebook.slider(title, label), notebook.lab(title)
    sign = lab.locator(".waits")
    expect(sign).to_be_hidden()
    notebook.start_cell(3)
    try:
        wait_for(running.exists, "the cell does not start")
        place = slider.place(0.8)
        notebook.page.evaluate(
            f"([track, lab]) => {{ window.busy = ({UNTIL_BUSY})([track, lab]) }}",
            [slider.handle.element_handle(), lab.element_handle()],
        )
        notebook.page.mouse.click(*place)
        took, said = notebook.page.evaluate("() => window.busy")
        assert took <= 100 and said == "waits for the running cell …"
        assert lab.get_attribute("aria-busy") == "true" and notebook.cell_runs()
    finally:
        running.unlink(missing_ok=True)
    expect(sign).to_be_hidden()
    notebook.wait_right(title)
    assert lab.get_attribute("aria-busy") == "false"
    assert json.loads(notebook.execute(f"print(labs.LABS[{title!r}].values['n'])")) == slider.value()


def test_a_training_that_keeps_its_first_sign_waiting_looks_busy(notebook):
    notebook.execute("labs.LABS['Slow'].train = lambda n: (time.sleep(1), (yield .5), n)[-1]")
    notebook.slider("Slow", "size").press("ArrowRight")
    expect(notebook.lab("Slow").locator(".waits")).to_have_text("working …")
    expect(notebook.lab("Slow").locator(".waits")).to_be_hidden()
    notebook.wait_right("Slow")


# A notebook saved and opened again


def test_labs_come_back_where_the_kernel_goes_on(notebook):
    notebook.slider("Numbers", "number").press("End")
    shown = notebook.wait_right("Numbers")
    saved(notebook)
    again = reopened(notebook)
    for title in ("Numbers", "Slow", "What do you expect?"):
        expect(again.lab(title)).to_be_visible()
    assert again.png("Numbers") == shown and again.slider("Numbers", "number").value() == 100
    again.slider("Numbers", "number").press("Home")
    assert again.wait_right("Numbers") != shown
    assert WIDGET not in saved(again)[0][0].data, "saved a second time it has no twin"


def test_a_saved_notebook_keeps_the_twins_and_shows_them_without_the_kernel(notebook):
    outputs = saved(notebook)
    for (output,), twin in zip(outputs, ("image/png", "image/png", "text/markdown")):
        assert WIDGET not in output.data and twin in output.data
    assert all(WIDGET in output[0]["data"] for output in notebook.outputs()[:3]), "the page has lost its labs"
    notebook.shut_down()
    page = reopened(notebook).page
    twins = page.locator(".jp-RenderedImage img")
    expect(twins).to_have_count(2)
    for twin, (output,) in zip(twins.all(), outputs):
        expect(twin).to_be_visible()
        assert twin.get_attribute("src").split(",")[1] == output.data["image/png"].strip()
    expect(page.get_by_role("cell", name="Codes are small.")).to_be_visible()
    assert "Error displaying widget" not in page.inner_text("body") and page.locator(".lab").count() == 0


# A kernel that is gone


@pytest.mark.parametrize("end", ["restarted", "crashed", "shut down"])
def test_a_lab_says_that_its_kernel_is_gone(another, end):
    held = another.server.root / "held"
    held.touch()
    try:
        another.slider("Slow", "size").press("ArrowRight")
        wait_for(lambda: another.message("Slow") == "Training …", "no training")
        if end == "restarted":
            another.page.evaluate(f"async () => {{ await ({KERNEL})().restart() }}")
        elif end == "crashed":
            another.page.evaluate(f"() => {{ ({KERNEL})().requestExecute({{code: 'import os; os._exit(1)'}}) }}")
        else:
            another.shut_down()
        for title in ("Numbers", "Slow", "What do you expect?"):
            lab = another.lab(title)
            expect(lab.get_by_role("alert")).to_have_text(
                "The kernel that drew this lab has ended. Run the cells anew, up to this one, to bring it back."
            )
            assert all(control.is_disabled() for control in lab.locator("input, button").all())
        assert "Training" not in another.lab("Slow").inner_text()
        assert not another.lab("Slow").locator("progress").is_visible()
    finally:
        held.unlink()
    if end == "restarted":  # a cell run again brings its lab back
        another.run_cell(0)
        assert another.lab("Numbers").get_by_role("alert").count() == 0
        another.slider("Numbers", "number").press("Home")
        another.wait_right("Numbers")


def test_the_plane_lives_on_without_its_kernel(open_notebook, app):
    notebook = open_notebook(app, f"plane-{app}", PLANE)
    notebook.run_cell(0)
    before, cross = notebook.png("Plane"), notebook.cross("Plane")
    notebook.shut_down()
    notebook.drag_plane("Plane", to=(0.8, 0.2))
    assert notebook.png("Plane") != before and notebook.cross("Plane") != cross
    assert notebook.lab("Plane").get_by_role("alert").count() == 0
    assert errors(notebook) == []
