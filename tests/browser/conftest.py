"""Servers and pages for the browser tests, which are skipped where there is no Playwright or no Chromium."""

import pytest
from jupyter_driver import SERVERS, Notebook, chromium, missing, write_notebook


def pytest_collection_modifyitems(items):
    if reason := missing():
        for item in items:
            if "browser" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def page():
    with chromium() as page:
        yield page


@pytest.fixture(scope="module", params=["lab", "notebook"])
def app(request):
    """JupyterLab or Notebook 7: what is tested in one is tested in the other."""
    return request.param


@pytest.fixture(scope="module")
def open_notebook(page):
    """open_notebook(kind, name, *cells): a notebook of these cells in "lab" or "notebook", not yet run.

    The one opened before is left, and its kernel ended.
    """
    opened = []

    def leave():
        if opened:
            opened.pop().shut_down()

    def open_one(kind, name, *cells):
        leave()
        server = SERVERS[kind]
        write_notebook(server.root / f"{name}.ipynb", *cells)
        page.errors.clear()
        opened.append(Notebook(page, server, f"{name}.ipynb", anew=False))
        return opened[0]

    yield open_one
    leave()
