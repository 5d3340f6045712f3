"""How fast submissions are graded, against `nbgrader autograde`: python tests/benchmarks/grading.py [how many, 16]

With --cluster, python tests/benchmarks/grading.py 300 --cluster, how time and memory grow on a Dask cluster of two
workers, for copies of one solved notebook of 01_tasks.

The same submissions of 06_vae, solved, wrong and untouched in turn, graded by `python -m helpers.grading --jobs 2`,
with feedback, and by nbgrader's own command with its own settings (one after the other, not confined, no feedback).
Prints seconds, seconds a submission, submissions a minute, and the ratio, whose target is 0.5 or less on two cores.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))
from classroom import blank, cell, hand_in, make_course, solved  # noqa: E402

NAME = "06_vae"
PLAIN = """c = get_config()
c.CourseDirectory.course_id = "plain"
c.CourseDirectory.root = {root!r}
c.Execute.timeout = 120
c.Execute.iopub_timeout = 60"""


def submissions(course, folder, n):
    """Hand in n notebooks: solved, half wrong, and untouched in turn."""
    for i in range(n):
        notebook = solved(course, NAME) if i % 3 else blank(course, NAME)
        if i % 3 == 2:
            for task in ("kl", "sampling"):
                cell(notebook, task).source = cell(notebook, task).source.replace(" / 2", "")
        cell(notebook, "written-1").source += f"\n\n{i}"
        hand_in(folder, f"student{i:02d}", NAME, notebook)


def timed(command, folder):
    """Seconds that a command takes."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    began = time.perf_counter()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path})
    seconds = time.perf_counter() - began
    if run.returncode:
        sys.exit(f"{' '.join(command)} ended with {run.returncode}:\n{(run.stdout + run.stderr)[-3000:]}")
    return seconds


def on_a_cluster(n):
    """Print how many submissions are done after how long, and what grader and workers then take of memory."""
    os.environ["DASK_DISTRIBUTED__WORKER__DAEMON"] = "False"  # as README says; read when Dask is imported
    from distributed import LocalCluster

    from helpers.grading.run import grade

    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
    ):
        course = make_course(Path(folder, "course"), "01_tasks")
        for i in range(n):
            notebook = solved(course, "01_tasks")
            cell(notebook, "written-1").source += f"\n\n{i}"
            hand_in(Path(folder, "in"), f"student{i:03d}", "01_tasks", notebook)
        workers = [psutil.Process(worker.pid) for worker in cluster.workers.values()]
        began, over = time.perf_counter(), threading.Event()
        print(f"{'done':>5} {'s':>7} {'s each':>7} {'grader MB':>10} {'workers MB':>11}")

        def look():
            said = 0
            while not over.wait(1):
                done, seconds = len(list(course.root.glob("grades/01_tasks/*.json"))), time.perf_counter() - began
                if done - said >= n / 10:
                    said = done
                    mine, theirs = (
                        sum(one.memory_info().rss for one in group) / 2**20 for group in ([psutil.Process()], workers)
                    )
                    print(f"{done:>5} {seconds:>7.0f} {seconds / done:>7.2f} {mine:>10.0f} {theirs:>11.0f}", flush=True)

        watching = threading.Thread(target=look)
        watching.start()
        try:
            rows = grade(
                "01_tasks", Path(folder, "in"), course.root, jobs=2, dask=cluster.scheduler_address, show=False
            )
        finally:
            over.set()
            watching.join()
        right = sum(sum(mark or 0 for mark in row.marks.values()) == 10 for row in rows)
        seconds = time.perf_counter() - began
        print(f"{right} of {n} with full marks for the tests, {seconds:.0f} s with feedback, {seconds / n:.2f} s each")


def main(n=16):
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours"), Path(folder, "theirs")
        course, _ = make_course(ours, NAME), make_course(theirs, NAME)
        submissions(course, Path(folder, "in"), n)
        submissions(course, theirs / "submitted", n)
        (theirs / "gradebook.db").unlink()
        (theirs / "nbgrader_config.py").write_text(PLAIN.format(root=str(theirs)))
        timed([sys.executable, "-m", "nbgrader", "generate_assignment", NAME, "--force"], theirs)
        seconds = {
            "nbgrader autograde": timed([sys.executable, "-m", "nbgrader", "autograde", NAME], theirs),
            "helpers.grading --jobs 2": timed(
                [
                    sys.executable,
                    "-m",
                    "helpers.grading",
                    NAME,
                    "--submissions",
                    str(Path(folder, "in")),
                    "--course",
                    str(ours),
                    "--jobs",
                    "2",
                ],
                ours,
            ),
        }
        said = (ours / "grades" / f"{NAME}.txt").read_text()
        confined = re.search(r"^(NOT CONFINED|Confined)", said, re.MULTILINE)[1]
    print(f"{n} submissions, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; ours: {confined}")
    for what, took in seconds.items():
        print(f"{what:<26} {took:>7.1f} s {took / n:>6.2f} s each {60 * n / took:>6.1f} a minute")
    plain, mine = seconds.values()
    print(f"ratio {mine / plain:.2f} (target 0.5)")


if __name__ == "__main__":
    how_many = [int(word) for word in sys.argv[1:] if word.isdigit()]
    if "--cluster" in sys.argv:
        on_a_cluster(*how_many or [300])
    else:
        main(*how_many)
