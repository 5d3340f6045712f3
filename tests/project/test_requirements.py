"""The requirements: bounds and a reason a line, a line for everything that is imported, and for a student no more.

constraints.txt pins each of them to a version within its bounds.
"""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.rules import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted((ROOT / "notebooks/assignments/source").rglob("*.ipynb"))
OWN = {"helpers", *(path.stem for path in (ROOT / "tests").rglob("*.py"))}
OPTIONAL = {
    "google",  # Colab's own
    "torch",
}  # compared with in a benchmark where it is installed
NOT_IMPORTED = {
    "jupyterlab",  # runs the notebooks
    "ipywidgets",  # under anywidget; its version decides how a lab's state travels
    "tensorflow-cpu",
}  # or tensorflow, whichever the machine has


def lines(name):
    return [line for line in (ROOT / name).read_text("utf-8").splitlines() if line and line[0] != "#"]


def required(line):
    return Requirement(line.partition("#")[0].strip())


STUDY, DEVELOP, PINS = map(lines, ("requirements.txt", "requirements-dev.txt", "constraints.txt"))
REQUIREMENTS = STUDY[:-1] + DEVELOP[1:]


def names(requirements):
    return {canonicalize_name(required(line).name) for line in requirements}


def code(path):
    """The source of a module or of a notebook's code cells, without magic lines."""
    if path.suffix == ".py":
        return path.read_text("utf-8")
    return "\n".join(
        line
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
        if not line.lstrip().startswith(("%", "!"))
    )


def imports(source, package=()):
    """Full names of what source imports anywhere; package: the names of the folders that its own imports start from."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join([*start, *filter(None, [node.module]), alias.name]) for alias in node.names)


def imports_of(path, root=ROOT):
    return list(imports(code(path), path.relative_to(root).parent.parts))


def outside(found):
    """The top-level names among them, but for the standard library's and our own."""
    return {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names) - OWN - OPTIONAL


def reached(paths, root=ROOT):
    """The files of paths, and the modules of `helpers` that they import, directly or through each other."""
    seen, ahead = set(), list(paths)
    while ahead:
        path = ahead.pop()
        if path not in seen:
            seen.add(path)
            for parts in (name.split(".") for name in imports_of(path, root) if name.startswith("helpers.")):
                places = [root.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
                ahead += [
                    file
                    for place in places
                    for file in (place.with_suffix(".py"), place / "__init__.py")
                    if file.exists()
                ]
    return seen


def missing(paths, requirements):
    distributions, there = packages_distributions(), names(requirements)
    return {
        module
        for path in paths
        for module in outside(imports_of(path))
        if not there & {canonicalize_name(name) for name in distributions.get(module, [])}
    }


def test_imports_finds_what_counts():
    source = "import os, numpy.linalg\nfrom helpers import data\ndef f():\n    from PIL import Image"
    assert list(imports(source)) == ["os", "numpy.linalg", "helpers.data", "PIL.Image"]
    assert outside(imports(source)) == {"numpy", "PIL"}
    own = "from . import a\nfrom .b import c\nfrom .. import d\nfrom ..e import f"
    assert list(imports(own, ("helpers", "labs"))) == ["helpers.labs.a", "helpers.labs.b.c", "helpers.d", "helpers.e.f"]


def test_reached_follows_modules_and_packages(tmp_path):
    for name, source in {
        "helpers/__init__.py": "",
        "helpers/a.py": "from . import b",
        "helpers/c.py": "import numpy",
        "helpers/b/__init__.py": "from .d import e",
        "helpers/b/d.py": "from ..a import f",
        "start.py": "from helpers import a",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    found = {str(path.relative_to(tmp_path)) for path in reached([tmp_path / "start.py"], tmp_path)}
    assert found == {"start.py", "helpers/__init__.py", "helpers/a.py", "helpers/b/__init__.py", "helpers/b/d.py"}


def test_the_files_build_on_each_other():
    assert STUDY[-1] == "-e ." and DEVELOP[0] == "-r requirements.txt"
    assert not names(STUDY[:-1]) & names(DEVELOP[1:])


@pytest.mark.parametrize("line", REQUIREMENTS, ids=lambda line: line.split(">")[0])
def test_bounds_and_reason(line):
    assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+(; [^#]+)? +# \S.+", line), "not `name>=lowest,<highest  # reason`"


@pytest.mark.parametrize(
    "machine, build",
    [("x86_64", "tensorflow-cpu"), ("AMD64", "tensorflow-cpu"), ("arm64", "tensorflow"), ("aarch64", "tensorflow")],
)
def test_each_machine_gets_one_tensorflow(machine, build):
    asked = [required(line) for line in STUDY if line.startswith("tensorflow")]
    assert [r.name for r in asked if r.marker.evaluate({"platform_machine": machine})] == [build]


def test_everything_imported_is_required():
    paths = [path for folder in ("helpers", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert missing([*paths, *NOTEBOOKS, *ASSIGNMENTS], REQUIREMENTS) == set()


def test_a_student_needs_requirements_txt_alone():
    paths = reached([*NOTEBOOKS, *ASSIGNMENTS])
    assert {"data.py", "marks.py", "panel.py"} <= {path.name for path in paths}
    assert missing(paths, STUDY[:-1]) == set()


def test_a_student_is_asked_for_nothing_else():
    distributions = packages_distributions()
    used = {
        canonicalize_name(name)
        for path in reached([*NOTEBOOKS, *ASSIGNMENTS])
        for module in outside(imports_of(path))
        for name in distributions.get(module, [])
    }
    assert names(STUDY[:-1]) - used - {"tensorflow"} <= NOT_IMPORTED


@pytest.mark.parametrize("line", REQUIREMENTS, ids=lambda line: line.split(">")[0])
def test_constraints_keep_the_bounds(line):
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in map(required, PINS)}
    asked = required(line)
    if not asked.marker or asked.marker.evaluate({"platform_machine": "x86_64"}):
        version = next(iter(pinned[canonicalize_name(asked.name)])).version
        assert version in asked.specifier


def test_constraints_are_versions_and_nothing_else():
    assert [line for line in PINS if not re.fullmatch(r"[\w-]+==[\w.+!]+", line)] == []
    assert not re.search(r"://|@|/[a-z]+/", (ROOT / "constraints.txt").read_text("utf-8"))
