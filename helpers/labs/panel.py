"""What every lab has: a page of its own in the browser, a title, checked values, and a twin without a kernel."""

import functools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from .. import plots
from .controls import Control
from .worker import Worker

FOLDER = Path(__file__).with_name("browser")
LABS: dict[str, "Panel"] = {}  # title → lab, of every lab made in this kernel


def browser(name: str) -> str:
    """The text of a file of the folder `browser`: given as text, anywidget does not watch the file for changes."""
    return FOLDER.joinpath(name).read_text(encoding="utf-8")


def not_had(name: str, options: Iterable, settings: Iterable[Mapping]) -> list:
    """Those options of a control that none of the settings has."""
    had = [setting[name] for setting in settings]
    return [option for option in options if option not in had]


class Widget(anywidget.AnyWidget):
    """A widget that a module of the folder `browser` draws, on top of the base that all of them import.

    anywidget loads one file and resolves no imports: that file is load.js, which is given the others as texts. They go
    with each widget, so that each stands alone, in a saved notebook and in a page without a kernel, too.
    """

    _esm, _css = browser("load.js"), browser("labs.css")
    base = traitlets.Unicode(browser("base.js")).tag(sync=True)
    module = traitlets.Unicode().tag(sync=True)
    parts = traitlets.Dict().tag(sync=True)  # {name of a file: its text} of what the module imports besides the base
    title = traitlets.Unicode().tag(sync=True)

    _ipython_display_ = None  # ipywidgets 7 has one, which would show the widget without its twin

    def _live(self):
        """What Jupyter shows in place of the twin while there is a kernel."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}


class Panel(Widget):
    """A title in LABS, checked values, settings to test, and a static twin for readers without a kernel.

    question: one or two sentences for the reader to answer by the controls, which stand under the title. A panel of the
    same title replaces the earlier one.
    """

    question = traitlets.Unicode().tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)  # what the browser needs to know of the controls
    values = traitlets.Dict().tag(sync=True)  # as the controls stand now
    start = traitlets.Dict().tag(sync=True)  # where Reset takes them
    worker: Worker | None = None  # of a lab that trains; closed with it

    def __init__(self, title: str, controls: Mapping[str, Control], question: str = "", **traits: Any):
        protect_figures()
        if title in LABS:
            LABS[title].close()
        self.controls, self._lock = controls, threading.RLock()
        start = self.parameters()
        twin = self.still()  # an error in the default setting is the author's: raised here
        self.twin = plots.picture(twin, alt=f"{question} {twin.alt}".strip())
        super().__init__(title=title, question=question, rows=rows_of(controls), values=start, start=start, **traits)
        LABS[title] = self

    def parameters(self, **given: Any) -> dict:
        """All parameters: those given, checked, and the defaults of the others. Raises ValueError."""
        if unknown := set(given) - set(self.controls):
            raise ValueError(
                f"no parameter {', '.join(sorted(unknown))} in this lab, which has {', '.join(self.controls)}"
            )
        return {name: control.check(given.get(name, control.value)) for name, control in self.controls.items()}

    def settings(self, n_random: int = 3, seed: int = 0) -> Iterator[dict]:
        """Parameters to test the lab with: all lowest, all highest, default, and at least n_random random ones, among
        which is every option that has not been had yet."""
        rng = np.random.default_rng(seed)
        found = [{name: control.extremes[end] for name, control in self.controls.items()} for end in (0, 1)]
        found.append(self.parameters())
        missing = {name: not_had(name, control.options, found) for name, control in self.controls.items()}
        for i in range(max([n_random, *map(len, missing.values())])):
            setting = {name: control.random(rng) for name, control in self.controls.items()}
            found.append(setting | {name: options[i] for name, options in missing.items() if i < len(options)})
        yield from found

    def still(self) -> plots.Picture:
        """What a reader without a kernel sees, a `plots.Picture`."""
        return self.picture()

    @traitlets.validate("values")
    def _check_values(self, proposal):
        return self.parameters(**proposal["value"])

    def set_state(self, sync_data: dict) -> None:
        with self._lock:  # events come from two threads, pictures perhaps from a third; traitlets minds
            super().set_state(sync_data)

    def _repr_mimebundle_(self, **_):
        data, metadata = self.twin.smaller()._repr_mimebundle_()
        return data | self._live(), metadata

    def close(self) -> None:
        """Take the lab off the page and out of LABS. Its thread, where it has one, ends soon: `worker.join()` waits."""
        if self.worker:
            self.worker.close()
        if LABS.get(self.title) is self:
            del LABS[self.title]
        super().close()


def rows_of(controls: Mapping[str, Control]) -> list[dict]:
    """What the browser needs to know of controls."""
    return [
        asdict(control) | {"name": name, "decimals": getattr(control, "decimals", None)}
        for name, control in controls.items()
    ]


def protect_figures() -> None:
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
