"""Grading but for the zoo: finding submissions, putting them in form, resuming, handing in again, a cluster."""

import base64
import copy
import csv
import io
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import psutil
import pytest
from classroom import blank, cell, hand_in
from evil import EVIL, hostile_cells
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import compute_checksum

from helpers import marks, remote
from helpers.grading import configuration, execution, processes, rebuilding, report, run, sandbox, student, submissions
from helpers.grading.__main__ import main
from helpers.grading.course import Course
from helpers.grading.judging import Judge
from helpers.grading.run import grade

PROJECT = Path(__file__).resolve().parents[2]
LIMITS = sandbox.Limits(cell=60, setup=120, submission=240)


def metadata(name, **settings):
    return {
        "nbgrader": {
            "grade_id": name,
            "schema_version": 3,
            "locked": True,
            "solution": False,
            "grade": False,
            "task": False,
            **settings,
        }
    }


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A course with one small assignment, which imports no TensorFlow: grading it takes a second or two."""
    root = tmp_path_factory.mktemp("course")
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Tiny", metadata=metadata("title")),
            new_code_cell("import numpy as np\nfrom helpers import marks", metadata=metadata("setup")),
            new_code_cell(
                "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
                metadata=metadata("double", solution=True, locked=False),
            ),
            new_code_cell(
                'marks.close(double(3), 6, {"x squared, not 2 x": 9}, what="your double")',
                metadata=metadata("double-test", grade=True, points=1),
            ),
            new_code_cell(
                '"""Hidden."""\n### BEGIN HIDDEN TESTS\ndef one_of_these_is_negative():\n'
                "    marks.close(double(-4), -8)\ndef and_one_is_zero():\n    marks.close(1 + double(0), 1)\n"
                "marks.score(4, one_of_these_is_negative, and_one_is_zero)\n### END HIDDEN TESTS",
                metadata=metadata("double-hidden", grade=True, points=4),
            ),
            new_markdown_cell("Why does it hold?", metadata=metadata("question")),
            new_markdown_cell(
                "### BEGIN SOLUTION\nBecause.\n### END SOLUTION",
                metadata=metadata("why", grade=True, solution=True, locked=False, points=5),
            ),
        ]
    )
    for i, c in enumerate(notebook.cells):
        c.id = f"tiny-{i}"
    place = root / "source" / "tiny" / "tiny.ipynb"
    place.parent.mkdir(parents=True)
    nbformat.write(notebook, place)
    course = Course(root)
    course.release("tiny")
    return course


def answer(course, code="return 2 * x", why=None):
    """A student's notebook."""
    notebook = blank(course, "tiny")
    cell(notebook, "double").source = f"def double(x):\n    {code}"
    if why:
        cell(notebook, "why").source = why
    return notebook


def grade_tiny(course, place, **settings):
    rows = grade("tiny", place, course.root, jobs=2, limits=LIMITS, show=False, **settings)
    return {row[0]["student"]: row for row in rows}


def table(course):
    """{student: row} of the table of marks."""
    with open(course.root / "grades/tiny.csv", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


# Marks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found, message",
    [
        (5.0, None),
        (5.0005, None),
        (10.0, "twice"),
        (15.0, "3 times the right one"),
        ([5.0], "has the shape"),
        (None, "is there a `return`"),
        ("five", "no array of numbers"),
        (float("nan"), "not a number"),
    ],
)
def test_close(found, message):
    if message is None:
        return marks.close(found, 5.0)
    with pytest.raises(AssertionError, match=message):
        marks.close(found, 5.0, {"twice the right one": 10.0})


def test_score_is_a_plain_clipped_float(capsys):
    def passes():
        pass

    def fails():
        raise AssertionError("the reason")

    for cases, points in [((passes,), 3.0), ((fails,), 0.0), ((passes, fails), 1.5), ((passes, passes, fails), 2.0)]:
        found = marks.score(3, *cases)
        assert type(found) is float and found == points
    assert "✗ fails: the reason" in capsys.readouterr().out


