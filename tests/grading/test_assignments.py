"""The assignments: their form, that classic wrong answers get what they deserve and a hint, and that the solved ones
get full marks and the untouched ones none."""

import ast
import contextlib
import copy
import io
import re
from pathlib import Path

import nbformat
import pytest
from classroom import ASSIGNMENTS, NAMES, automatic, blank, cell, hand_in, make_course, solution, solved
from nbgrader.utils import is_grade, is_locked, is_solution
from wrong_answers import WRONG

from helpers import remote
from helpers.grading import sandbox
from helpers.grading.execution import points as points_of
from helpers.grading.judging import Judge
from helpers.grading.run import grade
from helpers.publish import unfit

EIGHT = [
    "01_tasks",
    "02_pretraining",
    "03_evaluation",
    "04_under_overcomplete",
    "05_tied_weights",
    "06_vae",
    "07_gan",
    "08_gan_difficulties",
]
SOURCES = {name: nbformat.read(ASSIGNMENTS / "source" / name / f"{name}.ipynb", as_version=4) for name in NAMES}


def coding(source):
    """The grade_ids of the coding tasks."""
    return [c.metadata.nbgrader.grade_id for c in source.cells if is_solution(c) and not is_grade(c)]


def written(source):
    """The cells with the written questions' answers."""
    return [c for c in source.cells if is_solution(c) and is_grade(c)]


def test_one_for_each_question():
    assert NAMES == EIGHT


@pytest.mark.parametrize("name", NAMES)
def test_form(name):
    source = SOURCES[name]
    ids = [c.metadata.nbgrader.grade_id for c in source.cells]
    assert len(set(ids)) == len(ids) and list(unfit(source)) == []
    assert 3 <= len(coding(source)) <= 5 and len(written(source)) == 2
    assert all(is_locked(c) for c in source.cells if not is_solution(c))
    assert not any(c.get("outputs") for c in source.cells)
    for task in coding(source):
        for test in (cell(source, f"{task}-test"), cell(source, f"{task}-hidden")):
            assert float(test.metadata.nbgrader.points) >= 1
            last = ast.parse(test.source).body[-1]
            ends = ast.unparse(last)
            # nbgrader takes the last value of a cell for its points: it is a plain float, or there is none.
            assert ends.startswith(("marks.close(", "marks.score(", "assert ", "for ")), ends
            if "marks.score(" in test.source:
                assert ends.startswith(f"marks.score({test.metadata.nbgrader.points:g}, ")
        assert "BEGIN HIDDEN" in cell(source, f"{task}-hidden").source
    for answer in written(source):
        assert "**Model answer.**" in answer.source and "**Rubric.**" in answer.source
        assert float(answer.metadata.nbgrader.points) in (2, 5, 7, 10)


def test_teachers_page_tells_the_points():
    page = (ASSIGNMENTS / "README.md").read_text("utf-8")
    for name, source in SOURCES.items():
        tests = sum(automatic(source).values())
        by_hand = sum(float(c.metadata.nbgrader.points) for c in written(source))
        row = re.search(rf"^\| \d \| `{name}` \|.*\| (\d+) \| (\d+) \|$", page, re.MULTILINE)
        assert (float(row[1]), float(row[2])) == (tests, by_hand), name


def test_twenty_exam_questions():
    prose = [
        "\n".join(c.source for c in source.cells if c.cell_type == "markdown" and not is_solution(c))
        for source in SOURCES.values()
    ]
    parts = sum(len(re.findall(r"\*\*\([ab]\)\*\* \(\d+ marks\)", text)) for text in prose)
    whole = sum(len(re.findall(r"^## Question \d  \((?:5|10) marks\)", text, re.MULTILINE)) for text in prose)
    assert parts + whole >= 20


# Wrong answers: run here, cell by cell, so that a hundred of them take no hundred kernels ------------------------


