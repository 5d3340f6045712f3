"""Labs: a pure function from parameters to a picture, under a thin layer of controls.

`Lab` draws while a slider moves, `RetrainLab` trains when it is let go, `LatentPlane` decodes in the browser; labs.js
is the browser's side of them. While a cell runs, Jupyter handles a lab's events in a second thread, so a drawing
function uses no pyplot and changes nothing outside itself, matplotlib's rcParams included.
"""
import contextlib
import contextvars
import functools
import inspect
import threading
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from . import plots

LABS = {}                      # title → lab, of every lab made in this kernel


# Controls -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Slider:
    """A number from low to high: a whole one if low, high, value and step are, else with as many decimals as they."""
    label: str
    low: float
    high: float
    value: float
    step: float = 1

    options = ()               # no value of a slider must be tried by itself

    def __post_init__(self):
        if not 0 < self.step <= self.high - self.low:
            raise ValueError(f"slider {self.label!r}: low must be below high and step between 0 and their difference, "
                             f"got low {self.low}, high {self.high}, step {self.step}")
        self.check(self.value)

    @property
    def decimals(self):
        numbers = (self.low, self.high, self.value, self.step)
        if all(isinstance(number, (int, np.integer)) for number in numbers):
            return None
        return max(0, *(-Decimal(str(float(number))).normalize().as_tuple().exponent for number in numbers))

    @property
    def extremes(self):
        return self.low, self.high

    def check(self, value):
        """The value at the slider's precision, or a ValueError that says what it may be."""
        if not isinstance(value, (int, float, np.number)) or not self.low <= value <= self.high:
            raise ValueError(f"{self.label!r} must be a number from {self.low} to {self.high}, got {value!r}")
        if self.decimals is None and value != int(value):
            raise ValueError(f"{self.label!r} must be a whole number, got {value!r}")
        return int(value) if self.decimals is None else round(float(value), self.decimals)

    def random(self, rng):
        steps = rng.integers(0, round((self.high - self.low) / self.step) + 1)
        return self.check(min(self.low + int(steps) * self.step, self.high))


@dataclass(frozen=True)
class Choice:
    """One of several options, texts or numbers; value is the first if it is not given."""
    label: str
    options: tuple
    value: object = None

    def __post_init__(self):
        object.__setattr__(self, "options", tuple(self.options))
        if len(set(self.options)) < max(2, len(self.options)):
            raise ValueError(f"choice {self.label!r}: give at least two options, all different, got {self.options}")
        object.__setattr__(self, "value", self.check(self.options[0] if self.value is None else self.value))

    @property
    def extremes(self):
        return self.options[0], self.options[-1]

    def check(self, value):
        if value not in self.options:
            raise ValueError(f"{self.label!r} must be one of {', '.join(map(repr, self.options))}, got {value!r}")
        return self.options[self.options.index(value)]

    def random(self, rng):
        return self.options[rng.integers(len(self.options))]


slider, choice = Slider, Choice      # what notebooks write


# What every lab has ---------------------------------------------------------------------------------------------

class Panel(anywidget.AnyWidget):
    """A title in LABS, checked values, settings to test, and a static twin for readers without a kernel."""
    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    _css = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    kind = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)         # as the controls stand now
    start = traitlets.Dict().tag(sync=True)          # where Reset takes them

    def __init__(self, title, controls, **traits):
        protect_figures()
        with contextlib.suppress(ImportError):
            from google.colab import output
            output.enable_custom_widget_manager()
        if title in LABS:
            LABS[title].close()
        self.controls, self._lock = controls, threading.RLock()
        start = self.parameters()
        self.twin = self.still()                     # an error in the default setting is the author's: raised here
        super().__init__(title=title, values=start, start=start, **traits)
        LABS[title] = self

    def parameters(self, **given):
        """All parameters: those given, checked, and the defaults of the others."""
        if unknown := set(given) - set(self.controls):
            raise ValueError(f"no parameter {', '.join(sorted(unknown))} in this lab, which has "
                             f"{', '.join(self.controls)}")
        return {name: control.check(given.get(name, control.value)) for name, control in self.controls.items()}

    def settings(self, n_random=3, seed=0):
        """Parameters to test the lab with: all lowest, all highest, default, every option, and n_random random."""
        for end in (0, 1):
            yield {name: control.extremes[end] for name, control in self.controls.items()}
        yield self.parameters()
        for name, control in self.controls.items():
            yield from (self.parameters(**{name: option}) for option in control.options)
        rng = np.random.default_rng(seed)
        for _ in range(n_random):
            yield {name: control.random(rng) for name, control in self.controls.items()}

    def still(self):
        """What a reader without a kernel sees."""
        return self.picture()

    @traitlets.validate("values")
    def _check_values(self, proposal):
        return self.parameters(**proposal["value"])

    def set_state(self, sync_data):
        with self._lock:             # events come from two threads, pictures perhaps from a third; traitlets minds
            super().set_state(sync_data)

    def _repr_mimebundle_(self, **_):
        data, metadata = self.twin._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return data | {"application/vnd.jupyter.widget-view+json": view}, metadata

    def close(self):
        if LABS.get(self.title) is self:
            del LABS[self.title]
        super().close()