# Finding what was handed in --------------------------------------------------------------------------------


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.mark.parametrize(
    "names, found",
    [
        (
            ["ann/tiny/tiny.ipynb", "bob/tiny/x.ipynb", "bob/06_vae/06_vae.ipynb"],
            {"ann": "tiny.ipynb", "bob": "x.ipynb"},
        ),
        (["ann/tiny.ipynb", "ann/.ipynb_checkpoints/tiny-checkpoint.ipynb"], {"ann": "tiny.ipynb"}),
        (
            ["Ann Lee_123_assignsubmission_file_/tiny.ipynb", "Bo_7_assignsubmission_file/t.ipynb"],
            {"Ann_Lee_123": "tiny.ipynb", "Bo_7": "t.ipynb"},
        ),
        (
            ["Ann Lee_123_assignsubmission_file_/tiny.ipynb", "Ann Lee_124_assignsubmission_file_/tiny.ipynb"],
            {"Ann_Lee_123": "tiny.ipynb", "Ann_Lee_124": "tiny.ipynb"},
        ),
        (
            [
                "Participant_1001_assignsubmission_file_/tiny.ipynb",
                "Participant_1002_assignsubmission_file_/tiny.ipynb",
            ],
            {"Participant_1001": "tiny.ipynb", "Participant_1002": "tiny.ipynb"},
        ),
        (
            [
                "leeann_12_345_tiny.ipynb",
                "bob_LATE_13_346_tiny-1.ipynb",
                "leeann_14_347_tiny-2.ipynb",
                "cy_15_348_essay.pdf",
            ],
            {"leeann_12": "tiny.ipynb", "bob_13": "tiny.ipynb", "leeann_14": "tiny.ipynb", "cy_15": "essay.pdf"},
        ),
        (
            ["anon_aB3x9_45_tiny.ipynb", "anon_LATE_aB3x8_46_tiny.ipynb"],
            {"anon_aB3x9": "tiny.ipynb", "anon_aB3x8": "tiny.ipynb"},
        ),
        (
            ["Зоя/tiny.ipynb", "王芳/tiny.ipynb", "कीर्ति/tiny.ipynb", "कर्ति/tiny.ipynb", "Zoe\u0301/tiny.ipynb"],
            dict.fromkeys(["Зоя", "王芳", "कीर्ति", "कर्ति", "Zo\xe9"], "tiny.ipynb"),
        ),
        (["ann-tiny.ipynb", "bob.ipynb", "notes.txt"], {"ann": "tiny.ipynb", "bob": "tiny.ipynb"}),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_names_of_learning_platforms(tmp_path, names, found, zipped):
    put(tmp_path / "in", *names)
    place = tmp_path / "in"
    if zipped:
        place = tmp_path / "in.zip"
        with zipfile.ZipFile(place, "w") as file:
            for name in [*names, "__MACOSX/ann/tiny.ipynb"]:
                file.writestr(name, name)
    assert {who: next(iter(files)) for who, files in submissions.find(place, "tiny").students.items()} == found


def test_nobody_takes_the_place_of_another(tmp_path):
    put(tmp_path / "canvas", "a_1_2_tiny.ipynb", "a_1_3_tiny-1.ipynb")
    found = submissions.find(tmp_path / "canvas", "tiny").students
    assert found["a_1"] == {"tiny.ipynb": b"a_1_3_tiny-1.ipynb", "tiny-2.ipynb": b"a_1_2_tiny.ipynb"}
    put(
        tmp_path / "folders",
        "Ann Lee/tiny.ipynb",
        "Ann_Lee/tiny.ipynb",
        "b?/x.ipynb",
        "b!/x.ipynb",
        f"{'Ω' * 100}/{'ω' * 100}.ipynb",
        f"{'Ω' * 101}/tiny.ipynb",
    )
    found = submissions.find(tmp_path / "folders", "tiny").students
    assert "two students would be called Ann_Lee" in found["Ann_Lee"]
    assert len(found) == 5 and len([who for who in found if who.startswith("b-")]) == 2
    assert all(len(f"{who}{name}".encode()) < 400 for who, files in found.items() for name in files)


def test_zip_that_leads_out_of_its_folder_is_nobodys(tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        for name in ("ann/tiny.ipynb", "../evil/tiny.ipynb", "/etc/tiny.ipynb", "bob\\..\\..\\tiny.ipynb"):
            file.writestr(name, "{}")
    assert list(submissions.find(tmp_path / "in.zip", "tiny").students) == ["ann"]


def test_too_large_a_file_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 5)
    put(tmp_path, "ann/tiny.ipynb", "bob/a")
    found = submissions.find(tmp_path, "tiny").students
    assert "too large" in found["ann"] and found["bob"] == {"a": b"bob/a"}


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda place: None, "there is no"),
        (lambda place: place.mkdir(), "nothing was handed in"),
        (lambda place: place.write_text("x"), "neither a folder nor a zip"),
    ],
)
def test_nothing_to_grade_is_said(tmp_path, make, message):
    make(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        submissions.find(tmp_path / "in", "tiny")


# Putting it in form ----------------------------------------------------------------------------------------


def test_rebuild_keeps_answers_and_restores_the_rest(tiny):
    source = nbformat.read(tiny.source("tiny"), as_version=4)
    mine = answer(tiny, "return x + x", "My answer")
    cell(mine, "double-test").source = "pass"
    mine.cells.reverse()
    made, flags = rebuilding.rebuild(mine, source, blank(tiny, "tiny"))
    assert [c.metadata.nbgrader.grade_id for c in made.cells] == [
        "title",
        "setup",
        "double",
        "double-test",
        "double-hidden",
        "question",
        "why",
    ]
    assert cell(made, "double").source.endswith("return x + x") and cell(made, "why").source == "My answer"
    assert "x squared" in cell(made, "double-test").source and "HIDDEN" in cell(made, "double-hidden").source
    assert flags == ["changed the cell double-test, restored"]


def _below(notebook, new):
    notebook.cells.append(new)


def _above(notebook, new):
    notebook.cells.insert(notebook.cells.index(cell(notebook, "question")), new)


def _in_the_question(notebook, text):
    cell(notebook, "question").source += f"\n{text}"


def _as_another_type(notebook, kind):
    mine = cell(notebook, "why")
    mine.cell_type, mine.source = kind, "Because it is linear."


@pytest.mark.parametrize(
    "change, what",
    [
        (_below, new_markdown_cell("Because it is linear.")),
        (_above, new_markdown_cell("Because it is linear.")),
        (_below, nbformat.v4.new_raw_cell("Because it is linear.")),
        (_below, new_code_cell("Because it is linear.")),
        (_below, new_code_cell('"""Because it is linear."""')),
        (_below, new_code_cell("# Because it is linear.")),
        (_in_the_question, "Because it is linear."),
        (_as_another_type, "code"),
        (_as_another_type, "raw"),
    ],
)
def test_an_answer_near_its_question_is_marked_by_hand(tiny, change, what):
    mine, untouched = blank(tiny, "tiny"), blank(tiny, "tiny")
    change(mine, what)
    made, flags = rebuilding.rebuild(mine, nbformat.read(tiny.source("tiny"), as_version=4), untouched)
    assert cell(made, "why").cell_type == "markdown" and "it is linear." in cell(made, "why").source
    assert execution.points(cell(made, "why")) is None and len(flags) == 1 and "why" in flags[0]


@pytest.mark.parametrize("new", [new_code_cell("double(7)"), new_markdown_cell(" \n"), None])
def test_no_answer_is_no_answer(tiny, new):
    mine, untouched = blank(tiny, "tiny"), blank(tiny, "tiny")
    mine.cells += [new] if new else []
    made, flags = rebuilding.rebuild(mine, nbformat.read(tiny.source("tiny"), as_version=4), untouched)
    assert execution.points(cell(made, "why")) == 0 and flags == []


def test_code_in_a_cell_of_another_type_counts(tiny):
    mine = answer(tiny)
    cell(mine, "double").cell_type = "markdown"
    made, flags = rebuilding.rebuild(mine, nbformat.read(tiny.source("tiny"), as_version=4), blank(tiny, "tiny"))
    assert cell(made, "double").source == cell(mine, "double").source and "handed in as markdown" in flags[0]


@pytest.mark.parametrize(
    "code, told",
    [
        ("return np.allclose", None),
        ("np.allclose = print", "changes np.allclose"),
        ("marks.close.__code__ = print.__code__", "changes marks.close.__code__"),
        ("import os; os._exit(0)", "uses _exit"),
        ("open('../gradebook.db')", "uses gradebook"),
        ("import subprocess as s", "uses subprocess"),
        ("%%capture\nimport ctypes", "uses ctypes"),
        ("%%bash\nif true; then rm x; fi", "no Python that can be searched"),
        ("%%html\n<b>", None),
        ("%matplotlib inline\n!ls\nfiles = !ls\nawait x\n?print", None),
        ("x = get_ipython().run_line_magic('matplotlib', 'inline')", None),
        ("from helpers import plots, marks, training", None),
        ("from helpers.metrics import psnr", "takes answers from helpers.metrics"),
        ("from helpers import metrics as m", "takes answers from helpers.metrics"),
        ("import helpers.models.vae", "takes answers from helpers.models"),
        ("import helpers\nhelpers.metrics.psnr", "takes answers from helpers.metrics"),
    ],
)
def test_suspects(code, told):
    found = "; ".join(rebuilding.suspects(new_notebook(cells=[new_code_cell(code)])))
    assert told in found if told else found == ""


def test_code_that_did_not_run_is_no_suspect():
    broken = new_code_cell("(((", outputs=[new_output("error", ename="SyntaxError", evalue="", traceback=[])])
    assert rebuilding.suspects(new_notebook(cells=[broken])) == []


@pytest.mark.parametrize(
    "change, flagged",
    [
        (lambda test: None, False),
        (lambda test: test.update(source=test.source.replace("\n", "\r\n") + "  \n"), False),
        (lambda test: test.update(source="pass"), True),
        (lambda test: test.metadata.nbgrader.update(points=50), True),
        (lambda test: test.metadata.nbgrader.update(points="many"), True),
    ],
)
def test_only_who_changed_a_test_is_told_of(tiny, change, flagged):
    """Neither who got another version, nor whose editor ends lines otherwise."""
    mine, source = blank(tiny, "tiny"), nbformat.read(tiny.source("tiny"), as_version=4)
    change(cell(mine, "double-test"))
    assert rebuilding.rebuild(mine, source, blank(tiny, "tiny"))[1] == flagged * [
        "changed the cell double-test, restored"
    ]
    earlier = blank(tiny, "tiny")
    test = cell(earlier, "double-test")
    test.source, test.metadata.nbgrader.points = "marks.close(double(1), 2)", 3
    test.metadata.nbgrader.checksum = compute_checksum(test)
    assert rebuilding.rebuild(earlier, source, blank(tiny, "tiny"))[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}',
    ],
)
def test_what_is_no_notebook(text):
    with pytest.raises(rebuilding.NoNotebook):
        rebuilding.read(text, "a.ipynb")


