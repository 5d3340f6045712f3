"""The zoo, graded together: each animal gets its mark and its status, is told about, and harms nobody else."""

import csv
import re
import socket
import threading
import time

import pytest
from classroom import ASSIGNMENTS, blank, cell, hand_in, make_course, solved, source
from zoo import ANIMALS, NAME

from helpers.grading import configuration, sandbox, student
from helpers.grading.rebuilding import HIDDEN
from helpers.grading.run import grade

LOOSE = sandbox.unconfined_because()
LIMITS = sandbox.Limits(cell=15, setup=150, submission=300, processes=128, together=1 << 30)


@pytest.fixture(scope="module")
def listener():
    """A port of this machine on which somebody listens, and who has called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        calls = []
        threading.Thread(target=lambda: [calls.append(server.accept()) for _ in iter(int, 1)], daemon=True).start()
        yield server.getsockname()[1], calls


@pytest.fixture(scope="module")
def zoo(tmp_path_factory, listener):
    """(the course, {animal: (result, marks, status)}, seconds): all graded in one course, a run for each assignment."""
    folder = tmp_path_factory.mktemp("zoo")
    names = sorted({animal.assignment for animal in ANIMALS.values()})
    course = make_course(folder / "course", *names)
    for name, animal in ANIMALS.items():
        if animal.confined and LOOSE:
            continue
        notebook, empty = solved(course, animal.assignment), blank(course, animal.assignment)
        for written in ("written-1", "written-2"):
            cell(notebook, written).source = cell(empty, written).source
        made = animal.make(notebook)
        files = made if isinstance(made, dict) else {f"{animal.assignment}.ipynb": notebook}
        for file, content in files.items():
            if not isinstance(content, str):
                for c in content.cells:
                    c.source = c.source.replace("COURSE", str(course.root)).replace("PORT", str(listener[0]))
            hand_in(folder / "in" / animal.assignment, name, animal.assignment, content, file)
    began = time.monotonic()
    rows = [
        row
        for name in names
        for row in grade(name, folder / "in" / name, course.root, jobs=4, limits=LIMITS, show=False)  # some only wait
    ]
    return course, {row.result["student"]: row for row in rows}, time.monotonic() - began


def feedback(course, name):
    """The page of an animal."""
    which = ANIMALS[name].assignment
    return (course.root / "feedback" / name / which / f"{which}.html").read_text("utf-8")


def hidden_lines(source, released):
    """The lines that only an assignment's hidden tests have, if long enough to be recognised."""
    found = "\n".join(text for c in source.cells for text in HIDDEN.findall(c.source))
    known = "\n".join(c.source for c in released.cells)
    return {line.strip() for line in found.splitlines() if len(line.strip()) >= 16 and line.strip() not in known}


@pytest.mark.parametrize("name", ANIMALS)
def test_animal(zoo, name, record_property):
    animal, (_, rows, _) = ANIMALS[name], zoo
    if animal.confined and LOOSE:
        pytest.skip(f"would hurt this machine: {LOOSE}")
    result, marks, status, *_ = rows[name]
    total = sum(mark or 0 for mark in marks.values())
    record_property("zoo", f"{name}, {status}, {total}, {result['seconds']}")
    assert status == animal.status, result
    told = "; ".join(result["flags"])
    if animal.flag:
        assert animal.flag in told
    elif animal.flag == "":
        assert told == ""
    if status == "failed":
        assert result["reason"] and not any(mark is not None for mark in marks.values())
    elif animal.mark is not None:
        assert total == animal.mark, (marks, told)
    assert result["confined"] is not bool(LOOSE) or status == "failed"


def test_table_of_the_zoo(zoo, record_property):
    _, rows, seconds = zoo
    lines = [f"{'submission':<30} {'status':<21} {'mark':>4} {'s':>6}  the teacher is told"]
    for name, (result, marks, status, *_) in rows.items():
        total = "" if status == "failed" else f"{sum(mark or 0 for mark in marks.values()):g}"
        told = result["reason"] or "; ".join(result["flags"])
        lines.append(f"{name:<30} {status:<21} {total:>4} {result['seconds']:>6.1f}  {told[:110]}")
    record_property("to read", "\n".join([*lines, f"the whole zoo: {seconds:.0f} s"]))
    assert len(rows) >= (60 if not LOOSE else 45)


