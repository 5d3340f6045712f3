"""What a teacher reads after a run: a table of marks as CSV, and a summary that says what to look at."""
import csv
import os
from collections import Counter
from pathlib import Path


def write_table(path, points, rows):
    """Write the marks as CSV: a row a student; a mark that is missing is an empty field, never 0.

    points: {grade_id: highest mark}. rows: [(result, {grade_id: mark or None}, status)].
    """
    part = Path(f"{path}.part")
    with part.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(["student", "status", "total", "of", *points, "confined", "reason", "look at"])
        for result, marks, status in rows:
            cells = [marks.get(name) for name in points]
            total = "" if status == "failed" else _number(sum(mark or 0 for mark in marks.values()))
            write([_text(result["student"]), status, total, _number(sum(points.values())), *map(_number, cells),
                   "yes" if result["confined"] else "no", _text(result["reason"]),
                   _text("; ".join(result["flags"]))])
    os.replace(part, path)


def summary(name, rows, why_not):
    """The summary of a run, in words. why_not: why the kernels were not confined, or None."""
    counts = Counter(status for _, _, status in rows)
    lines = [f"{name}: {len(rows)} submissions: " + ", ".join(
        f"{counts[status]} {status}" for status in ("graded", "needs manual grading", "failed") if counts[status])]
    run = [result for result, _, _ in rows if result["notebook"]]
    loose = sum(not result["confined"] for result in run)
    if loose:
        lines.append(f"NOT CONFINED: the code of {loose} of {len(run)} submissions ran with all the rights of whoever "
                     f"grades: {why_not or 'the machine that ran it has no bubblewrap, or --unconfined was given'}.")
    else:
        lines.append(f"Confined by bubblewrap: the code of all {len(run)} submissions that ran.")
    lines += [f"  failed: {result['student']}: {result['reason']}" for result, _, status in rows if status == "failed"]
    lines += [f"  look at {result['student']}: {'; '.join(result['flags'])}" for result, _, _ in rows
              if result["flags"]]
    return "\n".join(lines)


def _number(value):
    return "" if value is None else f"{value:g}"


def _text(value):
    # A spreadsheet takes a field that begins so for a formula.
    return "'" + value if value[:1] in ("=", "+", "-", "@") else value