class Shell:
    """A student's kernel, without one: answers what a judge asks."""

    def __init__(self, source, **names):
        self.names, self.asked = names, []
        self.judge = Judge(source, self)

    def __call__(self, request):
        self.asked.append(request)
        return remote.answer(request, self.names)

    def points(self, code, most=2):
        test = new_code_cell(code, metadata=metadata("a-test", grade=True, points=most))
        self.judge.test(test)
        return execution.points(test), "".join(out.get("text", out.get("evalue", "")) for out in test.outputs)


@pytest.mark.parametrize(
    "value, points",
    [
        ("1.5", 1.5),
        ("0.0", 0),
        ("2", 2),
        ("None", 2),
        ("'a text'", 2),
        ("np.float64(1.0)", 1),
        ("np.int64(1)", 0),
        ("True", 0),
        ("-1", 0),
        ("float('nan')", 0),
        ("9.0", 0),
        ("[1]", 0),
        ("1 / 0", 0),
    ],
)
def test_points_that_cannot_be_count_nothing(tiny, value, points):
    """nbgrader itself gives full points for a NumPy number, True, -1 or nan."""
    shell = Shell(nbformat.read(tiny.source("tiny"), as_version=4))
    shell.judge.prepare("import numpy as np\nfrom helpers import marks")
    assert shell.points(value)[0] == points


def test_a_judge_asks_and_compares_elsewhere(tiny):
    import numpy as np

    def double(x):
        x *= 2
        return x

    shell = Shell(nbformat.read(tiny.source("tiny"), as_version=4), double=double)
    shell.judge.prepare("import numpy as np\nfrom helpers import marks\nlimit = 3")
    assert shell.points("x = np.ones(2)\nmarks.close(double(x), [2, 2])\nmarks.close(x, [1, 1])\nlimit - 1.0") == (
        2,
        "",
    )
    assert shell.points("marks.close(double(np.ones(2)), [3, 3])")[0] == 0
    probe = "scale = 5\n@marks.probe\ndef after(x):\n    double(x)\n    return scale * x\n"
    assert shell.points(probe + "marks.close(after(np.ones(2)), [10, 10])") == (2, "")
    secret = "secret = 12345.678\nmarks.close(double(3), 6)\nmarks.close(after(np.ones(1)), [10])"
    shell.asked.clear()
    assert shell.points(secret) == (2, "")
    assert len(shell.asked) == 2 and not any(b"12345" in base64.b64decode(asked) for asked in shell.asked)
    del shell.names["double"]
    assert "name 'double' is not defined" in shell.points("marks.close(double(3), 6)")[1]
    shell.names["double"] = lambda x: [np.ones(2), {"a": (1, None, True, "é")}, range(2), np.float32(0.5)]
    assert (
        shell.points("a, b, c, d = double(3)\nassert b == {'a': (1, None, True, 'é')} and c == [0, 1] and d == 0.5")[0]
        == 2
    )
    shell.names["double"] = lambda x: 1 / 0
    assert "division by zero" in shell.points("marks.close(double(3), 6)")[1]
    shell.names["double"] = lambda x: print
    assert "no number, array or tensor" in shell.points("marks.close(double(3), 6)")[1]


