"""What becomes a page, and how: notebooks and Markdown files, with links and pictures that work in the site."""

import base64
import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode
from nbformat.v4 import new_output

from ..rules import tagged

# Markdown files that have a page, in this order after the notebooks; whatever else is linked lies in the repository.
TEXTS = (
    "notebooks/assignments/README.md",
    "data/README.md",
    "data/evidence/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
SHOWN = ("text/html", "image/svg+xml", "text/markdown", "text/plain")


@dataclass
class Place:
    """Where a page's files lie. root: of the collection. source: the folder that Sphinx reads. extra: what is copied
    into the site as it is. repository: the address of the collection, without a slash at its end.
    """

    root: Path
    source: Path
    extra: Path
    repository: str
    names: set[str] = field(default_factory=set)  # of all pages, as paths in the collection

    def link(self, target: str, page: str) -> str:
        """A link in the file `page` to `target`, both as the collection has them, as the site has it."""
        path = PurePosixPath(_resolved(PurePosixPath(page).parent / target))
        if str(path) == "README.md":
            return f"{to_top(page)}index.md"
        if str(path) in self.names or path.suffix in (".png", ".svg"):
            return target
        kind = "tree" if (self.root / path).is_dir() else "blob"
        return f"{self.repository}/{kind}/main/{path}"

    def links(self, text: str, page: str) -> str:
        """A Markdown text with its relative links as the site has them."""
        return LINK.sub(lambda found: self.link(found[1], page) + (found[2] or ""), text)


def to_top(page: str | PurePosixPath) -> str:
    """What leads from a page, by its place in the collection, up to the folder of the site."""
    return "../" * (len(PurePosixPath(page).parts) - 1)


def _resolved(path):
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def text_page(place: Place, name: str) -> str:
    """A Markdown file of the collection as a page."""
    return place.links((place.root / name).read_text("utf-8"), name)


def notebook_page(
    place: Place, name: str, notebook: NotebookNode, lab: Callable[[NotebookNode, NotebookNode, str], str | None]
) -> NotebookNode:
    """A published notebook, changed in place, as a page.

    lab(cell, output, picture) is asked of each output, of which picture is the <img>, if it has one: HTML to show in
    its place, or None.
    """
    colab = tagged(notebook.cells, "colab")
    notebook.cells = [cell for cell in notebook.cells if cell not in colab]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = place.links(cell.source, name)
        elif cell.cell_type == "code":
            cell.outputs = [_shown(place, name, cell, output, lab) for output in cell.outputs]
    title, _, rest = notebook.cells[0].source.partition("\n")
    rest = rest.strip()
    download = f'<a href="{to_top(name)}downloads/{PurePosixPath(name).name}" download>Download this notebook</a>'
    gap = "" if rest.startswith("[![") else "\n"  # beside the badge, if there is one
    notebook.cells[0].source = f"{title}\n\n{download}\n{gap}{rest}"
    return notebook


def _shown(place, name, cell, output, lab):
    data = output.get("data")
    if data is None:
        return output
    twin = _picture(place, name, output) if "image/png" in data else ""
    markup = lab(cell, output, twin) or twin
    if markup:
        return new_output("display_data", {"text/html": markup})
    kept = next((kind for kind in SHOWN if kind in data), None)
    return new_output("display_data", {kept: data[kept]} if kept else {"text/plain": ""})


def _picture(place, name, output):
    """The <img> of a picture that a notebook holds, and the file that it shows."""
    png = base64.b64decode(output.data["image/png"])
    about = output.metadata.get("image/png", {})
    file = PurePosixPath("pictures") / PurePosixPath(name).stem / f"{hashlib.sha256(png).hexdigest()[:12]}.png"
    target = place.extra / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(png)
    wide, high = _size(png)
    width = round(about.get("width", wide / 2))
    return (
        f'<img class="picture" src="{to_top(name)}{file}" alt="{html.escape(about.get("alt", ""))}" width="{width}" '
        f'height="{round(width * high / wide)}" loading="lazy">'
    )


def _size(png):
    """(width, height) of a PNG in pixels, which its head tells."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