# Labs that draw while a slider moves ----------------------------------------------------------------------------

class Lab(Panel):
    """A panel of controls over a pure function.

    draw(**parameters) returns a `plots.Picture` or a matplotlib `Figure` (never pyplot's). controls: parameter name =
    slider(...) or choice(...). `values` is where the controls stand, and moves them: `lab.values = {"noise": 0.5}`,
    what is left out at its default. drag: {name: pixels} of the slider that follows the pointer when the picture is
    dragged sideways, and perhaps of a second one that follows it down; a step of 1 takes that many CSS pixels. A lab of
    the same title replaces the earlier one. The default setting is drawn at
    once, and there an error is raised; later ones are said in the panel, and the last picture stays.
    """
    rows = traitlets.List().tag(sync=True)           # what the browser needs to know of the controls
    shown = traitlets.Dict().tag(sync=True)          # src, alt and width of the picture
    message = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    retrains = traitlets.Bool(False).tag(sync=True)
    drag = traitlets.Dict().tag(sync=True)           # {name of a slider: CSS pixels for a step of 1}

    def __init__(self, draw, title, drag=None, **controls):
        self.draw, drag = draw, dict(drag or {})
        if len(drag) > 2 or not all(isinstance(controls.get(name), Slider) for name in drag):
            raise ValueError(f"lab {title!r}: drag names one or two of its sliders, got {', '.join(drag)}")
        super().__init__(title, controls, kind="lab", drag=drag, rows=[
            asdict(control) | {"name": name, "decimals": getattr(control, "decimals", 0)}
            for name, control in controls.items()])
        self._show(self.twin)
        self.observe(lambda _: self._refresh(), "values")

    def picture(self, **parameters):
        """The `Picture` for these parameters, defaults for the others: a pure call that leaves the panel alone."""
        return plots.picture(self.draw(**self.parameters(**parameters)))

    def _refresh(self):
        with self._lock, self._errors_in_words():
            self._show(self.picture(**self.values))

    def _show(self, picture, message="", progress=None):
        data, metadata = picture._repr_mimebundle_()
        shown = {"src": f"data:image/png;base64,{data['image/png']}", **metadata["image/png"]}
        with self._lock, self.hold_sync():
            self.shown, self.message, self.progress = shown, message, progress

    @contextlib.contextmanager
    def _errors_in_words(self):
        try:
            yield
        except Exception as error:
            with self._lock, self.hold_sync():
                self.message = f"⚠ {type(error).__name__}: {error} (The picture is the last one that could be drawn.)"
                self.progress = None


# Labs that train when a slider is let go ------------------------------------------------------------------------

class _Superseded(Exception):
    """The training in progress is no longer wanted."""


