"""Find what students have handed in: nbgrader's folders, a learning platform's folders or names, or its zip.

A student is who the platform says: the name with the platform's number, since names are not unique.
"""

import hashlib
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LARGEST = 50 << 20  # bytes of one file
LONGEST = 50  # characters of a student's name, and of a file's
# Canvas: annlee_LATE_123_456_06_vae-1.ipynb, or anon_aB3x9_456_06_vae.ipynb; -1 counts what was handed in again.
# Moodle: Ann Lee_123_assignsubmission_file_/06_vae.ipynb, or Participant_123_…
CANVAS = re.compile(r"(?P<student>anon(_LATE)?_[A-Za-z0-9]+|[^_]+?(_LATE)?_\d+)_\d+_(?P<file>.+)")
MOODLE = re.compile(r"(?P<student>.+?_\d+)_assignsubmission_\w+?_?$")


def find(place: str | Path, assignment: str) -> dict[str, dict[str, bytes] | str]:
    """Every student's submission of an assignment: {student: {file: bytes}, or a sentence: what is wrong with it}.

    place: a folder or a zip, with STUDENT/ASSIGNMENT/FILE as nbgrader has it, STUDENT/FILE, or files whose names
    begin with the student's, as learning platforms make them. Nobody's file takes the place of another: two files of
    one name get two names, and two students of one name get a sentence. Raises ValueError where nothing is found.
    """
    place = Path(place)
    if not place.exists():
        raise ValueError(f"there is no {place}: --submissions names the folder, or the zip, of what was handed in")
    if not place.is_dir() and not zipfile.is_zipfile(place):
        raise ValueError(f"{place} is neither a folder nor a zip")
    found: dict[str, dict[str, bytes] | str] = {}
    named: dict[str, str] = {}
    for path, size, read in (_in_folder if place.is_dir() else _in_zip)(place):
        whose, name = _whose(path, assignment)
        if not whose:
            continue
        student, name = _safe(whose), _short(name)
        if named.setdefault(student, whose) != whose:
            found[student] = f"two students would be called {student}: give one of their folders or files another name"
        mine = found.setdefault(student, {})
        if isinstance(mine, str):
            continue
        if size > LARGEST:
            found[student] = f"{name} has {size / 1e6:.0f} MB: too large"
            continue
        try:
            while name in mine:
                name = "{0.parent}/{0.stem}-2{0.suffix}".format(PurePosixPath(name)).removeprefix("./")
            mine[name] = read()
        except Exception as error:  # of one student, so the others go on
            found[student] = f"{name} cannot be read: {type(error).__name__}"
    if not found:
        raise ValueError(
            f"nothing was handed in for {assignment} in {place}: expected STUDENT/{assignment}/"
            f"{assignment}.ipynb, STUDENT/{assignment}.ipynb, or a learning platform's names"
        )
    return dict(sorted(found.items()))


def _in_folder(folder: Path) -> Iterator[tuple]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield PurePosixPath(path.relative_to(folder).as_posix()), path.stat().st_size, path.read_bytes
    for path in sorted(folder.iterdir()):  # handed in nothing: a folder without files
        if path.is_dir() and not any(inside.is_file() for inside in path.rglob("*")):
            yield PurePosixPath(path.name, "nothing"), 0, bytes


def _in_zip(file: Path) -> Iterator[tuple]:
    with zipfile.ZipFile(file) as zipped:
        for member in zipped.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            # A path that leads out of the folder is nobody's. (It is never written to, either.)
            if not member.is_dir() and not path.is_absolute() and ".." not in path.parts:
                yield path, member.file_size, lambda member=member: zipped.read(member)


def _whose(path, assignment):
    """(student, name of the file) for a path within what was handed in; student is None where it is not for us."""
    parts = [part for part in path.parts if part != "__MACOSX"]
    if any(part.startswith(".") for part in parts) or len(parts) != len(path.parts):
        return None, None
    if len(parts) == 1:
        if canvas := CANVAS.fullmatch(parts[0]):
            name = re.sub(r"-\d+(?=\.\w+$)", "", canvas["file"])
            return canvas["student"].replace("_LATE_", "_"), name
        name = PurePosixPath(parts[0])
        student = re.sub(rf"[\s_-]*{re.escape(assignment)}.*$", "", name.stem) if name.suffix == ".ipynb" else None
        return student, f"{assignment}.ipynb"
    student, *folders, name = parts
    moodle = MOODLE.fullmatch(student)
    student = moodle["student"] if moodle else student
    if folders[:1] == [assignment]:
        folders = folders[1:]
    elif folders and len(folders) == 1 and re.fullmatch(r"0\d_\w+", folders[0]):
        return None, None  # nbgrader's layout, another assignment
    return student, "/".join([*folders, name])


def _safe(student):
    """A student's name as a folder's: letters of all scripts, and a mark of its own where anything had to go."""
    whole = unicodedata.normalize("NFC", student)
    kept = "".join(c if c.isalnum() or c in "_.@-" or unicodedata.category(c)[0] == "M" else "_" for c in whole)
    name = kept.strip("._")
    if name != whole.replace(" ", "_") or len(name) > LONGEST:
        name = f"{name[:LONGEST]}-{hashlib.sha256(whole.encode('utf-8', 'replace')).hexdigest()[:6]}"
    return name


def _short(name):
    """A file's name that every file system takes."""
    path = PurePosixPath(name)
    return str(path.with_name(path.stem[:LONGEST] + path.suffix[:10]))
