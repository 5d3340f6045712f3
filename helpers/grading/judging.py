"""Run an assignment's tests where no student's code runs: here; the answers that they call are in the kernel.

A test's inputs go to the kernel as copies, and what comes back is plain (see helpers.remote). The right answers, the
comparisons and the points never leave this process, so whatever a student's code changes, it changes none of them.
"""

import ast
import base64
import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import cloudpickle
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution

from helpers import marks, remote

PRINTED = 20_000  # characters of what a test prints


def request(function: Callable | remote.Name, inputs: tuple = (), options: Mapping[str, Any] | None = None) -> str:
    """A call, as a text without quotes. function: may refer to Names and Imports, which are looked up there."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump((function, inputs, dict(options or {})))
    return base64.b64encode(buffer.getvalue()).decode()


class _Pickler(cloudpickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, remote.Name):
            return "name", thing.name
        return ("import", *thing.place) if isinstance(thing, remote.Import) else None


class Judge:
    """The tests of an assignment, in the order of its cells.

    source: the teacher's notebook; ask: sends a request to the student's kernel and returns the reply (see
    helpers.remote). What `ask` raises must be no Exception, since a test may catch those.
    """

    def __init__(self, source: NotebookNode, ask: Callable[[str], str]):
        self._ask = ask
        self._names: dict[str, object] = {"__name__": "<tests>"}
        self._answers = dict(_answers(source))

    def prepare(self, source: str) -> None:
        """Run a locked cell that tests may build upon, such as the assignment's imports."""
        self._run(source)

    def test(self, cell: NotebookNode) -> None:
        """Run a test cell, and leave in it what nbgrader takes for its points, and the student reads."""
        cell.outputs, printed = [], io.StringIO()
        with marks.judged_by(self._call), contextlib.redirect_stdout(printed):
            self._look_up()
            try:
                value = self._run(cell.source)
                points = None if value is None or isinstance(value, str) else _points(value, cell)
                problem = None
            except Exception as raised:
                points, problem = None, raised
        if text := printed.getvalue()[:PRINTED]:
            cell.outputs.append(new_output("stream", name="stdout", text=text))
        if problem is not None:
            cell.outputs.append(error(type(problem).__name__, str(problem)[:PRINTED]))
        elif points is not None:
            cell.outputs.append(new_output("execute_result", data={"text/plain": repr(points)}, execution_count=1))

    def _look_up(self):
        """Give the answers' names to the tests: functions and classes to be called there, values as they are now."""
        for name, can_be_called in self._answers.items():
            self._names[name] = remote.Name(name, self._call)
            if not can_be_called:
                try:
                    self._names[name] = self._call(_same, self._names[name])
                except Exception:
                    del self._names[name]  # a test that needs it says so

    def _call(self, function, *inputs, **options):
        return remote.read(self._ask(request(function, inputs, options)))

    def _run(self, source):
        """Run a cell as a kernel does; returns the value of its last line, or None."""
        tree = ast.parse(source)
        body, last = tree.body, None
        if body and isinstance(body[-1], ast.Expr):
            last = ast.Expression(body.pop().value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for node in body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    self._names.update(_imported(node))
                else:
                    exec(compile(ast.Module([node], []), "<test>", "exec"), self._names)
            return None if last is None else eval(compile(last, "<test>", "eval"), self._names)


def _answers(source):
    """(name, whether it is a function or class) of what the coding tasks ask for."""
    for cell in source.cells:
        if cell.cell_type == "code" and is_solution(cell) and not is_grade(cell):
            for node in ast.parse(cell.source).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    yield node.name, True
                elif isinstance(node, ast.Assign):
                    yield from ((target.id, False) for target in node.targets if isinstance(target, ast.Name))


def _imported(node):
    """{name: what it imports}: what is loaded already as it is, the rest when it is used."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            found = remote.Import(str(node.module), alias.name)
            loaded = node.module in sys.modules and (
                hasattr(sys.modules[node.module], alias.name) or f"{node.module}.{alias.name}" in sys.modules
            )
            yield alias.asname or alias.name, found.found() if loaded else found
        else:
            module = alias.name if alias.asname else alias.name.split(".")[0]
            found = remote.Import(module)
            yield alias.asname or module, sys.modules.get(module, found)


def _points(value, cell):
    """Points as a plain float. Raises ValueError for what they cannot be."""
    most = float(cell.metadata.nbgrader.points)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ValueError(f"the test returned {value!r:.80}, which are no points")
    return float(value)


def _same(value):
    return value


def error(name: str, value: str) -> NotebookNode:
    """An output that shows an error."""
    return new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])
