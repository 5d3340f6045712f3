"""Labs: a pure function from parameters to a picture, under a thin layer of controls.

`Lab` draws while a slider moves, `RetrainLab` trains when it is let go, `LatentPlane` decodes in the browser.
Callbacks may run in a second thread while a cell runs (JupyterLab ≥ 4.4 with ipykernel ≥ 7), so a drawing function
makes no pyplot figure and changes nothing outside itself.
"""
import contextlib
import functools
import html
import inspect
import threading
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

import anywidget
import ipywidgets as W
import numpy as np
import traitlets

from . import plots

LABS = {}                  # title → lab, of every lab made in this kernel
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
STYLE = """
.lab img, .lab canvas { background: white; border: 1px solid #bbb; max-width: 100%; height: auto; }
.lab :focus-visible { outline: 2px solid #1976d2; outline-offset: 2px; }
.lab-plane-body { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
.lab-plane-body canvas { touch-action: none; image-rendering: pixelated; }
.lab input[type=number] { width: 6em; }
"""


# Controls -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Slider:
    """A number from low to high. It is a whole number if low, high, value and step are; else as precise as they are."""
    label: str
    low: float
    high: float
    value: float
    step: float = 1

    def __post_init__(self):
        if not self.low < self.high:
            raise ValueError(f"slider {self.label!r}: low must be below high, got {self.low} and {self.high}")
        if not 0 < self.step <= self.high - self.low:
            raise ValueError(f"slider {self.label!r}: step must be above 0 and at most high − low, got {self.step}")
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

    options = ()           # no value of a slider must be tried by itself

    def check(self, value):
        """The value rounded to the slider's precision, or a ValueError that says what it may be."""
        if not isinstance(value, (int, float, np.number)) or not self.low <= value <= self.high:
            raise ValueError(f"{self.label!r} must be a number from {self.low} to {self.high}, got {value!r}")
        if self.decimals is None and value != int(value):
            raise ValueError(f"{self.label!r} must be a whole number, got {value!r}")
        return int(value) if self.decimals is None else round(float(value), self.decimals)

    def random(self, rng):
        steps = int(rng.integers(0, round((self.high - self.low) / self.step) + 1))
        return self.check(min(self.low + steps * self.step, self.high))

    def widgets(self, continuous, label_width):
        """The widget that holds the value, and its row: a slider with a number entry."""
        kind, entry = (W.IntSlider, W.BoundedIntText) if self.decimals is None else (W.FloatSlider, W.BoundedFloatText)
        numbers = {"min": self.low, "max": self.high, "step": self.step, "value": self.value}
        slider = kind(description=self.label, readout=False, readout_format=f".{self.decimals or 0}f",
                      continuous_update=continuous, style={"description_width": label_width},
                      layout=W.Layout(width="26em"), **numbers)
        number = entry(layout=W.Layout(width="7em"), **numbers)
        row = W.HBox([slider, number])
        row.link = W.jslink((slider, "value"), (number, "value"))     # in the browser, so typing is never overtaken
        return slider, row


@dataclass(frozen=True)
class Choice:
    """One of several options; value is the first if it is not given."""
    label: str
    options: tuple
    value: object = None

    def __post_init__(self):
        object.__setattr__(self, "options", tuple(self.options))
        if len(set(self.options)) < max(2, len(self.options)):
            raise ValueError(f"choice {self.label!r}: give at least two options, all different, got {self.options}")
        if self.value is None:
            object.__setattr__(self, "value", self.options[0])
        self.check(self.value)

    @property
    def extremes(self):
        return self.options[0], self.options[-1]

    def check(self, value):
        if value not in self.options:
            raise ValueError(f"{self.label!r} must be one of {', '.join(map(repr, self.options))}, got {value!r}")
        return value

    def random(self, rng):
        return self.options[rng.integers(len(self.options))]

    def widgets(self, continuous, label_width):
        menu = W.Dropdown(description=self.label, options=self.options, value=self.value,
                          style={"description_width": label_width}, layout=W.Layout(width="26em"))
        return menu, menu