class RetrainLab(Lab):
    """A lab whose picture takes a training run: `train` when a control is let go, then `draw`.

    train(**parameters) is a generator function: between chunks of training it yields its progress, 0 to 1, or
    (progress, partial result) to have that drawn; it returns the result. draw(result, **parameters) returns a picture.
    A new setting, or Cancel, ends the run in progress at its next yield. Results are kept, so a setting visited before
    is there at once. The trainings of all labs take turns: labs may share a compiled model, with each other and not
    with cells that train it.
    """
    settled = traitlets.Dict().tag(sync=True)        # what the picture shows, where Cancel takes the controls
    _training = threading.RLock()

    def __init__(self, train, draw, title, **controls):
        self.train, self._results = train, {}
        self._wake, self._wanted, self._closed = threading.Condition(), None, False
        if not inspect.isgeneratorfunction(train):
            raise TypeError(f"lab {title!r}: train must be a generator function: it yields progress, returns a result")
        super().__init__(draw, title, **controls)
        self.retrains, self.settled = True, self.values
        threading.Thread(target=self._work, name=f"lab {title}", daemon=True).start()

    def result(self, report=lambda step: None, **parameters):
        """What train returns for these parameters, from an earlier run if there was one."""
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

    def picture(self, **parameters):
        """The `Picture` for these parameters, trained to the end here and now if it was not before."""
        parameters = self.parameters(**parameters)
        return plots.picture(self.draw(self.result(**parameters), **parameters))

    def _refresh(self):
        with self._wake:
            # Jupyter takes a lab's next event to the thread that its last message came from; in the event's own context
            # that is not the main thread, where Cancel would wait for a running cell.
            self._wanted = contextvars.copy_context(), self.values
            self._wake.notify()

    def _work(self):
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._wanted is not None or self._closed)
                if self._closed:
                    return
                (context, parameters), self._wanted = self._wanted, None
            context.run(self._settle, parameters)

    def _settle(self, parameters):
        with self._errors_in_words(), contextlib.suppress(_Superseded):
            result = self.result(functools.partial(self._report, parameters), **parameters)
            self._show(plots.picture(self.draw(result, **parameters)))
            self.settled = parameters

    def _report(self, parameters, step):
        if self._wanted is not None or self._closed:
            raise _Superseded
        progress, *partial = step if isinstance(step, tuple) else (step,)
        with self._lock, self.hold_sync():
            self.message, self.progress = "Training …", round(progress, 2)        # at most a hundred messages a run
        if partial:
            self._show(plots.picture(self.draw(*partial, **parameters)), "Training …", progress)

    def close(self):
        with self._wake:
            self._closed = True
            self._wake.notify()
        super().close()


# A lab that runs in the browser ---------------------------------------------------------------------------------

ACTIVATIONS = {
    "linear": lambda x: x, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "leaky_relu": lambda x: np.where(x > 0, x, .2 * x),   # Keras's slope
}


