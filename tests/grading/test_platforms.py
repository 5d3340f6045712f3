"""What learning platforms give and take: their downloads, rebuilt from their documented layouts; class lists; marks."""

import csv
import io
import re
import zipfile
from datetime import datetime

import pytest

from helpers.grading import gradebooks, lateness, people, platforms, submissions
from helpers.grading.run import Row

METADATA = """---
submission_789:
  :submitters:
  - :name: Ann Lee
    :sid: '123'
    :email: ann@school.edu
  :created_at: 2026-11-25 23:58:00.123456000 Z
  :score: 0.0
submission_790:
  :submitters:
  - :name: Bob Roe
    :sid:
    :email: bob@school.edu
  - :name: Cy Dee
    :sid: '125'
    :email: cy@school.edu
  :created_at: 2026-11-26 00:10:00.000000000 Z
"""
# {what it is: (platform, the paths of its download, {student: file names})}
LAYOUTS = {
    "Canvas": (
        "Canvas",
        [
            "leeann_123_345_tiny.ipynb",
            "roebob_LATE_124_346_tiny-1.ipynb",
            "leeann_125_347_tiny-2.ipynb",
            "deecy_126_348_a.pdf",
        ],
        {
            "leeann_123": ["tiny.ipynb"],
            "roebob_124": ["tiny.ipynb"],
            "leeann_125": ["tiny.ipynb"],
            "deecy_126": ["a.pdf"],
        },
    ),
    "Canvas, anonymous": (
        "Canvas",
        ["anon_aB3x9_45_tiny.ipynb", "anon_LATE_aB3x8_46_tiny.ipynb"],
        {"anon_aB3x9": ["tiny.ipynb"], "anon_aB3x8": ["tiny.ipynb"]},
    ),
    "Moodle": (
        "Moodle",
        [
            "Ann Lee_123_assignsubmission_file_/tiny.ipynb",
            "Ann Lee_124_assignsubmission_file_/tiny.ipynb",
            "Bob Roe_125_assignsubmission_file/tiny.ipynb",
            "Bob Roe_125_assignsubmission_onlinetext/onlinetext.html",
            "María-José O'Neil_126_assignsubmission_file_/mine/tiny.ipynb",
        ],
        {
            "Ann_Lee_123": ["tiny.ipynb"],
            "Ann_Lee_124": ["tiny.ipynb"],
            "Bob_Roe_125": ["tiny.ipynb", "onlinetext.html"],
            "María-José_O_Neil-_126": ["mine/tiny.ipynb"],
        },
    ),
    "Moodle, without folders": (
        "Moodle",
        ["Ann Lee_123_assignsubmission_file_tiny.ipynb", "Bob Roe_125_assignsubmission_file_my_work.ipynb"],
        {"Ann_Lee_123": ["tiny.ipynb"], "Bob_Roe_125": ["my_work.ipynb"]},
    ),
    "Moodle, blind": (
        "Moodle",
        ["Participant_1001_assignsubmission_file_/tiny.ipynb", "Participant_1002_assignsubmission_file_/tiny.ipynb"],
        {"Participant_1001": ["tiny.ipynb"], "Participant_1002": ["tiny.ipynb"]},
    ),
    "Blackboard": (
        "Blackboard",
        [
            "Tiny_task_a_lee_attempt_2026-11-25-23-58-00_tiny.ipynb",
            "Tiny_task_a_lee_attempt_2026-11-25-23-58-00.txt",
            "Tiny_task_b_lee_attempt_2026-11-20-10-00-00_old.ipynb",
            "Tiny_task_b_lee_attempt_2026-11-20-10-00-00.txt",
            "Tiny_task_b_lee_attempt_2026-11-26-00-10-00_tiny.ipynb",
            "Tiny_task_b_lee_attempt_2026-11-26-00-10-00.txt",
            "Tiny_task_cy_attempt_2026-11-26-00-10-00.txt",
        ],
        {"a_lee": ["tiny.ipynb"], "b_lee": ["tiny.ipynb"], "cy": []},
    ),
    "Brightspace": (
        "Brightspace",
        [
            "index.html",
            "397063-255736 - Ann Lee - Nov 25, 2026 1158 PM/tiny.ipynb",
            "397063-255736 - Ann Lee - Nov 20, 2026 958 AM/old.ipynb",
            "397063-255736 - Mary-Ann Roe - Nov 26, 2026 1210 AM/tiny.ipynb",
        ],
        {"Ann_Lee_397063": ["tiny.ipynb"], "Mary-Ann_Roe_397063": ["tiny.ipynb"]},
    ),
    "Brightspace, without folders": (
        "Brightspace",
        [
            "397063-255736 - Ann Lee - Nov 25, 2026 1158 PM - tiny.ipynb",
            "397064-255737 - Ann Lee - Nov 25, 2026 1159 PM - tiny.ipynb",
        ],
        {"Ann_Lee_397063": ["tiny.ipynb"], "Ann_Lee_397064": ["tiny.ipynb"]},
    ),
    "Google Classroom": (
        "Google Classroom",
        ["Ann Lee - tiny.ipynb", "Bob Roe - tiny.ipynb", "Bob Roe - tiny (1).ipynb"],
        {"Ann_Lee": ["tiny.ipynb"], "Bob_Roe": ["tiny.ipynb", "tiny (1).ipynb"]},
    ),
    "GitHub Classroom": (
        None,
        ["tiny-annlee/tiny.ipynb", "tiny-annlee/README.md", "tiny-annlee/.git/config", "tiny-bob-roe/work/tiny.ipynb"],
        {"annlee": ["README.md", "tiny.ipynb"], "bob-roe": ["work/tiny.ipynb"]},
    ),
    "Gradescope": (
        "Gradescope",
        ["submission_metadata.yml", "submission_789/tiny.ipynb", "submission_790/work/tiny.ipynb"],
        {"Ann_Lee_123": ["tiny.ipynb"], "Bob_Roe_bob@school.edu_Cy_Dee_125-": ["work/tiny.ipynb"]},
    ),
    "nbgrader": (
        None,
        ["ann/tiny/tiny.ipynb", "ann/tiny/timestamp.txt", "bob/06_vae/06_vae.ipynb", "cy/tiny/tiny.ipynb"],
        {"ann": ["timestamp.txt", "tiny.ipynb"], "cy": ["tiny.ipynb"]},
    ),
    "folders": (None, ["ann/tiny.ipynb", "b_b/x.ipynb"], {"ann": ["tiny.ipynb"], "b_b": ["x.ipynb"]}),
    "files": (None, ["ann-tiny.ipynb", "bob.ipynb"], {"ann": ["tiny.ipynb"], "bob": ["tiny.ipynb"]}),
}


