"""What the arena offers, wherever it trains: its worlds, what can be set, its recipes, and the words for all of them.

The kernel (`arena`) and a page without one take it from here, the browser by way of `facts`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import data, gan
from ..gan import LOSSES, WITH_LABELS
from .controls import Control, Several, choice, slider

# Worlds ---------------------------------------------------------------------------------------------------------

REACH = 3.2  # the plane is drawn from −REACH to REACH
STD = 0.1  # of a mode of the reader's own
NEAR, MOST = 0.3, 100  # two places of the reader's own are so far apart, at least; and there are so many, at most
OWN = ((-1.5, -1.0), (1.5, -1.0), (0.0, 1.5))
OWN_POINTS = "own points"
WORLDS = ("ring", "grid 3×3", "grid 5×5", "moons", OWN_POINTS)


def world(name: str, own: Sequence[Sequence[float]] = OWN) -> data.Points | None:
    """The points to learn, within the plane that is drawn, and their modes if they have any.

    name: one of WORLDS. own: the modes of "own points"; of none there is no world.
    """
    if name == "ring":
        return data.points("ring", 4000, std=0.1)
    if name.startswith("grid"):
        side = int(name[-1])
        return data.points("grid", 4000, side=side, spacing=4 / (side - 1), std=0.1 if side == 3 else 0.05)
    if name == "moons":
        p = data.points("moons", 4000)
        return data.Points(name, (p.x - (0.5, 0.25)).astype("float32") * 1.6, p.mode, None, 1.6 * p.std)
    if not len(own):
        return None
    centres, rng = np.array(own, np.float32), np.random.default_rng(0)
    mode = np.arange(4000) % len(centres)
    return data.Points(name, centres[mode] + rng.normal(0, STD, (4000, 2)).astype("float32"), mode, centres, STD)


@dataclass(frozen=True)
class Places:
    """A control that holds places of the plane, [[x, y], …]: the modes of the reader's own points."""

    label: str
    value: Sequence[Sequence[float]]

    options = ()
    extremes = (), ((-REACH, REACH),)

    def check(self, value: Iterable[Sequence[float]]) -> list[list[float]]:
        """The places, to a hundredth, without those that lie on another; or a ValueError."""
        kept: list[list[float]] = []
        for x, y in value:
            if not (abs(x) <= REACH and abs(y) <= REACH):
                raise ValueError(f"{self.label!r} lie within ±{REACH}, not at {x}, {y}")
            if all(np.hypot(x - a, y - b) >= NEAR for a, b in kept):
                kept.append([round(float(x), 2), round(float(y), 2)])
        if len(kept) > MOST:
            raise ValueError(f"{self.label!r} are {MOST} at most, not {len(kept)}")
        return kept

    def random(self, rng: np.random.Generator) -> list[list[float]]:
        return self.check(rng.uniform(-2.5, 2.5, (5, 2)).tolist())


# Settings -------------------------------------------------------------------------------------------------------

SLOW = "slow motion"
# {name: steps a second}; None: as fast as it can
SPEEDS = {SLOW: 0, "10 steps a second": 10, "100 steps a second": 100, "1,000 steps a second": 1000, "full speed": None}
RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)
# {name: settings} of the cures that are more than a loss, a rate or β₁, which have controls of their own: WGAN-GP's
# penalty is one without its loss.
CURES = {
    "gradient penalty" if name == "WGAN-GP" else name: left
    for name, settings in gan.CURES.items()
    if (left := {k: v for k, v in settings.items() if k not in ("loss", "generator_rate", "beta1")})
}
PLAIN = {"loss": "non-saturating", "g_rate": 1e-3, "d_rate": 1e-3, "beta1": 0.0, "d_steps": 1, "width": 32, "cures": ()}


class Recipe(NamedTuple):
    """A failure and its cure: what side A sets, what B sets in its place or besides, the step at which the arena
    pauses, and words that are true at every step: they speak of steps at which twenty of twenty seeds agreed, as
    tests/benchmarks/arena_recipes.py measures it, and twenty of the page's, or they say how many."""

    a: dict[str, Any]
    b: dict[str, Any]
    stop: int
    words: str