def test_values_are_asked_for_too(tiny):
    source = nbformat.read(tiny.source("tiny"), as_version=4)
    cell(source, "double").source = "rate = 0.1\n"
    shell = Shell(source, rate=0.2)
    shell.judge.prepare("from helpers import marks")
    assert shell.points("marks.close(rate, 0.2)")[0] == 2
    shell.names["rate"] = 0.3
    assert shell.points("marks.close(rate, 0.3)")[0] == 2
    del shell.names["rate"]
    assert shell.points("marks.close(rate, 0.3)") == (0, "name 'rate' is not defined")


def test_what_takes_too_long_is_no_exception_that_a_test_could_catch(tiny):
    def hangs(request):
        raise execution.Ended("ran longer than 5 s")

    judge = Judge(nbformat.read(tiny.source("tiny"), as_version=4), hangs)
    judge.prepare("from helpers import marks")
    with pytest.raises(execution.Ended):
        judge.test(cell(nbformat.read(tiny.source("tiny"), as_version=4), "double-hidden"))


# What a browser shows --------------------------------------------------------------------------------------


class Running(HTMLParser):
    """What of a page would run, or be fetched, if it came from a student; their text says EVIL."""

    def __init__(self):
        super().__init__()
        self.found, self.inside = [], ""

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        self.found += [
            (tag, name, value)
            for name, value in attributes
            if "EVIL" in (value or "")
            and not (name == "alt" or name == "title" or (tag, name) == ("a", "href") and value.startswith("https:"))
        ]
        self.found += [tag] * (tag in ("iframe", "object", "embed", "form", "base", "math"))

    def handle_data(self, text):
        self.found += [(self.inside, text)] * ("EVIL" in text and self.inside in ("script", "style"))
        if self.inside not in ("span", "pre"):  # MathJax leaves code alone
            self.found += re.findall(r"\\href.*", text)


