"""How learning platforms name what students have handed in: whose a file is, and when it came.

    which("Ann Lee_123_assignsubmission_file_/06_vae.ipynb")     # Moodle: File("Ann Lee_123", "06_vae.ipynb", …)

The layouts are those of the platforms' own downloads. A student is who the platform says: the name with the platform's
number, where it gives one, since names are not unique.
"""

import os.path
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

import yaml
from dateutil import parser as dates


@dataclass(frozen=True)
class File:
    """A file of a student's: who, its name, when it was handed in, and whether the platform calls that late.

    attempt: of several by one student at the same time the highest counts. number: of two files of one name in an
    attempt the one with the higher number came later.
    """

    student: str
    name: str
    time: datetime | None = None
    late: bool = False
    attempt: str = ""
    number: int = 0


# Canvas: annlee_LATE_123_456_06_vae-1.ipynb, or anon_aB3x9_456_06_vae.ipynb; -1 counts what was handed in again.
CANVAS = re.compile(r"(?P<who>anon(?:_LATE)?_[A-Za-z0-9]+|[^_/]+(?:_LATE)?_\d+)_(?P<number>\d+)_(?P<file>[^/]+)")
# Moodle: Ann Lee_123_assignsubmission_file_/06_vae.ipynb, without folders …_file_06_vae.ipynb; blind Participant_123_…
MOODLE = re.compile(r"(?P<who>[^/]+?_\d+)_assignsubmission_[a-z]+(?:_/|/|_)(?P<file>.+)")
# Blackboard: Assignment 6_annlee_attempt_2026-11-25-23-58-00_06_vae.ipynb, and ….txt, which describes the attempt.
BLACKBOARD = re.compile(r"(?P<who>[^/]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>[^/]+)|\.txt)")
# Brightspace: 123-456 - Ann Lee - Nov 25, 2026 1158 PM/06_vae.ipynb, without folders … PM - 06_vae.ipynb.
BRIGHTSPACE = re.compile(r"(?P<id>\d+)-(?P<attempt>\d+) - (?P<who>[^/]+?) - (?P<time>[^/]+?)(?:/| - )(?P<file>.+)")
# Gradescope: submission_789/06_vae.ipynb; submission_metadata.yml beside them says who 789 is.
GRADESCOPE = re.compile(r"(?P<submission>submission_\d+)/(?P<file>.+)")
METADATA = "submission_metadata.yml"
# Google Classroom: Ann Lee - 06_vae.ipynb, a copy for each student.
GOOGLE = re.compile(r"(?P<who>[^/]+?) - (?P<file>[^/]+\.ipynb)")

PLATFORMS = {
    "Moodle": MOODLE,
    "Blackboard": BLACKBOARD,
    "Brightspace": BRIGHTSPACE,
    "Gradescope": GRADESCOPE,
    "Canvas": CANVAS,
    "Google Classroom": GOOGLE,
}


def platform(paths: Iterable[str]) -> str | None:
    """The platform whose download has these paths; None: folders of students."""
    paths = [path for path in paths if PurePosixPath(path).name not in (METADATA, "index.html")]
    for name, pattern in PLATFORMS.items():
        ours = sum(bool(pattern.fullmatch(path)) for path in paths)
        if paths and ours > len(paths) / 2:
            return name
    return None


def files(name: str, paths: Iterable[str], metadata: bytes = b"") -> dict[str, File]:
    """{path: File} of a platform's download; what belongs to nobody is left out.

    metadata: the text of Gradescope's submission_metadata.yml. Raises ValueError where that is needed, and is none.
    """
    found = {path: match for path in paths if (match := PLATFORMS[name].fullmatch(path))}
    if name == "Gradescope":
        return _gradescope(found, metadata)
    if name == "Blackboard":
        return _blackboard(found)
    return {path: READ[name](match) for path, match in found.items()}


# {platform: what a match of its pattern says}, where that needs nothing else.
READ = {
    "Moodle": lambda m: File(m["who"], m["file"]),
    "Canvas": lambda m: File(
        student=m["who"].replace("_LATE_", "_"),
        name=re.sub(r"-\d+(?=\.\w+$)", "", m["file"]),
        late="_LATE_" in m["who"],
        number=int(m["number"][:20]),
    ),
    "Brightspace": lambda m: File(f"{m['who']}_{m['id']}", m["file"], _time(m["time"]), False, m["attempt"].zfill(20)),
    "Google Classroom": lambda m: File(m["who"], m["file"]),
}


def repositories(folders: Iterable[str], assignment: str) -> dict[str, str]:
    """{folder: student} of GitHub Classroom's repositories: those begin with the assignment's name; else {}."""
    folders = sorted(folders)
    slug = re.sub(r"[\W_]+", "-", assignment).lower() + "-"
    if folders and all(folder.lower().startswith(slug) and len(folder) > len(slug) for folder in folders):
        return {folder: folder[len(slug) :] for folder in folders}
    return {}


def _blackboard(found):
    start = len(_shared(match["who"] for match in found.values()))
    return {
        path: File(
            match["who"][start:],
            match["file"] or "",
            datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S"),
            False,
            match["time"],
        )
        for path, match in found.items()
    }


def _shared(names):
    """What all of Blackboard's names begin with: the assignment's. Of one name alone, all but its last word."""
    names = sorted(set(names))
    start = os.path.commonprefix(names) if len(names) > 1 else names[0]
    return start[: start.rfind("_") + 1]


def _gradescope(found, metadata):
    try:
        known = yaml.safe_load(metadata)
        people = {
            name: (
                [f"{who[':name']}_{who.get(':sid') or who.get(':email')}" for who in about[":submitters"]],
                _time(about.get(":created_at")),
            )
            for name, about in known.items()
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, RecursionError):
        raise ValueError(
            f"Gradescope's export has a file {METADATA} that says whose each submission is: it is missing"
        ) from None
    return {
        path: File("+".join(people[match["submission"]][0]), match["file"], people[match["submission"]][1])
        for path, match in found.items()
        if match["submission"] in people
    }


def _time(text):
    if isinstance(text, datetime):
        return text
    try:
        return dates.parse(re.sub(r"(\d{1,2})(\d\d) ([AP]M)$", r"\1:\2 \3", str(text)))
    except (ValueError, OverflowError):
        return None