RECIPES = {
    "mode collapse": Recipe(
        {"loss": "minimax", "g_rate": 5e-4, "d_rate": 1e-2, "beta1": 0.5, "d_steps": 2},
        {"cures": ("R1",)},
        1500,
        "A: D learns twenty times as fast as G, takes two steps for each of G, and nothing bounds its slope. The "
        "samples run to the modes next to them, lie down on those and stay for thousands of steps: at step 1,500 they "
        "hold at most 4 of 8, and at step 20,000 half of twenty runs still do. B: the same with R1: at step 1,500 they "
        "hold 7 or 8, in all but two of forty runs.",
    ),
    "hopping": Recipe(
        {"beta1": 0.9},
        {"beta1": 0.0},
        1500,
        "A: with momentum the samples run from mode to mode, D always a step behind: at step 1,000 they hold at most "
        "3, and in most runs at step 1,500, too. Later A comes to rest: at step 5,500 it holds 6 or more in nearly all "
        "runs. B: without momentum they hold at least 6 at step 1,500, in all but one of forty runs.",
    ),
    "oscillation": Recipe(
        {"loss": "Wasserstein", "beta1": 0.5},
        {"loss": "Wasserstein", "beta1": 0.0, "d_steps": 5, "cures": ("gradient penalty",)},
        1000,
        "A: nothing bounds D's slope. The samples circle the data, D's loss swings, and up to step 1,000 they never "
        "hold more than 2 modes; at step 20,000 twelve of twenty runs still hold no more. B: a penalty bounds the "
        "slope, and D takes five steps for one of G, without momentum: at step 1,000 they hold all 8.",
    ),
    "vanishing gradient": Recipe(
        {"loss": "minimax", "d_steps": 10, "d_rate": 5e-3, "g_rate": 1e-5},
        {"loss": "non-saturating"},
        200,
        "G hardly moves here, so that D becomes sure. A: the surer D is, the less it pulls: at step 200 the mean pull "
        "is below 0.002, and no arrow is left; in most of twenty runs none comes back before step 12,000. B: D is as "
        "sure, but by the other loss the pull is above 1.",
    ),
    "D too weak": Recipe(
        {"d_rate": 1e-5},
        {"d_rate": 1e-3},
        1500,
        "A: D learns a hundred times more slowly than G, and cannot say where the data are. The samples go astray, "
        "often out of sight: up to step 2,000 they never hold more than 1 mode, and mostly none. B: D learns as fast "
        "as G, and at step 1,500 they hold at least 6, in all but one of forty runs.",
    ),
}
FIRST, NO_RECIPE = "mode collapse", "a recipe …"


def recipe(name: str) -> dict[str, Any]:
    """The values that a recipe of RECIPES sets: its failure on side A, a cure on side B."""
    wrong, right, stop, _ = RECIPES[name]
    sides = {"a": PLAIN | wrong, "b": PLAIN | wrong | right}
    return {"recipe": name, "sides": "A and B", "data": "ring", "stop": stop} | {
        f"{letter}_{setting}": value for letter, side in sides.items() for setting, value in side.items()
    }


def controls() -> dict[str, Control]:
    """What can be set: what both sides share, and of each side the controls whose names begin with its letter."""
    first = recipe(FIRST)

    def one(letter):
        value, name = of_side(first, letter), letter.upper()
        return {
            f"{letter}_loss": choice(f"{name}: loss", tuple(LOSSES), value["loss"]),
            f"{letter}_g_rate": slider(f"{name}: G's rate", value=value["g_rate"], values=RATES),
            f"{letter}_d_rate": slider(f"{name}: D's rate", value=value["d_rate"], values=RATES),
            f"{letter}_beta1": slider(f"{name}: Adam's β₁", 0.0, 0.95, value["beta1"], step=0.05),
            f"{letter}_d_steps": slider(f"{name}: D's steps", 1, 10, value["d_steps"]),
            f"{letter}_width": choice(f"{name}: width", (8, 16, 32, 64), value["width"]),
            f"{letter}_cures": Several(f"{name}: cures", tuple(CURES), value["cures"]),
        }

    return {
        "recipe": choice("recipe", (NO_RECIPE, *RECIPES), FIRST),
        "data": choice("data", WORLDS),
        "sides": choice("show", ("A and B", "A alone")),
        "speed": choice("speed", tuple(SPEEDS), "full speed"),
        "seed": slider("seed", 0, 99, 1),
        "stop": slider("pause at step", 0, 100_000, first["stop"]),
        "own": Places("own points", OWN),
        **one("a"),
        **one("b"),
    }


def of_side(values: dict, letter: str) -> dict:
    """The values of the controls of one side, "a" or "b", without its letter: a_beta1 → beta1."""
    return {name[2:]: value for name, value in values.items() if name.startswith(f"{letter}_")}


