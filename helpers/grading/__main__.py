"""Grade an assignment: python -m helpers.grading 06_vae --submissions DIR_OR_ZIP

Marks, feedback and a report land in the course's folder: grades/NAME.csv, grades/NAME.txt, feedback/STUDENT/NAME, and
nbgrader's gradebook, so that `jupyter lab` with its formgrader marks what is marked by hand. Run it again after that,
or after an interruption: what is graded already stays, and the table and the feedback follow the gradebook.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from . import processes

if __name__ == "__main__":
    processes.start()  # its imports take as long as those that follow here: on the other core, meanwhile

from .run import COURSE, grade  # noqa: E402
from .sandbox import Limits  # noqa: E402

LIMITS = {
    "cell": "seconds of a cell",
    "setup": "seconds of each of the first cells, which import",
    "cpu": "seconds of a process's own work",
    "submission": "seconds of a submission, all in all",
    "memory": "bytes that a process may ask for",
    "together": "bytes of memory that all its processes use together",
    "file": "bytes of a file",
    "files": "bytes of all files; a quarter as much again in /tmp, and an eighth in /dev/shm",
    "processes": "processes and threads",
    "output": "characters that are kept of a cell's output",
}


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit status: 0: everything was graded, 1: something failed, 2: nothing could be."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.grading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assignment", help="its name, such as 06_vae")
    parser.add_argument("--submissions", required=True, type=Path, help="the folder or zip of what was handed in")
    parser.add_argument("--course", type=Path, default=COURSE, help="the course's folder (default: %(default)s)")
    parser.add_argument("--jobs", type=int, help="how many at a time (default: the cores but one)")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler whose workers do the grading")
    parser.add_argument("--unconfined", action="store_true", help="without bubblewrap: only for code that you trust")
    parser.add_argument("--again", action="store_true", help="grade anew what is graded already")
    parser.add_argument(
        "--class-list", metavar="CSV", help="who should have handed in: your platform's export; kept for later runs"
    )
    parser.add_argument("--due", metavar="WHEN", help='such as "2026-11-30 23:59"; kept for later runs')
    for limit in fields(Limits):
        parser.add_argument(
            f"--limit-{limit.name}",
            type=type(limit.default),
            default=limit.default,
            metavar="N",
            help=f"{LIMITS[limit.name]} (default: %(default)s)",
        )
    options = parser.parse_args(arguments)
    limits = Limits(**{limit.name: getattr(options, f"limit_{limit.name}") for limit in fields(Limits)})
    try:
        rows = grade(
            options.assignment,
            options.submissions,
            options.course,
            options.jobs,
            limits,
            options.dask,
            not options.unconfined,
            options.again,
            class_list=options.class_list,
            due=options.due,
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    folder = options.course.resolve() / "grades"
    print((folder / f"{options.assignment}.txt").read_text("utf-8"), end="")
    print(f"marks: {folder / options.assignment}.csv\nfeedback: {options.course.resolve() / 'feedback'}")
    return int(any(row.status == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