def content(path):
    return METADATA if path.endswith("submission_metadata.yml") else path


def packed(paths):
    """The bytes of a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for path in [*paths, "__MACOSX/._x"]:
            file.writestr(path, content(path))
    return buffer.getvalue()


def as_folder(place, paths):
    for path in paths:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(content(path))
    return place


def as_zip(place, paths):
    place.with_suffix(".zip").write_bytes(packed(paths))
    return place.with_suffix(".zip")


WRAPPINGS = {
    "a folder": as_folder,
    "a zip": as_zip,
    "a folder in a folder": lambda place, paths: as_folder(place, [f"all of it/{path}" for path in paths]),
    "a folder in a zip": lambda place, paths: as_zip(place, [f"assignment_12_export/{path}" for path in paths]),
    "two folders in a zip": lambda place, paths: as_zip(place, [f"a/b c/{path}" for path in paths]),
}


@pytest.mark.parametrize("wrapping", [*WRAPPINGS, "a zip in a folder"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, layout, wrapping):
    platform, paths, wanted = LAYOUTS[layout]
    if wrapping == "a zip in a folder":
        place = tmp_path / "in"
        place.mkdir()
        (place / "submissions.zip").write_bytes(packed(paths))
    else:
        place = WRAPPINGS[wrapping](tmp_path / "in", paths)
    found = submissions.find(place, "tiny")
    names = {re.sub(r"-[0-9a-f]{6}(?=_\d+$|$)", "-", who): list(files) for who, files in found.students.items()}
    assert {who: sorted(files) for who, files in names.items()} == {who: sorted(files) for who, files in wanted.items()}
    assert found.platform == platform and found.nobodys == []


@pytest.mark.parametrize(
    "paths, student",
    [
        (["ann/tiny/tiny.ipynb", "ann/tiny/a.png"], "ann"),
        (["ann/work/tiny.ipynb"], "ann"),
        (["ann/tiny.ipynb", "ann/old.ipynb"], "ann"),
        (["tiny-ann/work/tiny.ipynb"], "ann"),
        (["all/Ann Lee_1_assignsubmission_file_/tiny.ipynb"], "Ann_Lee_1"),
    ],
)
def test_one_student_alone(tmp_path, paths, student):
    assert list(submissions.find(as_folder(tmp_path / "in", paths), "tiny").students) == [student]


def test_the_last_attempt_counts_and_the_others_are_named(tmp_path):
    found = submissions.find(as_folder(tmp_path, LAYOUTS["Blackboard"][1]), "tiny")
    assert found.students["b_lee"] == {"tiny.ipynb": b"Tiny_task_b_lee_attempt_2026-11-26-00-10-00_tiny.ipynb"}
    assert found.notes["b_lee"] == ["handed in 2 times: the last is graded"] and found.notes["a_lee"] == []
    assert found.times["a_lee"] == datetime(2026, 11, 25, 23, 58)
    found = submissions.find(as_folder(tmp_path / "b", LAYOUTS["Brightspace"][1]), "tiny")
    assert found.notes["Ann_Lee_397063"] == ["handed in 2 times: the last is graded"]
    assert found.times["Ann_Lee_397063"] == datetime(2026, 11, 25, 23, 58)


def test_of_two_notebooks_on_canvas_the_later_counts(tmp_path):
    """Its number tells, neither the order of the zip nor the -1; other files of the upload stay."""
    names = [
        "leeann_101_9007_tiny-1.ipynb",
        "leeann_101_9001_tiny.ipynb",
        "leeann_101_8000_a-1.csv",
        "roe_2_1_tiny-2.ipynb",
    ]
    for place in (as_folder(tmp_path / "in", names), as_zip(tmp_path / "in2", names[::-1])):
        found = submissions.find(place, "tiny")
        assert found.students["leeann_101"] == {
            "tiny.ipynb": b"leeann_101_9007_tiny-1.ipynb",
            "tiny-2.ipynb": b"leeann_101_9001_tiny.ipynb",
            "a.csv": b"leeann_101_8000_a-1.csv",
        }
        assert found.notes["leeann_101"] == ["2 times tiny.ipynb: the highest number is graded"]
        assert found.notes["roe_2"] == []


def test_lateness_that_a_platform_tells(tmp_path):
    assert submissions.find(as_folder(tmp_path / "c", LAYOUTS["Canvas"][1]), "tiny").late == {"roebob_124"}
    found = submissions.find(as_folder(tmp_path / "g", LAYOUTS["Gradescope"][1]), "tiny")
    assert lateness.utc(found.times["Ann_Lee_123"]) == datetime(2026, 11, 25, 23, 58, 0, 123456)


def test_gradescope_without_its_metadata_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"submission_metadata.yml .* is missing"):
        submissions.find(as_folder(tmp_path, ["submission_789/tiny.ipynb"]), "tiny")


def test_what_is_nobodys_is_named(tmp_path):
    paths = [*LAYOUTS["Moodle"][1], "notes.docx"]
    assert submissions.find(as_folder(tmp_path, paths), "tiny").nobodys == ["notes.docx"]
    with pytest.raises(ValueError, match="expected STUDENT/tiny.*there is a.pdf"):
        submissions.find(as_folder(tmp_path / "b", ["a.pdf"]), "tiny")


def test_zips_and_other_endings_of_students(tmp_path):
    folder = as_folder(tmp_path / "in", ["cy/tiny.ipynb", "dee/x.zip"])
    (folder / "ann").mkdir()
    (folder / "ann/work.zip").write_bytes(
        packed(["work/tiny.ipynb", "work/.ipynb_checkpoints/tiny.ipynb", "work/a.png"])
    )
    (folder / "bob").mkdir()
    (folder / "bob/tiny.ipynb.txt").write_text('\ufeff{"cells": []}')
    (folder / "bob/readme.ipynb.txt").write_text("no notebook")
    found = submissions.find(folder, "tiny")
    assert sorted(found.students["ann"]) == ["work/a.png", "work/tiny.ipynb"]
    assert sorted(found.students["bob"]) == ["readme.ipynb.txt", "tiny.ipynb"]
    assert found.students["dee"] == {"x.zip": b"dee/x.zip"} and "x.zip cannot be opened" in found.notes["dee"][0]


def test_bombs_are_refused_and_hurt_nobody_else(tmp_path, monkeypatch):
    folder = as_folder(tmp_path / "in", ["cy/tiny.ipynb"])
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        for i in range(6):
            file.writestr(f"{i}.csv", bytes(45 << 20))
    (folder / "ann").mkdir()
    (folder / "ann/bomb.zip").write_bytes(bomb.getvalue())
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as file:
        for i in range(1100):
            file.writestr(f"{i}.csv", "")
    (folder / "bob").mkdir()
    (folder / "bob/many.zip").write_bytes(many.getvalue())
    found = submissions.find(folder, "tiny")
    assert "105 MB" in found.notes["ann"][0] and "more than 1000 files" in found.notes["bob"][0]
    assert list(found.students["ann"]) == ["bomb.zip"] and found.students["cy"] == {"tiny.ipynb": b"cy/tiny.ipynb"}
    monkeypatch.setattr(submissions, "UNPACK", 0)
    assert "ran longer" in submissions.find(folder, "tiny").notes["ann"][0]
    monkeypatch.setattr(submissions, "MOST", 0)
    assert "too much" in submissions.find(folder, "tiny").students["cy"]


# The class -------------------------------------------------------------------------------------------------

GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,tiny (98765),Final Score
    Points Possible,,,,,10,(read only)
"Lee, Ann",123,s1,alee@school.edu,A,,
"Roe, Bob",124,s2,broe@school.edu,A,,
"Lee, Ann",125,s3,alee2@school.edu,B,,
"=HYPERLINK(""x"")",126,s4,eve@school.edu,B,,
"Student, Test",999,,,A,,
"""
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade)
Participant 123,Ann Lee,ann@school.edu,Submitted,,10.00,"Monday, 2 November 2026, 9:15 AM"
Participant 125,Bob Roe,bob@school.edu,Submitted,,10.00,-
Participant 200,Zoë Ödegård,zoe@school.edu,No submission,,10.00,-
"""
PARTICIPANTS = (
    "First name;Last name;ID number;Email address\nAnn;Lee;77;ann@school.edu\nZoë;Ödegård;78;zoe@school.edu\n"
)


@pytest.fixture
def listed(tmp_path):
    def listed(text):
        (tmp_path / "class.csv").write_text(text, "utf-8-sig")
        return people.read(tmp_path / "class.csv")

    return listed


@pytest.mark.parametrize(
    "text, students, matched, missing, unclear",
    [
        (GRADEBOOK, ["leeann_123", "roebob_124", "leeann_125"], [0, 1, 2], ['=HYPERLINK("x")'], 0),
        (GRADEBOOK, ["broe", "alee@school.edu", "s3"], [1, 0, None], None, 1),
        (GRADEBOOK, ["Ann Lee", "Bob_Roe"], [None, 1], None, 1),
        (WORKSHEET, ["Ann_Lee_123", "Participant_125"], [0, 1], ["Zoë Ödegård"], 0),
        (PARTICIPANTS, ["Ann_Lee_4711", "Zoe_Odegard_4712"], [0, 1], [], 0),
        ("name\nAnn Lee\nAnn Lee\n", ["Ann_Lee"], [None], ["Ann Lee", "Ann Lee"], 1),
        ("github,name\nann-l,Ann Lee\n", ["ann-l", "stranger"], [0, None], [], 1),
    ],
)
def test_students_are_found_in_the_class_list(listed, text, students, matched, missing, unclear):
    class_of = listed(text)
    found, absent, said = people.match(students, class_of)
    assert [class_of.index(found[who]) if who in found else None for who in students] == matched
    assert missing is None or [person.name for person in absent] == missing
    assert len(said) == unclear


HARD = [
    "李明 (Ming Li)",
    "Roe, Bob",
    "Aoife O’Neil",
    "Sammy Davis, Jr.",
    "Ann  Lee",
    "Jean-Facade Dé!",
    "Maria del Carmen Fernanda de los Angeles Gutierrez y Montenegro de la Vega",
    "Maria del Carmen Fernanda de los Angeles Gutierrez y Montenegro de la Torre",
    "Zoe\u0308 (née Ödegård) " + "Ö" * 60,
]


@pytest.mark.parametrize("name", HARD)
def test_any_name_keeps_its_number(listed, tmp_path, name):
    """Moodle's download, its worksheet, and its table of marks agree on who it is, whatever signs a name has."""
    i = 301203 + HARD.index(name)
    folder = as_folder(
        tmp_path / "in", [f"{who}_{301203 + k}_assignsubmission_file_/tiny.ipynb" for k, who in enumerate(HARD)]
    )
    students = list(submissions.find(folder, "tiny").students)
    assert len(students) == len(HARD)
    student = next(who for who in students if who.endswith(f"_{i}"))
    rows = "".join(f'Participant {301203 + k},"{who}"\n' for k, who in enumerate(HARD))
    found, absent, unclear = people.match(students, listed("Identifier,Full name\n" + rows))
    assert found[student].name == name and absent == unclear == []
    gradebooks.write_moodle(tmp_path / "m.csv", "tiny", 10, {student: 7}, {})
    assert (tmp_path / "m.csv").read_text("utf-8-sig").splitlines()[1].startswith(f"Participant {i},")


