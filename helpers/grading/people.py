"""The class, from a CSV of the teacher's, and who of it has handed in.

A class list is what a platform exports: Canvas's gradebook, Moodle's grading worksheet or participants, or any table
with columns such as `name`, `email` or `id`.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .submissions import LONGEST

NAMES = ("full name", "student", "name")
IDS = ("id", "identifier", "student id", "user id", "id number", "sis user id", "org defined id", "number")
LOGINS = ("sis login id", "email address", "email", "e-mail", "login", "login id", "username", "user name", "github")


@dataclass(frozen=True)
class Person:
    """A row of a class list: how the person is called, and {column: entry}."""

    name: str
    row: Mapping[str, str]

    def entries(self, columns: Iterable[str]) -> list[str]:
        """The entries of the columns that are there, whatever their letters' case."""
        small = {column.strip().lower(): entry.strip() for column, entry in self.row.items()}
        return [small[column] for column in columns if small.get(column)]


def read(path: str | Path) -> list[Person]:
    """The people of a class list. Raises ValueError for a file that is none."""
    try:
        text = Path(path).read_text("utf-8-sig")
        rows = list(csv.DictReader(text.splitlines(), delimiter=_delimiter(text)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a class list, a CSV in UTF-8: {error}") from None
    people = []
    for row in rows:
        row = {column: entry for column, entry in row.items() if isinstance(column, str) and isinstance(entry, str)}
        person = Person("", row)
        first, last = person.entries(["first name"]), person.entries(["last name", "surname"])
        called = person.entries(NAMES) or [" ".join(first + last)]
        name = called[0] or (person.entries(LOGINS) + person.entries(IDS) + [""])[0]
        if name and name.lower() not in ("points possible", "student, test"):
            people.append(Person(name, row))
    if not people:
        raise ValueError(f"{path} names nobody: a class list has a column such as {', '.join((*NAMES, *LOGINS))}")
    return people


def platform(people: Iterable[Person]) -> str | None:
    """The platform whose class list this is: Canvas, Moodle, or None."""
    columns = {column for person in people for column in person.row}
    if "SIS Login ID" in columns:
        return "Canvas"
    return "Moodle" if columns & {"Identifier", "Email address"} else None


def match(
    students: Iterable[str], people: list[Person], elsewhere: Container[str] = ()
) -> tuple[dict[str, Person], list[Person], list[str]]:
    """({student: person}, people who handed in nothing, what is not clear, in words).

    A student is found by the platform's number, by login or email, or by a name that is unique. elsewhere: students
    whose number is another platform's than the list's, and so may be somebody else's here.
    """
    students = list(students)
    found: dict[str, Person] = {}
    for of_person, of_student in (
        (lambda p: {number(entry) for entry in p.entries(IDS)}, lambda s: set() if s in elsewhere else {number(s)}),
        (_logins, _called),
        (_names, _called),
    ):
        known: dict[str, list[Person]] = {}
        for person in people:
            for key in of_person(person):
                known.setdefault(key, []).append(person)
        asked = Counter(key for student in students for key in of_student(student))
        taken = {id(person) for person in found.values()}
        for student in students:
            keys = {key for key in of_student(student) if key and asked[key] == 1 and len(known.get(key, ())) == 1}
            who = {id(known[key][0]): known[key][0] for key in keys}
            if student not in found and len(who) == 1 and not who.keys() & taken:
                found[student] = next(iter(who.values()))
    unclear = [
        f"{student} is nobody in the class list, or more than one"
        for student in students
        if student not in found and student not in elsewhere
    ]
    there = {id(person) for person in found.values()}
    return found, [person for person in people if id(person) not in there], unclear


def number(text: str) -> str:
    """The platform's number at the end of a student's or an identifier's text, or ""."""
    found = re.search(r"(?:^|[_ ])(\d+)$", text)
    return found[1] if found else ""


def bare(student: str) -> str:
    """A student's name without the platform's number, and without the mark that a changed name has before it."""
    return re.sub(r"(?:-[0-9a-f]{6})?_\d+$|-[0-9a-f]{6}$", "", student)


def _delimiter(text):
    head = text.split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _called(student):
    """The keys of what a student may be called: the name whole, and without what `bare` takes off."""
    return {_key(student), _key(re.sub(r"_\d+$", "", student)), _key(bare(student))}


def _logins(person):
    """Logins and addresses, these also without what follows their @."""
    return {_key(part) for entry in person.entries(LOGINS) for part in (entry, entry.split("@")[0])}


def _names(person):
    """The forms in which a platform writes a name: Ann Lee, "Lee, Ann", leeann; and as a folder has a long one."""
    parts = [part.strip() for part in person.name.split(",")]
    words = " ".join(reversed(parts)).split()
    short = unicodedata.normalize("NFC", person.name)[:LONGEST]
    return {_key(person.name), _key(short), _key("".join(words)), _key("".join(words[-1:] + words[:-1]))}


def _key(text):
    """A text without what platforms change in it: case, accents, spaces, signs."""
    whole = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in whole if c.isalnum())
