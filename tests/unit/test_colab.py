"""helpers.colab: the badge, the cell, that they follow the address; and the cell run on a Colab that is made here."""

import copy
import os
import shutil
import subprocess
import sys

import pytest
from sample_notebook import whole_sample

from helpers import colab
from helpers.rules import everything

AS_ON_COLAB = "import sys; sys.modules['google.colab'] = sys"
SAY_WHERE = "import os; print(os.getcwd(), sys.path[0]); import helpers; print(helpers.__file__)"


@pytest.fixture
def path(tmp_path):
    """A notebook's path in a project."""
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks" / "01_sample.ipynb"


def prepared(path, address, notebook=None):
    """The notebook, by default the sample, prepared for a repository."""
    notebook = notebook or whole_sample()
    (path.parents[1] / "pyproject.toml").write_text(f"[project.urls]\nRepository = {address!r}" if address else "")
    colab.prepare(notebook, path)
    return notebook


def test_badge_and_cell(path):
    notebook = prepared(path, "https://github.com/ann/answers")
    title, cell = notebook.cells[:2]
    assert title.source.splitlines()[:5] == [
        "# 1 · A sample",
        "",
        "[![Open in Colab](images/colab.png)]"
        "(https://colab.research.google.com/github/ann/answers/blob/main/notebooks/01_sample.ipynb)",
        "",
        "**The question.** What is a sample?",
    ]
    assert "git clone -q --depth 1 https://github.com/ann/answers answers" in cell.source
    assert cell.metadata == {"tags": ["colab", "hide-input"], "jupyter": {"source_hidden": True}}
    assert everything(notebook, path) == []  # run in order as before, with one more cell


def test_nothing_changes_a_second_time(path):
    notebook = prepared(path, "https://github.com/ann/answers")
    assert prepared(path, "https://github.com/ann/answers", copy.deepcopy(notebook)) == notebook


def test_they_follow_the_address(path):
    moved = prepared(path, "https://github.com/bob/copy.git/", prepared(path, "https://github.com/ann/answers"))
    text = moved.cells[0].source + moved.cells[1].source
    assert "ann" not in text and text.count("Colab]") == 1
    assert "github/bob/copy/blob" in text and "https://github.com/bob/copy.git answers" in text


def test_colab_opens_no_notebooks_from_elsewhere(path):
    notebook = prepared(path, "https://gitlab.example.org/ann/answers", prepared(path, "https://github.com/a/b"))
    assert notebook.cells[0] == whole_sample().cells[0] | {"id": notebook.cells[0].id}
    assert "https://gitlab.example.org/ann/answers answers" in notebook.cells[1].source


def test_without_an_address_there_is_neither(path):
    sample = whole_sample()
    notebook = prepared(path, "https://github.com/ann/answers", copy.deepcopy(sample))
    assert prepared(path, None, notebook) == sample
    (path.parents[1] / "pyproject.toml").unlink()
    colab.prepare(notebook, path)
    assert notebook == sample


def test_a_notebook_that_was_not_run_does_not_count_as_run(path):
    sample = whole_sample()
    sample.cells[4].execution_count = 7
    notebook = prepared(path, "https://github.com/ann/answers", sample)
    assert notebook.cells[5].execution_count == 7
    assert everything(notebook, path) == ["not run from top to bottom in one go"]


@pytest.fixture
def repository(tmp_path):
    """The address of a collection of one module."""
    folder = tmp_path / "repository"
    lines = ["# why", "tensorflow>=2", "tensorflow-cpu>=2; x", "jupyter>=1", "mlxtend>=0.2", "-e ."]
    files = {"requirements.txt": "\n".join(lines), "helpers/__init__.py": "", "notebooks/01_sample.ipynb": ""}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for command in ("init -q", "add -A", "-c user.name=Ann -c user.email=ann@example.org commit -q -m One"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    return folder.as_uri()


def run(content, *code):
    """Run code in a fresh Python and an empty folder, with a pip that only notes what it is to install."""
    bin = content / "bin"
    bin.mkdir(parents=True, exist_ok=True)
    (bin / "pip").write_text(f"#!/bin/sh\necho pip $*\ncat >> '{content}/asked'\n")
    (bin / "pip").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-I", "-c", "\n".join(code)],
        cwd=content,
        text=True,
        capture_output=True,
        env=os.environ | {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"},
    )
    return done.stdout, done.stderr


@pytest.mark.skipif(os.name != "posix" or not shutil.which("git"), reason="Colab is a Linux that has git")
def test_cell_on_colab(path, repository, tmp_path):
    cell, content = prepared(path, repository).cells[1].source, tmp_path / "content"
    at = f"{content}/answers/notebooks .."
    for installed in ("pip install -q -r /dev/stdin", "pip install -q -r /dev/stdin"):  # and in a restarted kernel
        said, wrong = run(content, AS_ON_COLAB, cell, SAY_WHERE, cell, SAY_WHERE)  # run again, it does nothing
        assert wrong == "" and said.splitlines() == [
            installed,
            at,
            f"{content}/answers/notebooks/../helpers/__init__.py",
            at,
            f"{content}/answers/notebooks/../helpers/__init__.py",
        ]
    assert (content / "asked").read_text() == 2 * "# why\nmlxtend>=0.2\n"
    said, wrong = run(tmp_path / "offline", AS_ON_COLAB, cell.replace("file://", "file:///absent"))
    assert said == "" and "CalledProcessError" in wrong and "absent" in wrong


def test_cell_elsewhere(path, tmp_path):
    cell = prepared(path, "https://github.com/ann/answers").cells[1].source
    said, wrong = run(
        tmp_path / "here",
        "import os, sys; was = os.getcwd(), list(sys.path), dict(os.environ)",
        cell,
        "assert was == (os.getcwd(), sys.path, dict(os.environ))",
    )
    assert said == wrong == "" and os.listdir(tmp_path / "here") == ["bin"]