@pytest.mark.parametrize("name", HARD)
def test_any_name_is_found_without_a_number_in_the_list(listed, tmp_path, name):
    """As in Moodle's participants, whose ID number is the school's."""
    folder = as_folder(tmp_path / "in", [f"{name}_301203_assignsubmission_file_/tiny.ipynb"])
    found, _, unclear = people.match(
        submissions.find(folder, "tiny").students, listed(f'Full name,ID number\n"{name}",7\nCy Dee,8\n')
    )
    assert [person.name for person in found.values()] == [name] and unclear == []


def test_a_name_that_ends_as_a_mark_does_is_itself(listed):
    found, _, _ = people.match(["Ann-facade_5"], listed("name\nAnn-Facade\n"))
    assert found["Ann-facade_5"].name == "Ann-Facade"


@pytest.mark.parametrize(
    "text, platform", [(GRADEBOOK, "Canvas"), (WORKSHEET, "Moodle"), (PARTICIPANTS, "Moodle"), ("name\nAnn\n", None)]
)
def test_whose_class_list_it_is(listed, text, platform):
    assert people.platform(listed(text)) == platform


def test_a_number_of_another_platform_is_nobodys(listed):
    class_of = listed(GRADEBOOK)
    found, _, unclear = people.match(["Zoe_Oede_124", "Bob_Roe_126"], class_of, {"Zoe_Oede_124", "Bob_Roe_126"})
    assert found == {"Bob_Roe_126": class_of[1]} and unclear == []  # by the name; and who is not found is not missed