slider, choice = Slider, Choice      # what notebooks write


# What every lab has ---------------------------------------------------------------------------------------------

class _Panel:
    """A title in LABS, checked parameters, settings to test, and a static twin for readers without a kernel."""

    def _prepare(self, title, controls):
        protect_figures()
        with contextlib.suppress(ImportError):
            from google.colab import output
            output.enable_custom_widget_manager()
        if title in LABS:
            LABS[title].close()
        self.title, self.controls = title, controls

    def parameters(self, **given):
        """All parameters: those given, checked, and the defaults of the others."""
        if unknown := set(given) - set(self.controls):
            raise ValueError(f"lab {self.title!r} has no parameter {', '.join(sorted(unknown))}; "
                             f"it has {', '.join(self.controls)}")
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

    def _repr_mimebundle_(self, **_):
        data, metadata = self.twin._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return data | {"application/vnd.jupyter.widget-view+json": view}, metadata

    def close(self):
        if LABS.get(self.title) is self:
            del LABS[self.title]
        super().close()


class _PictureView(anywidget.AnyWidget):
    """The picture of a panel: one <img> that changes only to pictures already decoded."""
    _esm, _css = SCRIPT, STYLE
    kind = traitlets.Unicode("picture").tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)


# Labs that draw while a slider moves ----------------------------------------------------------------------------

class Lab(_Panel, W.VBox):
    """A panel of controls over a pure function.

    draw(**parameters) returns a `plots.Picture` or a matplotlib `Figure` (never pyplot's). controls: parameter name =
    slider(...) or choice(...). A lab of the same title replaces the earlier one. An error in draw is said in the
    panel, and the last picture stays; the default setting is drawn at once, and there an error is raised.
    """
    continuous = True

    def __init__(self, draw, title, **controls):
        self._prepare(title, controls)
        self.draw, self._lock, self._quiet = draw, threading.RLock(), None
        self.twin = self.picture()
        self._view = _PictureView(title=title, picture=asdict(self.twin))
        self._message = W.HTML(layout=W.Layout(flex="1 1 0", min_width="16em")).add_class("lab-message")
        self._inputs, rows = {}, []
        width = f"{max(len(control.label) for control in controls.values()) + 1}ch" if controls else "0"
        for name, control in controls.items():
            self._inputs[name], row = control.widgets(self.continuous, width)
            self._inputs[name].observe(self._changed, "value")
            rows.append(row.add_class("lab-row"))
        heading = W.HTML(f"<b>{html.escape(title)}</b>")
        foot = W.HBox([*self._buttons(), self._message], layout=W.Layout(flex_flow="row wrap"))
        super().__init__([heading, *rows, foot, self._view])
        self.add_class("lab")
        LABS[title] = self

    def _buttons(self):
        reset = W.Button(description="Reset")
        reset.on_click(lambda _: self.set(**self.parameters()))
        return [reset]

    @property
    def values(self):
        """The parameters as the controls stand now."""
        return {name: self.controls[name].check(widget.value) for name, widget in self._inputs.items()}

    def picture(self, **parameters):
        """The `Picture` for these parameters, defaults for the others: a pure call that leaves the panel alone."""
        return plots.picture(self.draw(**self.parameters(**parameters)))

    def set(self, **parameters):
        """Set controls, and draw once."""
        self._place(parameters)
        self._refresh()

    def _place(self, parameters):
        self._quiet = threading.get_ident()        # an event from another thread still counts
        try:
            for name, value in parameters.items():
                self._inputs[name].value = self.controls[name].check(value)
        finally:
            self._quiet = None

    def _changed(self, _):
        if self._quiet != threading.get_ident():
            self._refresh()

    def _refresh(self):
        with self._lock:       # two threads may call; each draws what the controls say by then, so the last one is right
            with self._errors_in_words():
                self._show(self.picture(**self.values))

    def _show(self, drawn, message=""):
        self._view.picture = asdict(drawn)
        self._message.value = message

    @contextlib.contextmanager
    def _errors_in_words(self):
        try:
            yield
        except Exception as error:
            said = html.escape(f"{type(error).__name__}: {error}")
            self._message.value = f"⚠ <b>{said}</b> The picture is the last one that could be drawn."

    def close(self):
        parts = [self]
        for part in parts:
            parts += [*getattr(part, "children", ()), *filter(None, [getattr(part, "link", None)])]
        for part in parts[1:]:
            part.close()
        super().close()