def test_csv_has_a_row_for_everybody_and_no_silent_zero(zoo):
    course, rows, _ = zoo
    table = {}
    for file in course.root.glob("grades/*.csv"):
        with open(file, encoding="utf-8-sig") as text:
            table |= {row["student"]: {**row, "assignment": file.stem} for row in csv.DictReader(text)}
    assert {who: row["assignment"] for who, row in table.items()} == {who: ANIMALS[who].assignment for who in rows}
    assert table["broken_json"]["total"] == table["broken_json"]["psnr-test"] == ""
    assert "no notebook that can be read" in table["broken_json"]["reason"]
    assert table["blank"]["total"] == table["blank"]["psnr-test"] == "0"
    assert table["perfect"]["written-1"] == "" and table["perfect"]["of"] == "27"


def test_feedback_for_everybody_and_nothing_hidden_in_it(zoo):
    course, rows, _ = zoo
    hidden = {
        name: {re.sub(r"\W+", "", line) for line in hidden_lines(source(course, name), blank(course, name))}
        for name in {ANIMALS[who].assignment for who in rows}
    }
    assert all(len(lines) > 20 for lines in hidden.values())
    for name in rows:
        page = feedback(course, name)
        assert len(page) < 2_000_000, name
        text = re.sub(r"\W+", "", re.sub(r"&\w+;|&#\d+;", "", re.sub(r"<[^>]+>", "", page)))
        assert not [line for line in hidden[ANIMALS[name].assignment] if line in text], name
    assert "the sum over the pixels, not the mean" in feedback(course, "sum_for_mean")
    assert "has not been graded" in feedback(course, "broken_json")
    if not LOOSE:
        assert "LEFT.TXT" not in feedback(course, "carries_over_a_restart")


def test_formgrader_finds_everybody(zoo):
    course, rows, _ = zoo
    with configuration.gradebook(course.root) as book:
        for name, (_, _, status, *_) in rows.items():
            which = ANIMALS[name].assignment
            submission = book.find_submission(which, name)
            assert submission.needs_manual_grade is (status != "graded"), name
            assert (course.root / "autograded" / name / which / f"{which}.ipynb").is_file()
            assert (course.root / "submitted" / name / which).is_dir() or name == "no_notebook"
    assert {p.name for p in (course.root / "submitted").iterdir()} == set(rows)


@pytest.mark.skipif(bool(LOOSE), reason=f"not confined: {LOOSE}")
def test_nothing_was_left_outside_and_nobody_called(zoo, listener):
    course, *_ = zoo
    assert list(course.root.rglob("was_here.txt")) == []
    assert listener[1] == []


@pytest.mark.skipif(bool(LOOSE), reason=f"not confined: {LOOSE}")
def test_files_have_a_total(zoo):
    course, *_ = zoo
    run = (course.root / "autograded/many_files" / NAME / f"{NAME}.ipynb").read_text("utf-8")
    taken = int(re.search(r"TAKEN (\d+)", run)[1])
    assert 500 < taken <= 512 + 128 + 64


def test_run_again_says_the_same_and_grades_nothing(zoo, monkeypatch):
    course, rows, _ = zoo
    table = (course.root / "grades" / f"{NAME}.csv").read_bytes()
    monkeypatch.setattr(student, "outcome", None)  # would be called to grade anything
    again = grade(NAME, course.root.parent / "in" / NAME, course.root, jobs=2, limits=LIMITS, show=False)
    assert {row.result["student"]: row.result for row in again} == {
        who: row.result for who, row in rows.items() if ANIMALS[who].assignment == NAME
    }
    assert (course.root / "grades" / f"{NAME}.csv").read_bytes() == table


def test_assignments_folder_is_untouched(zoo):
    assert ASSIGNMENTS not in zoo[0].root.parents