def test_two_who_would_be_one_are_said(listed):
    _, absent, said = people.match(["Ann_Lee_1", "Ann_Lee_2"], listed("name\nAnn Lee\n"))
    assert len(said) == 2 and len(absent) == 1


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00"])
def test_what_is_no_class_list_is_said(listed, text):
    with pytest.raises(ValueError, match="class list"):
        listed(text)


def test_marks_for_canvas(listed, tmp_path):
    class_of = listed(GRADEBOOK)
    students = ["leeann_123", "roebob_124", "hyperlinkx_126", "new_300"]
    found, _, _ = people.match(students, class_of)
    gradebooks.write_canvas(tmp_path / "c.csv", "tiny", 10, dict(zip(students, [7.5, None, 3, 1])), found)
    raw = (tmp_path / "c.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    head, points, *rows = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny (98765)"]
    assert points[0].strip() == "Points Possible" and points[-1] == "10"
    assert rows[0] == ["Lee, Ann", "123", "s1", "alee@school.edu", "A", "7.5"] and rows[1][-1] == ""
    assert rows[2][0] == '\'=HYPERLINK("x")' and rows[3][:2] == ["new", "300"]


def test_marks_for_moodle(listed, tmp_path):
    students = ["Ann_Lee_123", "Participant_125", "@SUM(1)_300"]
    found, _, _ = people.match(students, listed(WORKSHEET))
    gradebooks.write_moodle(tmp_path / "m.csv", "tiny", 10, dict(zip(students, [7.5, None, 1])), found)
    head, *rows = csv.reader(io.StringIO((tmp_path / "m.csv").read_text("utf-8-sig")))
    # Moodle's importer (assignfeedback_offline) refuses a worksheet without Identifier, Grade or Last modified (grade).
    assert head == ["Identifier", "Full name", "Email address", "Grade", "Maximum Grade", "Last modified (grade)"]
    changed = "Monday, 2 November 2026, 9:15 AM"
    assert rows[0] == ["Participant 123", "Ann Lee", "ann@school.edu", "7.5", "10", changed]
    assert rows[1] == ["Participant 125", "Bob Roe", "bob@school.edu", "", "10", "-"]
    assert rows[2] == ["Participant 300", "'@SUM(1)", "", "1", "10", "-"]


