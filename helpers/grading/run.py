"""Grade an assignment: from what was handed in to the gradebook, the table of marks, the feedback and the summary."""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
from tqdm import tqdm

from . import gradebooks, lateness, people, processes, rebuilding, report, sandbox, student, submissions
from .course import Course, enter, feedback

COURSE = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"
ENTER, PAGE = 60, 120  # seconds for entering a student's marks, and for the feedback


class Row(NamedTuple):
    """What the table says of a student.

    The result (see student.grade), {grade_id: mark or None}, the status, how late it was in words, and what is taken
    off for that.
    """

    result: dict
    marks: dict[str, float | None]
    status: str
    late: str = ""
    penalty: float = 0.0

    @property
    def total(self) -> float:
        """The marks there are, less the penalty."""
        return max(0.0, sum(mark or 0 for mark in self.marks.values()) - self.penalty)


def grade(
    name: str,
    place: str | Path,
    root: str | Path = COURSE,
    jobs: int | None = None,
    limits: sandbox.Limits | None = None,
    dask: str | None = None,
    confine: bool = True,
    again: bool = False,
    show: bool = True,
    class_list: str | Path | None = None,
    due: str | None = None,
) -> list[Row]:
    """Grade what was handed in for an assignment, and write all that a teacher reads into the course's folder.

    name: the assignment; place: a folder or a zip of submissions; root: the course's folder; jobs: how many at a time;
    dask: the address of a scheduler, whose workers then do the grading; confine: whether to use bubblewrap; again:
    also what is graded already; show: a progress bar; class_list: a CSV of who should have handed in (see people.py),
    and due: when; both are kept for later runs. Returns the rows of those who are in `place`; the table keeps those of
    earlier runs too. Raises ValueError where nothing can be graded.

    Example: grade("06_vae", "submissions.zip", jobs=4)
    """
    course, limits = Course(root), limits or sandbox.Limits()
    assignment = course.release(name)
    if due:
        course.due(name, due)
    found = submissions.find(place, name)
    handed_in = found.students
    kept = Kept(course.root / "grades" / name)
    class_lists = kept.class_lists(class_list)  # what is none is said before anything is graded
    results: dict[str, dict] = {}
    waiting = []
    for who, files in handed_in.items():
        try:
            course.submitted(name, who, files)
        except OSError as problem:
            handed_in[who] = files = f"what was handed in cannot be stored: {problem.strerror}"
        job = {**student.job(who, files, assignment, limits, confine), "platform": found.platform}
        if (result := None if again else kept.result(job)) is None:
            waiting.append(job)
        else:
            results[who] = result
    pages = {}
    bar = tqdm(
        total=len(handed_in),
        initial=len(handed_in) - len(waiting),
        desc=name,
        unit="submission",
        disable=not show,
        file=sys.stdout,
    )
    with bar, _workers(jobs or max(1, (os.cpu_count() or 2) - 1)) as pool:
        for job, result in _on_dask(waiting, dask) if dask else _here(waiting, pool):
            who = job["student"]
            result["late"], result["platform"] = who in found.late, found.platform
            result["flags"] = [*found.notes.get(who, ()), *result["flags"]]
            results[who] = result = _entered(course, name, result, _time(found, who))
            kept.keep(job, result)
            bar.update()
            bar.set_postfix_str(f"{who}: {result['status']}"[:40])
            pages[who] = pool.submit(_feedback, course, name, result)
        earlier = kept.others(results)
        results |= earlier
        for who in results.keys() - pages.keys():  # graded before: marks by hand may be new
            if not course.has_feedback(name, results[who]):
                pages[who] = pool.submit(_feedback, course, name, results[who])
        table = {who: _row(course, name, results[who]) for who in sorted(results)}  # while pages are written
        for who, page in pages.items():
            if missing := page.result():
                results[who]["flags"] = [*results[who]["flags"], f"no feedback was written: {missing}"]
    points = rebuilding.tasks(nbformat.reads(assignment["source"], as_version=4))
    platforms = {who: result.get("platform") for who, result in results.items()}
    known: dict[str | None, dict[str, people.Person]] = {}
    absent: list[str] = []
    also: list[str] = []
    for platform, class_of in class_lists.items():
        elsewhere = {who for who, of in platforms.items() if platform and of not in (None, platform)}
        known[platform], missing, unclear = people.match(table, class_of, elsewhere)
        absent, also = sorted(absent + [person.name for person in missing]), also + unclear
    report.write_table(course.root / "grades" / f"{name}.csv", points, table.values(), absent)
    also += [f"Handed in nothing: {report.named(absent)}."] if absent else []
    also += [f"Files that are nobody's: {report.named(found.nobodys)}."] if found.nobodys else []
    for platform in gradebooks.TABLES:
        if platform in (*platforms.values(), *known):
            also.append(_export(course, name, table, platform, known.get(platform, {}), sum(points.values())))
    rows = [table[who] for who in handed_in]
    said = report.summary(
        name, rows, sandbox.unconfined_because() if confine else "--unconfined was given", len(earlier), also
    )
    (course.root / "grades" / f"{name}.txt").write_text(said + "\n", "utf-8")
    return rows


