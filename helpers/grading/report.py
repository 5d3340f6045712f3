"""What a teacher reads after a run: a table of marks as CSV, and a summary that says what to look at."""

from collections import Counter

from .gradebooks import harmless, write_csv

MOST = 20  # of a student's flags


def write_table(path, points, rows, missing=()):
    """Write the marks as CSV: a row a student; a mark that is missing is an empty field, never 0.

    points: {grade_id: highest mark}. rows: [run.Row]; missing: names of those who handed in nothing.
    """
    table = [["student", "status", "total", "of", "late", "penalty", *points, "confined", "reason", "look at"]]
    most = _number(sum(points.values()))
    for row in rows:
        result, marks, status = row.result, row.marks, row.status
        table.append([
            harmless(_plain(result["student"])),
            status,
            "" if status == "failed" else _number(row.total),
            most,
            row.late,
            _number(row.penalty or None),
            *(_number(marks.get(name)) for name in points),
            "yes" if result["confined"] else "no",
            harmless(_plain(result["reason"])),
            harmless(_flags(result)),
        ])
    write_csv(path, table + [[harmless(_plain(name)), "missing", "", most] for name in missing])


def summary(name, rows, why_not, earlier=0, also=()):
    """The summary of a run, in words.

    why_not: why the kernels were not confined, or None; earlier: rows of others; also: more sentences.
    """
    counts = Counter(row.status for row in rows)
    lines = [
        f"{name}: {len(rows)} submission{'s' * (len(rows) != 1)}: "
        + ", ".join(
            f"{counts[status]} {status}" for status in ("graded", "needs manual grading", "failed") if counts[status]
        )
    ]
    run = [row.result for row in rows if row.result["notebook"]]
    loose = sum(not result["confined"] for result in run)
    if loose:
        lines.append(
            f"NOT CONFINED: the code of {loose} of {len(run)} submissions ran with all the rights of whoever "
            f"grades: {why_not or 'the machine that ran it has no bubblewrap, or --unconfined was given'}."
        )
    else:
        lines.append(f"Confined by bubblewrap: the code of all {len(run)} submissions that ran.")
    lines += [f"The table keeps {earlier} graded before, who are not in this folder or zip."] * bool(earlier)
    lines += [_plain(sentence, 2000) for sentence in also]
    lines += [
        f"  failed: {_plain(row.result['student'])}: {_plain(row.result['reason'])}"
        for row in rows
        if row.status == "failed"
    ]
    lines += [
        f"  late: {_plain(row.result['student'])}: {row.late}" + (f", −{row.penalty:g}" if row.penalty else "")
        for row in rows
        if row.late
    ]
    lines += [f"  look at {_plain(row.result['student'])}: {_flags(row.result)}" for row in rows if row.result["flags"]]
    return "\n".join(lines)


def _number(value):
    return "" if value is None else f"{value:g}"


def _flags(result):
    """What there is to look at, each once with its number, and no more than can be read."""
    counts = Counter(map(_plain, result["flags"]))
    said = [flag if number == 1 else f"{flag} ({number} times)" for flag, number in counts.items()]
    return "; ".join(said[:MOST] + [f"and {len(said) - MOST} more"] * (len(said) > MOST))


def named(names):
    """Names in a row, no more than can be read."""
    names = list(names)
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _plain(text, most=300):
    """A text in which names of a student's making cannot begin a line or move the cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:most]
