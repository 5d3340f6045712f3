"""How nbgrader is set up for a course: the same for our command, for `nbgrader` itself, and for its formgrader.

nbgrader's own steps are replaced where they lose marks or show what is hidden. A course's nbgrader_config.py calls
`configure(get_config(), root)`.
"""

from pathlib import Path

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    GetGrades,
    NbGraderPreprocessor,
    SaveAutoGrades,
)

from . import execution, rebuilding, sandbox


def configure(config, root, course="answers", exchange=None):
    """Fill in a traitlets Config, in place, and return it. root: the course's folder, which holds source/."""
    root = Path(root).resolve()
    config.CourseDirectory.course_id = course
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".pytest_cache", ".*"]
    config.ClearSolutions.code_stub = {"python": "raise NotImplementedError()     # your code here"}
    config.ClearSolutions.text_stub = "*Your answer here.*"
    config.Autograde.sanitize_preprocessors = [Rebuild, CheckCellMetadata]
    config.Autograde.autograde_preprocessors = [Run, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
    config.GenerateFeedback.preprocessors = [GetGrades, ClearHiddenTests, ForStudents, CSSHTMLHeaderPreprocessor]
    config.AssignLatePenalties.plugin_class = "helpers.grading.lateness.PerDay"
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.filters = {
        "markdown2html": "helpers.grading.showing.markdown",
        "clean_html": "helpers.grading.showing.html",
    }
    if exchange:
        config.Exchange.root = str(exchange)
    return config


class Rebuild(NbGraderPreprocessor):
    """Put the assignment's own cells back (see rebuilding.py), where nbgrader overwrites cell by cell."""

    def preprocess(self, notebook, resources):
        source, released = _notebook(resources, "source"), _notebook(resources, "release")
        return rebuilding.rebuild(notebook, source, released)[0], resources


class Run(NbGraderPreprocessor):
    """Run in a confined kernel where that is possible (see execution.py), with the grading command's usual limits."""

    def preprocess(self, notebook, resources):
        confined = not sandbox.unconfined_because()
        if not confined:
            self.log.warning("NOT CONFINED: %s", sandbox.unconfined_because())
        for what in execution.run(notebook, _notebook(resources, "source"), {}, sandbox.Limits(), confined):
            self.log.warning(what)
        return notebook, resources


def _notebook(resources, which):
    """The assignment's notebook in the course's folder "source" or "release"."""
    whose = resources["nbgrader"]
    root = Path(whose["db_url"].removeprefix("sqlite:///")).parent
    return nbformat.read(root / which / whose["assignment"] / f"{whose['notebook']}.ipynb", as_version=4)


class ForStudents(NbGraderPreprocessor):
    """Leave of an error its name and message, and of a test no code: a traceback shows lines of hidden tests.

    Above all stands what waits for a mark by hand, since nbgrader's page shows 0 for it.
    """

    def preprocess(self, notebook, resources):
        whose = resources["nbgrader"]
        with Gradebook(whose["db_url"]) as book:
            found = book.find_submission_notebook(whose["notebook"], whose["assignment"], whose["student"])
            waiting = [grade.name for grade in found.grades if grade.needs_manual_grade]
        if waiting:
            said = f"**Not everything has been marked yet.** Missing, and shown as 0: {', '.join(waiting)}."
            notebook.cells.insert(0, nbformat.v4.new_markdown_cell(said))
        return super().preprocess(notebook, resources)

    def preprocess_cell(self, cell, resources, index):
        for out in cell.get("outputs", ()):
            if out.output_type == "error":
                out.traceback = [f"{out.ename}: {out.evalue}"]
        return cell, resources


def gradebook(root):
    """The gradebook of the course in a folder; a context manager."""
    return Gradebook(f"sqlite:///{Path(root).resolve() / 'gradebook.db'}", "answers")
