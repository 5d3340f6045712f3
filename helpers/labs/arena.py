"""The arena: GANs on points in the plane, trained live while a reader watches, turns knobs and clicks points in.

One thread of its own trains, in chunks of a few hundredths of a second, and nothing else touches the models: buttons
and controls leave it orders, which it carries out between two chunks. So the kernel stays free for other cells.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.axes import Axes

from .. import data, gan, metrics, plots
from ..gan import GAN, LOSSES, WITH_LABELS, Diverged
from .controls import Several, choice, slider
from .panel import Panel, browser
from .worker import Worker

CHUNK = 0.07  # seconds of training between two frames
KEPT = 300  # points of the curves; beyond, every other one goes
STILL, TWIN = 300, 2000  # steps of training in a still picture, and in the one for readers without a kernel
REACH = 3.2  # the plane is drawn from −REACH to REACH
GRID = 44  # places a side at which the discriminator is asked
OWN = ((-1.5, -1.0), (1.5, -1.0), (0.0, 1.5))
SPEEDS = {"10 steps a second": 10, "100 steps a second": 100, "1,000 steps a second": 1000, "full speed": None}
# {name: settings} of the cures that are more than a loss, a rate or β₁, which have controls of their own: WGAN-GP's
# penalty is one without its loss.
CURES = {
    "gradient penalty" if name == "WGAN-GP" else name: left
    for name, settings in gan.CURES.items()
    if (left := {k: v for k, v in settings.items() if k not in ("loss", "generator_rate", "beta1")})
}
PLAIN = {"loss": "non-saturating", "g_rate": -3.0, "d_rate": -3.0, "beta1": 0.0, "d_steps": 1, "width": 32, "cures": ()}
# {name: (what side A does wrong, the cure on side B, what to look for)}
RECIPES: dict[str, tuple[dict, dict, str]] = {
    "mode collapse": (
        {"beta1": 0.9, "g_rate": -2.7},
        {"beta1": 0.0, "cures": ("R1", "weight averaging")},
        "A: all of G's samples sit in one place. B: without momentum, with R1, they find every mode.",
    ),
    "hopping": (
        {"beta1": 0.9},
        {"beta1": 0.9, "d_rate": -2.4},
        "A: the samples move from mode to mode, D always a step behind. B: D learns faster, and keeps up.",
    ),
    "oscillation": (
        {"loss": "Wasserstein", "beta1": 0.5},
        {"loss": "Wasserstein", "cures": ("gradient penalty",)},
        "A: nothing bounds D's slope, and both losses swing ever wider. B: a penalty bounds it.",
    ),
    "vanishing gradient": (
        {"loss": "minimax", "d_steps": 10, "g_rate": -3.3},
        {"loss": "non-saturating", "d_steps": 10, "g_rate": -3.3},
        "A: D is sure, and the arrows are gone. B: as sure, but another loss, and they are there.",
    ),
    "D too weak": (
        {"d_rate": -5.0},
        {"d_rate": -3.0},
        "A: D learns too slowly to say where the data are. B: it learns as fast as G.",
    ),
}
NO_RECIPE = "a recipe …"


def _controls():
    def one(letter):
        value, name = of_side(recipe("mode collapse"), letter), letter.upper()
        return {
            f"{letter}_loss": choice(f"{name}: loss", tuple(LOSSES), value["loss"]),
            f"{letter}_g_rate": slider(f"{name}: G's rate, 10^", -5.0, -1.5, value["g_rate"], step=0.1),
            f"{letter}_d_rate": slider(f"{name}: D's rate, 10^", -5.0, -1.5, value["d_rate"], step=0.1),
            f"{letter}_beta1": slider(f"{name}: Adam's β1", 0.0, 0.95, value["beta1"], step=0.05),
            f"{letter}_d_steps": slider(f"{name}: D's steps a step of G", 1, 10, value["d_steps"]),
            f"{letter}_width": choice(f"{name}: width", (8, 16, 32, 64), value["width"]),
            f"{letter}_cures": Several(f"{name}: cures", tuple(CURES), value["cures"]),
        }

    return {
        "recipe": choice("recipe", (NO_RECIPE, *RECIPES), "mode collapse"),
        "data": choice("data", WORLDS),
        "sides": choice("show", ("A and B", "A alone")),
        "speed": choice("speed", tuple(SPEEDS), "full speed"),
        "seed": slider("seed of both", 0, 99, 1),
        **one("a"),
        **one("b"),
    }


WORLDS = ("ring", "grid 3×3", "grid 5×5", "moons", "own points")


def world(name: str, own: Sequence[tuple[float, float]] = OWN) -> data.Points:
    """The points to learn, within the plane that is drawn, and their modes if they have any.

    name: one of WORLDS. own: the modes of "own points".
    """
    if name == "ring":
        return data.points("ring", 4000, std=0.1)
    if name.startswith("grid"):
        side = int(name[-1])
        return data.points("grid", 4000, side=side, spacing=4 / (side - 1), std=0.1 if side == 3 else 0.05)
    if name == "moons":
        p = data.points("moons", 4000)
        return data.Points(name, (p.x - (0.5, 0.25)).astype("float32") * 1.6, p.mode, None, 1.6 * p.std)
    centres, rng = np.array(own, np.float32), np.random.default_rng(0)
    mode = np.arange(4000) % len(centres)
    return data.Points(name, centres[mode] + rng.normal(0, 0.12, (4000, 2)).astype("float32"), mode, centres, 0.12)


class Side:
    """One setting: its GAN, kept while its graph serves, and what the frames show of it."""

    def __init__(self):
        self.gan, self._graph, self.note = None, None, ""

    def prepare(self, points: data.Points, seed: int, **values: Any) -> bool:
        """Take these settings. Returns whether that needed a new GAN, which then stands at step 0."""
        settings, self.note = _settings(values)
        graph = graph_of(values)
        if built := graph != self._graph:
            self.gan, self._graph = GAN(points.x, width=values["width"], batch=64, **settings), graph
            self.restart(seed)
        self.gan.feed(points.x).set(**settings)
        return built

    def restart(self, seed: int) -> None:
        self.gan.restart(seed)
        self.losses = np.full(2, np.nan)  # of D and G, none before the first step
        self.history = np.zeros((0, 5))  # step, D's loss, G's, modes captured, share of high quality

    def train(self, steps: int, which: str = "both") -> None:
        """Train, and note the mean of the losses."""
        self.losses = self.gan.train(steps, which).mean(axis=0)

    def look(self, points: data.Points) -> tuple[np.ndarray, dict]:
        """Samples, the first of them with the pull on them, and the counts; adds to the history."""
        samples = self.gan.generate(2500)
        found = count(samples, points)
        row = [self.gan.step, *self.losses, found["captured"], found["quality"]]
        if len(self.history) and self.history[-1, 0] == self.gan.step:
            self.history = self.history[:-1]
        self.history = np.vstack([self.history, row])
        if len(self.history) > KEPT:
            self.history = self.history[::-2][::-1]
        return samples, found

    def field(self) -> np.ndarray:
        """What the discriminator thinks of each place of the plane: (GRID, GRID) from 0, generated, to 1, real."""
        ticks = REACH * (2 * (np.arange(GRID) + 0.5) / GRID - 1)
        places = np.stack(np.meshgrid(ticks, -ticks), axis=-1).reshape(-1, 2)
        values = self.gan.discriminate(places).reshape(GRID, GRID)
        loss = self.gan.settings.loss
        if loss == "least squares":
            return np.clip(values, 0, 1)
        if loss not in WITH_LABELS:  # such values mean something only beside each other
            values = 2 * (values - values.mean()) / (values.std() + 1e-9)
        return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


def count(samples: np.ndarray, points: data.Points) -> dict:
    """metrics.modes of samples (n, 2); for a curve the share that lies within 3 std of some point of it."""
    if points.modes is not None:
        return metrics.modes(samples, points.modes, points.std)
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=1).fit(points.x[:1000]).kneighbors(samples[:500])[0][:, 0] <= 3 * points.std
    return {"captured": 0, "strict": 0, "quality": float(near.mean())}


def _settings(values):
    """GAN's settings of a side's controls, and what had to be left out."""
    settings = {
        "loss": values["loss"],
        "beta1": values["beta1"],
        "d_steps": values["d_steps"],
        "generator_rate": 10.0 ** values["g_rate"],
        "discriminator_rate": 10.0 ** values["d_rate"],
    }
    for cure in values["cures"]:
        settings |= CURES[cure]
    if "smoothing" in settings and values["loss"] not in WITH_LABELS:
        return {name: v for name, v in settings.items() if name != "smoothing"}, "no labels to smooth in this loss; "
    return settings, ""


class Arena(Panel):
    """Two GANs side by side, from the same seed, trained live: Start, Pause, Step (both networks, or one), Reset.

    Rates, β1 and D's steps change while it trains. Another loss, width or cure is another graph, and both sides begin
    anew, as with other data or another seed. `values` is where the controls stand, `running` whether it trains; `press`
    does what the buttons do. An arena of the same title replaces the earlier one, and ends its thread.

        made = arena.Arena()
        made.values = {"data": "grid 3×3", "a_beta1": 0.5}        # what is left out at its default
        made.press("start")
    """

    module = traitlets.Unicode(browser("arena.js")).tag(sync=True)
    worker: Worker
    running = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    world = traitlets.Dict().tag(sync=True)  # real points, modes, std, and how far the plane reaches
    frame = traitlets.Dict().tag(sync=True)  # what the sides show

    def __init__(self, title: str = "The arena"):
        self._own, self._place, self._sides = list(OWN), None, (Side(), Side())
        self._still: dict[tuple, Side] = {}  # by graph
        self._points = self._cooked = None
        super().__init__(title, _controls())
        self.steps_done = 0  # of both sides, since the arena was made
        self.worker = Worker(self._turn, name=f"arena {title}")
        self.on_msg(lambda _, content, __: self.press(content.pop("ask"), **content))
        self.observe(lambda _: self.worker.order(self._prepare), "values")
        self.worker.order(self._prepare)

    # What a reader does

    def press(self, button: str, which: str = "both", x: float = 0.0, y: float = 0.0) -> None:
        """Do what a button does: start, pause, step, reset, clear; or point, a click at x, y. Raises ValueError.

        which: the network that a step trains, "D", "G" or "both". x, y: a place of the plane, −REACH to REACH.
        """
        if button in ("start", "pause"):
            self._run(button == "start")
        elif button == "step":
            self._run(False, lambda: self._train(1, which))
        elif button == "reset":
            self.worker.order(self._restart)
        elif button == "clear":
            self._own = []
            self.worker.order(self._prepare_own)
        elif button == "point":
            self._own = [*self._own, (float(x), float(y))][-25:]
            self.worker.order(self._prepare_own)
        else:
            raise ValueError(f"the arena has no button {button!r}: start, pause, step, reset, clear or point")

    def _run(self, running, order=lambda: None):
        with self._lock:
            self.running = running
        self.worker.order(order)  # an empty one, too, wakes the thread or ends its wait

    def settle(self, timeout: float = 60) -> None:
        """Wait until all orders are carried out and shown. Raises TimeoutError, or RuntimeError once closed."""
        self.worker.settle(timeout)

    @traitlets.validate("values")
    def _check_values(self, proposal):
        """The controls' values, checked. A recipe just chosen sets both sides; its name goes when they change."""
        new = self.parameters(**proposal["value"])
        if new["recipe"] in RECIPES:
            cooked = self.parameters(**new | recipe(new["recipe"]))
            # Not compared with self.values: a message from the browser is in there before it is checked.
            new = cooked if new["recipe"] != self._cooked else new if new == cooked else new | {"recipe": NO_RECIPE}
        self._cooked = new["recipe"]
        return new

    # What the thread does

    def _turn(self, orders):
        """Carry out what was ordered, train a chunk if it runs, and show the frame. Returns the wait until the next."""
        began, speed = time.perf_counter(), SPEEDS[self.values["speed"]]
        steps = self._pace if speed is None else max(1, round(speed * 0.1))
        try:
            for order in orders:
                order()
            if self.running:
                self._train(steps)
                took = time.perf_counter() - began
                if speed is None and not orders:
                    self._pace = int(np.clip(self._pace * CHUNK / max(took, 1e-3), self._pace / 2, self._pace * 2 + 1))
            self._show()
        except Exception as error:
            with self._lock, self.hold_sync():
                self.running, self.message = False, f"⚠ {type(error).__name__}: {error}"
        if not self.running:
            return None
        return 0 if speed is None else max(0, steps / speed - (time.perf_counter() - began))

    _pace = 20  # steps a chunk at full speed

    def _active(self):
        return self._sides[: 2 if self.values["sides"] == "A and B" else 1]

    def _prepare(self):
        values = self.values
        self._points = world(values["data"], self._own or OWN)
        place = values["data"], values["seed"], values["sides"], len(self._own)
        moved, self._place = place != self._place, place
        built = [
            side.prepare(self._points, values["seed"], **of_side(values, letter))
            for side, letter in zip(self._active(), "ab")
        ]
        if any(built) or moved:
            self._restart()
        modes = self._points.modes
        with self._lock:
            self.world = {
                "reach": REACH,
                "real": self._points.x[:800].tobytes(),
                "std": self._points.std,
                "modes": None if modes is None else modes.tobytes(),
            }

    def _prepare_own(self):
        if self.values["data"] == "own points":
            self._prepare()
        elif self._own != list(OWN):
            with self._lock:
                self.message = "Choose “own points” as data, then click into the plane."

    def _restart(self):
        for side in self._active():
            side.restart(self.values["seed"])
        with self._lock:
            self.message = RECIPES[self.values["recipe"]][2] if self.values["recipe"] in RECIPES else ""

    def _train(self, steps, which="both"):
        for side in self._active():
            side.train(steps, which)
            self.steps_done += steps

    def _show(self):
        frames = [side_frame(side, self._points) for side in self._active()]
        with self._lock:
            self.frame = {"sides": frames}

    # A still picture, for tests and for readers without a kernel

    def settings(self, n_random: int = 2, seed: int = 0) -> Iterator[dict]:
        """Parameters to test with: the extremes, the default, each recipe, each kind of data, each loss, and some
        random ones."""
        rng = np.random.default_rng(seed)
        for end in (0, 1):
            yield {name: control.extremes[end] for name, control in self.controls.items()}
        yield self.parameters()
        yield from ({name: control.random(rng) for name, control in self.controls.items()} for _ in range(n_random))
        yield from (self.parameters(**recipe(name)) for name in RECIPES)
        yield from (self.parameters(data=name, sides="A alone") for name in WORLDS)
        yield from (self.parameters(a_loss=name, sides="A alone") for name in LOSSES)

    def still(self) -> plots.Picture:
        return self.picture(TWIN)

    def picture(self, steps: int = STILL, **parameters: Any) -> plots.Picture:
        """Both sides after so many steps, as a `Picture`; the live ones are left alone."""
        values = self.parameters(**parameters)
        points, letters = world(values["data"]), "ab" if values["sides"] == "A and B" else "a"
        fig, axes = plots.figure(1, 2, height=4.4)
        axes[1].set_visible(len(letters) == 2)
        for letter, ax in zip(letters, axes):
            mine = of_side(values, letter)
            side = self._still.setdefault(graph_of(mine), Side())
            side.prepare(points, values["seed"], **mine)
            side.restart(values["seed"])
            stopped = ""
            try:
                side.train(steps)
            except Diverged as error:
                stopped = f"stopped at step {error.step}; "
            draw(ax, side, points, f"{letter.upper()}: {stopped}")
        return plots.picture(fig)


