"""What a teacher reads after a run: a table of marks as CSV, and a summary that says what to look at."""

import csv
import os
from collections import Counter
from pathlib import Path

MOST = 20  # of a student's flags


def write_table(path, points, rows):
    """Write the marks as CSV: a row a student; a mark that is missing is an empty field, never 0.

    points: {grade_id: highest mark}. rows: [(result, {grade_id: mark or None}, status)].
    """
    part = Path(f"{path}.part")
    with part.open("w", newline="", encoding="utf-8-sig") as file:  # with a mark by which Excel knows it
        write = csv.writer(file).writerow
        write(["student", "status", "total", "of", *points, "confined", "reason", "look at"])
        for result, marks, status in rows:
            cells = [marks.get(name) for name in points]
            total = "" if status == "failed" else _number(sum(mark or 0 for mark in marks.values()))
            write([
                _text(_plain(result["student"])),
                status,
                total,
                _number(sum(points.values())),
                *map(_number, cells),
                "yes" if result["confined"] else "no",
                _text(_plain(result["reason"])),
                _text(_flags(result)),
            ])
    os.replace(part, path)


def summary(name, rows, why_not, earlier=0):
    """The summary of a run, in words. why_not: why the kernels were not confined, or None; earlier: rows of others."""
    counts = Counter(status for _, _, status in rows)
    lines = [
        f"{name}: {len(rows)} submissions: "
        + ", ".join(
            f"{counts[status]} {status}" for status in ("graded", "needs manual grading", "failed") if counts[status]
        )
    ]
    run = [result for result, _, _ in rows if result["notebook"]]
    loose = sum(not result["confined"] for result in run)
    if loose:
        lines.append(
            f"NOT CONFINED: the code of {loose} of {len(run)} submissions ran with all the rights of whoever "
            f"grades: {why_not or 'the machine that ran it has no bubblewrap, or --unconfined was given'}."
        )
    else:
        lines.append(f"Confined by bubblewrap: the code of all {len(run)} submissions that ran.")
    lines += [f"The table keeps {earlier} graded before, who are not in this folder or zip."] * bool(earlier)
    lines += [
        f"  failed: {_plain(result['student'])}: {_plain(result['reason'])}"
        for result, _, status in rows
        if status == "failed"
    ]
    lines += [f"  look at {_plain(result['student'])}: {_flags(result)}" for result, _, _ in rows if result["flags"]]
    return "\n".join(lines)


def _number(value):
    return "" if value is None else f"{value:g}"


def _flags(result):
    """What there is to look at, each once with its number, and no more than can be read."""
    counts = Counter(map(_plain, result["flags"]))
    said = [flag if number == 1 else f"{flag} ({number} times)" for flag, number in counts.items()]
    return "; ".join(said[:MOST] + [f"and {len(said) - MOST} more"] * (len(said) > MOST))


def _plain(text):
    """A text in which names of a student's making cannot begin a line or move the cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:300]


def _text(value):
    # A spreadsheet takes a field that begins so for a formula.
    return "'" + value if value[:1] in ("=", "+", "-", "@") else value
