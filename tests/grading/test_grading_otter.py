"""The export to otter-grader: the same answers get the same marks there as here."""

import json
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from classroom import ASSIGNMENTS, NAMES, automatic, cell, solution
from nbgrader.utils import is_grade, is_solution
from test_assignments import SOURCES, attempt, coding, run
from wrong_answers import WRONG

from helpers.grading import otter

pytest.importorskip("otter", reason="otter-grader is not installed")
NAME = "01_tasks"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("otter")
    return otter.export(ASSIGNMENTS / "source" / NAME / f"{NAME}.ipynb", folder)


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_as_doctests_can_read_them(name):
    for c in SOURCES[name].cells:
        if is_grade(c) and not is_solution(c):
            made = otter._undecorated(c.source)
            names = re.findall(r"^@marks\.probe\ndef (\w+)", c.source, re.MULTILINE)
            assert "@" not in re.sub(r" @ ", "", made) and all(f"\n{n} = marks.probe({n})\n" in made for n in names)
            compile(made, "test", "exec")


def answers(which):
    """{task: an answer}: the right one for 0, else the which-th classic wrong one."""
    right = {task: solution(cell(SOURCES[NAME], task)) for task in coding(SOURCES[NAME])}
    return right if which == 0 else {task: WRONG[NAME][task][which - 1].source(text) for task, text in right.items()}


@pytest.mark.parametrize("which", [0, 2])
def test_equal_marks(exported, which, tmp_path):
    student, zipped = exported
    notebook, names, given = nbformat.read(student, as_version=4), {}, answers(which)
    run(cell(SOURCES[NAME], "setup").source, names)
    for c in notebook.cells:
        if match := re.match(r"def (\w+)\(", c.source):
            c.source = given[match[1]]
    path = tmp_path / f"{NAME}.ipynb"
    nbformat.write(notebook, path)
    subprocess.run(
        [sys.executable, "-m", "otter", "run", "-a", str(zipped), "--no-logo", str(path)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=300,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    found = {}
    for test in results["tests"]:
        task = test["name"].split(" - ")[0].split("_-_")[0].strip()
        if "score" in test and task in given:
            found[task] = found.get(task, 0) + test["score"]
    assert sum(found.values()) > 0 or which, results
    assert found == {task: pytest.approx(attempt(NAME, task, answer, names)[0]) for task, answer in given.items()}


@pytest.mark.parametrize("name", NAMES)
def test_master_has_every_point_and_hides_the_rest(name):
    source, made = SOURCES[name], otter.master(SOURCES[name], name)
    points = sum(
        float(p)
        for c in made.cells
        if c.cell_type == "code"
        for p in re.findall(r"BEGIN TEST CONFIG\npoints: ([\d.]+)", c.source)
    )
    assert points == pytest.approx(sum(automatic(source).values()))
    assert sum(c.source == "# BEGIN TESTS" for c in made.cells) == len(coding(source))
    assert sum("manual: true" in c.source for c in made.cells) == sum(
        is_grade(c) and is_solution(c) for c in source.cells
    )
    for c in made.cells:
        if c.cell_type == "code":
            compile(c.source, "cell", "exec")
            assert "HIDDEN TESTS" not in c.source


def test_zip_brings_what_the_notebook_imports(exported):
    with zipfile.ZipFile(exported[1]) as zipped:
        names = zipped.namelist()
        assert any(name.endswith("helpers/marks.py") for name in names), names
        assert any(name.endswith("requirements.txt") or name.endswith("environment.yml") for name in names)
    assert (exported[0].parent / "helpers" / "marks.py").is_file()


def test_says_why_it_cannot(tmp_path, capsys):
    assert otter.main(["99_nothing", str(tmp_path)]) == 1
    assert "99_nothing" in capsys.readouterr().err