class Kept:
    """What earlier runs leave in a folder: a file for each result, so that no job is done twice, and class lists."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def result(self, job: dict) -> dict | None:
        """The result of an earlier run of the same job, or None."""
        key, result = self._read(self._file(job))
        return result if key == self._key(job) else None

    def keep(self, job: dict, result: dict) -> None:
        """Keep the result of a job, whole or not at all. What failed for a reason of ours is not the job's."""
        part = self._file(job).with_suffix(".part")
        key = None if result.pop("again", False) else self._key(job)
        part.write_text(json.dumps({"key": key, "result": result}), "utf-8")
        os.replace(part, self._file(job))

    def others(self, students: Iterable[str]) -> dict[str, dict]:
        """{student: the last result} of all others that were ever graded here."""
        found = {file.stem: self._read(file)[1] for file in self.folder.glob("*.json") if file.stem not in students}
        return {who: result for who, result in found.items() if result}

    def class_lists(self, given: str | Path | None = None) -> dict[str | None, list[people.Person]]:
        """{platform, or None for any other table: the people of its list}, as they were given last.

        given: a new one. Several platforms have one each; a table of no platform is everybody's, and stands alone.
        """
        known = {platform: self.folder / f"{platform or 'class'}.csv" for platform in (*gradebooks.TABLES, None)}
        if given:
            platform, text = people.platform(people.read(given)), Path(given).read_bytes()
            part = self.folder / "class.part"
            part.write_bytes(text)
            for other, file in known.items():
                if platform is None or other is None:
                    file.unlink(missing_ok=True)
            os.replace(part, known[platform])
        return {platform: people.read(file) for platform, file in known.items() if file.exists()}

    def _read(self, file):
        try:
            kept = json.loads(file.read_text("utf-8"))
            return kept["key"], kept["result"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def _file(self, job):
        return self.folder / f"{job['student']}.json"

    def _key(self, job):
        return hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()


@contextmanager
def _workers(number):
    """A pool of threads. Where it is left by an error, Ctrl-C above all, neither what waits nor what runs goes on."""
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        processes.stop()
        raise
    finally:
        pool.shutdown()


def _time(found, who):
    """When a submission came: as the platform says, or nbgrader's timestamp.txt; as a text that may be none."""
    files = found.students[who]
    if found.platform is None and isinstance(files, dict) and "timestamp.txt" in files:
        return files["timestamp.txt"].decode("utf-8", "replace").strip()[:100]
    return found.times[who].isoformat() if who in found.times else None


def _entered(course, name, result, time):
    """The result, once it is in the gradebook. One that cannot be entered becomes a failure, which can."""
    try:
        time = time and lateness.utc(time).isoformat() + "Z"
    except Exception:  # of dateutil's, many; a student can write the file
        result["flags"], time = [*result["flags"], "timestamp.txt holds no time"], None
    try:
        processes.call(enter, course.root, name, result, time, seconds=ENTER)
    except processes.Ended as problem:
        reason = f"the gradebook does not take it: {problem}"[:300]
        result = {**result, "status": "failed", "reason": reason, "points": {}, "notebook": "", "again": True}
        course.enter(name, result, time)
    return result


def _export(course, name, table, platform, known, most):
    """Write the marks for a platform's gradebook; returns what was written, in words.

    known: {student: person} of that platform's class list. A student who neither comes from the platform nor stands in
    its list is left out. Who is not marked to the end is left empty, so that the platform keeps what it has.
    """
    totals = {
        who: row.total if row.status == "graded" else None
        for who, row in table.items()
        if who in known or row.result.get("platform") == platform
    }
    left = sum(total is None for total in totals.values())
    file = f"grades/{name}-{platform.lower()}.csv"
    gradebooks.TABLES[platform](course.root / file, name, most, totals, known)
    where = {"Canvas": "Canvas's gradebook"}.get(platform, platform)
    said = f"For {where}: {file}" + (f", empty for {left} who are not marked to the end." if left else ".")
    if (there := gradebooks.maximum(known.values())) not in (None, most):
        said += f" The maximum is {there:g} there and {most:g} here: set it to {most:g} there before you import."
    return said


def _here(jobs: Iterable[dict], pool: ThreadPoolExecutor) -> Iterator[tuple[dict, dict]]:
    """(job, result) in the order in which they are done; each job has a process of its own."""
    futures = {pool.submit(student.outcome, job): job for job in jobs}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _on_dask(jobs: Iterable[dict], address: str) -> Iterator[tuple[dict, dict]]:
    """(job, result) from a Dask cluster. A job that its worker loses is a failure."""
    from distributed import Client, as_completed

    with Client(address) as client:
        futures = {client.submit(student.outcome, job, pure=False, retries=1): job for job in jobs}
        for future in as_completed(list(futures)):
            job = futures.pop(future)  # whoever holds a future has its worker keep the result
            if future.status == "finished":
                yield job, future.result()
            else:
                lost = f"the cluster lost it: {future.exception()!r:.200}"
                yield job, {**student.failure(job, lost), "again": True}


def _feedback(course, name, result):
    """Write a student's page in a process of its own; returns None, or in words what went wrong."""
    try:
        return processes.call(feedback, course.root, name, result, seconds=PAGE)
    except processes.Ended as problem:
        return str(problem)


def _row(course, name, result):
    marks, by_hand = course.marks(name, result["student"])
    words, penalty = course.penalty(name, result["student"])
    words = words or "the platform says so, not how much" * result.get("late", False)
    if result["status"] == "failed":
        done = marks and all(mark is not None for mark in marks.values()) and not by_hand
        return Row(result, marks, "graded" if done else "failed", words, penalty)
    return Row(result, marks, "needs manual grading" if by_hand else "graded", words, penalty)
