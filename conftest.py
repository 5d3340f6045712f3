"""Settings of the whole suite: shared cores, long files first, and a sample notebook."""

import os

import nbformat
import pytest
from sample_notebook import sample_notebook

pytest_plugins = ["notebook_items"]  # each notebook's labs as further tests


def pytest_configure():
    """Let workers share the cores: else TensorFlow starts two threads a core in each kernel of each worker."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1:
        for kind in ("INTRAOP", "INTEROP"):
            os.environ.setdefault(f"TF_NUM_{kind}_THREADS", str(max(1, os.cpu_count() // workers)))


# Files that take long, the longest first: begun last, one would keep one worker busy and leave the other idle.
LONG = (
    "test_grading_zoo.py",
    ".ipynb",
    "test_labs_in_browser.py",
    "test_assignments.py",
    "test_grading.py",
    "test_hub.py",
    "_in_browser.py",
    "test_gan_in_page.py",
    "test_notebooks.py",
    "test_gan.py",
    "test_data.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Long files first. A file's own order stays."""
    items.sort(key=lambda item: next((i for i, end in enumerate(LONG) if item.path.name.endswith(end)), len(LONG)))


def pytest_terminal_summary(terminalreporter):
    """Print what tests ask to be read, passed or failed: record_property("to read", text)."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "to read" and report.when == "call":
                terminalreporter.write_line(text)


@pytest.fixture
def sample():
    """A small notebook that keeps every rule."""
    return sample_notebook()


@pytest.fixture
def stored(tmp_path):
    """A function that writes a notebook to a file of its own, and returns the path."""

    def write(notebook, name="01_sample.ipynb"):
        nbformat.write(notebook, tmp_path / name)
        return tmp_path / name

    return write
