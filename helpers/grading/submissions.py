"""Find what students have handed in: nbgrader's folders, a learning platform's folders or names, or its zip.

A student is who the platform says (see platforms.py): the name with the platform's number, since names are not unique.
"""

import hashlib
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from . import platforms, processes

LARGEST, WHOLE, MOST = 50 << 20, 100 << 20, 1000  # bytes of one file, bytes and files of one student's
LONGEST = 50  # characters of a student's name, and of a file's
UNPACK = 30  # seconds for a zip of a student's
SHOWN = 20  # names of files in a sentence


@dataclass
class HandedIn:
    """What was handed in for an assignment.

    students: {student: {file: bytes}, or a sentence: what is wrong with it}; times and late: what the platform says of
    when; notes: {student: sentences for the teacher}; nobodys: files that belong to no student; platform: its name.
    """

    students: dict[str, dict[str, bytes] | str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    notes: dict[str, list[str]] = field(default_factory=dict)
    nobodys: list[str] = field(default_factory=list)
    platform: str | None = None


class Entry(NamedTuple):
    """A file of a folder or zip: its path there, its size in bytes, and a function that reads it."""

    path: str
    size: int
    read: Callable[[], bytes]


def find(place: str | Path, assignment: str) -> HandedIn:
    """Every student's submission of an assignment.

    place: a folder or a zip, with STUDENT/ASSIGNMENT/FILE as nbgrader has it, STUDENT/FILE, or what a learning platform
    makes, in a folder or zip more or not. Nobody's file takes the place of another: two files of one name get two
    names, and two students of one name get a sentence. Raises ValueError where nothing is found.
    """
    place = Path(place)
    if not place.exists():
        raise ValueError(f"there is no {place}: --submissions names the folder, or the zip, of what was handed in")
    if not place.is_dir() and not zipfile.is_zipfile(place):
        raise ValueError(f"{place} is neither a folder nor a zip")
    whole = _unwrapped(list(_in_folder(place) if place.is_dir() else _in_zip(place)), assignment)
    found = HandedIn(platform=platforms.platform(entry.path for entry in whole))
    owners = _owners(whole, assignment, found.platform)
    found.nobodys = [entry.path for entry in whole if entry.path not in owners and _matters(entry.path, assignment)]
    mine: dict[str, list[tuple[platforms.File, Entry]]] = {}
    for entry in whole:
        if entry.path in owners:
            mine.setdefault(owners[entry.path].student, []).append((owners[entry.path], entry))
    named: dict[str, str] = {}
    for whose, files in sorted(mine.items()):
        student = _safe(whose)
        if named.setdefault(student, whose) != whose:
            found.students[student] = (
                f"two students would be called {student}: give one of their folders or files another name"
            )
            continue
        last = max((file for file, _ in files), key=_newest)
        if last.time:
            found.times[student] = last.time
        found.late |= {student} if any(file.late for file, _ in files) else set()
        current = [(file, entry) for file, entry in files if (file.attempt, file.time) == (last.attempt, last.time)]
        notes = found.notes.setdefault(student, [])
        if earlier := {(file.attempt, file.time) for file, _ in files} - {(last.attempt, last.time)}:
            notes.append(f"handed in {len(earlier) + 1} times: the last is graded")
        current.sort(key=lambda one: -one[0].number)  # so that of two of one name the later has it
        several = Counter(file.name for file, _ in current if file.number and ".ipynb" in file.name)
        notes += [f"{n} times {name}: the highest number is graded" for name, n in several.items() if n > 1]
        try:
            found.students[student] = _read(current, notes)
        except Exception as error:  # of one student, so the others go on
            found.students[student] = (
                str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            )
    if not found.students:
        raise ValueError(
            f"nothing was handed in for {assignment} in {place}: expected STUDENT/{assignment}/"
            f"{assignment}.ipynb, STUDENT/{assignment}.ipynb, or a learning platform's names"
            + (f"; there is {', '.join(found.nobodys[:SHOWN])}" if found.nobodys else "")
        )
    return found


def _in_folder(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield Entry(path.relative_to(folder).as_posix(), path.stat().st_size, path.read_bytes)
        elif path.is_dir() and path.parent == folder and not any(inside.is_file() for inside in path.rglob("*")):
            yield Entry(f"{path.name}/", 0, bytes)  # handed in nothing: a folder without files


def _in_zip(file: Path | io.BytesIO) -> Iterator[Entry]:
    zipped = zipfile.ZipFile(file)
    for member in zipped.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        # A path that leads out of the folder is nobody's. (It is never written to, either.)
        if not member.is_dir() and not path.is_absolute() and ".." not in path.parts:
            yield Entry(str(path), member.file_size, partial(zipped.read, member))


def _unwrapped(entries, assignment):
    """Entries without the folders and zips that are around all of them, and without what programs leave."""
    entries = [entry for entry in entries if not _is_litter(entry.path)]
    if len(entries) == 1 and re.fullmatch(r"[^/]+\.zip", entries[0].path):
        return _unwrapped(list(_in_zip(io.BytesIO(entries[0].read()))), assignment)
    inside = entries
    while inside and not platforms.platform(entry.path for entry in inside):
        tops = {entry.path.split("/", 1)[0] for entry in inside}
        if len(tops) > 1:
            notebooks = [entry.path for entry in inside if re.fullmatch(r"[^/]+\.ipynb", entry.path)]
            students = all("/" in entry.path for entry in inside)
            files = len(notebooks) > 1 and f"{assignment}.ipynb" not in notebooks
            return inside if students or files else entries
        if not all("/" in entry.path.rstrip("/") for entry in inside):
            return entries
        inside = [entry._replace(path=entry.path.split("/", 1)[1]) for entry in inside]
    return inside


def _is_litter(path):
    parts = path.split("/")
    return (
        "__MACOSX" in parts or any(part.startswith(".") for part in parts) or parts[-1] in ("Thumbs.db", "desktop.ini")
    )


def _matters(path, assignment):
    """Whether a file that is nobody's should be told of: not those of nbgrader's other assignments."""
    return not re.fullmatch(r"[^/]+/0\d_\w+/.*", path) and PurePosixPath(path).name not in (
        platforms.METADATA,
        "index.html",
    )


def _owners(entries, assignment, platform):
    """{path: platforms.File}."""
    if platform:
        metadata = next((e.read() for e in entries if PurePosixPath(e.path).name == platforms.METADATA), b"")
        return platforms.files(platform, (entry.path for entry in entries), metadata)
    folders = {entry.path.split("/", 1)[0] for entry in entries if "/" in entry.path}
    repositories = platforms.repositories(folders, assignment)
    found = {}
    for entry in entries:
        top, _, rest = entry.path.partition("/")
        if top in folders:
            parts = rest.split("/")
            if parts[0] == assignment and len(parts) > 1:
                rest = "/".join(parts[1:])
            elif len(parts) == 2 and re.fullmatch(r"0\d_\w+", parts[0]):
                continue  # nbgrader's layout, another assignment
            found[entry.path] = platforms.File(repositories.get(top, top), rest)
        elif entry.path.endswith(".ipynb"):
            student = re.sub(rf"[\s_-]*{re.escape(assignment)}.*$", "", PurePosixPath(entry.path).stem)
            if student:
                found[entry.path] = platforms.File(student, f"{assignment}.ipynb")
    return found


def _newest(file):
    """What the last of several attempts has most of: something to grade, then the time."""
    gradable = file.name.lower().endswith((".ipynb", ".zip", ".ipynb.txt", ".ipynb.json"))
    return gradable, file.time.timestamp() if file.time else 0, file.attempt


def _read(files, notes):
    """{name: bytes} of one student's files; zips are opened. Raises ValueError with what is too much."""
    found: dict[str, bytes] = {}
    for file, entry in files:
        if entry.size > LARGEST:
            raise ValueError(f"{file.name} has {entry.size / 1e6:.0f} MB: too large")
        if not file.name:
            continue
        try:
            data = entry.read()
        except Exception as error:  # zipfile has a dozen
            raise ValueError(f"{file.name} cannot be read: {type(error).__name__}") from None
        inside = {file.name: data}
        if file.name.lower().endswith(".zip"):
            try:
                inside = processes.call(_members, data, seconds=UNPACK)
            except processes.Ended as problem:
                notes.append(f"{file.name} cannot be opened: {problem}")
        for name, content in inside.items():
            name = _short(_as_notebook(name, content))
            while name in found:
                name = "{0.parent}/{0.stem}-2{0.suffix}".format(PurePosixPath(name)).removeprefix("./")
            found[name] = content
        if sum(map(len, found.values())) > WHOLE or len(found) > MOST:
            raise ValueError(f"more than {MOST} files or {WHOLE / 1e6:.0f} MB were handed in: too much")
    return found


def _members(zipped):
    """{name: bytes} of a zip in a zip; raises ValueError if that is too much."""
    members = [member for member in _in_zip(io.BytesIO(zipped)) if not _is_litter(member.path)]
    if len(members) > MOST or sum(member.size for member in members) > WHOLE:
        raise ValueError(f"more than {MOST} files or {WHOLE / 1e6:.0f} MB")
    if large := next((member.path for member in members if member.size > LARGEST), None):
        raise ValueError(f"{large} is too large")
    return {member.path: member.read() for member in members}


def _as_notebook(name, data):
    """The name of a file without the ending that a browser or platform has put behind a notebook's."""
    ending = re.fullmatch(r"(.+\.ipynb)\.(txt|json)", name, re.IGNORECASE)
    return ending[1] if ending and data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else name


def _safe(student):
    """A student's name as a folder's: letters of all scripts, and a mark of its own where anything had to go.

    The platform's number stays at the end, by which a class list and a platform know the student (see people.py).
    """
    whole = unicodedata.normalize("NFC", student)
    kept = "".join(c if c.isalnum() or c in "_.@-" or unicodedata.category(c)[0] == "M" else "_" for c in whole)
    name = kept.strip("._")
    if name != whole.replace(" ", "_") or len(name) > LONGEST:
        # a group's number, of a+b_2, is its last member's alone
        found = None if "+" in whole else re.fullmatch(r"(.+?)(_\d{1,20})", name)
        called, number = found.groups() if found else (name, "")
        mark = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:6]
        name = f"{called[:LONGEST]}-{mark}{number}"
    return name


def _short(name):
    """A file's name that every file system takes."""
    path = PurePosixPath(name)
    return str(path.with_name(path.stem[:LONGEST] + path.suffix[:10]))
