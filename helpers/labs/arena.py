"""The arena: GANs on points in the plane, trained live while a reader watches, turns knobs and paints points in.

A thread of its own trains, in chunks of a few hundredths of a second, and nothing else touches the GANs that train:
buttons and controls leave it orders, which it carries out between two chunks. A second thread builds the graphs, so
that one side trains on while the other waits for its own. `recipes` has what can be set and what is said; what passes
between this and the page, browser/arena.js says.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np
import traitlets

from .. import data, plots
from ..gan import LOSSES, Diverged
from .panel import FOLDER, Panel, browser, not_had
from .recipes import NO_RECIPE, OWN_POINTS, RECIPES, SLOW, SPEEDS, WORLDS, controls, facts, of_side, recipe, world
from .sides import EMPTY, Side, build, draw, side_frame
from .worker import Worker

CHUNK = 0.07  # seconds of training between two frames
PHASE = 1.4  # seconds that each part of a step is shown in slow motion
STILL = 300  # steps of training in a still picture


class Arena(Panel):
    """Two GANs side by side, from the same seed, trained live: Start, Pause, Step (both networks, or one), Restart.

    Rates, β₁, D's steps and the reader's own points change while it trains. Another loss, width or cure is another
    graph: while it is built, the other side trains on. Other data, another seed or a recipe begin both anew. `values`
    is where the controls stand, `running` whether it trains; `press` does what the buttons do. An arena of the same
    title replaces the earlier one, and ends its threads.

        arena.Arena(recipe="hopping")                             # or any settings, which `values` lists
        made = arena.Arena("Mine", data="grid 3×3", a_beta1=0.5)  # what is left out is the recipe's, or the default
        made.press("start")
    """

    _css = browser("labs.css") + browser("arena.css")
    module = traitlets.Unicode(browser("arena.js")).tag(sync=True)
    parts = traitlets.Dict({file.name: browser(file.name) for file in FOLDER.glob("arena_*.js")}).tag(sync=True)
    facts = traitlets.Dict(facts()).tag(sync=True)
    worker: Worker
    running = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    world = traitlets.Dict().tag(sync=True)  # real points, modes and std
    frame = traitlets.Dict().tag(sync=True)  # what the sides show

    def __init__(self, title: str = "The arena", **values: Any) -> None:
        self._sides = Side(), Side()  # of the still picture, at first: its graphs serve on
        self._still = self._sides
        self._points: data.Points | None = None
        self._place: tuple = ()
        self._together = True  # whether the sides wait for each other, to begin at the same time
        self._after: Callable[[], None] | None = None  # what waits until all graphs are built
        self._phase = 0
        super().__init__(title, controls())
        values = self.parameters(**values)
        self._still = Side(), Side()
        self.steps_done = 0  # of both sides, since the arena was made
        self.builder = Worker(_carry_out, name=f"arena {title}: graphs")
        self.worker = Worker(self._turn, name=f"arena {title}")
        self.on_msg(lambda _, content, __: self.press(content.pop("ask"), **content))
        self.observe(lambda _: self.worker.order(self._prepare), "values")
        self.values = values
        self.worker.order(self._prepare)

    # What a reader does

    def press(self, button: str, which: str = "both") -> None:
        """Do what a button does: start, pause, step or restart. which: the network that a step trains, "D", "G" or
        "both". Raises ValueError.
        """
        if button in ("start", "pause"):
            self._run(button == "start")
        elif button == "step":
            self._run(False, partial(self._step, which))
        elif button == "restart":
            self.worker.order(self._restart)
        else:
            raise ValueError(f"the arena has no button {button!r}: start, pause, step or restart")

    def _run(self, running, order=lambda: None):
        with self._lock, self.hold_sync():
            self.running = running
            if self._points is not None:
                self.message = ""
        self.worker.order(order)  # an empty one, too, wakes the thread or ends its wait

    def settle(self, timeout: float = 60) -> None:
        """Wait until all orders are carried out and shown, and no graph is being built. Raises TimeoutError, or
        RuntimeError once closed.
        """
        for worker in (self.worker, self.builder, self.worker):
            worker.settle(timeout)

    def close(self) -> None:
        if hasattr(self, "builder"):
            self.builder.close()
        super().close()

    def parameters(self, **given: Any) -> dict:
        """All settings: those given, checked, and of the others the recipe's, or the defaults. A recipe that they do
        not follow is none. Raises ValueError.
        """
        name = given.get("recipe", self.controls["recipe"].value)
        follows = recipe(name) if name in RECIPES else {}
        values = super().parameters(**follows | given)
        follows.pop("stop", None)  # another pause leaves the recipe what it is
        if any(values[key] != (list(v) if isinstance(v, tuple) else v) for key, v in follows.items()):
            values["recipe"] = NO_RECIPE
        return values

    # What the thread does

    def _turn(self, orders):
        """Carry out what was ordered, train a chunk if it runs, and show the frame. Returns the wait until the next."""
        began = time.perf_counter()
        speed = SPEEDS[self.values["speed"]]
        try:
            for order, following in zip(orders, [*orders[1:], None]):
                if not order == following == self._prepare:  # a knob that is turned far orders it many times
                    order()
            if self.running:
                self._advance(speed, steady=not orders)
            self._show()
        except Exception as error:
            with self._lock, self.hold_sync():
                self.running, self.message = False, f"⚠ {type(error).__name__}: {error}"
        if not self.running or self._points is None or not self._ready():
            return None  # until something is ordered, or a graph is there
        if self.values["speed"] == SLOW:
            return PHASE
        return 0 if speed is None else max(0, self._steps(speed) / speed - (time.perf_counter() - began))

    _pace = 20  # steps a chunk at full speed

    def _steps(self, speed):
        return self._pace if speed is None else max(1, round(speed * 0.1))

    def _advance(self, speed, steady):
        slow = self.values["speed"] == SLOW
        self._ensure(alone=slow)
        ready = self._ready()
        if not ready or self._points is None or (slow and len(ready) < len(self._active())):
            return
        if slow:
            self._phase = self._phase % 5 + 1
            if self._phase in (3, 5):
                self._train(1, ready, "D" if self._phase == 3 else "G")
        else:
            stop, steps, began = self.values["stop"], self._steps(speed), time.perf_counter()
            steps = min(steps, *(stop - side.step for side in ready if side.step < stop), steps)
            self._train(steps, ready)
            took = time.perf_counter() - began
            if speed is None and steady and steps == self._pace:
                self._pace = int(np.clip(self._pace * CHUNK / max(took, 1e-3), max(1, self._pace / 2), self._pace * 2))
        if self._phase in (0, 5) and any(side.step == self.values["stop"] for side in ready):
            with self._lock, self.hold_sync():
                self.running = False
                self.message = f"Paused at step {self.values['stop']:,}. Start goes on."

    def _train(self, steps, sides, which="both"):
        for side in sides:
            try:
                side.train(steps, which)
            except Diverged as error:
                raise ArithmeticError(f"side {'AB'[self._sides.index(side)]}: {error}") from None
            self.steps_done += steps

    def _step(self, which):
        """A step of both networks or of one, once the graphs for it are there."""
        self._ensure(alone=which != "both")
        if any(side.awaits for side in self._active()):
            self._after = partial(self._step, which)
        elif self._points is not None:
            self._phase = 0
            self._train(1, self._active(), which)

    def _active(self):
        return self._sides[: 2 if self.values["sides"] == "A and B" else 1]

    def _ready(self):
        """The sides that can train now."""
        ready = [side for side in self._active() if not side.awaits]
        if self._together and len(ready) < len(self._active()):
            return []
        self._together = False
        return ready

    def _prepare(self):
        """Go by the values as they are now."""
        values = self.values
        place = values["data"], values["seed"], values["sides"], values["recipe"]
        old, self._place = self._place, place
        if not old or (values["data"], tuple(map(tuple, values["own"]))) != self._seen:
            self._see(values)
        slow = values["speed"] == SLOW
        if not slow:
            self._phase = 0
        self._ensure(alone=slow)
        # A knob that leaves the recipe and points that are painted change what goes on; all else begins anew.
        goes_on = bool(old) and place[0] in (old[0], OWN_POINTS) and place[1:3] == old[1:3] and place[3] == NO_RECIPE
        if place != old and not goes_on:
            self._restart()

    _seen: tuple = ()

    def _see(self, values):
        self._points = world(values["data"], values["own"])
        self._seen = values["data"], tuple(map(tuple, values["own"]))
        points = self._points
        modes = None if points is None else points.modes
        with self._lock:
            self.world = {
                "real": b"" if points is None else points.x[:800].tobytes(),
                "std": 0.1 if points is None else points.std,
                "modes": None if modes is None else modes.tobytes(),
            }
            if points is None:
                self.message = "There is nothing to learn: paint points with the brush."
            elif self.message.startswith("There is nothing"):
                self.message = ""

    def _ensure(self, alone):
        """See that each side has the GAN that its values ask for, or that it is being built."""
        if self._points is None:
            return
        for side, letter in zip(self._active(), "ab"):
            mine = of_side(self.values, letter)
            key = side.key(mine, alone)
            if key in side.ready:
                side.awaits = None
                side.take(key, self.values["seed"])
                side.set(self._points, mine)
            elif key != side.awaits:
                side.awaits = key
                self.builder.order(partial(self._build, side, key, self._points, mine))

    def _build(self, side, key, points, values):
        """In the builder's thread. A graph that nobody waits for any more is not built."""
        if key != side.awaits:
            return
        try:
            gan = build(key, points, values)
        except Exception as error:
            self.worker.order(partial(self._built, side, key, None, points, error))
        else:
            self.worker.order(partial(self._built, side, key, gan, points))

    def _built(self, side, key, gan, points, failed=None):
        if failed is not None:
            side.awaits = None
            raise failed
        side.keep(key, gan)
        if side.awaits == key:
            side.awaits = None
            letter = "ab"[self._sides.index(side)]
            side.take(key, self.values["seed"])
            side.set(self._points or points, of_side(self.values, letter))
        if self._after and not any(s.awaits for s in self._active()):
            after, self._after = self._after, None
            after()

    def _restart(self):
        self._together, self._phase, self._after = True, 0, None
        for side in self._active():
            side.restart(self.values["seed"])
        if self._points is not None:
            with self._lock:
                self.message = ""

    def _show(self):
        frames = [self._frame(side) for side in self._active()]
        with self._lock:
            self.frame = {"phase": self._phase, "sides": frames}

    def _frame(self, side):
        if self._points is not None and side.gan and not side.awaits:
            side.frame = side_frame(side, self._points)
        elif self._together or not side.frame:
            side.frame = EMPTY
        return side.frame | {"building": bool(side.awaits) and self._points is not None}

    # A still picture, for tests and for readers without a kernel

    def settings(self, n_random: int = 2, seed: int = 0) -> Iterator[dict]:
        """Parameters to test with: the extremes, each recipe (the default is one of them), some random ones, and
        each kind of data and each loss that has not been had yet, one of both at a time."""
        rng = np.random.default_rng(seed)
        found = [
            {name: control.extremes[end] for name, control in self.controls.items()} | {"recipe": NO_RECIPE}
            for end in (0, 1)
        ]
        found += (self.parameters(recipe=name) for name in RECIPES)
        found += (
            {name: control.random(rng) for name, control in self.controls.items()} | {"recipe": NO_RECIPE}
            for _ in range(n_random)
        )
        missing = (
            [{name: option} for option in not_had(name, options, found)]
            for name, options in (("data", WORLDS), ("a_loss", LOSSES))
        )
        yield from found
        for kind, loss in zip_longest(*missing, fillvalue={}):
            yield self.parameters(sides="A alone", **kind, **loss)

    def still(self) -> plots.Picture:
        """The first recipe at the step at which it pauses."""
        return self.picture(self.parameters()["stop"])

    def picture(self, steps: int = STILL, **parameters: Any) -> plots.Picture:
        """Both sides after so many steps, as a `Picture`; the live ones are left alone."""
        values = self.parameters(**parameters)
        points, letters = world(values["data"], values["own"]), "ab" if values["sides"] == "A and B" else "a"
        fig, axes = plots.figure(1, 2, height=4.7)
        axes[1].set_visible(len(letters) == 2)
        said = []
        for side, letter, ax in zip(self._still, letters, axes):
            if points is None:
                ax.set_title(f"{letter.upper()}: nothing to learn", fontsize=10)
                continue
            mine = of_side(values, letter)
            key = side.key(mine)
            if key not in side.ready:
                side.ready[key] = build(key, points, mine)
            side.take(key, values["seed"])
            side.set(points, mine)
            side.restart(values["seed"])
            stopped = ""
            try:
                side.train(steps)
            except Diverged as error:
                stopped = f"stopped at step {error.step}; "
            said.append(draw(ax, side, points, f"{letter.upper()}: {stopped}"))
        return plots.picture(fig, alt=f"Samples of GANs, over data: {values['data']}. {'; '.join(said)}.")


def _carry_out(orders):
    """The work of a thread that rests between orders."""
    for order in orders:
        order()
