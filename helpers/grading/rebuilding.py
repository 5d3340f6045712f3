"""Put a submission back into the form of the assignment: the teacher's cells, and in them the student's answers.

What nbgrader trips over, a copied cell, a deleted one, a changed test, another kernel, is gone before it is run.
"""

import ast
import copy
import re

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbgrader.utils import compute_checksum, is_grade, is_solution

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.DOTALL)
# Names that no answer needs, of code that looks at what runs it, or reaches out of its kernel.
SUSPECT = {
    "_getframe",
    "f_back",
    "f_locals",
    "currentframe",
    "ast_transformers",
    "input_transformers_post",
    "input_transformers_cleanup",
    "settrace",
    "setprofile",
    "meta_path",
    "get_objects",
    "get_referrers",
    "__globals__",
    "_exit",
    "fork",
    "kill",
    "popen",
    "Popen",
    "subprocess",
    "socket",
    "ctypes",
    "sqlite3",
    "exec",
    "eval",
    "__import__",
    "importlib",
    "rmtree",
    "chmod",
    "showtraceback",
    "displayhook",
}

MODULES = {"np", "numpy", "keras", "ops", "tf", "marks", "remote", "helpers"}  # whose parts no answer changes
OPEN = {"data", "files", "marks", "plots", "remote", "training"}  # of helpers: the rest holds what is asked for
TEXT = ("%%html", "%%javascript", "%%js", "%%latex", "%%markdown", "%%svg")  # magics whose cell is no code


class NoNotebook(ValueError):
    """A submission that holds no notebook of this assignment; the message says why."""


def read(text, name):
    """A notebook from its text; raises NoNotebook if it is none."""
    try:
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:  # half a character can be neither run nor written
            cell.source = cell.source.encode("utf-8", "replace").decode()
            cell.cell_type, cell.metadata  # noqa: B018
    except Exception as error:  # nbformat's readers fail in a dozen ways on what is no notebook
        raise NoNotebook(f"{name} is no notebook that can be read: {type(error).__name__}") from None
    if not notebook.cells:
        raise NoNotebook(f"{name} has no cells")
    return notebook


def tasks(source):
    """{grade_id: points} of an assignment, in order."""
    return {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in source.cells if is_grade(cell)
    }


def check_points(source):
    """Raise ValueError where a test scores other points than its cell has: full answers would get less, or none.

    A teacher changes the ones in the Create Assignment panel, which stand in the cell's metadata, and forgets the
    others, `marks.score(POINTS, ...)` as the cell's last line.
    """
    for cell in source.cells:
        if cell.cell_type != "code" or not is_grade(cell) or is_solution(cell):
            continue
        tree, most = _tree(cell.source), float(cell.metadata.nbgrader.points)
        last = tree.body[-1] if tree and tree.body else None
        call = last.value if isinstance(last, ast.Expr) else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func) not in ("marks.score", "score"):
            continue
        given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "points")][:1]
        if isinstance(given[0] if given else None, ast.Constant) and given[0].value != most:
            raise ValueError(
                f"the test {_id(cell)} has {most:g} points in the Create Assignment panel, but says "
                f"marks.score({given[0].value}, …): make both the same in the source, and run this again"
            )


def rebuild(submitted, source, released):
    """The notebook to run: every cell of the assignment once, in order, with the student's answers in it.

    source, released: the assignment as the teacher has it, and as nbgrader handed it out. A cell that the student
    added stays where it is, but never before the first cell of code, which protects the tests. A copy of a cell with
    an answer becomes such a cell; copies of other cells go. Returns (notebook, what was changed, in words).
    """
    known = [_id(cell) for cell in released.cells]
    first, added, flags = {}, {}, []
    place = earliest = next((i for i, cell in enumerate(released.cells) if cell.cell_type == "code"), 0)
    for cell in submitted.cells:
        name = _id(cell)
        if name in known and name not in first:
            first[name] = cell
            place = max(known.index(name), earliest)
        elif name in known and not is_solution(released.cells[known.index(name)]):
            flags.append(f"copied the cell {name}, removed")
        elif cell.source.strip():
            if name in known:
                flags.append(f"copied the cell {name}, both run")
            added.setdefault(place, []).append(_plain(cell))
    if not first:
        raise NoNotebook("the notebook has none of the assignment's cells: another one, or copied into a new one")
    cells = []
    for i, (given, original) in enumerate(zip(released.cells, source.cells)):
        cell, mine, name = copy.deepcopy(given), first.get(known[i]), known[i]
        if mine is None:
            flags += [f"the cell {name} is missing"] * is_solution(given)  # a test may be newer than the submission
            if is_solution(given) and not is_grade(given):
                cell.source = "# This cell was deleted."  # the stub would hide an answer in a cell of its own
        elif is_solution(given):
            cell.source = mine.source
            if mine.cell_type != cell.cell_type:
                flags.append(f"the cell {name} was handed in as {mine.cell_type}, taken as {cell.cell_type}")
        elif given.cell_type == "code" and not _as_given(mine, given):
            flags.append(f"changed the cell {name}, restored")
        if not is_solution(given):
            cell.source = original.source
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells += [cell, *added.get(i, [])]
    flags += _answered_nearby(cells, released, first)
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=copy.deepcopy(released.metadata))
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
    return notebook, flags


