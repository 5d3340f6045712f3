"""Bring the evidence of a published notebook up to date, after a sweep, without training anything.

What a run measured stays in the notebook's outputs. So the strips, the table and the verdicts can be drawn again, with
all runs that are recorded by now.
"""

import ast
import io
import re
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from nbformat import NotebookNode

from .evidence import Claims
from .records import MIME, samples_of

CONTROL = re.compile(r"<li>(\S+) (.*?): (must miss it: .*?)</li>")


def renew(notebook: NotebookNode, path: Path) -> None:
    """Draw the outputs that show recorded runs anew, in place. ValueError for a notebook that holds no samples."""
    claims = _claims(notebook, path.stem)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            if MIME in data:
                sample = claims.measured[data[MIME]["claim"], data[MIME]["case"]]
                output.data, output.metadata = map(NotebookNode, claims.strip(sample))
            elif cell.source == "claims.table()" and "text/markdown" in data:
                data["text/markdown"] = claims.as_markdown()
        if cell.source == "claims.verdicts()":
            with redirect_stdout(io.StringIO()) as said:
                claims.verdicts()
            for output in cell.outputs:
                output.text = said.getvalue()


def _claims(notebook, name):
    """The claims of a published notebook, with what its run measured."""
    samples = samples_of(notebook)
    if not samples:
        raise ValueError("it holds nothing that was measured: publish it first")
    first = samples[0]
    images = SimpleNamespace(name=first.data, x_train=range(first.n_train), x_test=range(first.n_test))
    claims = Claims(_sentences(notebook), name, images, first.seed, first.budget)
    claims.measured = {(sample.claim, sample.case): replace(sample, code="") for sample in samples}
    claims.controls = {(number, case): words for number, case, words in CONTROL.findall(_table(notebook))}
    return claims


def _sentences(notebook):
    """The dictionary that a cell hands to Claims."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "Claims({" in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Claims":
                    return ast.literal_eval(node.args[0])
    raise ValueError("no cell makes its Claims")


def _table(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source == "claims.table()"]
    return "".join("".join(o.get("data", {}).get("text/markdown", "")) for cell in cells for o in cell.outputs)
