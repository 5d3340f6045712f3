"""A plugin of pytest: how long nbval's notebooks train, and the labs of each as two tests after its cells.

By itself, pytest has a notebook train for a tenth of what it takes a reader. That runs all of its code, and its
verdicts are the same, since they come from the recorded runs. With `--budget 1` it trains for as long as a reader's.

`labs` calls every lab as a function, in the kernel where nbval has run the cells; `labs in the browser` drags their
sliders in JupyterLab, which joins that kernel.
"""

import argparse
import functools
import inspect
import json
import math
from collections import defaultdict

import numpy as np
import pytest
from jupyter_driver import BROWSER, SERVERS, Notebook, missing
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers.publish import METADATA, WIDGET
from helpers.rules import parts, tagged

BUDGET = 0.1  # what pytest by itself sets


def check_labs(labs):
    """Call every lab as a function at its settings: it gives whole pictures, described, and not all alike.

    labs: {title: lab}. Runs in the notebook's kernel, so it imports what it needs. Raises AssertionError.
    """
    import io

    from PIL import Image

    assert labs, "the notebook speaks of labs, and made none"
    for title, lab in labs.items():
        settings = list(lab.settings())
        assert len(settings) >= 3, f"{title}: only {len(settings)} settings to test"
        pictures = [lab.picture(**setting) for setting in settings]
        for setting, picture in zip(settings, pictures):
            size = Image.open(io.BytesIO(picture.png)).convert("L").size
            assert min(size) > 1 and picture.width > 1, f"{title}: an empty picture at {setting}"
            assert picture.alt.strip(), f"{title}: no alternative text at {setting}"
        different = len({picture.png for picture in pictures})
        assert different >= 2, f"{title}: the same picture at all {len(settings)} settings"
        print(f"{title}: {len(settings)} settings, {different} different pictures")


def check_labs_in_browser(notebook):
    """Drag a slider of every lab: the picture changes, and shows the last position. notebook: the page's."""
    labs = notebook.labs()
    assert labs, "the notebook speaks of labs, and made none"
    for title, lab in labs.items():
        before = notebook.png(title)
        if lab["kind"] == "Arena":  # has tests of its own
            notebook.button(title, "Step").click()
            notebook.wait_changed(title, before)
        elif lab["kind"] == "LatentPlane":
            notebook.drag_plane(title, to=(0.75, 0.35))
            assert notebook.png(title) != before
            decoded = json.loads(
                notebook.execute(
                    f"print(_labs.LABS[{title!r}].decode({notebook.cross(title)}).ravel().astype(float).tolist())"
                )
            )
            assert np.abs(np.array(notebook.decoded(title)) - decoded).max() <= 1e-5
        elif lab["kind"] == "DiracGAN":
            notebook.drag_plane(title, to=(0.8, 0.3))
            assert notebook.png(title) != before
            difference = np.array(notebook.path(title)) - notebook.expected_path(title)
            assert np.abs(difference).max() <= 1e-5
        else:
            assert lab["sliders"], f"{title!r} has no slider to drag"
            slider = notebook.slider(title, lab["sliders"][0])
            slider.drag(to=0.2 if slider.fraction() > 0.5 else 0.8)
            notebook.wait_changed(title, before)
            notebook.wait_right(title)
            assert notebook.message(title) == ""
    assert notebook.page.errors == []


def pytest_addoption(parser):
    parser.addoption(
        "--budget",
        type=share,
        default=BUDGET,
        help=f"how long the notebooks train: 1 for as long as a reader's, or {BUDGET} of it by default",
    )


def share(text):
    """The number that `--budget` gives. Raises ArgumentTypeError."""
    try:
        if 0 < (budget := float(text)) < math.inf:
            return budget
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r}: give a number above 0, such as 1")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Has every notebook that nbval collects tested together with its labs."""
    collected = yield
    return [NotebookWithLabs.from_parent(parent, path=file_path) if isinstance(c, IPyNbFile) else c for c in collected]


def pytest_unconfigure():
    BROWSER.stop()
    SERVERS.stop()


@functools.cache
def page_of_notebooks():
    """The page that shows one notebook after the other: JupyterLab is loaded once."""
    return BROWSER.page()


class NotebookWithLabs(IPyNbFile):
    """nbval's notebook with the `--budget`; where it makes labs, `labs` and `labs in the browser` after its cells."""

    def collect(self):
        cells = list(super().collect())
        for cell in tagged(self.nb.cells, "parameters"):
            cell.source += f"\nBUDGET = {self.config.option.budget:g}"
        yield from cells
        if "Lab" in parts(self.nb) or any("labs." in cell.cell.source for cell in cells):
            source = inspect.getsource(check_labs) + "\nfrom helpers import labs\ncheck_labs(labs.LABS)"
            yield IPyNbCell.from_parent(
                self, name="labs", cell_num=len(cells), cell=new_code_cell(source), options=defaultdict(bool)
            )
            yield LabsInBrowser.from_parent(self, name="labs in the browser", cells=cells)


class LabsInBrowser(pytest.Item):
    """JupyterLab on the kernel in which nbval ran these cells, with those of them that show a widget."""

    def __init__(self, *, cells, **known):
        super().__init__(**known)
        self.cells = cells
        if reason := missing():
            self.add_marker(pytest.mark.skip(reason=reason))

    def runtest(self):
        assert self.parent.kernel.is_alive(), "the kernel has died"
        server, name, page = SERVERS["lab"], self.path.name, page_of_notebooks()
        page.errors.clear()
        try:
            with server.joining(self.parent.kernel.km.connection_file, self.shown(), name):
                notebook = Notebook(page, server, name, anew=False)
                check_labs_in_browser(notebook)
                notebook.close()
        except BaseException:
            page_of_notebooks.cache_clear()  # what is wrong with this page is nothing to the next notebook
            raise

    def shown(self):
        """A notebook of the cells that showed a widget, with these outputs."""
        cells = []
        for ran in self.cells:
            outputs = [new_output(**output) for output in ran.test_outputs or () if WIDGET in output.get("data", {})]
            if outputs:
                cells.append(new_code_cell(ran.cell.source, outputs=outputs, execution_count=ran.cell_num + 1))
        return new_notebook(cells=cells, metadata=METADATA)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: {self.name}"