def of_side(values: dict, letter: str) -> dict:
    """The values of the controls of one side, "a" or "b", without its letter: a_beta1 → beta1."""
    return {name[2:]: value for name, value in values.items() if name.startswith(f"{letter}_")}


def graph_of(values: dict) -> tuple:
    """What decides which graph a side needs; its other controls are fed into it."""
    return values["width"], values["loss"], tuple(values["cures"])


def recipe(name: str) -> dict:
    """The values that a recipe of RECIPES sets: its ailment on side A, a cure on side B."""
    wrong, right, _ = RECIPES[name]
    sides = {"a": PLAIN | wrong, "b": PLAIN | wrong | right}
    return {"recipe": name, "sides": "A and B", "data": "ring"} | {
        f"{letter}_{setting}": value for letter, side in sides.items() for setting, value in side.items()
    }


def side_frame(side: Side, points: data.Points) -> dict:
    """What the browser draws of a side."""
    samples, found = side.look(points)
    pulled, pull = side.gan.pull(60)
    words = f"step {side.gan.step:,}: "
    if points.modes is not None:
        words += f"{found['captured']} of {len(points.modes)} modes captured, {found['strict']} by the strict count, "
    slope = np.linalg.norm(pull, axis=-1).mean()
    return {
        "fake": np.concatenate([pulled, samples[:340]]).astype("f4").tobytes(),
        "pull": pull.astype("f4").tobytes(),
        "field": (255 * side.field()).astype(np.uint8).tobytes(),
        "history": side.history[:, 1:].T.astype("f4").tobytes(),
        "kept": len(side.history),
        "said": f"{words}{found['quality']:.0%} of high quality; {side.note}mean pull on G {slope:.1e}",
    }


def draw(ax: Axes, side: Side, points: data.Points, words: str) -> None:
    """The still picture of a side."""
    samples, found = side.look(points)
    from_, pull = side.gan.pull(60)
    ax.imshow(side.field(), extent=(-REACH, REACH) * 2, cmap="PuOr", vmin=0, vmax=1, alpha=0.5)
    ax.plot(*points.x[:600].T, ",", color=plots.ROLES["data"], linestyle="none", label="data")
    ax.plot(*samples[:400].T, "s", color=plots.COLOURS[1], markersize=2, linestyle="none", label="generated")
    slope = np.linalg.norm(pull, axis=-1, keepdims=True)
    arrows = 0.3 * pull / (slope + 1e-12) * np.minimum(1, np.sqrt(slope)) * 2
    ax.quiver(*from_.T, *arrows.T, color=plots.COLOURS[2], angles="xy", scale_units="xy", scale=1, width=0.004)
    captured = f"{found['captured']} of {len(points.modes)} modes, " if points.modes is not None else ""
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[], yticks=[])
    ax.set_title(f"{words}{captured}{found['quality']:.0%} of high quality after {side.gan.step} steps", fontsize=10)
    ax.grid(visible=False)