def test_nothing_of_a_students_runs_in_a_browser(tiny, tmp_path, monkeypatch):
    """The feedback, and the formgrader's page, whose exporter is the one that its extension makes in the course."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

    mine = answer(tiny, why="**Good** $x^2$ [link](https://EVIL.example)\n\n" + "\n\n".join(EVIL))
    mine.cells += hostile_cells()
    hand_in(tmp_path, "eve", "tiny", mine)
    row = grade_tiny(tiny, tmp_path)["eve"]
    assert row.status == "needs manual grading" and row.marks["double-hidden"] == 4
    (tiny.root / "nbgrader_config.py").write_text(
        f"from helpers.grading.configuration import configure\nconfigure(get_config(), {str(tiny.root)!r})"
    )
    monkeypatch.chdir(tiny.root)
    formgrader = FormgradeExtension()
    formgrader.initialize([])
    seen, _ = HTMLExporter(config=formgrader.config).from_filename(
        str(tiny.root / "autograded/eve/tiny/tiny.ipynb"),
        resources=dict.fromkeys(
            (
                "assignment_id",
                "notebook_id",
                "submission_id",
                "base_url",
                "student",
                "last_name",
                "first_name",
                "notebook_path",
            ),
            "x",
        )
        | {"index": 0, "total": 1},
    )
    for page in (seen, (tiny.root / "feedback/eve/tiny/tiny.html").read_text("utf-8")):
        running = Running()
        running.feed(page)
        assert running.found == []
        assert "<strong>Good</strong>" in page and "x^2" in page and 'href="https://EVIL.example"' in page
    assert "formgrade" in seen and page.count("EVIL") > 20


# The whole of it, on a small assignment --------------------------------------------------------------------


def test_manual_marks_stay_and_resubmissions_leave_no_old_mark(tiny, tmp_path):
    hand_in(tmp_path, "ann", "tiny", answer(tiny, why="I think so"))
    hand_in(tmp_path, "bob", "tiny", answer(tiny, "return x ** 2"))
    rows = grade_tiny(tiny, tmp_path)
    assert rows["ann"][2] == "needs manual grading" and rows["bob"][2] == "graded"
    assert rows["ann"][1] == {"double-test": 1, "double-hidden": 4, "why": None}
    assert rows["bob"][1] == {"double-test": 0, "double-hidden": 2, "why": 0}
    page = (tiny.root / "feedback/bob/tiny/tiny.html").read_text("utf-8")
    assert "x squared, not 2 x" in page and "one_of_these_is_negative" not in page
    waits = "Missing, and shown as 0: why."
    assert waits not in page and waits in (tiny.root / "feedback/ann/tiny/tiny.html").read_text("utf-8")

    with configuration.gradebook(tiny.root) as book:  # what the formgrader does
        mark = book.find_grade("why", "tiny", "tiny", "ann")
        mark.manual_score, mark.needs_manual_grade = 4, False
        book.find_comment("why", "tiny", "tiny", "ann").manual_comment = "Well put."
        book.db.commit()
    rows = grade_tiny(tiny, tmp_path)
    assert rows["ann"][1]["why"] == 4 and rows["ann"][2] == "graded"
    page = (tiny.root / "feedback/ann/tiny/tiny.html").read_text("utf-8")
    assert "Well put." in page and waits not in page
    assert [table(tiny)[who]["total"] for who in ("ann", "bob")] == ["9", "2"]

    hand_in(tmp_path, "bob", "tiny", "no notebook at all")  # had marks, now fails: no old ones remain
    hand_in(tmp_path, "ann", "tiny", answer(tiny, "return 0", why="I think so"))
    rows = grade_tiny(tiny, tmp_path)
    assert rows["bob"][2] == "failed" and set(rows["bob"][1].values()) == {None}
    assert rows["ann"][1] == {"double-test": 0, "double-hidden": 2, "why": 4}
    assert rows["ann"][2] == "needs manual grading"  # look again: the mark was for another version
    with configuration.gradebook(tiny.root) as book:
        assert book.find_submission("tiny", "bob").needs_manual_grade
    assert "has not been graded" in (tiny.root / "feedback/bob/tiny/tiny.html").read_text("utf-8")


def test_resumes_after_an_interruption(tiny, tmp_path, monkeypatch):
    for who in ("ira", "joe", "kim"):
        hand_in(tmp_path, who, "tiny", answer(tiny, f"return 2 * x     # {who}"))
    whole, done = student.outcome, []

    def interrupted(job):
        if done:
            raise KeyboardInterrupt
        done.append(job["student"])
        return whole(job)

    monkeypatch.setattr(student, "outcome", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade("tiny", tmp_path, tiny.root, jobs=1, limits=LIMITS, show=False)
    monkeypatch.setattr(student, "outcome", lambda job: done.append(job["student"]) or whole(job))
    rows = grade_tiny(tiny, tmp_path)
    assert sorted(done) == ["ira", "joe", "kim"]  # none of them twice
    assert {row[2] for row in rows.values()} == {"graded"}


def test_one_student_stops_nobody(tiny, tmp_path, monkeypatch):
    """Neither at storing, nor at entering, nor at the feedback; and nothing of theirs moves the cursor."""
    for who in ("ada", "ben", "cat", "dee"):
        hand_in(tmp_path, who, "tiny", answer(tiny, f"return x + x     # {who}"))
    hand_in(tmp_path, "ada", "tiny", "yesterday", "timestamp.txt")
    hand_in(tmp_path, "cat", "tiny", "x", "evil\x1b[2J\n  failed: dee: cheated.exe")
    called, stored = processes.call, Course.submitted

    def call(function, *inputs, **settings):
        if function is run.enter and inputs[2]["student"] == "ben":
            raise processes.Ended("no room")
        return called(function, *inputs, **settings)

    def submitted(course, name, who, files):
        if who == "dee":
            raise OSError(36, "File name too long")
        return stored(course, name, who, files)

    monkeypatch.setattr(processes, "call", call)
    monkeypatch.setattr(Course, "submitted", submitted)
    monkeypatch.setattr(run, "PAGE", 0)
    rows = grade_tiny(tiny, tmp_path)
    assert {who: row.status for who, row in rows.items()} == {
        "ada": "graded",
        "ben": "failed",
        "cat": "graded",
        "dee": "failed",
    }
    assert "no time" in rows["ada"].result["flags"][0] and "no room" in rows["ben"].result["reason"]
    assert "too long" in rows["dee"].result["reason"]
    assert all("no feedback was written: ran longer" in row.result["flags"][-1] for row in rows.values())
    for file in (tiny.root / "grades/tiny.txt", tiny.root / "grades/tiny.csv"):
        said = file.read_text("utf-8")
        assert "\x1b" not in said and "\n  failed: dee: cheated" not in said and "cheated.exe" in said
    monkeypatch.undo()
    again = grade_tiny(tiny, tmp_path)  # what failed for a reason of ours is tried again
    assert {row.status for row in again.values()} == {"graded"}
    assert (tiny.root / "feedback/ben/tiny/tiny.html").is_file()


def test_one_resubmission_leaves_the_rows_of_others(tiny, tmp_path):
    for who in ("fay", "gus"):
        hand_in(tmp_path / "all", who, "tiny", answer(tiny, f"return x * 2     # {who}"))
    grade_tiny(tiny, tmp_path / "all")
    before = table(tiny)
    hand_in(tmp_path / "one", "gus", "tiny", answer(tiny, "return 0"))
    rows = grade_tiny(tiny, tmp_path / "one")
    after = table(tiny)
    assert list(rows) == ["gus"] and set(after) == set(before) and after["gus"]["total"] == "2"
    assert {**after, "gus": None} == {**before, "gus": None} and before["fay"]["total"] == "5"
    assert re.search(r"1 submission: .*keeps \d+ graded before", (tiny.root / "grades/tiny.txt").read_text(), re.S)


def test_a_term_on_two_platforms(tiny, tmp_path, capsys):
    """Moodle's and Canvas's downloads, a class list, a due date and a rule of the course; marks as both take them."""
    root = tmp_path / "course"
    shutil.copytree(tiny.root / "source", root / "source")
    (root / "nbgrader_config.py").write_text(
        f"from helpers.grading.configuration import configure\nc = get_config()\nconfigure(c, {str(root)!r})\n"
        "c.PerDay.percent = 20"
    )
    course = Course(root)
    course.release("tiny")
    for name, why in (("Ann Lee_11", None), ("Bob Roe_12", "I think so")):
        place = tmp_path / "moodle" / f"{name}_assignsubmission_file_"
        place.mkdir(parents=True)
        nbformat.write(answer(course, why=why), place / "tiny.ipynb")
    (tmp_path / "moodle/leaflet.pdf").write_text("x")
    (tmp_path / "list.csv").write_text(
        "Identifier,Full name,Email address,Maximum Grade\nParticipant 11,Ann Lee,a@b.c,100.00\n"
        "Participant 12,Bob Roe,b@b.c,100.00\nParticipant 13,Zo\xeb,z@b.c,100.00\n"
    )
    where = ["--course", str(root), "--jobs", "2"]
    assert (
        main(["tiny", "--submissions", str(tmp_path / "moodle"), "--class-list", str(tmp_path / "list.csv"), *where])
        == 0
    )
    said = capsys.readouterr().out
    assert "Handed in nothing: Zo\xeb." in said and "nobody's: leaflet.pdf" in said
    assert "For Moodle: grades/tiny-moodle.csv, empty for 1 who are not marked to the end." in said
    assert "The maximum is 100 there and 10 here: set it to 10 there before you import." in said
    assert table(course)["Zo\xeb"]["status"] == "missing"
    with open(root / "grades/tiny-moodle.csv", encoding="utf-8-sig") as file:
        rows = {row["Identifier"]: row["Grade"] for row in csv.DictReader(file)}
    assert rows == {"Participant 11": "5", "Participant 12": ""}

    folder = tmp_path / "board"
    folder.mkdir()
    for name in ("T_cy_attempt_2026-11-25-23-00-00_tiny.ipynb", "T_di_attempt_2026-11-27-01-00-00_tiny.ipynb"):
        nbformat.write(answer(course), folder / name)
    command = ["tiny", "--submissions", str(folder), "--due", "2026-11-25 23:59", *where]
    for _ in range(2):  # said again, not taken off again
        assert main(command) == 0
        said = capsys.readouterr().out
        assert "late: di: 1 d 1 h, −2" in said and "late: cy" not in said
        rows = table(course)
        assert (rows["di"]["total"], rows["di"]["late"], rows["di"]["penalty"]) == ("3", "1 d 1 h", "2")
        assert rows["cy"]["total"] == "5" and rows["cy"]["late"] == rows["cy"]["penalty"] == ""

    (tmp_path / "canvas").mkdir()
    nbformat.write(answer(course), tmp_path / "canvas/eve_LATE_14_99_tiny.ipynb")
    assert main(["tiny", "--submissions", str(tmp_path / "canvas"), *where]) == 0
    assert "late: eve_14: the platform says so" in capsys.readouterr().out
    # Nobody else's row: who came from Moodle or Blackboard has no ID of Canvas's.
    assert (root / "grades/tiny-canvas.csv").read_text("utf-8-sig").splitlines()[2:] == ["eve,14,,,,5"]
    assert main(["tiny", "--submissions", str(tmp_path / "canvas"), "--due", "soon", *where]) == 2
    assert main(["tiny", "--submissions", str(tmp_path / "moodle"), *where]) == 0
    assert table(course)["eve_14"]["late"].startswith("the platform")  # a row of an earlier run
    with open(root / "grades/tiny-moodle.csv", encoding="utf-8-sig") as file:
        assert [row["Identifier"] for row in csv.DictReader(file)] == ["Participant 11", "Participant 12"]
    # Canvas's class list: 12 is another's number there; Ann is known by her name, and so is in its table too.
    (tmp_path / "canvas.csv").write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section,tiny (5)\n"Lee, Ann",98,,ann@x.y,,\n'
        '"Fox, Fay",12,,fay@x.y,,\n"Eve",14,,eve@x.y,,\n'
    )
    again = ["tiny", "--submissions", str(tmp_path / "canvas"), "--class-list", str(tmp_path / "canvas.csv"), *where]
    assert main(again) == 0
    rows = (root / "grades/tiny-canvas.csv").read_text("utf-8-sig").splitlines()[2:]
    assert rows == ['"Lee, Ann",98,,ann@x.y,,5', "Eve,14,,eve@x.y,,5"]
    said = capsys.readouterr().out
    # Both class lists count, the earlier one too, and nobody is missed in that of another platform.
    assert "Handed in nothing: Fox, Fay, Zo\xeb." in said and "Ann_Lee_11 is nobody" not in said
    assert table(course)["Zo\xeb"]["status"] == table(course)["Fox, Fay"]["status"] == "missing"
    # A mark by hand comes into the tables of both, whichever download is given.
    with configuration.gradebook(root) as book:
        mark = book.find_grade("why", "tiny", "tiny", "Bob_Roe_12")
        mark.manual_score, mark.needs_manual_grade = 3, False
        book.db.commit()
    assert main(["tiny", "--submissions", str(tmp_path / "canvas"), *where]) == 0
    with open(root / "grades/tiny-moodle.csv", encoding="utf-8-sig") as file:
        assert {row["Identifier"]: row["Grade"] for row in csv.DictReader(file)} == {
            "Participant 11": "5",
            "Participant 12": "8",
        }
    # A list of no platform is everybody's: it takes the place of both.
    (tmp_path / "all.csv").write_text("name\nAnn Lee\nBob Roe\nEve\nGil\ncy\ndi\n")
    everybody = ["--class-list", str(tmp_path / "all.csv")]
    assert main(["tiny", "--submissions", str(tmp_path / "canvas"), *everybody, *where]) == 0
    assert "Handed in nothing: Gil." in capsys.readouterr().out


def test_a_test_added_or_taken_away_or_worth_more_regrades(tiny, tmp_path):
    """After submissions: marks by hand stay, and nobody is told of what the teacher has changed."""
    root = tmp_path / "course"
    shutil.copytree(tiny.root / "source", root / "source")
    course = Course(root)
    course.release("tiny")
    hand_in(tmp_path / "in", "ann", "tiny", answer(course, why="I think so"))
    grade_tiny(course, tmp_path / "in")
    with configuration.gradebook(root) as book:
        mark = book.find_grade("why", "tiny", "tiny", "ann")
        mark.manual_score, mark.needs_manual_grade = 4, False
        book.db.commit()
    source = nbformat.read(course.source("tiny"), as_version=4)
    cell(source, "double-test").metadata.nbgrader.points = 2
    more = copy.deepcopy(cell(source, "double-test"))
    more.metadata.nbgrader.grade_id, more.source, more.id = "double-more", "marks.close(double(5), 10)", "more"
    source.cells.insert(4, more)
    _touch(source, course)
    row = grade_tiny(course, tmp_path / "in")["ann"]
    assert row.marks == {"double-test": 2, "double-more": 2, "double-hidden": 4, "why": 4}
    assert row.result["flags"] == [] and table(course)["ann"]["of"] == "13"

    source.cells.remove(cell(source, "double-test"))
    _touch(source, course)
    row = grade_tiny(course, tmp_path / "in")["ann"]
    assert row.marks == {"double-more": 2, "double-hidden": 4, "why": 4} and row.result["flags"] == []


@pytest.mark.parametrize(
    "points, line, said",
    [
        (3, "marks.score(2, double)", "double-hidden has 3 points .* says marks.score.2, "),
        (1.5, "marks.score(points=2)", "has 1.5 points .* marks.score.2, "),
        (2, "marks.score(3, double)\n# that is all\n### END HIDDEN TESTS", "has 2 points .* marks.score.3, "),
        (2, "marks.score(2.0, double)", None),
        (3, "worth = 3\nmarks.score(worth, double)", None),  # which is not known before it runs
        (3, "marks.score(1, double) + marks.score(2, double)", None),
        (3, "marks.close(double(1), 2)", None),
    ],
)
def test_points_that_disagree_are_said_before_anything_is_graded(tiny, tmp_path, points, line, said):
    shutil.copytree(tiny.root / "source", tmp_path / "source")
    course = Course(tmp_path)
    source = nbformat.read(course.source("tiny"), as_version=4)
    test = cell(source, "double-hidden")
    test.metadata.nbgrader.points, test.source = points, line
    if said is None:
        return rebuilding.check_points(source)
    nbformat.write(source, course.source("tiny"))
    put(tmp_path / "in", "ann/tiny.ipynb")
    with pytest.raises(ValueError, match=said):
        grade_tiny(course, tmp_path / "in")
    assert not (tmp_path / "grades").exists() and not (tmp_path / "release").exists()


def _touch(source, course):
    """Write a teacher's change."""
    place = course.source("tiny")
    nbformat.write(source, place)
    later = time.time() + 5
    os.utime(place, (later, later))