def settings(values: dict) -> tuple[dict[str, Any], str]:
    """GAN's settings of a side's values, and what had to be left out."""
    chosen = {
        "loss": values["loss"],
        "beta1": values["beta1"],
        "d_steps": values["d_steps"],
        "generator_rate": values["g_rate"],
        "discriminator_rate": values["d_rate"],
    }
    for cure in values["cures"]:
        chosen |= CURES[cure]
    if "smoothing" in chosen and values["loss"] not in WITH_LABELS:
        return {name: v for name, v in chosen.items() if name != "smoothing"}, "no labels to smooth in this loss"
    return chosen, ""


# Words ----------------------------------------------------------------------------------------------------------

# {the name of a control without its side, or of a button: what it does}
TIPS = {
    "recipe": "A failure on side A and a cure on side B, from the same seed. Both begin anew.",
    "data": "What the generators have to learn. Own points: paint them with the brush.",
    "sides": "Two settings side by side, or one alone, which trains twice as fast.",
    "speed": "Slow motion makes one step in five parts, and shows what flows through the networks.",
    "seed": "Both sides begin with the same weights and draw the same noise; another seed, another run.",
    "stop": "Training pauses when a side reaches this step; 0: never. Your guess is for this step.",
    "loss": "What the networks minimise. Another loss needs another graph: this side begins anew.",
    "g_rate": "The generator's learning rate.",
    "d_rate": "The discriminator's learning rate.",
    "beta1": "Adam's momentum: at 0.9 a step is a mean of about ten gradients, at 0 the last one alone.",
    "d_steps": "Steps of the discriminator before each step of the generator.",
    "width": "Units in each hidden layer of both networks. This side begins anew.",
    "unrolling": "G looks four steps of D ahead, and does not run where D will be next (Metz et al., 2017).",
    "packing": "D judges four samples together, so it sees when they are too alike (Lin et al., 2018).",
    "minibatch deviation": "D sees how much a batch varies, so it notices a collapse (Karras et al., 2018).",
    "label smoothing": "Real samples count as 0.9 real, which keeps D from being too sure (Salimans et al., 2016).",
    "instance noise": "Noise on all that D sees, which fades over 1,000 steps (Sønderby et al., 2017).",
    "replay": "Half of D's fakes are old ones, so that it forgets less (Shrivastava et al., 2017).",
    "spectral normalisation": "D's layers cannot stretch what they get, which bounds its slope (Miyato et al., 2018).",
    "R1": "A penalty on D's slope at the data, which lets it come to rest (Mescheder et al., 2018).",
    "gradient penalty": "D's slope is pulled to 1 between data and samples (Gulrajani et al., 2017).",
    "weight averaging": "Samples come from the mean of G's recent weights (Yazıcı et al., 2019).",
    "Start": "Train until you pause, or until the step at which it pauses by itself.",
    "Step": "One step: the discriminator's, then the generator's.",
    "Step D": "The discriminator alone: watch the background.",
    "Step G": "The generator alone: watch the samples follow their arrows.",
    "Restart": "Both sides begin anew, from the same weights as before.",
    "Defaults": "Everything as it was at first.",
    "Copy this setting": "The line of code that makes an arena with these settings.",
    "Brush": "Paint modes into the plane, while it trains if you like. A circle can always be dragged elsewhere. "
    "Keys: arrows move a cross, Enter paints there, Delete erases.",
    "Eraser": "Wipe modes away.",
    "Clear": "Wipe all modes away.",
    "G's grid": "A grid over the noise z, each cell as likely as any other, carried to where the generator puts it.",
    "time": "Look back at frames that were kept. Training goes on meanwhile.",
    "guess": "How many modes will this side hold when it reaches that step? Say it before you start.",
}
# What happens in each part of a step in slow motion.
PHASES = (
    "1 of 5: noise z flows through G and becomes samples.",
    "2 of 5: samples and data flow into D, which gives each a value.",
    "3 of 5: D's loss flows back through D. D takes its step: the background changes.",
    "4 of 5: new samples flow through G and on through D.",
    "5 of 5: G's loss flows back through D, which keeps its weights, into G. G takes its step: the samples move.",
)
LEGEND = (
    "dots: data, modes circled · orange: generated · green: where G's loss pulls them · "
    "background: blue where D says real, orange where it says generated. Held: a mode with at least a quarter of its "
    "fair share of the samples, within three standard deviations."
)


def facts() -> dict[str, Any]:
    """What a page needs of all this, whoever trains."""
    return {
        "reach": REACH,
        "near": NEAR,
        "most": MOST,
        "own": OWN_POINTS,
        "slow": SLOW,
        "noRecipe": NO_RECIPE,
        "recipes": {name: {"values": recipe(name), "words": RECIPES[name].words} for name in RECIPES},
        "tips": TIPS,
        "phases": PHASES,
        "legend": LEGEND,
    }
