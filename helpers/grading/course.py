"""A course on disk, as nbgrader lays it out: what is handed out, the gradebook, the run notebooks, the feedback."""

import hashlib
import html
import logging
import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, PyFileConfigLoader

from . import configuration, lateness, rebuilding
from .student import FILES

warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader 0.9 on SQLAlchemy 2.1: many, and harmless

GRADE = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
COMMENT = ("auto_comment", "manual_comment")
FAILED = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{name}</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 2em auto"><h1>{name}</h1>
<p><strong>Your submission has not been graded.</strong> It has no marks yet, which does not mean zero marks.</p>
<p>The reason: {reason}.</p><p>Please talk to your teacher, and hand it in again.</p></body></html>"""


class Course:
    """A course: root holds source/NAME/NAME.ipynb; all else is made. Methods raise ValueError with what to do."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        own = self.root / "nbgrader_config.py"
        self.config = (
            PyFileConfigLoader(own.name, str(self.root)).load_config()
            if own.is_file()
            else configuration.configure(Config(), self.root)
        )
        binaries = str(Path(sys.executable).parent)  # nbgrader calls `alembic` when it makes a gradebook
        if binaries not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([binaries, os.environ["PATH"]])

    def source(self, name):
        """The path of an assignment's source."""
        path = self.root / "source" / name / f"{name}.ipynb"
        if not path.is_file():
            there = ", ".join(sorted(p.parent.name for p in self.root.glob("source/*/*.ipynb"))) or "none"
            raise ValueError(f"there is no assignment {name!r} in {self.root / 'source'}; there are: {there}")
        return path

    def release(self, name):
        """Make what is handed out, release/NAME, and the gradebook's entry, unless both are newer than the source.

        Returns {"name", "source", "released"}, the texts of the teacher's and of the student's notebook.
        """
        source, released = self.source(name), self.root / "release" / name / f"{name}.ipynb"
        rebuilding.check_points(nbformat.read(source, as_version=4))
        old = not released.exists() or released.stat().st_mtime < source.stat().st_mtime
        if old or not self._has(name):
            with self._without_submissions(name):
                made = NbGraderAPI(config=self.config).generate_assignment(name, force=True, create=True)
                if not made["success"]:
                    reason = (made.get("log") or made.get("error") or "")[-1500:]
                    raise ValueError(f"{name} cannot be handed out: {reason}")
        return {"name": name, "source": source.read_text("utf-8"), "released": released.read_text("utf-8")}

    @contextmanager
    def _without_submissions(self, name):
        """For a while, no submission of an assignment is in the gradebook; then all are again, with all their marks.

        nbgrader adds and removes no cells of an assignment that has submissions. After an error all is as it was.
        """
        database = self.root / "gradebook.db"
        before = database.read_bytes() if database.exists() else None
        kept = {}
        try:
            if self._has(name):
                with configuration.gradebook(self.root) as book:
                    for found in list(book.assignment_submissions(name)):
                        kept[found.student.id] = _state_of(book, name, found)
                        book.remove_submission(name, found.student.id)
            yield
            with configuration.gradebook(self.root) as book:
                for student, (submission, *cells) in kept.items():
                    book.add_submission(name, student, **submission)
                    notebook = book.find_submission_notebook(name, name, student)
                    for known, there in zip(cells, (notebook.grades, notebook.comments)):
                        for cell in there:
                            for field, value in known.get(cell.name, {}).items():
                                setattr(cell, field, value)
                book.db.commit()
        except BaseException:
            if before is not None:
                database.write_bytes(before)
            raise

    def due(self, name, when):
        """Say when an assignment is due; see lateness.utc."""
        with configuration.gradebook(self.root) as book:
            book.update_or_create_assignment(name, duedate=lateness.utc(when))

    def enter(self, name, result, time=None):
        """Enter a result into the gradebook, and keep the notebook that was run, where nbgrader's formgrader looks.

        time: when it was handed in, or None: not known. It may take longer than can be waited for (see `enter`).
        Manual marks and comments stay, and are flagged there for another look. One that failed has no automatic marks
        at all, and asks to be graded by hand.
        """
        student = result["student"]
        notebook = (
            nbformat.reads(result["notebook"], as_version=4)
            if result["notebook"]
            else nbformat.read(self.root / "release" / name / f"{name}.ipynb", as_version=4)
        )
        with configuration.gradebook(self.root) as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student, timestamp=time and lateness.utc(time))
        if result["status"] == "failed":
            note = f"**Not graded: {result['reason']}.** Automatic marks are missing, which does not mean zero."
            notebook.cells.insert(0, nbformat.v4.new_markdown_cell(note))
            with configuration.gradebook(self.root) as book:
                for grade in book.find_submission_notebook(name, name, student).grades:
                    grade.auto_score, grade.needs_manual_grade = None, True
                book.db.commit()
        else:
            self._step(SaveAutoGrades, name, student, notebook)
        place = self.root / "autograded" / student / name / f"{name}.ipynb"
        shutil.rmtree(place.parent, ignore_errors=True)
        place.parent.mkdir(parents=True)
        self._copy_files(name, student, place.parent)
        nbformat.write(notebook, place)

    def _step(self, step, name, student, notebook):
        """One of nbgrader's steps on a student's notebook."""
        whose = {"notebook": name, "assignment": name, "student": student, "db_url": self.config.CourseDirectory.db_url}
        quiet = logging.getLogger("nbgrader.steps")
        quiet.setLevel(logging.CRITICAL)
        step(parent=None, config=self.config, log=quiet).preprocess(notebook, {"nbgrader": whose})

    def penalty(self, name, student):
        """(how late a submission is, in words; what the course's rule takes off its present marks)."""
        try:
            self._step(AssignLatePenalties, name, student, nbformat.v4.new_notebook())
        except MissingEntry:
            return "", 0.0
        with configuration.gradebook(self.root) as book:
            found = book.find_submission(name, student)
            return lateness.words(found.total_seconds_late), float(found.late_submission_penalty or 0)

    def submitted(self, name, student, files):
        """Keep what was handed in where nbgrader looks for it, unless it came from there."""
        folder = self.root / "submitted" / student / name
        only = sum(file.endswith(".ipynb") for file in files) == 1
        for file, data in files.items() if isinstance(files, dict) else ():
            place = folder / (f"{name}.ipynb" if only and file.endswith(".ipynb") else Path(file).name)
            if not place.exists() or place.read_bytes() != data:
                folder.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)

    def _copy_files(self, name, student, folder):
        """Copy what was handed in beside the notebook: pictures for the formgrader, and what the exchange needs to
        bring the feedback to its student, timestamp.txt and submission_secret.txt."""
        for file in (self.root / "submitted" / student / name).glob("*"):
            if file.suffix in FILES:
                shutil.copy(file, folder / file.name)

    def marks(self, name, student):
        """({grade_id: marks, or None where they are missing}, whether any is to be looked at by hand)."""
        with configuration.gradebook(self.root) as book:
            try:
                grades = book.find_submission_notebook(name, name, student).grades
            except MissingEntry:
                return {}, False
            found = {
                grade.name: grade.manual_score if grade.manual_score is not None else grade.auto_score
                for grade in grades
            }
            extra = sum(grade.extra_credit or 0 for grade in grades)
            return {**found, **({"extra": extra} if extra else {})}, any(g.needs_manual_grade for g in grades)

    def has_feedback(self, name, result):
        """Whether a student's page is written and up to date."""
        written = self.root / "feedback" / result["student"] / name / ".state"
        return written.is_file() and written.read_text() == self._state(name, result)

    def _state(self, name, result):
        """A text that changes whenever a student's feedback should: the result, the marks, and the comments."""
        state = [result]
        if result["status"] != "failed":
            with configuration.gradebook(self.root) as book:
                found = book.find_submission_notebook(name, name, result["student"])
                state += [
                    (g.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade) for g in found.grades
                ]
                state += [(c.name, c.auto_comment, c.manual_comment) for c in found.comments]
        return hashlib.sha256(repr(state).encode()).hexdigest()

    def feedback(self, name, result):
        """Write a student's feedback page; returns None, or in words what went wrong."""
        student, state = result["student"], self._state(name, result)
        folder = self.root / "feedback" / student / name
        shutil.rmtree(folder, ignore_errors=True)
        if result["status"] == "failed":
            folder.mkdir(parents=True)
            self._copy_files(name, student, folder)
            page = FAILED.format(name=html.escape(name), reason=html.escape(result["reason"]))
            (folder / f"{name}.html").write_text(page, "utf-8")
            (folder / ".state").write_text(state)
            return None
        course = CourseDirectory(config=self.config)
        made = NbGraderAPI(coursedir=course, config=self.config).generate_feedback(name, student, force=True)
        if made["success"]:
            (folder / ".state").write_text(state)
        return None if made["success"] else (made.get("error") or made.get("log") or "")[-500:]

    def _has(self, name):
        with configuration.gradebook(self.root) as book:
            try:
                book.find_assignment(name)
            except MissingEntry:
                return False
        return True


def _state_of(book, name, submission):
    """What a gradebook holds of a submission but its cells: its own fields, and those of grades and comments."""
    notebook = book.find_submission_notebook(name, name, submission.student.id)
    return (
        {"timestamp": submission.timestamp, "extension": submission.extension},
        {cell.name: {field: getattr(cell, field) for field in GRADE} for cell in notebook.grades},
        {cell.name: {field: getattr(cell, field) for field in COMMENT} for cell in notebook.comments},
    )


def enter(root, name, result, time=None):
    """As Course.enter, for a process of its own."""
    Course(root).enter(name, result, time)


def feedback(root, name, result):
    """As Course.feedback, for a process of its own: nbgrader changes the working directory."""
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    return Course(root).feedback(name, result)
