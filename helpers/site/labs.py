"""The labs of a page: an output that was a lab becomes a place where the page brings it to life, or keeps its twin."""

import ast
import base64
import html
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from nbformat import NotebookNode

from ..labs import states
from ..labs.panel import FOLDER
from ..labs.predictions import ANSWERS, TABLE, TITLE
from . import arena
from .pages import to_top

BROWSER = Path(__file__).with_name("browser")
LAB = re.compile(r"\b(?:labs\.(?:Lab|RetrainLab|LatentPlane|DiracGAN)|arena\.Arena)\(")
SCRIPTS = ("load.js", "boot.js", "print.js", "navigation.js")  # which are no modules
STILL = "Here this lab stands still: it computes in Python. To move it, "
ARENA = (
    '<p class="lab-note">It trains here, in your browser, by random numbers of its own: what a recipe says may fail in '
    "a run; try other seeds. Cures that ask for other networks "
    f"({', '.join(arena.LACKING)}) are in the notebook's own arena.</p>"
)
FEWER = "Here this lab has {} settings, drawn beforehand{}. For all of them, "


def modules() -> str:
    """The script that a page with labs loads: the modules of all labs, as texts, and what starts them."""
    files = [*FOLDER.glob("*.js"), *BROWSER.glob("*.js")]
    texts = {file.name: file.read_text("utf-8") for file in files if file.name not in SCRIPTS}
    boot = BROWSER.joinpath("boot.js").read_text("utf-8")
    return f"(() => {{\nconst texts = {json.dumps(texts, ensure_ascii=False)};\n{boot}}})();\n"


def styles() -> str:
    """The labs' own styles."""
    return "".join(file.read_text("utf-8") for file in sorted(FOLDER.glob("*.css"), reverse=True))


class Labs:
    """What `pages.notebook_page` asks about the outputs of a notebook.

    path: the notebook's. name: its place in the collection, such as notebooks/06_vae.ipynb. folder: of the site, for
    the scripts with the labs' states. `live` counts the places where a lab comes to life, `still` names the others.
    """

    def __init__(self, notebook: NotebookNode, path: Path, name: str, folder: Path):
        self.name, self.folder = PurePosixPath(name), folder
        self.states = {kept["cell"]: (file, kept) for file, kept in states.read(notebook, path)}
        self.live, self.still = 0, list[str]()

    def __call__(self, cell: NotebookNode, output: NotebookNode, twin: str) -> str | None:
        """What a page shows of an output, as HTML, or None if it is no lab. twin: its picture, as HTML."""
        table = output.data.get("text/markdown", "")
        if table.startswith(TABLE):
            return self._predictions(table.removeprefix(TABLE))
        if not twin or not LAB.search(cell.source):
            return None
        if "arena.Arena(" in cell.source:
            return self.place("arena", arena.state(), twin, ARENA)
        if cell.get("id") in self.states:
            return self._lab(*self.states[cell.id], twin)
        self.still.append(f"{self.name.name}, cell {cell.get('id')}")
        return f'<div class="lab-place">{_head(cell.source)}{twin}{self._note(STILL)}</div>'

    def _predictions(self, rows):
        """The table of claims, with buttons where scripts run."""
        claims = [re.split(r"(?<!\\)\|", row)[1:3] for row in rows.strip().splitlines()]
        sentences = {number.strip(): sentence.strip() for number, sentence in claims}
        lines = "".join(f"<tr><td>{n}</td><td>{html.escape(s)}</td></tr>" for n, s in sentences.items())
        state = {"kind": "predictions", "title": TITLE, "sentences": sentences, "answers": ANSWERS}
        return self.place("predictions", state, f"<table><tbody>{lines}</tbody></table>")

    def _lab(self, file, kept, twin):
        shown = len(kept.get("pictures", ()))
        fewer = shown < kept.get("all", 0)
        without = " and ".join(f"“{html.escape(label)}”" for label in kept.get("absent", ()))
        note = FEWER.format(shown, without and f", without {without}")
        return self.place(file, kept, twin, self._note(note) if fewer else "")

    def place(self, name: str, state: dict[str, Any], twin: str, note: str = "") -> str:
        """A place where a lab comes to life, and the script with its state, which the page loads when it is near."""
        self.live += 1
        file = PurePosixPath("labs") / self.name.stem / f"{name}.js"
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        text = base64.b64encode(states.compressed(state)).decode()
        target.write_text(f'answers.take("{self.name.stem}/{name}", "{text}");\n', "utf-8")
        return (
            f'<div class="lab-place" data-lab="{self.name.stem}/{name}" data-file="{to_top(self.name)}{file}">'
            f'<div class="twin">{twin}</div>{note}</div>'
        )

    def _note(self, words):
        return (
            f'<p class="lab-note">{words}<a href="{to_top(self.name)}index.html#run-it-yourself">run this notebook '
            f"yourself</a>: <code>jupyter lab {self.name}</code>.</p>"
        )


def _head(source):
    """The title and the question of the lab that a cell makes, as the lab itself shows them."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = next(call for call in calls if LAB.match(f"{ast.unparse(call.func)}("))
    texts = [arg.value for arg in made.args if isinstance(arg, ast.Constant)]
    texts += [given.value.value for given in made.keywords if given.arg == "question"]
    tags = ("<h4>{}</h4>", '<p class="question">{}</p>')
    head = "".join(tag.format(html.escape(text)) for tag, text in zip(tags, texts))
    return f'<div class="lab">{head}</div>'
