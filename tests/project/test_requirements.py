"""requirements.txt: a reason and bounds for every line, and a line for everything that is imported."""
import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest

from helpers.rules import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[2]
LINES = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
OWN = {"helpers", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
OPTIONAL = {"google",         # Colab's own
            "torch"}          # compared with in a benchmark where it is installed


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(source):
    """Top-level names of the modules that source imports, but for the standard library's and our own."""
    tree, found = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - OWN - OPTIONAL


def test_imported_finds_what_counts():
    source = "import os, numpy.linalg\nfrom helpers import data\ndef f():\n    from PIL import Image"
    assert imported(source) == {"numpy", "PIL"}


def test_last_line_is_the_project():
    assert LINES[-1] == "-e ."


@pytest.mark.parametrize("line", LINES[:-1], ids=lambda line: line.split(">")[0])
def test_bounds_and_reason(line):
    assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+ +# \S.+", line), "not `name>=lowest,<highest  # reason`"


def test_everything_imported_is_required():
    sources = [path.read_text() for folder in ("helpers", "tests") for path in (ROOT / folder).rglob("*.py")]
    sources += ["\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells
                          if cell.cell_type == "code" and not cell.source.lstrip().startswith("%"))
                for path in NOTEBOOKS]
    required = {normal(line.partition(">")[0]) for line in LINES[:-1]}
    distributions = packages_distributions()
    missing = {module for source in sources for module in imported(source)
               if not required & {normal(name) for name in distributions.get(module, [])}}
    assert not missing, f"imported, but not in requirements.txt: {', '.join(sorted(missing))}"