def is_kernel(process):
    try:
        return "ipykernel_launcher" in process.cmdline()[-5:]
    except psutil.NoSuchProcess:  # ended, perhaps not yet reaped, since it was listed
        return False


def test_control_c_ends_what_runs_and_what_waits(tiny, tmp_path):
    for i in range(4):
        hand_in(tmp_path, f"sly{i}", "tiny", answer(tiny, f"import time; time.sleep({500 + i})"))
    command = [
        sys.executable,
        "-m",
        "helpers.grading",
        "tiny",
        "--submissions",
        str(tmp_path),
        "--course",
        str(tiny.root),
        "--jobs",
        "2",
        "--limit-cell",
        "400",
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        # what runs in the background of a shell ignores it, and so would this
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        try:
            whole, kernels = psutil.Process(run.pid), []
            while len(kernels) < 2:
                assert run.poll() is None
                kernels = [one for one in whole.children(recursive=True) if is_kernel(one)]
                time.sleep(0.2)
            os.kill(run.pid, signal.SIGINT)
            said = run.communicate(timeout=120)[1]  # each cell would take 400 s
        finally:
            run.kill()
    assert run.returncode == 130 and "goes on from here" in said
    for _ in range(100):
        kernels = [one for one in kernels if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        time.sleep(0.2 if kernels else 0)
    assert kernels == []


def test_table_counts_what_there_is_to_look_at(tmp_path):
    flags = ["copied the cell a, removed"] * 3000 + [f"flag {i}" for i in range(50)]
    result = {"student": "ann", "status": "graded", "reason": "", "flags": flags, "confined": True, "notebook": "x"}
    said = report.summary("tiny", [run.Row(result, {}, "graded")], None)
    assert "copied the cell a, removed (3000 times)" in said and "and 31 more" in said and len(said) < 1000


def test_outputs_have_a_total(tiny):
    mine = answer(tiny)
    for code in (
        "for _ in range(200):\n    display({'text/html': 'x' * 400_000}, raw=True)",
        "hs = [display({'text/plain': 'x'}, raw=True, display_id=str(i)) for i in range(50)]\n"
        "for h in hs:\n    h.update({'text/html': 'x' * 400_000}, raw=True)",
        "raise ValueError('x' * 30_000_000)",
        "class E(Exception): pass\nE.__name__ = 'E' * 10**7\nraise E()",
        *["display({'text/html': 'x' * 400_000}, raw=True)\nprint('y' * 10**6)"] * 30,
    ):
        mine.cells.append(new_code_cell(code))
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(mine).encode()}, tiny.release("tiny"), LIMITS)
    result = student.grade(job)
    assert result["points"]["double-test"] == 1 and result["points"]["double-hidden"] == 4
    assert 1_000_000 < len(result["notebook"]) < 7_000_000


