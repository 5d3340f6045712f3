"""Find what students have handed in: nbgrader's folders, a learning platform's folders or names, or its zip."""
import re
import zipfile
from pathlib import Path, PurePosixPath

LARGEST = 50 << 20      # bytes of one file
# Canvas: annlee_LATE_123_456_06_vae-1.ipynb. Moodle: Ann Lee_123_assignsubmission_file_/06_vae.ipynb.
CANVAS = re.compile(r"(?P<student>[^_]+)(?:_LATE)?_\d+_\d+_.+")
MOODLE = re.compile(r"(?P<student>.+?)_\d+_assignsubmission_\w+?_?$")
SAFE = re.compile(r"[^\w.@-]+")


def find(place, assignment):
    """Every student's submission of an assignment: {student: {file: bytes}, or a sentence: what is wrong with it}.

    place: a folder or a zip, with STUDENT/ASSIGNMENT/FILE as nbgrader has it, STUDENT/FILE, or files whose names
    begin with the student's, as learning platforms make them. Raises ValueError where nothing is found.
    """
    place = Path(place)
    if not place.exists():
        raise ValueError(f"there is no {place}: --submissions names the folder, or the zip, of what was handed in")
    if not place.is_dir() and not zipfile.is_zipfile(place):
        raise ValueError(f"{place} is neither a folder nor a zip")
    found = {}
    for path, size, read in (_in_folder if place.is_dir() else _in_zip)(place):
        student, name = _whose(path, assignment)
        if not student:
            continue
        mine = found.setdefault(student, {})
        if isinstance(mine, str):
            continue
        if size > LARGEST:
            found[student] = f"{name} has {size / 1e6:.0f} MB: too large"
            continue
        try:
            mine[name] = read()
        except Exception as error:      # of one student, so the others go on
            found[student] = f"{name} cannot be read: {type(error).__name__}"
    if not found:
        raise ValueError(f"nothing was handed in for {assignment} in {place}: expected STUDENT/{assignment}/"
                         f"{assignment}.ipynb, STUDENT/{assignment}.ipynb, or a learning platform's names")
    return dict(sorted(found.items()))


def _in_folder(folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield PurePosixPath(path.relative_to(folder).as_posix()), path.stat().st_size, path.read_bytes
    for path in sorted(folder.iterdir()):                       # handed in nothing: a folder without files
        if path.is_dir() and not any(inside.is_file() for inside in path.rglob("*")):
            yield PurePosixPath(path.name, "nothing"), 0, bytes


def _in_zip(file):
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
        stem = PurePosixPath(parts[0]).stem
        canvas = CANVAS.fullmatch(stem)
        if PurePosixPath(parts[0]).suffix != ".ipynb":
            return None, None
        student = canvas["student"] if canvas else re.sub(rf"[\s_-]*{re.escape(assignment)}.*$", "", stem)
        return (_safe(student), f"{assignment}.ipynb") if student else (None, None)
    student, *folders, name = parts
    moodle = MOODLE.fullmatch(student)
    student = _safe(moodle["student"] if moodle else student)
    if folders[:1] == [assignment]:
        folders = folders[1:]
    elif folders and len(folders) == 1 and re.fullmatch(r"0\d_\w+", folders[0]):
        return None, None                                       # nbgrader's layout, another assignment
    return student, "/".join([*folders, name])


def _safe(student):
    return SAFE.sub("_", student).strip("._") or "unnamed"