# Labs that train when a slider is let go ------------------------------------------------------------------------

class _Superseded(Exception):
    """The training in progress is no longer wanted."""


class RetrainLab(Lab):
    """A lab whose picture takes a training run: `train` when a control is let go, then `draw`.

    train(**parameters) is a generator function: between chunks of training it yields its progress, 0 to 1, or
    (progress, partial result) to have that drawn; it returns the result. draw(result, **parameters) returns a picture.
    A new setting ends the run in progress at its next yield; results are kept, so a setting visited before is there at
    once. Trainings of all labs take turns, so labs may share a compiled model; cells that train it must not run
    meanwhile.
    """
    continuous = False
    _training = threading.RLock()

    def __init__(self, train, draw, title, **controls):
        if not inspect.isgeneratorfunction(train):
            raise TypeError(f"lab {title!r}: train must be a generator function that yields progress and returns a result")
        self.train, self._results = train, {}
        self._wake, self._wanted, self._cancelled, self._closed = threading.Condition(), None, False, False
        self._bar = W.FloatProgress(max=1, layout=W.Layout(visibility="hidden", width="14em"))
        super().__init__(draw, title, **controls)
        self._shown = self.parameters()
        self._worker = threading.Thread(target=self._work, name=f"lab {title}", daemon=True)
        self._worker.start()

    def _buttons(self):
        cancel = W.Button(description="Cancel")
        cancel.on_click(lambda _: self.cancel())
        return [*super()._buttons(), cancel, self._bar]

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

    def cancel(self):
        """End the training in progress; the controls go back to what the picture shows."""
        with self._wake:
            self._cancelled = True

    def _refresh(self):
        with self._wake:
            self._wanted = self.values
            self._wake.notify()

    def _work(self):
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._wanted is not None or self._closed)
                if self._closed:
                    return
                parameters, self._wanted, self._cancelled = self._wanted, None, False
            with self._errors_in_words(), contextlib.suppress(_Superseded):
                result = self.result(functools.partial(self._report, parameters), **parameters)
                self._show(plots.picture(self.draw(result, **parameters)))
                self._shown = parameters
            self._bar.layout.visibility = "hidden"

    def _report(self, parameters, step):
        progress, *partial = step if isinstance(step, tuple) else (step,)
        with self._wake:
            if self._cancelled and self._wanted is None:
                self._place(self._shown)
                self._show(self.picture(**self._shown), "Cancelled: the controls are back at what the picture shows.")
            if self._cancelled or self._closed or self._wanted is not None:
                raise _Superseded
        self._bar.value, self._bar.layout.visibility = progress, "visible"
        self._message.value = "Training …"
        if partial:
            self._show(plots.picture(self.draw(*partial, **parameters)), "Training …")

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


