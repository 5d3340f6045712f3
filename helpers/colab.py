"""Colab: a badge below a notebook's title, and a first cell that fetches the collection there and nowhere else.

Both follow from the repository's address, which stands in one place: `[project.urls] Repository` in pyproject.toml.
"""

import re
import shlex
import tomllib
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from helpers.rules import BADGE, numbered, run_in_order

GITHUB = "https://github.com/"
ID = "colab"  # of the cell
LINK = f"\n\n[![{BADGE}](images/colab.png)](https://colab.research.google.com/github/{{name}}/blob/main/{{path}})"
ANY_LINK = re.compile(rf"\n\n\[!\[{BADGE}\][^\n]*")
# requirements.txt, without what Colab is (Jupyter) and what must stay as it is there (its TensorFlow).
CELL = '''\
import os
import subprocess
import sys

if "google.colab" in sys.modules and ".." not in sys.path:  # only there: fetch the collection and what Colab lacks
    subprocess.run(["bash", "-ec", """
        test -d answers || git clone -q --depth 1 {address} answers
        grep -Ev '^(tensorflow|jupyter|-)' answers/requirements.txt | pip install -q -r /dev/stdin
        """], check=True)
    os.chdir("answers/{folder}")
    sys.path.insert(0, "..")'''


def repository(path: Path) -> str | None:
    """The address of the project in whose folder of notebooks `path` lies, or None where it states none."""
    try:
        project = tomllib.loads(path.resolve().parents[1].joinpath("pyproject.toml").read_text("utf-8"))
        return project["project"]["urls"]["Repository"].rstrip("/")
    except (FileNotFoundError, KeyError):
        return None


def prepare(notebook: NotebookNode, path: Path) -> None:
    """Give a notebook, in place, the badge and the cell of its repository, or take them out where there is none.

    A badge needs a repository on GitHub, where Colab opens notebooks from. path: where the notebook lies.
    """
    address, folder, was_run = repository(path), path.resolve().parent.name, run_in_order(notebook)
    found = next((cell for cell in notebook.cells if cell.get("id") == ID), None)
    notebook.cells = [cell for cell in notebook.cells if cell is not found]
    place = next((i for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == "markdown"), 0)
    if place:
        title, line, rest = ANY_LINK.sub("", notebook.cells[place - 1].source).partition("\n")
        link = ""
        if address and address.startswith(GITHUB):
            link = LINK.format(name=address.removeprefix(GITHUB).removesuffix(".git"), path=f"{folder}/{path.name}")
        notebook.cells[place - 1].source = title + link + line + rest
    if address:
        cell = found or new_code_cell(id=ID)
        cell.source = CELL.format(address=shlex.quote(address), folder=folder)
        cell.metadata = NotebookNode(tags=["colab", "hide-input"], jupyter=NotebookNode(source_hidden=True))
        notebook.cells.insert(place, cell)
    if was_run:  # and still counts as such, with a cell more or less that does nothing
        for count, (_, cell) in enumerate(numbered(notebook), 1):
            for counted in [cell, *(o for o in cell.outputs if "execution_count" in o)]:
                counted.execution_count = count
