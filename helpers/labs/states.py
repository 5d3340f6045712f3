"""What labs leave for a page without a kernel: for each a state, small enough to be stored beside its notebook.

A latent plane leaves its networks, with weights of eight bits or fewer, and runs in the page as it does here; so does
the Dirac GAN, which needs no more than its settings. A lab whose pictures the kernel draws leaves pictures of some of
its settings. `python -m helpers.publish` stores them, and `helpers.site` puts them into its pages, where
browser/model.js reads what `packed` and `rounded` wrote.
"""

import ast
import base64
import gzip
import hashlib
import io
import itertools
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode
from PIL import Image

from .. import plots
from ..records import UNCOUNTED
from ..rules import WIDGET
from .controls import Control, Slider
from .dirac import DiracGAN
from .lab import Lab, RetrainLab
from .panel import LABS, Panel
from .plane import ACTIVATIONS, LatentPlane

LARGEST_PLANE, LARGEST_LAB = 300_000, 500_000  # bytes of a state's file
LEVELS = 127, 95, 79, 63, 55, 47, 39, 31, 27, 23  # that a weight may have on each side of 0
TRAININGS = 12  # that a lab may take to leave its pictures
FEWEST = 5, 3  # values of its first slider, and of each further one, for a lab to be worth moving


def state(panel: Panel) -> dict[str, Any] | None:
    """What a panel leaves, ready for JSON, or None: too many settings, or a trainer of its own, as the arena's."""
    if isinstance(panel, LatentPlane):
        return _plane(panel)
    if isinstance(panel, DiracGAN):
        return _of(panel, "dirac", None, dict(panel.start)) | {"scene": panel.scene}
    return _pictures(panel) if isinstance(panel, Lab) else None


def _of(panel, kind, rows, start):
    """What all states have. rows: of the controls that move in the page; start: their values."""
    return {
        "kind": kind,
        "title": panel.title,
        "question": panel.question,
        "rows": [row for row in panel.rows if row["name"] in start] if rows is None else rows,
        "values": start,
        "start": start,
    }


# Bytes and numbers as text --------------------------------------------------------------------------------------


