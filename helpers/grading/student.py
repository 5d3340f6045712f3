"""Grade one submission: a job, plain data in and plain data out, so that any process on any machine can do it."""

import base64
import contextlib
import time
from dataclasses import asdict
from pathlib import Path

import nbformat
from nbgrader.utils import determine_grade, is_grade

from . import execution, processes, rebuilding, sandbox

MEMORY = 6 << 30  # bytes that the process which grades one student may ask for
FILES = {".csv", ".gif", ".jpeg", ".jpg", ".json", ".npy", ".npz", ".pdf", ".png", ".svg", ".txt"}


def job(student: str, submission: dict | str, assignment: dict, limits: sandbox.Limits, confine: bool = True) -> dict:
    """The job that grades a submission: {name: value}, such as json can write.

    submission: {name: its text or bytes, of the one notebook and other files}; or a sentence that says why there is
    none. assignment: {"name", "source", "released"}, the texts of the teacher's and the student's notebook.
    """
    problem, files = (submission, {}) if isinstance(submission, str) else (None, submission)
    return {
        "student": student,
        "problem": problem,
        "assignment": assignment,
        "limits": asdict(limits),
        "confine": confine,
        "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
    }


def grade(job: dict, confined: bool | None = None) -> dict:
    """Grade a submission in this process.

    confined: whether its kernel is; None: if the job asks for it and this machine can, which takes a trial.
    Returns {"student", "status": graded, needs manual grading, or failed; "reason", "points": {grade_id: points, or
    None: to be marked by hand}, "flags": what the teacher should look at, "confined": bool, "seconds", "notebook": its
    text, run}. A failed one has no points, and its notebook is not run, or missing.
    """
    if job["problem"]:
        return {**failure(job, job["problem"]), "flags": []}
    try:
        notebook, flags = _rebuilt(job)
    except rebuilding.NoNotebook as error:
        return failure(job, str(error))
    source = nbformat.reads(job["assignment"]["source"], as_version=4)
    limits = sandbox.Limits(**job["limits"])
    confined = _can_be_confined(job) if confined is None else confined
    files = {name: base64.b64decode(data) for name, data in job["files"].items() if Path(name).suffix in FILES}
    began = time.monotonic()
    try:
        flags += execution.run(notebook, source, files, limits, confined)
    except execution.NotStarted as problem:
        return {**failure(job, str(problem)), "again": True}
    seconds = time.monotonic() - began
    flags += rebuilding.suspects(notebook)
    marks = {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in notebook.cells if is_grade(cell)}
    by_hand = any(mark is None for mark in marks.values())
    return {
        "student": job["student"],
        "status": "needs manual grading" if by_hand else "graded",
        "reason": "",
        "points": marks,
        "flags": flags,
        "confined": confined,
        "seconds": round(seconds, 1),
        "notebook": nbformat.writes(notebook),
    }


def _can_be_confined(job):
    return bool(job["confine"]) and not sandbox.unconfined_because()


def _rebuilt(job):
    """The notebook of a job, rebuilt, and what there is to look at. Raises rebuilding.NoNotebook."""
    source, released = (nbformat.reads(job["assignment"][which], as_version=4) for which in ("source", "released"))
    name, text = _notebook(job)
    notebook, changed = rebuilding.rebuild(rebuilding.read(text, name), source, released)
    flags = [] if Path(name).stem == job["assignment"]["name"] else [f"the notebook is called {name}"]
    flags += [
        f"ignored the file {other}" for other in job["files"] if other != name and Path(other).suffix not in FILES
    ]
    return notebook, flags + changed


def _notebook(job):
    """(name, text) of the submission's notebook: of several, the one that is called as it should be."""
    names = [name for name in job["files"] if name.endswith(".ipynb")]
    called = [name for name in names if Path(name).stem == job["assignment"]["name"]] or names
    if len(called) != 1:
        raise rebuilding.NoNotebook(
            "no notebook was handed in" + "".join(f", but {name}" for name in sorted(job["files"])[:3])
            if not called
            else f"{len(called)} notebooks, none called {job['assignment']['name']}.ipynb"
        )
    try:
        return called[0], base64.b64decode(job["files"][called[0]]).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise rebuilding.NoNotebook(f"{called[0]} is no notebook that can be read: not UTF-8") from None


def outcome(job: dict) -> dict:
    """Grade a submission in a process of its own. Never raises: what goes wrong is the result's reason."""
    began, limit = time.monotonic(), job["limits"]["submission"]
    # A flood from a kernel ends with the process that grades, not with the machine.
    confined = _can_be_confined(job)
    try:
        return processes.call(grade, job, confined, seconds=limit, memory=MEMORY if confined else None)
    except processes.Ended as problem:
        reason, seconds = str(problem), time.monotonic() - began
    try:
        result = processes.call(failure, job, reason, seconds, seconds=60)
    except processes.Ended:
        result = _without_notebook(job, reason, seconds)
    return {**result, "again": seconds < limit}


def failure(job: dict, reason: str, seconds: float = 0.0) -> dict:
    """The result of a submission that could not be graded, with its notebook, not run, if that can be had."""
    result = _without_notebook(job, reason, seconds)
    with contextlib.suppress(Exception):  # the teacher sees what was handed in, if it can be shown
        notebook, result["flags"] = _rebuilt(job)
        result["notebook"] = nbformat.writes(notebook)
    return result


def _without_notebook(job, reason, seconds):
    return {
        "student": job["student"],
        "status": "failed",
        "reason": reason,
        "points": {},
        "flags": [],
        "confined": False,
        "seconds": round(seconds, 1),
        "notebook": "",
    }
