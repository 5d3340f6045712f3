"""Marks as a platform's gradebook takes them, and tables that a spreadsheet reads without harm."""

import contextlib
import csv
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .people import Person, bare, number

CANVAS, MOODLE = (
    ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
    ("Identifier", "Full name", "Email address"),
)
MODIFIED = "Last modified (grade)"  # a column without which Moodle takes no grading worksheet


def write_canvas(
    path: Path, assignment: str, most: float, totals: Mapping[str, float | None], people: Mapping[str, Person]
) -> None:
    """Write marks as Canvas imports them into its gradebook.

    totals: {student: marks, or None: left empty}; people: {student: person} where known. The column is that of the
    class list whose name begins with the assignment's, which Canvas knows by the number behind it.
    """
    columns = [column for person in people.values() for column in person.row]
    column = next((c for c in columns if re.fullmatch(rf"{re.escape(assignment)}\b.*\(\d+\)", c)), assignment)
    rows = [[*CANVAS, column], ["    Points Possible", *[""] * (len(CANVAS) - 1), f"{most:g}"]]
    for student, total in totals.items():
        row = people[student].row if student in people else {"Student": bare(student), "ID": number(student)}
        rows.append([*(harmless(row.get(name, "")) for name in CANVAS), _mark(total)])
    write_csv(path, rows)


def write_moodle(
    path: Path, assignment: str, most: float, totals: Mapping[str, float | None], people: Mapping[str, Person]
) -> None:
    """Write marks as Moodle takes them: as its grading worksheet, and by email into its gradebook."""
    rows = [[*MOODLE, "Grade", "Maximum Grade", MODIFIED]]
    for student, total in totals.items():
        row = people[student].row if student in people else {"Full name": bare(student).replace("_", " ")}
        listed = number(student)
        row = {**row, "Identifier": row.get("Identifier") or (f"Participant {listed}" if listed else "")}
        row["Full name"] = row.get("Full name") or (people[student].name if student in people else "")
        modified = harmless(row.get(MODIFIED) or "-")  # as Moodle has it where there is no mark yet
        rows.append([*(harmless(row.get(name, "")) for name in MOODLE), _mark(total), f"{most:g}", modified])
    write_csv(path, rows)


def maximum(people: Iterable[Person]) -> float | None:
    """The highest mark that Moodle's grading worksheet names, in its language's decimals; None: it names none."""
    for person in people:
        for entry in person.entries(["maximum grade"]):
            with contextlib.suppress(ValueError):
                return float(entry.replace(",", "."))
    return None


TABLES = {"Canvas": write_canvas, "Moodle": write_moodle}  # {platform: what writes marks for its gradebook}


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula. (A minus alone is none.)"""
    if text == "-":
        return text
    return "'" + text if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r") else text


def write_csv(path: Path, rows: Iterable[Iterable]) -> None:
    """Write a table that Excel reads, whole or not at all."""
    part = Path(f"{path}.part")
    with part.open("w", newline="", encoding="utf-8-sig") as file:  # with a mark by which Excel knows it
        csv.writer(file).writerows(rows)
    os.replace(part, path)


def _mark(total):
    return "" if total is None else f"{total:g}"