def compressed(whole: Mapping[str, Any]) -> bytes:
    """A state as its file holds it."""
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def packed(data: bytes, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> dict[str, str]:
    """Bytes as JSON can hold them, compressed."""
    packer = zlib.compressobj(9, strategy=strategy)
    return {"z": base64.b64encode(packer.compress(data) + packer.flush()).decode()}


def rounded(weights: np.ndarray, levels: int = 127) -> dict[str, Any]:
    """A matrix as whole numbers from −levels to levels, times a step. Small ones are many, which saves bits."""
    step = float(np.float32(np.abs(weights).max() / levels)) or 1.0
    whole = np.rint(weights / np.float32(step)).astype(np.int8)
    return packed(whole.tobytes(), zlib.Z_HUFFMAN_ONLY) | {"step": step}


def unpacked(kept: Mapping[str, Any]) -> bytes:
    """The bytes that `packed` made into text; of what `rounded` made, those of the weights in float32."""
    data = zlib.decompress(base64.b64decode(kept["z"]))
    return (np.frombuffer(data, np.int8) * np.float32(kept["step"])).tobytes() if "step" in kept else data


# A latent plane -------------------------------------------------------------------------------------------------


def _plane(panel):
    """With the finest weights that leave room for a quarter of the images, and then as many images as there is room."""
    scene, n, size = panel.scene, len(panel.codes), math.prod(panel.image_shape)
    each = len(packed(scene["images"])["z"]) * 0.77 / n if scene["images"] else 0  # of base64 a quarter goes again
    for levels in LEVELS:
        kept = scene | {name: packed(scene[name]) for name in ("codes", "group")} | {"images": None}
        kept["layers"] = _layers(panel._decoder, levels)
        kept["encoder"] = panel._encoder and _layers(panel._encoder, levels)
        whole = _of(panel, "plane", None, dict(panel.start)) | {"scene": kept}
        room = LARGEST_PLANE - 300 - len(compressed(whole))  # the names of cell and code are still to come
        if room > each * n / 4:
            if each:
                kept["images"] = packed(scene["images"][: min(n, int(room / each)) * size])
            return whole
    return None


def _layers(layers, levels):
    return [
        {"kernel": rounded(kernel, levels), "bias": packed(bias.astype("f4").tobytes()), "activation": activation}
        for kernel, bias, activation in layers
    ]


def run(layers: Iterable[Mapping[str, Any]], x: np.ndarray) -> np.ndarray:
    """What the layers of a plane's state make of x (…, inputs): what the page computes."""
    for layer in layers:
        kernel, bias = (np.frombuffer(unpacked(layer[name]), np.float32) for name in ("kernel", "bias"))
        kernel = kernel.reshape(-1, len(bias))
        x = ACTIVATIONS[layer["activation"]](np.asarray(x, np.float32) @ kernel + bias)
    return x


# Pictures of a lab ----------------------------------------------------------------------------------------------


def _pictures(lab):
    every = math.prod(len(_all(control)) for control in lab.controls.values())
    if isinstance(lab, RetrainLab) and every > TRAININGS:
        return None
    drawn: dict[tuple, dict] = {}
    most = max(1, int(1.3 * LARGEST_LAB / len(_drawn(lab, {}, drawn)["webp"])))
    while values := settings(lab.controls, most):
        shown = [_drawn(lab, dict(zip(values, setting)), drawn) for setting in itertools.product(*values.values())]
        start = {name: lab.start[name] for name in values}
        rows = [_row(row, values[row["name"]]) for row in lab.rows if row["name"] in values]
        whole = _of(lab, "pictures", rows, start) | {
            "drag": {name: pixels for name, pixels in lab.drag.items() if name in values},
            "pictures": shown,
            "all": every,
            "absent": [control.label for name, control in lab.controls.items() if name not in values],
        }
        size = len(compressed(whole))
        if size <= LARGEST_LAB:
            return whole
        most = min(len(shown) - 1, int(len(shown) * 0.97 * LARGEST_LAB / size))
    return None


def _drawn(lab, setting, known):
    key = tuple(lab.parameters(**setting).values())
    if key not in known:
        picture = lab.picture(**setting)
        known[key] = {"webp": _webp(picture), "alt": picture.alt, "width": picture.width}
    return known[key]


def _webp(picture: plots.Picture) -> str:
    """The same pixels in fewer bytes than a PNG's, as text."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture.png)).convert("RGBA").save(buffer, "webp", lossless=True, quality=60, method=4)
    return base64.b64encode(buffer.getvalue()).decode()


def _row(row, values):
    return row if row.get("options") else row | {"values": values}


def _all(control: Control) -> list:
    """Every value of a control."""
    if not isinstance(control, Slider):
        return list(control.options)
    if control.values:
        return list(control.values)
    steps = round((control.high - control.low) / control.step)
    return [control.check(min(control.low + i * control.step, control.high)) for i in range(steps + 1)]


def settings(controls: Mapping[str, Control], most: int) -> dict[str, list]:
    """{name: values} of the controls that can move with `most` pictures in all; the others stay where they begin.

    The first controls come first. Sliders lose values between their ends; nothing is left if it were too few.
    """
    full = {name: _all(control) for name, control in controls.items()}
    kept: dict[str, int] = {}
    for name, values in full.items():
        need = min(len(values), FEWEST[bool(kept)]) if isinstance(controls[name], Slider) else len(values)
        if math.prod(kept.values()) * need <= most:
            kept[name] = need
    while raised := _raised(kept, full, most):
        kept[raised] += 1
    return {name: _thinned(full[name], count, controls[name].value) for name, count in kept.items()}


def _raised(kept, full, most):
    """The control to be given one more value: the one with the smallest share of its own."""
    product = math.prod(kept.values())
    open_ = [name for name, n in kept.items() if n < len(full[name]) and product // n * (n + 1) <= most]
    return min(open_, key=lambda name: kept[name], default=None)


def _thinned(values, count, start):
    """So many of the values: both ends, the start, and others as evenly as can be."""
    if start not in values:  # a slider may begin between its steps
        values = sorted({*values, start} - {min(values[1:-1], key=lambda value: abs(value - start))})
    if count >= len(values):
        return values
    places = sorted({round(i * (len(values) - 1) / (count - 1)) for i in range(count)})
    begins = values.index(start)
    if begins not in places:
        inner = places[1:-1] or places
        places[places.index(min(inner, key=lambda place: abs(place - begins)))] = begins
    return [values[place] for place in sorted(places)]


# Files ----------------------------------------------------------------------------------------------------------


def leave(folder: str | Path) -> None:
    """Write the states of all labs of this kernel into a folder, each under the name of its widget."""
    for lab in list(LABS.values()):
        if found := state(lab):
            Path(folder, f"{lab.model_id}.json").write_text(json.dumps(found), "utf-8")


def folder_of(path: Path) -> Path:
    """Where the states of a notebook's labs are stored."""
    return path.parent / "live" / path.stem


def store(left: Path, notebook: NotebookNode, path: Path) -> list[Path]:
    """Store what `leave` left beside the notebook `path`, in the place of what was there. Returns the files.

    notebook: as it was run, with the widgets in its outputs, which say which cell shows which lab.
    """
    target = folder_of(path)
    for old in target.glob("*.json.gz"):
        old.unlink()
    files = []
    for cell, model in _widgets(notebook):
        file = left / f"{model}.json"
        if file.exists():
            kept = json.loads(file.read_text("utf-8")) | {"cell": cell.id, "code": code_of(notebook, cell)}
            name = re.sub("[^a-z0-9]+", "-", kept["title"].lower()).strip("-")
            if not name or target / f"{name}.json.gz" in files:  # as of titles that have no Latin letters
                name = f"{name}-{cell.id}".strip("-")
            target.mkdir(parents=True, exist_ok=True)
            files.append(target / f"{name}.json.gz")
            files[-1].write_bytes(compressed(kept))
    return files


def _widgets(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if view := output.get("data", {}).get(WIDGET):
                yield cell, view["model_id"]


def code_of(notebook: NotebookNode, cell: NotebookNode) -> str:
    """A short text that changes when code does on which the lab of this cell may depend.

    Layout, comments, and what only measures, prints or shows do not count, nor do other pictures and labs.
    """
    counted = [
        _essence(other.source)
        for other in notebook.cells
        if other is cell or (other.cell_type == "code" and not UNCOUNTED & set(other.metadata.get("tags", ())))
    ]
    return hashlib.sha256("\n".join(counted).encode()).hexdigest()[:12]


class _Silent(ast.NodeTransformer):
    """Leaves out statements that are calls of print, plots.show and whatever claims can do."""

    def visit_Expr(self, statement):
        called = ast.unparse(statement.value.func) if isinstance(statement.value, ast.Call) else ""
        return ast.Pass() if re.match(r"(print|plots\.show|claims\.\w+)$", called) else statement


def _essence(source):
    try:
        return ast.unparse(_Silent().visit(ast.parse(source)))
    except SyntaxError:  # Jupyter's own commands
        return source


def read(notebook: NotebookNode, path: Path) -> Iterator[tuple[str, dict]]:
    """(name of the file, state) of the labs of a notebook whose code is what it was when they were stored."""
    cells = {cell.id: cell for cell in notebook.cells}
    for file in sorted(folder_of(path).glob("*.json.gz")):
        kept = json.loads(gzip.decompress(file.read_bytes()))
        cell = cells.get(kept["cell"])
        if cell and kept["code"] == code_of(notebook, cell):
            yield file.name.removesuffix(".json.gz"), kept


def outdated(notebook: NotebookNode, path: Path) -> list[str]:
    """Sentences about stored states that `read` leaves out, since the notebook's code is another by now."""
    current = {name for name, _ in read(notebook, path)}
    names = sorted(file.name.removesuffix(".json.gz") for file in folder_of(path).glob("*.json.gz"))
    return [
        f"lab {name} was stored by other code, so the site leaves it out: python -m helpers.publish --live {path}"
        for name in names
        if name not in current
    ]
