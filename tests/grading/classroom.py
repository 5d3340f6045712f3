"""A course in a temporary folder, and submissions for it: solved, blank, and spoilt in many ways."""

import copy
import re
import shutil
from pathlib import Path

import nbformat
from nbgrader.utils import is_grade, is_solution

from helpers.grading.course import Course

ASSIGNMENTS = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"
NAMES = sorted(path.parent.name for path in ASSIGNMENTS.glob("source/*/*.ipynb"))


def make_course(root, *names):
    """A course with the named assignments, handed out. Returns helpers.grading.course.Course."""
    for name in names:
        shutil.copytree(ASSIGNMENTS / "source" / name, Path(root, "source", name))
    course = Course(root)
    for name in names:
        course.release(name)
    return course


def source(course, name):
    """The teacher's notebook."""
    return nbformat.read(course.source(name), as_version=4)


def blank(course, name):
    """The student's notebook, untouched."""
    return nbformat.read(course.root / "release" / name / f"{name}.ipynb", as_version=4)


def solution(cell):
    """The source of a cell without the marks of its solution."""
    return re.sub(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE)


def solved(course, name):
    """The student's notebook with the teacher's solutions in it, and answers to the written questions."""
    notebook = copy.deepcopy(blank(course, name))
    for cell, original in zip(notebook.cells, source(course, name).cells):
        if is_solution(cell):
            cell.source = solution(original)
    return notebook


def cell(notebook, name):
    """The cell with a grade_id."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def hand_in(folder, student, name, notebook, filename=None):
    """Put a notebook, or the text of a file, where nbgrader expects a student's submission."""
    place = Path(folder, student, name, filename or f"{name}.ipynb")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), "utf-8")
    return place


def automatic(notebook):
    """{grade_id: points} of the cells that are graded by tests."""
    return {
        c.metadata.nbgrader.grade_id: float(c.metadata.nbgrader.points)
        for c in notebook.cells
        if is_grade(c) and not is_solution(c)
    }