@pytest.mark.parametrize(
    "text, most",
    [
        (WORKSHEET, 10),
        (WORKSHEET.replace("10.00", '"100,00"'), 100),
        (WORKSHEET.replace("10.00", "A"), None),
        (GRADEBOOK, None),
    ],
)
def test_the_maximum_of_moodles_worksheet(listed, text, most):
    assert gradebooks.maximum(listed(text)) == most


@pytest.mark.parametrize(
    "text, harmless",
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("-", "-"),
        ("@x", "'@x"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("Ann", "Ann"),
        ("", ""),
    ],
)
def test_formulas_are_harmless(text, harmless):
    assert gradebooks.harmless(text) == harmless


# Lateness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds, words", [(0, ""), (1, "1 min"), (3600, "1 h"), (5400, "1 h 30 min"), (100_000, "1 d 3 h")]
)
def test_lateness_in_words(seconds, words):
    assert lateness.words(seconds) == words


@pytest.mark.parametrize(
    "percent, seconds, taken",
    [(0, 1e6, None), (10, 600, None), (10, 601, 0.8), (10, 86_400, 0.8), (10, 87_001, 1.6), (60, 1e6, 8)],
)
def test_rule_of_the_course(percent, seconds, taken):
    assert lateness.PerDay(percent=percent).late_submission_penalty("ann", 8, seconds) == taken


def test_times(monkeypatch):
    assert lateness.utc("2026-11-26 00:30 +0100") == datetime(2026, 11, 25, 23, 30)
    assert lateness.utc("2026-11-26 00:30 UTC") == datetime(2026, 11, 26, 0, 30)
    for text in ("soon", "", "9999-99-99"):
        with pytest.raises(ValueError):
            lateness.utc(text)


def test_a_penalty_leaves_no_less_than_nothing():
    assert Row({}, {"a": 3, "b": None}, "graded", "1 d", 5).total == 0
    assert Row({}, {"a": 3, "b": 2}, "graded", "1 d", 0.5).total == 4.5


def test_a_platform_is_what_most_files_are():
    assert platforms.platform([]) is None
    assert platforms.platform(["Ann Lee_1_assignsubmission_file_/a.ipynb", "x", "y"]) is None
