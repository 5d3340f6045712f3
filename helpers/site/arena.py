"""The arena in a page: a state for the same module that draws it in a notebook, and what its trainer there needs.

Recipes, worlds, settings and texts are those of `helpers.labs.recipes`, whoever trains.
"""

from typing import Any

import numpy as np

from ..gan import WITH_LABELS
from ..labs import recipes, sides, states
from ..labs.controls import Several
from ..labs.panel import rows_of

GRID, SHOWN = 32, 1000  # places a side, and samples that are counted: fewer than in a kernel, for frames must be quick
# What browser/gan.js has not: each of them asks for another network, or for steps ahead of a copy of it.
LACKING = ("unrolling", "packing", "minibatch deviation", "spectral normalisation")


def state(title: str = "The arena") -> dict[str, Any]:
    """What the page's model begins with. `trainer` is for the worker alone."""
    controls: dict[str, Any] = recipes.controls()
    values = {name: control.check(control.value) for name, control in controls.items()}
    rows = rows_of(controls)
    for row in rows:
        if isinstance(controls[row["name"]], Several):
            row["options"] = [option for option in row["options"] if option not in LACKING]
    return {
        "kind": "arena",
        "title": title,
        "facts": recipes.facts(),
        "rows": rows,
        "values": values,
        "start": values,
        "running": False,
        "message": "",
        "world": {},
        "frame": {},
        "trainer": trainer(),
    }


def trainer() -> dict[str, Any]:
    """What browser/trainer.js and browser/side.js need to know."""
    return {
        "own": recipes.OWN_POINTS,
        "slow": recipes.SLOW,
        "noRecipe": recipes.NO_RECIPE,
        "reach": recipes.REACH,
        "std": recipes.STD,
        "speeds": recipes.SPEEDS,
        "cures": {name: settings for name, settings in recipes.CURES.items() if name not in LACKING},
        "labelled": WITH_LABELS,
        "batch": sides.BATCH,
        "grid": GRID,
        "kept": sides.KEPT,
        "shown": SHOWN,
        "lattice": sides.NOISE[sides.SHOWN :].ravel().tolist(),
        "empty": {name: [] if isinstance(value, bytes) else value for name, value in sides.EMPTY.items()},
        "worlds": {name: _world(name) for name in recipes.WORLDS if name != recipes.OWN_POINTS},
    }


def _world(name):
    points = recipes.world(name)
    return {
        "real": states.packed(points.x.astype("f4").tobytes()),
        "modes": None if points.modes is None else states.packed(np.asarray(points.modes, "f4").tobytes()),
        "std": float(points.std),
    }
