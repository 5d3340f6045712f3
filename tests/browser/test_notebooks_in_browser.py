"""Every lab of every notebook in JupyterLab: its slider is dragged, the picture changes, the last position is shown.

Only the cells that the labs need are run here; nbval runs all of them.
"""
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from cells_for_labs import cells_for_labs
from jupyter_driver import PROJECT, Notebook

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("0*.ipynb"))


def uses_labs(path):
    return any("labs." in cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.parametrize("path", NOTEBOOKS or [None], ids=lambda path: Path(path or "none").stem)
def test_labs_of_the_notebook_follow_a_drag(path, folder, start_server, page):
    if path is None or not uses_labs(path):
        pytest.skip("no labs in this notebook" if path else "no notebooks yet")
    nbformat.write(cells_for_labs(nbformat.read(path, 4)), folder / path.name)
    page.errors.clear()
    notebook = Notebook(page, start_server(folder, "lab"), path.name)
    notebook.run_all(timeout=900)                       # a guard against hanging, no bound on speed
    labs = notebook.labs()
    assert labs, "the notebook names labs, and makes none"
    for title, lab in labs.items():
        before = notebook.png(title)
        if lab["kind"] == "Arena":                      # has tests of its own
            notebook.button(title, "Step").click()
            notebook.wait_changed(title, before, timeout=60)
        elif lab["kind"] == "LatentPlane":
            notebook.drag_plane(title, to=(0.75, 0.35))
            assert notebook.png(title) != before
            decoded = json.loads(notebook.execute(
                f"print(_labs.LABS[{title!r}].decode({notebook.cross(title)}).ravel().astype(float).tolist())"))
            assert np.abs(np.array(notebook.decoded(title)) - decoded).max() <= 1e-5
        else:
            assert lab["sliders"], f"{title!r} has no slider to drag"
            slider = notebook.slider(title, lab["sliders"][0])
            slider.drag(to=0.2 if slider.fraction() > 0.5 else 0.8)
            notebook.wait_changed(title, before, timeout=60)
            notebook.wait_right(title, timeout=60)
            assert notebook.message(title) == ""
    assert page.errors == []
    notebook.shut_down()


def test_cells_for_labs_are_those_that_bind_and_change_what_labs_need():
    cells = ["from helpers import labs, plots, training", "model, other = net(), net()", "def net(): return SIZE",
             "SIZE = 3", "for each in [model]: pass", "for each in model.layers: compiled(each)",
             "training.restart(model, 1)", "training.restart(other, 1)", "found = {}",
             "found['a'] = long()", "found |= long()", "def long(): return 1", "plots.show(model)",
             "for size in found: print(size)", "def draw(n): return model, found, [size for size in range(n)]",
             "labs.Lab(draw, 'A', n=slider)", "model = 0"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    dropped = [cell for cell in cells if cell not in [c.source for c in cells_for_labs(notebook).cells]]
    assert dropped == ["for each in [model]: pass", "training.restart(other, 1)", "plots.show(model)",
                       "for size in found: print(size)", "model = 0"]
