"""Put a submission back into the form of the assignment: the teacher's cells, and in them the student's answers.

What nbgrader trips over, a copied cell, a deleted one, a changed test, another kernel, is gone before it is run.
"""

import ast
import copy
import re

import nbformat
from nbgrader.utils import is_grade, is_solution

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", re.DOTALL)
# Names that no answer needs, and most tampering does.
SUSPECT = {
    "_getframe",
    "f_back",
    "f_locals",
    "f_globals",
    "currentframe",
    "get_ipython",
    "ast_transformers",
    "input_transformers_post",
    "input_transformers_cleanup",
    "settrace",
    "setprofile",
    "meta_path",
    "get_objects",
    "get_referrers",
    "__globals__",
    "__builtins__",
    "builtins",
    "_exit",
    "exit",
    "quit",
    "fork",
    "kill",
    "system",
    "popen",
    "Popen",
    "subprocess",
    "multiprocessing",
    "socket",
    "urllib",
    "requests",
    "ctypes",
    "sqlite3",
    "setattr",
    "exec",
    "eval",
    "__import__",
    "importlib",
    "modules",
    "spoil",
    "tampered",
    "rmtree",
    "expanduser",
    "chmod",
    "showtraceback",
    "displayhook",
    "publish",
}

MODULES = {"np", "numpy", "keras", "ops", "tf", "marks", "helpers"}  # whose parts no answer changes


class NoNotebook(ValueError):
    """A submission that holds no notebook of this assignment; the message says why."""


def read(text, name):
    """A notebook from its text; raises NoNotebook if it is none."""
    try:
        notebook = nbformat.reads(text, as_version=4)
        cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    except Exception as error:  # nbformat's readers fail in a dozen ways on what is no notebook
        raise NoNotebook(f"{name} is no notebook that can be read: {type(error).__name__}") from None
    if not cells:
        raise NoNotebook(f"{name} has no cells")
    return notebook


def tasks(source):
    """{grade_id: points} of an assignment, in order."""
    return {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in source.cells if is_grade(cell)
    }


def answers(source):
    """The names that the assignment's coding tasks ask for: functions, classes and values."""
    return [
        name
        for cell in source.cells
        if cell.cell_type == "code" and is_solution(cell) and not is_grade(cell)
        for node in ast.parse(cell.source).body
        for name in _defined(node)
    ]


def hidden_lines(source, released):
    """The lines that only an assignment's hidden tests have, if long enough to be recognised."""
    found = "\n".join(text for cell in source.cells for text in HIDDEN.findall(cell.source))
    known = "\n".join(cell.source for cell in released.cells)
    return {line.strip() for line in found.splitlines() if len(line.strip()) >= 16 and line.strip() not in known}


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
            flags += [f"deleted the cell {name}"] if is_grade(given) or is_solution(given) else []
            if is_solution(given) and not is_grade(given):
                cell.source = "# This cell was deleted."  # the stub would hide an answer in a cell of its own
        elif is_solution(given):
            cell.source = mine.source
            if mine.cell_type != cell.cell_type:
                flags.append(f"the cell {name} was handed in as {mine.cell_type}, taken as {cell.cell_type}")
        elif mine.source.strip() != given.source.strip() and given.cell_type == "code":
            flags.append(f"changed the cell {name}, restored")
        if mine is not None and is_grade(given) and _points(mine) != float(given.metadata.nbgrader.points):
            flags.append(f"changed the points of {name}, restored")
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
        if cells[i].source.strip() not in (given[name].source.strip(), ""):
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
            flags.append(f"{name} was left as it was, but there is text around it")
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
    """What in the student's code is found in tampering, and not in answers: sentences that name it and its cell.

    A hint for the teacher to look, no proof: it changes no mark.
    """
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not (is_solution(cell) or _id(cell) is None):
            continue
        where = _id(cell) or f"the student's cell {i + 1}"
        code = re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE)
        if code != cell.source:
            yield f"{where} uses a magic or shell command"
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            continue
        names = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
                if (
                    isinstance(node.ctx, ast.Store)
                    and isinstance(node.value, (ast.Name, ast.Attribute))
                    and ast.unparse(node.value).split(".")[0] in MODULES
                ):
                    yield f"{where} changes {ast.unparse(node)}"
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {part for alias in node.names for part in alias.name.split(".")}
                names |= set((getattr(node, "module", None) or "").split("."))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "gradebook" in node.value:
                names.add("_gradebook")
        if found := sorted(names & (SUSPECT | {"_gradebook"})):
            yield f"{where} uses {', '.join(name.lstrip('_') if name == '_gradebook' else name for name in found)}"


def _id(cell):
    """The grade_id of a cell, or None: a cell of the student's own."""
    metadata = cell.metadata.get("nbgrader")
    return metadata.get("grade_id") if isinstance(metadata, dict) else None


def _points(cell):
    try:
        return float(cell.metadata.nbgrader.points)
    except (AttributeError, TypeError, ValueError):
        return None


def _plain(cell):
    """A cell of the student's own: its text, without metadata and outputs."""
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return make.get(cell.cell_type, nbformat.v4.new_raw_cell)(cell.source)


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
