"""How fast submissions are graded, against `nbgrader autograde`: python tests/benchmarks/grading.py [how many, 16]

The same submissions of 06_vae, solved, wrong and untouched in turn, graded by `python -m helpers.grading --jobs 2`,
with feedback, and by nbgrader's own command with its own settings (one after the other, not confined, no feedback).
Prints seconds, seconds a submission, submissions a minute, and the ratio, whose target is 0.7 or less on two cores.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    print(f"ratio {mine / plain:.2f} (target 0.7)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