def test_a_flood_hides_no_failure(tiny):
    """Neither the error nor the points of a test that comes after more than is kept."""
    mine = answer(
        tiny,
        "[display({'text/html': 'x' * 400_000}, raw=True) for _ in range(20)]\n    print('y' * 10**6)\n    return 0",
    )
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(mine).encode()}, tiny.release("tiny"), LIMITS)
    assert student.grade(job)["points"] == {"double-test": 0, "double-hidden": 2, "why": 0}


@pytest.mark.skipif(bool(sandbox.unconfined_because()), reason=f"not confined: {sandbox.unconfined_because()}")
def test_environment_of_the_grader_is_not_there(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_GRADER", "secret")
    mine = answer(tiny)
    mine.cells.append(
        new_code_cell(
            "import os, pathlib\nprint(dict(os.environ))\n"
            "for path in pathlib.Path('/proc').glob('*/environ'):\n    try:\n"
            "        print(path, path.read_text())\n    except OSError as e:\n        pass"
        )
    )
    kernels, make = [], sandbox.Kernel._async_launch_kernel

    async def launch(kernel, command, **options):
        await make(kernel, command, **options)
        kernels.append(Path(f"/proc/{kernel.provisioner.pid}/environ").read_text())

    monkeypatch.setattr(sandbox.Kernel, "_async_launch_kernel", launch)
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(mine).encode()}, tiny.release("tiny"), LIMITS)
    result = student.grade(job)
    assert result["points"]["double-hidden"] == 4 and "HOME" in result["notebook"]
    assert kernels and "TOKEN_OF_THE_GRADER" not in result["notebook"] + "".join(kernels)


def test_a_kernel_that_ends_before_it_answers_is_not_the_students_fault(tiny, monkeypatch):
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(answer(tiny)).encode()}, tiny.release("tiny"), LIMITS)
    monkeypatch.setattr(sandbox.Kernel, "format_kernel_cmd", lambda *_, **__: [sys.executable, "-c", "pass"])
    result = student.grade(job)
    assert result["status"] == "failed" and result["again"]
    assert result["reason"] == "no kernel started: the kernel ended before it answered"


