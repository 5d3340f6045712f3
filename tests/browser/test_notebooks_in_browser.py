"""Every lab of every notebook in JupyterLab: its slider is dragged, the picture changes, the last position is shown."""
import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
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
    shutil.copy(path, folder)                           # JupyterLab saves what it opens
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
