"""A side of the arena: a GAN on points in the plane, and what is drawn of it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .. import data, metrics, plots
from ..gan import GAN, WITH_LABELS
from ..training import tf
from .recipes import REACH, settings

READY = 6  # graphs that a side keeps
KEPT = 400  # points of the curves; beyond, every other one goes
GRID = 44  # places a side at which the discriminator is asked
BATCH = 64
# Inputs of the generator, a square of them, between whose lines lie equal shares of its noise.
_QUANTILES = (-2.4, -1.383, -0.967, -0.674, -0.431, -0.21, 0, 0.21, 0.431, 0.674, 0.967, 1.383, 2.4)
_LATTICE = np.stack(np.meshgrid(_QUANTILES, _QUANTILES), axis=-1).reshape(-1, 2).astype("f4")
SURE = LinearSegmentedColormap.from_list("sure", ["#f0a05a", "white", "#56b4e9"])  # from generated to real
SHOWN = 2500  # samples that are counted
NOISE = np.concatenate([np.random.default_rng(0).normal(size=(SHOWN, 2)).astype("f4"), _LATTICE])


class Side:
    """One setting: its GAN, those of other graphs that were built before, and what the frames show of it."""

    def __init__(self) -> None:
        self.ready: dict[tuple, GAN] = {}  # by what `key` says
        self.gan: Any = None  # the one that serves
        self.awaits: tuple | None = None  # the key of the GAN that is being built
        self.note, self.step = "", 0
        self.frame: dict[str, Any] = {}
        self._key: tuple | None = None

    def key(self, values: dict, alone: bool = False) -> tuple:
        """What decides which GAN serves: its graph, and whether D and G always take one step each, the faster way.

        alone: D or G shall train without the other.
        """
        return *graph_of(values), values["d_steps"] == 1 and not alone

    def keep(self, key: tuple, gan: GAN) -> None:
        """Have this GAN ready, in the place of the oldest that does not serve, if there are many."""
        self.ready[key] = gan
        for old in [k for k in self.ready if k not in (key, self._key)][: max(0, len(self.ready) - READY)]:
            del self.ready[old]

    def take(self, key: tuple, seed: int) -> None:
        """Go over to a GAN that is ready: from where the last one was, if it has the same graph, or from step 0."""
        if key == self._key:
            return
        old, new, goes_on = self.gan, self.ready[key], self._key is not None and key[:-1] == self._key[:-1]
        self.gan, self._key = new, key
        if not goes_on:
            self.restart(seed)
            return
        for variable, value in zip(tf.nest.flatten(new.variables), tf.nest.flatten(old.variables)):
            variable.assign(value)
        new.step = self.step

    def set(self, points: data.Points, values: dict) -> None:
        """Feed these points and settings to the GAN that serves."""
        chosen, self.note = settings(values)
        self.gan.feed(points.x).set(**chosen)

    def restart(self, seed: int) -> None:
        if self.gan:
            self.gan.restart(seed)
        self.step = 0
        self.losses = np.full(2, np.nan)  # of D and G, none before the first step
        self.history = np.zeros((0, 5))  # step, D's loss, G's, modes held, share of high quality

    def train(self, steps: int, which: str = "both") -> None:
        """Train, and note the mean of the losses. A step is one of G, with those of D before it."""
        losses = self.gan.train(steps, which).mean(axis=0)
        self.losses = np.where(np.isnan(losses), self.losses, losses)
        self.step += steps * (which != "D")
        self.gan.step = self.step

    def look(self, points: data.Points) -> tuple[np.ndarray, np.ndarray, dict]:
        """2,500 samples, the square of noise as the generator carries it, and the counts; adds to the history."""
        samples, grid = np.split(self.gan.samples(NOISE), [SHOWN])
        found = count(samples, points)
        row = [self.step, *self.losses, found["strict"], found["quality"]]
        if len(self.history) and self.history[-1, 0] == self.step:
            self.history = self.history[:-1]
        self.history = np.vstack([self.history, row])
        if len(self.history) > KEPT:
            self.history = self.history[::-2][::-1]
        return samples, grid, found

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


def graph_of(values: dict) -> tuple:
    """What decides which graph a side needs; its other controls are fed into it."""
    return values["width"], values["loss"], tuple(values["cures"])


def build(key: tuple, points: data.Points, values: dict) -> GAN:
    """A GAN of these settings whose graphs are all there, so that its first step is as fast as any other."""
    gan = GAN(points.x, width=values["width"], batch=BATCH, **settings(values)[0])
    gan.train(0, "both" if key[-1] else "D")
    gan.samples(NOISE)
    gan.pull(60)
    gan.discriminate(points.x[: GRID**2])
    return gan


def count(samples: np.ndarray, points: data.Points) -> dict:
    """metrics.modes of samples (n, 2); for a curve the share that lies within 3 std of some point of it."""
    if points.modes is not None:
        return metrics.modes(samples, points.modes, points.std)
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=1).fit(points.x[:1000]).kneighbors(samples[:500])[0][:, 0] <= 3 * points.std
    return {"captured": 0, "strict": 0, "quality": float(near.mean())}


EMPTY = {
    "step": 0,
    "note": "",
    "modes": 0,
    "strict": 0,
    "captured": 0,
    "quality": 0.0,
    "beyond": [0.0] * 4,
    "slope": 0.0,
    "fake": b"",
    "pull": b"",
    "field": b"",
    "grid": b"",
    "history": b"",
    "kept": 0,
}


def side_frame(side: Side, points: data.Points) -> dict:
    """What the browser draws of a side, as browser/arena.js describes it."""
    samples, grid, found = side.look(points)
    pulled, pull = side.gan.pull(60)
    x, y = samples.T
    return {
        "step": side.step,
        "note": side.note,
        "modes": 0 if points.modes is None else len(points.modes),
        **found,
        "beyond": [float(part.mean()) for part in (x < -REACH, x > REACH, y > REACH, y < -REACH)],
        "slope": float(np.linalg.norm(pull, axis=-1).mean()),
        "fake": np.concatenate([pulled, samples[:340]]).astype("f4").tobytes(),
        "pull": pull.astype("f4").tobytes(),
        "field": (255 * side.field()).astype(np.uint8).tobytes(),
        "grid": grid.astype("f4").tobytes(),
        "history": side.history.T.astype("f4").tobytes(),
        "kept": len(side.history),
    }


def draw(ax: Axes, side: Side, points: data.Points, words: str) -> str:
    """The still picture of a side; returns what it shows."""
    samples, _, found = side.look(points)
    from_, pull = side.gan.pull(60)
    ax.imshow(side.field(), extent=(-REACH, REACH) * 2, cmap=SURE, vmin=0, vmax=1, alpha=0.7)
    ax.plot(*points.x[:600].T, ".", color=plots.ROLES["data"], markersize=2, linestyle="none", label="data")
    ax.plot(*samples[:400].T, "s", color=plots.COLOURS[1], markersize=2, linestyle="none", label="generated")
    slope = np.linalg.norm(pull, axis=-1, keepdims=True)
    arrows = 0.3 * pull / (slope + 1e-12) * np.minimum(1, np.sqrt(slope)) * 2
    ax.quiver(*from_.T, *arrows.T, color=plots.COLOURS[2], angles="xy", scale_units="xy", scale=1, width=0.004)
    held = f"{found['strict']} of {len(points.modes)} modes held, " if points.modes is not None else ""
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[], yticks=[])
    said = f"{words}{held}{found['quality']:.0%} on a mode at step {side.step:,}"
    ax.set_title(said, fontsize=10)
    ax.grid(visible=False)
    return said