def _answered_nearby(cells, released, handed_in):
    """Add to each written answer that was left as it was what the student wrote around it, in place.

    An answer stands in a cell of its own below, or in the question's cell, as often as in the right one. nbgrader gives
    an untouched cell no marks; one with text in it is marked by hand. Near is: after the tests or the answer before,
    and before the tests or the answer after. Returns what was found, in words.
    """
    flags, given = [], {_id(cell): cell for cell in released.cells}
    marked = [i for i, cell in enumerate(cells) if _id(cell) and is_grade(cell)]
    for i in (i for i in marked if is_solution(cells[i])):
        name = _id(cells[i])
        if _lines(cells[i]) not in (_lines(given[name]), []):
            continue
        before = max((other for other in marked if other < i), default=-1)
        after = min((other for other in marked if other > i), default=len(cells))
        found = []
        for cell in cells[before + 1 : after]:
            if _id(cell) is None:
                found += [cell.source] if _is_prose(cell) else []
            elif not is_solution(cell) and cell.cell_type == "markdown" and _id(cell) in handed_in:
                there = set(map(str.strip, given[_id(cell)].source.splitlines()))
                found.append(
                    "\n".join(line for line in handed_in[_id(cell)].source.splitlines() if line.strip() not in there)
                )
        if text := "\n\n".join(filter(str.strip, found)):
            cells[i].source = f"{given[name].source}\n\n*Written outside of this cell:*\n\n{text}"
            flags.append(f"{name} was left empty, and what stands around it was put in")
    return flags


def _is_prose(cell):
    """Whether a cell of the student's own is text, or code that holds nothing but text."""
    if cell.cell_type != "code":
        return True
    try:
        return all(
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in ast.parse(cell.source).body
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def suspects(notebook):
    """What in a notebook that has run a teacher should look at: a list of sentences that name it and its cell.

    That is: answers taken from helpers, names that no answer needs, and code that ran but cannot be searched. A hint,
    no proof: it changes no mark.
    """
    flags = []
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not (is_solution(cell) or _id(cell) is None):
            continue
        where, tree = _id(cell) or f"the student's cell {i + 1}", _tree(cell.source)
        if tree is None:
            stopped = any(out.get("ename") in ("SyntaxError", "IndentationError", "TabError") for out in cell.outputs)
            if not stopped and not cell.source.lstrip().startswith(TEXT):
                flags.append(f"{where} is no Python that can be searched, but it ran")
            continue
        names, taken = set(), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
                of = ast.unparse(node.value) if isinstance(node.value, (ast.Name, ast.Attribute)) else ""
                if isinstance(node.ctx, ast.Store) and of.split(".")[0] in MODULES:
                    flags.append(f"{where} changes {of}.{node.attr}")
                if of == "helpers":
                    taken.add(node.attr)
            elif isinstance(node, ast.Import):
                names |= {part for alias in node.names for part in alias.name.split(".")}
                taken |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("helpers.")}
            elif isinstance(node, ast.ImportFrom):
                module = (node.module or "").split(".")
                names |= {*module, *(alias.name for alias in node.names)}
                if module[0] == "helpers":
                    taken |= set(module[1:2] or [alias.name for alias in node.names])
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "gradebook" in node.value:
                names.add("gradebook")
        flags += [
            f"{where} takes answers from helpers.{module}"
            for module in sorted(name for name in taken - OPEN if not name.startswith("__"))
        ]
        if found := sorted(names & (SUSPECT | {"gradebook"})):
            flags.append(f"{where} uses {', '.join(found)}")
    return flags


def _tree(source):
    """The syntax of a cell without its magics, or None."""
    try:
        code = re.sub(r"\A\s*%%.*\n?", "", source)
        return ast.parse(TransformerManager().transform_cell(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _id(cell):
    """The grade_id of a cell, or None: a cell of the student's own."""
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _as_given(mine, given):
    """Whether a cell is as it was handed out, now or earlier: nbgrader leaves a checksum of source and points in it."""
    if (_lines(mine), _points(mine)) == (_lines(given), _points(given)):
        return True
    try:
        return mine.metadata.nbgrader.checksum == compute_checksum(
            nbformat.from_dict({**mine, "source": mine.source.replace("\r", "")})
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _lines(cell):
    """A source without what editors and platforms change: the ends of lines."""
    return [line.rstrip() for line in cell.source.strip().splitlines()]


def _points(cell):
    try:
        return float(cell.metadata.nbgrader.points)
    except (AttributeError, TypeError, ValueError):
        return None


def _plain(cell):
    """A cell of the student's own: its text, without metadata and outputs."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return make.get(cell.cell_type, nbformat.v4.new_raw_cell)(cell.source)
