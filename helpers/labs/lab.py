"""Labs whose pictures the kernel draws: `Lab` while a slider moves, `RetrainLab` after training when it is let go."""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any

import traitlets
from matplotlib.figure import Figure

from .. import plots
from .controls import Choice, Slider
from .panel import Panel, browser
from .worker import Worker


class Lab(Panel):
    """A panel of controls over a pure function.

        labs.Lab(lambda n: plots.images({f"{n} images": x[:n]}), "Some digits", n=labs.slider("images", 1, 20, 5))

    draw(**parameters) returns a `plots.Picture` or a matplotlib `Figure` (never pyplot's). controls: parameter name =
    slider(...) or choice(...); beside each slider a button walks it through its values. question: one or two sentences
    for the reader to answer by the controls. `values` is where the controls stand, and moves them:
    `lab.values = {"noise": 0.5}`, what is left out at its default. drag: {name: pixels} of the slider that follows the
    pointer when the picture is dragged sideways, and perhaps of a second one that follows it down; a step of 1 takes
    that many CSS pixels. A lab of the same title replaces the earlier one. The default setting is drawn at once, and
    there an error is raised; later ones are said in the panel, and the last picture stays.
    """

    # One picture of all labs at a time: they may share a model, and pictures are asked for in two threads.
    _drawing = threading.RLock()

    module = traitlets.Unicode(browser("lab.js")).tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)  # src, alt and width of the picture
    answered = traitlets.Dict().tag(sync=True)  # the values to which it, or the message, is the answer
    message = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    retrains = traitlets.Bool(False).tag(sync=True)
    drag = traitlets.Dict().tag(sync=True)  # {name of a slider: CSS pixels for a step of 1}

    def __init__(
        self,
        draw: Callable[..., plots.Picture | Figure],
        title: str,
        drag: dict[str, float] | None = None,
        question: str = "",
        **controls: Slider | Choice,
    ):
        self.draw, drag = draw, dict(drag or {})
        even = [name for name, control in controls.items() if isinstance(control, Slider) and not control.values]
        if len(drag) > 2 or not set(drag) <= set(even):
            raise ValueError(
                f"lab {title!r}: drag names one or two of its sliders, in even steps, got {', '.join(drag)}"
            )
        super().__init__(title, controls, question, drag=drag)
        self._show(self.twin, self.values)
        self.observe(lambda _: self._refresh(), "values")

    def picture(self, **parameters: Any) -> plots.Picture:
        """The `Picture` for these parameters, defaults for the others: a pure call that leaves the panel alone."""
        return self._drawn(**self.parameters(**parameters))

    def _drawn(self, *result, **parameters):
        with self._drawing:
            drawing = self.draw(*result, **parameters)
            return plots.picture(drawing, small=False)  # a few milliseconds count more than a few kilobytes

    def _refresh(self):
        with self._lock:
            values = self.values
            with self._errors_in_words(values):
                self._show(self.picture(**values), values)

    def _show(self, picture, values, message="", progress=None):
        data, metadata = picture._repr_mimebundle_()
        shown = {"src": f"data:image/png;base64,{data['image/png']}", **metadata["image/png"]}
        with self._lock, self.hold_sync():
            self.shown, self.answered, self.message, self.progress = shown, values, message, progress

    @contextlib.contextmanager
    def _errors_in_words(self, values):
        try:
            yield
        except Exception as error:
            with self._lock, self.hold_sync():
                self.message = f"⚠ {type(error).__name__}: {error} (The picture is the last one that could be drawn.)"
                self.answered, self.progress = values, None


class _Superseded(Exception):
    """The training in progress is no longer wanted."""


class RetrainLab(Lab):
    """A lab whose picture takes a training run: `train` when a control is let go, then `draw`.

    train(**parameters) is a generator function: between chunks of training it yields its progress, 0 to 1, or
    (progress, partial result) to have that drawn; it returns the result. draw(result, **parameters) returns a picture.

        def train(code):
            model = autoencoder(code)
            for epoch in range(10):
                model.fit(x, x, verbose=0)
                yield (epoch + 1) / 10
            return model

    A new setting, or Cancel, ends the run in progress at its next yield. Results are kept, so a setting visited before
    is there at once. The trainings of all labs take turns: labs may share a compiled model, with each other and not
    with cells that train it. question: as in `Lab`. Raises TypeError where train is no generator function.
    """

    worker: Worker
    settled = traitlets.Dict().tag(sync=True)  # what the picture shows, where Cancel takes the controls
    _training = threading.RLock()

    def __init__(
        self,
        train: Callable[..., Generator],
        draw: Callable[..., plots.Picture | Figure],
        title: str,
        question: str = "",
        **controls: Slider | Choice,
    ):
        self.train = train
        self._results: dict[tuple, object] = {}
        if not inspect.isgeneratorfunction(train):
            raise TypeError(f"lab {title!r}: train must be a generator function: it yields progress, returns a result")
        super().__init__(draw, title, None, question, **controls)
        self.retrains, self.settled = True, self.values
        self.worker = Worker(self._settle, name=f"lab {title}")

    def result(self, report: Callable[[float | tuple], None] = lambda step: None, **parameters: Any) -> object:
        """What train returns for these parameters, from an earlier run if there was one; report gets what it yields."""
        parameters = self.parameters(**parameters)
        key = tuple(parameters.values())

        def run():
            self._results[key] = yield from self.train(**parameters)

        with self._training:
            if key not in self._results:
                with contextlib.closing(run()) as steps:
                    for step in steps:
                        report(step)
            return self._results[key]

    def picture(self, **parameters: Any) -> plots.Picture:
        """The `Picture` for these parameters, trained to the end here and now if it was not before."""
        parameters = self.parameters(**parameters)
        return self._drawn(self.result(**parameters), **parameters)

    def _refresh(self):
        self.worker.order()

    def _settle(self, _):
        parameters = self.values  # the latest, whichever was ordered
        with self._errors_in_words(parameters), contextlib.suppress(_Superseded):
            result = self.result(functools.partial(self._report, parameters), **parameters)
            self._show(self._drawn(result, **parameters), parameters)
            self.settled = parameters

    def _report(self, parameters, step):
        if self.worker.wanted:
            raise _Superseded
        progress, *partial = step if isinstance(step, tuple) else (step,)
        message, progress = "Training …", round(progress, 2)  # at most a hundred messages a run
        with self._lock, self.hold_sync():
            self.answered, self.message, self.progress = parameters, message, progress
        if partial:
            self._show(self._drawn(*partial, **parameters), parameters, message, progress)