class LatentPlane(_Panel, anywidget.AnyWidget):
    """A map of two-dimensional codes: click, drag or use the arrow keys, and the code under the cross is decoded.

    decoder: a keras.Sequential of Dense layers from 2 numbers to the pixels of an image in 0–1. codes: (n, 2).
    labels: (n,). image_shape: (height, width). The weights are sent once and the decoder runs in the browser, so the
    picture follows the pointer without the kernel, and still does in a saved page that keeps the widget's state.
    """
    _esm, _css = SCRIPT, STYLE
    kind = traitlets.Unicode("plane").tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    z = traitlets.List(traitlets.Float()).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)          # what never changes: points, classes, layers

    def __init__(self, decoder, codes, labels, image_shape, title):
        codes, labels = np.asarray(codes, np.float32), np.asarray(labels)
        if codes.ndim != 2 or codes.shape[1] != 2 or len(labels) != len(codes) or not np.isfinite(codes).all():
            raise ValueError("a latent plane needs finite codes of shape (n, 2) and a label for each, "
                             f"got {codes.shape} and {labels.shape}")
        self._layers = [_dense(layer) for layer in decoder.layers]
        sizes = [2] + [len(bias) for _, bias, _ in self._layers]
        if [len(kernel) for kernel, _, _ in self._layers] != sizes[:-1] or sizes[-1] != np.prod(image_shape):
            raise ValueError(f"the decoder must lead from 2 numbers to {np.prod(image_shape)} pixels; its layers have "
                             f"{', '.join(map(str, sizes[1:]))} units on inputs of "
                             f"{', '.join(str(len(kernel)) for kernel, _, _ in self._layers)}")
        margin = .05 * np.ptp(codes, axis=0) + .01
        low, high = np.floor((codes.min(0) - margin) * 100) / 100, np.ceil((codes.max(0) + margin) * 100) / 100
        self._prepare(title, {f"z{i + 1}": slider(f"z{i + 1}", float(low[i]), float(high[i]), float(
            np.clip(0, low[i], high[i])), step=.01) for i in range(2)})
        self.codes, self.labels, self.image_shape = codes, labels, tuple(image_shape)
        self.twin = self.picture()
        super().__init__(title=title, z=list(self.parameters().values()), scene=self._scene())
        LABS[title] = self

    def _scene(self):
        names, group = np.unique(self.labels, return_inverse=True)
        return {
            "codes": self.codes.tobytes(), "group": group.astype(np.uint8).tobytes(), "names": list(map(str, names)),
            "colours": plots.COLOURS[:7], "shape": self.image_shape,
            "low": [c.low for c in self.controls.values()], "high": [c.high for c in self.controls.values()],
            "start": [c.value for c in self.controls.values()],
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
        fig, (plane, image) = plots.figure(1, 2, width=8, height=4)
        plots.classes(plane, self.codes, self.labels)
        plane.plot(z1, z2, "+", color="black", markersize=18, markeredgewidth=2)
        plane.set(xlabel="z1", ylabel="z2", title=self.title)
        image.imshow(self.decode((z1, z2)), cmap="gray_r", vmin=0, vmax=1)
        image.set(title=f"decoded at z1 = {z1:.2f}, z2 = {z2:.2f}", xticks=[], yticks=[])
        return plots.picture(fig)


def _dense(layer):
    """(kernel, bias, name of the activation) of a Dense layer, or an error that says what a plane can decode."""
    import keras

    activation = getattr(getattr(layer, "activation", None), "__name__", "unknown")
    if not isinstance(layer, keras.layers.Dense) or activation not in ACTIVATIONS:
        raise ValueError(f"layer {layer.name!r} ({type(layer).__name__}, activation {activation}) cannot run in the "
                         f"browser: a latent plane takes Dense layers with {', '.join(ACTIVATIONS)}")
    kernel = np.asarray(layer.kernel, np.float32)
    return kernel, np.asarray(layer.bias if layer.use_bias else np.zeros(layer.units), np.float32), activation


# Figures of a running cell --------------------------------------------------------------------------------------

def protect_figures():
    """Keep the pyplot figures of a running cell whole while a reader moves a slider.

    Events of widgets are handled in a second thread while a cell runs, and after each one IPython calls matplotlib's
    `flush_figures`, which would show and close the cell's half-drawn figures there. From now on it works in the main
    thread only.
    """
    from IPython import get_ipython
    from matplotlib_inline import backend_inline

    flush, shell = backend_inline.flush_figures, get_ipython()
    if hasattr(flush, "__wrapped__"):
        return

    @functools.wraps(flush)
    def flush_figures():
        if threading.current_thread() is threading.main_thread():
            flush()

    backend_inline.flush_figures = flush_figures      # what `%matplotlib inline` will register
    if shell is not None and flush in shell.events.callbacks["post_execute"]:
        shell.events.unregister("post_execute", flush)
        shell.events.register("post_execute", flush_figures)