class LatentPlane(Panel):
    """A map of two-dimensional codes: click, drag or use the arrow keys, and the code under the cross is decoded.

    decoder: a keras.Sequential of Dense layers from 2 numbers to the pixels of an image in 0–1. codes: (n, 2).
    labels: (n,). image_shape: (height, width). The weights are sent once and the decoder runs in the browser, so the
    image follows the pointer without the kernel. images: (n, pixels) in 0–1, if given: the one whose code is nearest to
    the pointer, or to the cross, is shown beside the decoded one.
    """
    scene = traitlets.Dict().tag(sync=True)          # what never changes: codes, classes, layers

    def __init__(self, decoder, codes, labels, image_shape, title, images=None):
        self.codes, self.labels = np.asarray(codes, np.float32), np.asarray(labels)
        self.images = None if images is None else np.asarray(images, np.float32)
        self.image_shape = tuple(image_shape)
        if self.codes.shape != (len(self.labels), 2) or not np.isfinite(self.codes).all():
            raise ValueError("a latent plane needs finite codes of shape (n, 2) and a label for each, "
                             f"got {self.codes.shape} and {self.labels.shape}")
        self._layers = [_dense(layer) for layer in decoder.layers]
        shapes = [kernel.shape for kernel, _, _ in self._layers]
        if shapes[0][0] != 2 or shapes[-1][1] != np.prod(image_shape):
            raise ValueError(f"the decoder must lead from 2 numbers to {' × '.join(map(str, image_shape))} pixels, "
                             f"not from {shapes[0][0]} to {shapes[-1][1]}")
        if images is not None and self.images.shape != (len(self.labels), np.prod(image_shape)):
            raise ValueError(f"images must be one for each code, ({len(self.labels)}, {np.prod(image_shape)}), "
                             f"got {self.images.shape}")
        margin = .05 * np.ptp(self.codes, axis=0) + .01
        ends = zip((self.codes.min(0) - margin).round(2).tolist(), (self.codes.max(0) + margin).round(2).tolist())
        controls = {f"z{i}": slider(f"z{i}", low, high, min(max(0., low), high), step=.01)
                    for i, (low, high) in enumerate(ends, 1)}
        super().__init__(title, controls, kind="plane", scene=self._scene(list(controls.values())))

    def _scene(self, axes):
        names, group = np.unique(self.labels, return_inverse=True)
        return {
            "codes": self.codes.tobytes(), "group": group.astype(np.uint8).tobytes(), "names": list(map(str, names)),
            "images": None if self.images is None else (255 * self.images.clip(0, 1)).astype(np.uint8).tobytes(),
            "colours": plots.COLOURS[:7], "shape": self.image_shape, "axes": [asdict(axis) for axis in axes],
            "layers": [{"kernel": kernel.tobytes(), "bias": bias.tobytes(), "activation": activation}
                       for kernel, bias, activation in self._layers],
        }

    def decode(self, z):
        """Images of codes: (2,) → (height, width), (n, 2) → (n, height, width); what the browser computes."""
        x = np.asarray(z, np.float32)
        for kernel, bias, activation in self._layers:
            x = ACTIVATIONS[activation](x @ kernel + bias)
        return x.reshape(*x.shape[:-1], *self.image_shape)

    def picture(self, **parameters):
        """The map with a cross at z1, z2 and the decoded image beside it, as a `Picture` made by the kernel."""
        z1, z2 = self.parameters(**parameters).values()
        pictures = {f"decoded at z1 = {z1:.2f}, z2 = {z2:.2f}": self.decode((z1, z2))}
        if self.images is not None:
            i = np.square(self.codes - (z1, z2)).sum(axis=1).argmin()
            pictures[f"nearest image: a {self.labels[i]}"] = self.images[i].reshape(self.image_shape)
        fig, (plane, *places) = plots.figure(1, 1 + len(pictures), width=8.6, height=3.8 if len(pictures) == 1 else 3,
                                             width_ratios=[4 / 3, *[1] * len(pictures)])
        plots.classes(plane, self.codes, self.labels)
        plane.plot(z1, z2, "+", color="black", markersize=18, markeredgewidth=2)
        plane.set(xlabel="z1", ylabel="z2", title="latent plane")
        for place, (said, shades) in zip(places, pictures.items()):
            place.imshow(shades, cmap="gray_r", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
            place.set_title(said, fontsize=10)
        return plots.picture(fig)


def _dense(layer):
    """(kernel, bias, name of the activation) of a Dense layer, or an error that says what a plane can decode."""
    import keras

    activation = getattr(getattr(layer, "activation", None), "__name__", "unknown")
    if not isinstance(layer, keras.layers.Dense) or activation not in ACTIVATIONS:
        raise ValueError(f"layer {layer.name!r} ({type(layer).__name__}, activation {activation}) cannot run in the "
                         f"browser: a latent plane takes Dense layers with {', '.join(ACTIVATIONS)}")
    kernel = np.asarray(layer.kernel, np.float32)
    return kernel, np.asarray(layer.bias, np.float32) if layer.use_bias else np.zeros(layer.units, "f"), activation


# Figures of a running cell --------------------------------------------------------------------------------------

def protect_figures():
    """Keep the pyplot figures of a running cell whole while a reader moves a slider.

    While a cell runs, a slider's events are handled in a second thread, and after each IPython calls what is
    registered for "post_execute": pyplot and its inline backend, which draw, show and close the cell's half-made
    figures. From now on IPython calls them in the main thread only.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None or hasattr(shell.events.trigger, "__wrapped__"):
        return
    trigger = shell.events.trigger

    @functools.wraps(trigger)
    def trigger_in_main_thread(event, *args, **kwargs):
        if event not in ("pre_execute", "post_execute") or threading.current_thread() is threading.main_thread():
            trigger(event, *args, **kwargs)

    shell.events.trigger = trigger_in_main_thread