def test_confinement_is_tried_where_it_is_not_known(tiny, monkeypatch):
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(answer(tiny)).encode()}, tiny.release("tiny"), LIMITS)
    monkeypatch.setattr(sandbox, "unconfined_because", lambda: 1 / 0)
    assert student.grade(job, confined=False)["points"]["double-hidden"] == 4
    with pytest.raises(ZeroDivisionError):
        student.grade(job)


def test_the_kernels_collector_seldom_runs(tiny, tmp_path):
    mine = answer(tiny)
    mine.cells.append(new_code_cell("import gc; print(gc.get_threshold())"))
    hand_in(tmp_path, "ann", "tiny", mine)
    assert "(50000, 20, 50)" in grade_tiny(tiny, tmp_path)["ann"][0]["notebook"]


def test_outer_limit_fails_one_and_says_so(tiny, tmp_path):
    hand_in(tmp_path, "slow", "tiny", answer(tiny, "import time; time.sleep(500)"))
    hand_in(tmp_path, "quick", "tiny", answer(tiny))
    limits = sandbox.Limits(cell=300, setup=60, submission=12)
    rows = {row[0]["student"]: row for row in grade("tiny", tmp_path, tiny.root, jobs=2, limits=limits, show=False)}
    assert rows["quick"][2] == "graded"
    assert rows["slow"][2] == "failed" and "12 s" in rows["slow"][0]["reason"]
    shown = nbformat.read(tiny.root / "autograded/slow/tiny/tiny.ipynb", as_version=4)
    assert "Not graded" in shown.cells[0].source and "sleep(500)" in cell(shown, "double").source


def test_a_grader_that_breaks_is_no_zero(tiny, tmp_path):
    job = student.job("ann", {"tiny.ipynb": nbformat.writes(answer(tiny)).encode()}, tiny.release("tiny"), LIMITS)
    job["assignment"] = {**job["assignment"], "source": "broken"}
    result = student.outcome(job)
    assert result["status"] == "failed" and result["reason"] and result["points"] == {} and result["again"]


def test_unconfined_is_said_plainly(tiny, tmp_path):
    hand_in(tmp_path, "una", "tiny", answer(tiny))
    rows = grade_tiny(tiny, tmp_path, confine=False)
    assert rows["una"][1]["double-hidden"] == 4 and rows["una"][0]["confined"] is False
    assert "NOT CONFINED" in (tiny.root / "grades/tiny.txt").read_text("utf-8")


@pytest.mark.skipif(bool(sandbox.unconfined_because()), reason=f"not confined: {sandbox.unconfined_because()}")
def test_confined_is_said_too(tiny, tmp_path):
    hand_in(tmp_path, "con", "tiny", answer(tiny))
    assert grade_tiny(tiny, tmp_path)["con"][0]["confined"] is True
    assert "Confined by bubblewrap" in (tiny.root / "grades/tiny.txt").read_text("utf-8")


def test_command(tiny, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        file.writestr("Zoe_1_assignsubmission_file_/tiny.ipynb", nbformat.writes(answer(tiny)))
        file.writestr("Yan_2_assignsubmission_file_/tiny.ipynb", "nothing")
    where = ["--course", str(tiny.root), "--jobs", "2"]
    assert main(["tiny", "--submissions", str(tmp_path / "in.zip"), *where]) == 1
    said = capsys.readouterr().out
    assert "tiny: 2 submissions: 1 graded, 1 failed" in said and "failed: Yan_2: tiny.ipynb is no notebook" in said
    assert main(["tiny", "--submissions", str(tmp_path / "absent"), *where]) == 2
    assert main(["99_none", "--submissions", str(tmp_path), *where]) == 2
    assert "there is no assignment '99_none'" in capsys.readouterr().err


def test_dask_cluster_of_two_workers(tiny, tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    for i in range(4):
        hand_in(tmp_path, f"dan{i}", "tiny", answer(tiny, f"return 2 * x     # {i}"))
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.worker.daemon": False}),  # as README says
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
    ):
        rows = grade_tiny(tiny, tmp_path, dask=cluster.scheduler_address)
    assert {row[1]["double-hidden"] for row in rows.values()} == {4}
    assert len(rows) == 4 and {row[2] for row in rows.values()} == {"graded"}


def test_a_process_that_may_have_no_children_grades_too(monkeypatch):
    """A worker of Dask, unless it is told otherwise."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert processes.call(abs, -3, seconds=120) == 3
    with pytest.raises(processes.Ended, match="TypeError"):
        processes.call(abs, "x", seconds=120)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_a_process_has_a_limit_of_memory_and_this_one_has_none():
    with pytest.raises(processes.Ended, match="MemoryError"):
        processes.call(bytearray, 2 << 30, seconds=120, memory=1 << 30)
    assert len(bytearray(1 << 30)) == 1 << 30


def test_table_has_no_formulas_and_no_silent_zero(tmp_path):
    result = {"student": "=ann", "status": "failed", "reason": "+broke", "flags": [], "confined": False, "notebook": ""}
    report.write_table(tmp_path / "t.csv", {"a": 1.0, "b": 2.0}, [run.Row(result, {"a": None, "b": None}, "failed")])
    row = next(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text("utf-8-sig"))))
    assert row["student"] == "'=ann" and row["reason"] == "'+broke"
    assert row["total"] == row["a"] == row["b"] == "" and row["of"] == "3"


def test_nbgraders_own_autograde_uses_our_steps(tiny, tmp_path):
    """The formgrader's button, and `nbgrader autograde`: a copied cell, which ended nbgrader's run, is graded."""
    from nbgrader.apps import NbGraderAPI

    notebook = answer(tiny)
    notebook.cells.insert(3, notebook.cells[2].copy())
    hand_in(tiny.root / "submitted", "own", "tiny", notebook)
    made = NbGraderAPI(config=tiny.config).autograde("tiny", "own", force=True)
    assert made["success"], made
    assert tiny.marks("tiny", "own")[0]["double-hidden"] == 4