def run(source, names):
    """Run a cell's source as a kernel does. Returns (its last value or None, what it printed and raised)."""
    tree, printed, value = ast.parse(source), io.StringIO(), None
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(tree, "cell", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
        except Exception as error:
            return error, printed.getvalue() + str(error)
    return value, printed.getvalue()


def attempt(name, task, answer, names):
    """(points, what the student reads) of an answer to a task, whose tests are run as where it is graded."""
    source, total, told = SOURCES[name], 0, ""
    names = dict(names)
    run(answer, names)
    judge = Judge(source, lambda request: remote.answer(request, names))
    judge.prepare(cell(source, "setup").source)
    for test in (cell(source, f"{task}-test"), cell(source, f"{task}-hidden")):
        test = copy.deepcopy(test)
        judge.test(test)
        total += points_of(test)
        told += "".join(out.get("text", out.get("evalue", "")) for out in test.outputs)
    return total, told


@pytest.fixture(scope="module")
def namespaces():
    """{assignment: the names after its setup cell}."""
    made = {}
    for name in NAMES:
        made[name] = {}
        run(cell(SOURCES[name], "setup").source, made[name])
    return made


# Answers that differ from the teacher's in what students differ in: loops, other libraries, the order of drawing, the
# type that is returned. After "==== assignment task" they follow each other, with "----" between them.
RIGHT: dict[tuple[str, ...], list[str]] = {
    tuple(head.split()): answers.strip("\n").split("\n----\n")
    for head, answers in (
        part.split("\n", 1)
        for part in Path(__file__).with_name("right_answers.txt").read_text("utf-8").split("==== ")[1:]
    )
}
TASKS = [(name, task) for name in NAMES for task in coding(SOURCES[name])]


def full(name, task):
    """The points of a task's tests."""
    return sum(points for test, points in automatic(SOURCES[name]).items() if test.rsplit("-", 1)[0] == task)


@pytest.mark.parametrize("name, task", TASKS)
def test_right_answer(name, task, namespaces):
    assert attempt(name, task, solution(cell(SOURCES[name], task)), namespaces[name]) == (full(name, task), "")


@pytest.mark.filterwarnings("error")  # a warning goes to stderr, for which nbgrader itself gives no points
@pytest.mark.parametrize("name, task", TASKS)
def test_right_answer_beside_its_tests(name, task, namespaces):
    """In the student's own notebook."""
    names = dict(namespaces[name])
    run(solution(cell(SOURCES[name], task)), names)
    for test in (cell(SOURCES[name], f"{task}-test"), cell(SOURCES[name], f"{task}-hidden")):
        value, said = run(test.source, names)
        assert said == "" and (isinstance(value, (str, type(None))) or value == float(test.metadata.nbgrader.points))


@pytest.mark.parametrize("name, task", TASKS)
def test_six_other_right_answers(name, task, namespaces):
    others = RIGHT[name, task]
    assert len(set(others)) >= 6
    for answer in others:
        assert attempt(name, task, answer, namespaces[name]) == (full(name, task), ""), answer


@pytest.mark.parametrize("name, task", TASKS)
def test_three_wrong_answers_and_more(name, task):
    assert len(WRONG[name][task]) >= 3


@pytest.mark.parametrize(
    "name, task, answer",
    [(name, task, answer) for name, task in TASKS for answer in WRONG[name].get(task, ())],
    ids=lambda value: getattr(value, "name", value),
)
def test_wrong_answer(name, task, answer, namespaces):
    points, told = attempt(name, task, answer.source(solution(cell(SOURCES[name], task))), namespaces[name])
    assert answer.hint in told
    assert points == answer.points, told


# The whole thing, graded -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """{assignment: ({student: (result, marks, status)}, the student's notebook)}: one solved, one untouched."""
    folder, found = tmp_path_factory.mktemp("assignments"), {}
    course = make_course(folder / "course", *NAMES)
    for name in NAMES:
        untouched = blank(course, name)
        hand_in(folder / name, "solved", name, solved(course, name))
        hand_in(folder / name, "untouched", name, untouched)
        rows = grade(name, folder / name, course.root, jobs=2, show=False)
        found[name] = {row.result["student"]: row for row in rows}, untouched
    return found


@pytest.mark.parametrize("name", NAMES)
def test_solved_gets_full_marks_and_no_flag(name, graded, record_property):
    result, marks, status, *_ = graded[name][0]["solved"]
    record_property("to read", f"{name}: solved in {result['seconds']} s")
    assert status == "needs manual grading" and result["flags"] == []
    assert {test: marks[test] for test in automatic(SOURCES[name])} == automatic(SOURCES[name])
    assert result["confined"] is not bool(sandbox.unconfined_because())


@pytest.mark.parametrize("name", NAMES)
def test_untouched_runs_to_its_end_and_gets_nothing(name, graded):
    rows, untouched = graded[name]
    assert untouched.cells
    result, marks, status, *_ = rows["untouched"]
    assert status == "graded" and result["flags"] == [] and set(marks.values()) == {0.0}
    run_notebook = nbformat.reads(result["notebook"], as_version=4)
    for c in run_notebook.cells:
        failed = [out for out in c.get("outputs", ()) if out.output_type == "error"]
        assert not failed or is_grade(c), c.source
        if is_grade(c) and c.cell_type == "code":
            assert points_of(c) == 0
    text = nbformat.writes(untouched)
    assert not re.search(r"SOLUTION|HIDDEN|Rubric|Model answer", text)
    assert "raise NotImplementedError()" in text
