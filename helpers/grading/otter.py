"""Export an assignment to otter-grader, for Gradescope: python -m helpers.grading.otter 06_vae DIR

The nbgrader source becomes otter's master notebook; `otter assign` makes of it the student's notebook and the zip that
Gradescope takes. A test cell becomes a question's test case with the same points; one that ends in `marks.score`
becomes a case for each of its parts.
"""

import argparse
import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.utils import is_grade, is_solution

from .rebuilding import HIDDEN
from .run import COURSE
from .sandbox import HELPERS

NEEDED = {"numpy", "scipy", "tensorflow-cpu", "tensorflow", "keras", "threadpoolctl"}
HEAD = """# ASSIGNMENT CONFIG
name: {name}
init_cell: true
export_cell: true
requirements: requirements.txt
files: [helpers]
generate:
  pdf: false
  show_hidden: false
  pdf_on_submit: false"""


def master(source: NotebookNode, name: str) -> NotebookNode:
    """Otter's master notebook from an nbgrader source."""
    cells = [new_raw_cell(HEAD.format(name=name))]
    cases: dict[str, list[NotebookNode]] = {}
    for cell in source.cells:
        if is_grade(cell) and not is_solution(cell):
            task = cell.metadata.nbgrader.grade_id.rsplit("-", 1)[0]
            cases.setdefault(task, []).append(cell)
    for cell in source.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if is_solution(cell) and is_grade(cell):
            cells += _written(cell)
        elif is_solution(cell):
            cells += _task(cell, cases[grade_id])
        elif not is_grade(cell) and cell.source not in ("Test it:", "Further tests:"):
            cells.append(new_markdown_cell(cell.source) if cell.cell_type == "markdown" else new_code_cell(cell.source))
    for i, cell in enumerate(cells):
        cell.id = f"otter-{i}"
    return new_notebook(cells=cells, metadata=source.metadata)


def _task(cell, tests):
    """A coding task with its tests, as otter's question."""
    points = [_points(test) for test in tests]
    before, made = "", []
    for test, most in zip(tests, points):
        made += _cases(test, most, before)
        before += _setup(test.source)
    code = cell.source.replace("### BEGIN SOLUTION", "# BEGIN SOLUTION NO PROMPT").replace(
        "### END SOLUTION", "# END SOLUTION"
    )
    indent = re.search(r"^([ \t]*)# END SOLUTION", code, re.MULTILINE)[1]
    prompt = f'{indent}""" # BEGIN PROMPT\n{indent}raise NotImplementedError()\n{indent}"""; # END PROMPT'
    code = code.replace(f"{indent}# END SOLUTION", f"{indent}# END SOLUTION\n{prompt}")
    question = f"# BEGIN QUESTION\nname: {_name(cell)}\npoints: {sum(points):g}"
    return [
        new_raw_cell(question),
        new_markdown_cell("*Your answer:*"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell(code),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        *made,
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]


def _cases(test, most, before):
    """Otter's test cases for a test cell: one, or one for each part of `marks.score`."""
    hidden = bool(HIDDEN.search(test.source))
    code = re.sub(r"### (BEGIN|END) HIDDEN TESTS\n?", "", test.source).strip()
    code = _undecorated(re.sub(r'^""".*?"""\n', "", code, flags=re.DOTALL))
    last = ast.parse(code).body[-1]
    scored = isinstance(last, ast.Expr) and ast.unparse(last).startswith("marks.score(")
    parts = [ast.unparse(part) for part in last.value.args[1:]] if scored else [None]
    body = code[: code.rindex("marks.score(")].rstrip() if scored else code
    for part in parts:
        head = (
            f'""" # BEGIN TEST CONFIG\npoints: {most / len(parts):g}\nhidden: {str(hidden).lower()}\n'
            '""" # END TEST CONFIG\n'
        )
        yield new_code_cell(head + (before if hidden else "") + body + (f"\n\n{part}()" if part else ""))


def _undecorated(source):
    """A test's source with its probes as otter's doctests can read them: `f = marks.probe(f)` for the decorator."""
    return re.sub(
        r"^@marks\.probe\n(def (\w+)\(.*?)(?=^\S|\Z)",
        lambda found: f"{found[1].rstrip()}\n{found[2]} = marks.probe({found[2]})\n\n",
        source,
        flags=re.MULTILINE | re.DOTALL,
    )


def _setup(source):
    """The lines of a visible test that a hidden one may build on: all but those that compare."""
    kept = [
        node
        for node in ast.parse(_undecorated(source)).body
        if isinstance(node, (ast.Assign, ast.FunctionDef, ast.Import, ast.ImportFrom))
    ]
    return "".join(ast.unparse(node) + "\n" for node in kept)


def _written(cell):
    """A written question, marked by hand."""
    text = re.sub(r"### (BEGIN|END) SOLUTION\n?", "", cell.source).strip()
    return [
        new_raw_cell(f"# BEGIN QUESTION\nname: {_name(cell)}\nmanual: true\npoints: {_points(cell):g}"),
        new_markdown_cell(" "),
        new_raw_cell("# BEGIN SOLUTION"),
        new_markdown_cell(text),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# END QUESTION"),
    ]


def _name(cell):
    return cell.metadata.nbgrader.grade_id.replace("-", "_")


def _points(cell):
    return float(cell.metadata.nbgrader.points)


def export(source: str | Path, folder: str | Path) -> tuple[Path, Path]:
    """Write the master notebook of the assignment at `source`, and run `otter assign` on it.

    Returns the paths of the student's notebook and of the autograder's zip. Raises ValueError with otter's message.
    """
    source, folder = Path(source), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # What the notebook imports goes with it: Gradescope's machine has nothing of ours.
    (folder / "helpers").mkdir(exist_ok=True)
    for name in ("__init__", "marks", "remote", "training"):
        shutil.copy(HELPERS / f"{name}.py", folder / "helpers")
    lines = (HELPERS.parent / "requirements.txt").read_text("utf-8").splitlines()
    needed = [line.partition("#")[0].strip() for line in lines if line.partition(">")[0] in NEEDED]
    (folder / "requirements.txt").write_text("\n".join(needed) + "\n")
    place = folder / source.name
    nbformat.write(master(nbformat.read(source, as_version=4), source.stem), place)
    run = subprocess.run(
        [sys.executable, "-m", "otter", "assign", "--no-run-tests", place.name, "dist"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    zips = sorted((folder / "dist" / "autograder").glob("*.zip"))
    if run.returncode or not zips:
        raise ValueError(f"otter assign failed: {(run.stderr or run.stdout)[-1500:]}")
    return folder / "dist" / "student" / source.name, zips[0]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.grading.otter", description=__doc__.split("\n")[0])
    parser.add_argument("assignment")
    parser.add_argument("folder", type=Path, help="where the student's notebook and the zip are put")
    parser.add_argument("--course", type=Path, default=COURSE)
    options = parser.parse_args(arguments)
    try:
        made = export(options.course / "source" / options.assignment / f"{options.assignment}.ipynb", options.folder)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print("for students: {}\nfor Gradescope: {}".format(*made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
