"""Grade an assignment: python -m helpers.grading 06_vae --submissions DIR_OR_ZIP

Marks, feedback and a report land in the course's folder: grades/NAME.csv, grades/NAME.txt, feedback/STUDENT/NAME, and
nbgrader's gradebook, so that `jupyter lab` with its formgrader marks what is marked by hand. Run it again after that,
or after an interruption: what is graded already stays, and the table and the feedback follow the gradebook.
"""
import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import fields
from pathlib import Path

from tqdm import tqdm

from . import processes

if __name__ == "__main__":
    processes.start()      # its imports take as long as those that follow here: on the other core, meanwhile

from . import rebuilding, report, sandbox, student, submissions  # noqa: E402
from .course import Course, feedback  # noqa: E402

COURSE = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"


def grade(name, place, root=COURSE, jobs=None, limits=None, dask=None, confine=True, again=False, show=True):
    """Grade what was handed in for an assignment. Returns [(result, {grade_id: mark or None}, status)].

    name: the assignment; place: a folder or a zip of submissions; root: the course's folder; jobs: how many at a time;
    limits: a sandbox.Limits; dask: the address of a scheduler, whose workers then do the grading; confine: whether to
    use bubblewrap; again: also what is graded already. Raises ValueError where nothing can be graded.
    """
    import nbformat

    course, limits = Course(root), limits or sandbox.Limits()
    jobs = jobs or max(1, (os.cpu_count() or 2) - 1)
    assignment = course.release(name)
    handed_in = submissions.find(place, name)
    folder = course.root / "grades" / name
    folder.mkdir(parents=True, exist_ok=True)
    results, open_jobs, keys = {}, [], {}
    for who, files in handed_in.items():
        course.submitted(name, who, files)
        work = student.job(who, files, assignment, limits, confine)
        keys[who] = hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()
        results[who] = None if again else _kept(folder / f"{who}.json", keys[who])
        if results[who] is None:
            open_jobs.append(work)
    bar = tqdm(total=len(handed_in), initial=len(handed_in) - len(open_jobs), desc=name, unit="submission",
               disable=not show, file=sys.stdout)
    feedback_jobs = {}
    with bar, ThreadPoolExecutor(jobs) as pool:
        for result in _dask(open_jobs, dask) if dask else _here(open_jobs, pool):
            who = result["student"]
            stamp = handed_in[who].get("timestamp.txt") if isinstance(handed_in[who], dict) else None
            course.enter(name, result, stamp.decode().strip() if stamp else None)
            if not result.pop("again", False):      # what failed for a reason of our own is tried again next time
                _keep(folder / f"{who}.json", keys[who], result)
            results[who] = result
            bar.update()
            bar.set_postfix_str(f"{who}: {result['status']}"[:40])
            feedback_jobs[who] = pool.submit(processes.call, feedback, course.root, name, result)
        for who, result in results.items():
            if who not in feedback_jobs:
                feedback_jobs[who] = pool.submit(processes.call, feedback, course.root, name, result)
        for who, written in feedback_jobs.items():
            if problem := written.result():
                results[who]["flags"] = [*results[who]["flags"], f"no feedback was written: {problem}"]
    points = rebuilding.tasks(nbformat.reads(assignment["source"], as_version=4))
    rows = [_row(course, name, results[who]) for who in handed_in]
    report.write_table(course.root / "grades" / f"{name}.csv", points, rows)
    said = report.summary(name, rows, "--unconfined was given" if not confine else sandbox.unconfined_because())
    (course.root / "grades" / f"{name}.txt").write_text(said + "\n", "utf-8")
    return rows


def _row(course, name, result):
    marks, by_hand = course.marks(name, result["student"])
    if result["status"] == "failed":
        done = marks and all(mark is not None for mark in marks.values()) and not by_hand
        return result, marks, "graded" if done else "failed"
    return result, marks, "needs manual grading" if by_hand else "graded"


def _here(open_jobs, pool):
    for done in as_completed([pool.submit(student.outcome, job) for job in open_jobs]):
        yield done.result()


def _dask(open_jobs, address):
    """Results from a Dask cluster, in the order in which they come. A job that its worker loses is a failure."""
    from distributed import Client, as_completed

    with Client(address) as client:
        futures = {client.submit(student.outcome, job, pure=False, retries=1): job for job in open_jobs}
        for future in as_completed(futures):
            if future.status == "finished":
                yield future.result()
            else:
                lost = f"the cluster lost it: {future.exception()!r:.200}"
                yield {**student.failure(futures[future], lost), "again": True}


def _kept(path, key):
    """The result of an earlier run of the same job, or None."""
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return kept["result"] if kept.get("key") == key else None


def _keep(path, key, result):
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "result": result}), "utf-8")
    os.replace(part, path)


def main(arguments=None):
    """The command. Returns the exit status: 0: everything was graded, 1: something failed, 2: nothing could be."""
    parser = argparse.ArgumentParser(prog="python -m helpers.grading", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assignment", help="its name, such as 06_vae")
    parser.add_argument("--submissions", required=True, type=Path, help="the folder or zip of what was handed in")
    parser.add_argument("--course", type=Path, default=COURSE, help="the course's folder (default: %(default)s)")
    parser.add_argument("--jobs", type=int, help="how many at a time (default: the cores but one)")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers do the grading")
    parser.add_argument("--unconfined", action="store_true", help="without bubblewrap: only for code that you trust")
    parser.add_argument("--again", action="store_true", help="grade anew what is graded already")
    for limit in fields(sandbox.Limits):
        parser.add_argument(f"--limit-{limit.name}", type=type(limit.default), default=limit.default,
                            help="(default: %(default)s)")
    options = parser.parse_args(arguments)
    limits = sandbox.Limits(**{limit.name: getattr(options, f"limit_{limit.name}")
                               for limit in fields(sandbox.Limits)})
    try:
        rows = grade(options.assignment, options.submissions, options.course, options.jobs, limits, options.dask,
                     not options.unconfined, options.again)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    folder = options.course.resolve() / "grades"
    print((folder / f"{options.assignment}.txt").read_text("utf-8"), end="")
    print(f"marks: {folder / options.assignment}.csv\nfeedback: {options.course.resolve() / 'feedback'}")
    return int(any(status == "failed" for _, _, status in rows))


if __name__ == "__main__":
    sys.exit(main())
