"""How long a reader waits for a lab: from a key on a slider to the new pixels on the page, and during a drag.

    python tests/benchmarks/lab_latency.py                                      our labs against @interact + predict
    python tests/benchmarks/lab_latency.py notebook.ipynb                       the labs of a notebook, first sliders

A lab that retrains is timed from the release of its slider to the picture of the trained model, five settings in all.

JupyterLab in headless Chromium; 60 events each, in turns, so that all meet the same machine. A picture counts once the
browser has painted the frame that shows it.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import TimeoutError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from jupyter_driver import Notebook, Server, chromium, drag, wait_for, write_notebook  # noqa: E402

EVENTS = 60
PAUSE = 0.3  # seconds before an event, for the page and the kernel to come to rest after the one before
CELLS = (
    """
import keras, numpy as np, matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from helpers import labs, plots
keras.utils.set_random_seed(1)
decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(784, "sigmoid")])
decoder.set_weights([np.random.normal(size=w.shape) for w in decoder.get_weights()])
ring = np.stack([np.cos(np.arange(16)), np.sin(np.arange(16))], 1).astype("float32")
def codes(z): return ring * .2 + np.float32(z)
""",
    """
plane = labs.LatentPlane(decoder, ring * 3, np.arange(16) % 4, (28, 28), "plane")
def draw(z): return plots.images({"": plane.decode(codes(z))}, width=640)
labs.Lab(draw, "ours", z=labs.slider("z", -3, 3, 0.0, step=.05))
""",
    "plane",
    """
def usual(z):
    images = decoder.predict(codes(z), verbose=0).reshape(16, 28, 28)
    fig, axes = plt.subplots(2, 8, figsize=(8, 2))
    for ax, image in zip(axes.flat, images):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
    plt.show()
interact(usual, z=FloatSlider(description="usual", min=-3, max=3, step=.05));
""",
    """
def grid(z):
    images = decoder.predict(codes(z), verbose=0).reshape(16, 28, 28)
    plt.figure(figsize=(7, .6))
    plt.imshow(np.hstack(images), cmap="gray_r", vmin=0, vmax=1)
    plt.show()
interact(grid, z=FloatSlider(description="grid", min=-3, max=3, step=.05));
""",
)
# Notes when an event reaches the page, and from frame to frame what the picture shows and when that was painted.
WATCH = """selector => {
  window.seen = []; window.sent = [];
  const sign = e => e?.tagName === 'CANVAS' ? e.ariaLabel : e?.complete && e.naturalWidth ? e.src : null;
  const look = () => {
    const now = sign([...document.querySelectorAll(selector)].pop());
    if (now && now !== seen.at(-1)?.picture) {
      const entry = {picture: now, painted: null}, after = new MessageChannel();
      after.port1.onmessage = () => { entry.painted = performance.now() };
      after.port2.postMessage(0);
      seen.push(entry);
    }
    window.look = requestAnimationFrame(look);
  };
  cancelAnimationFrame(window.look);
  look();
  if (!window.noting) for (const kind of ['keydown', 'pointermove'])
    window.addEventListener(kind, () => sent.push(performance.now()), true);
  window.noting = true }"""


class Watched:
    """A control and its picture; `selector` finds the picture's element."""

    def __init__(self, page, name, selector, focus, span):
        self.page, self.name, self.selector, self.focus, self.span = page, name, selector, focus, span
        self.latency, self.right = [], True

    def key(self, turn):
        """One key event, that turns round at the slider's ends; the milliseconds until a new picture is painted."""
        self.focus.evaluate("control => { control.scrollIntoView({block: 'center'}); control.focus() }")
        time.sleep(PAUSE)
        self.page.evaluate(WATCH, self.selector)
        low, high = self.focus.evaluate("e => e.max ? [e.value === e.min, e.value === e.max] : [false, false]")
        self.right = low or not high and (turn % 20 > 0) == self.right
        self.page.keyboard.press("ArrowRight" if self.right else "ArrowLeft")
        try:
            self.page.wait_for_function("() => seen[1]?.painted", timeout=5000)
        except TimeoutError:  # some neighbouring settings have the same picture
            return
        event, picture = self.page.evaluate("() => [sent[0], seen[1].painted]")
        self.latency.append(picture - event)

    def drag(self, forth):
        """(pictures a second during a drag of 60 moves, milliseconds from the last move to the last picture)."""
        self.focus.hover()
        start, end = self.span(forth)
        self.page.mouse.move(*start)
        self.page.evaluate(WATCH, self.selector)
        drag(self.page, start, end, EVENTS, release=False)
        time.sleep(2)
        self.page.mouse.up()
        sent, seen = self.page.evaluate("() => [sent, seen]")
        pictures = [entry["painted"] for entry in seen[1:]]
        during = [moment for moment in pictures if moment <= sent[-1]]
        return len(during) / (sent[-1] - sent[0]) * 1000, max(0, pictures[-1] - sent[-1])


def middle(locator, x=0.5, y=0.5):
    box = locator.bounding_box()
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def our_slider(page, notebook, name, title, label):
    slider = notebook.slider(title, label)
    return Watched(
        page,
        name,
        f'.lab[aria-label="{title}"] img',
        slider.handle,
        lambda forth: (slider.place(), slider.place(0.1 + 0.8 * forth)),
    )


def our_plane(page, notebook, name, title):
    plane = notebook.lab(title).locator("canvas").first
    return Watched(
        page,
        name,
        f'.lab[aria-label="{title}"] canvas',
        plane,
        lambda forth: (middle(plane, 0.8 - 0.6 * forth, 0.5), middle(plane, 0.2 + 0.6 * forth, 0.4)),
    )


def usual_slider(page, name, label):
    row = page.locator(".widget-inline-hbox", has=page.locator(f'.widget-label:text-is("{label}")')).first
    row.evaluate("(row, name) => { row.closest('.widget-interact').id = name }", label)
    handle, track = row.locator(".noUi-handle"), row.locator(".noUi-base")
    return Watched(
        page, name, f"#{label} img", handle, lambda forth: (middle(handle), middle(track, 0.1 + 0.8 * forth))
    )


def table(watched):
    print(f"in ms; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':34}{'events':>8}{'p50':>8}{'p95':>8}{'pictures/s':>12}{'lag, ms':>9}")
    for one in watched:
        p50, p95 = np.percentile(one.latency, [50, 95])
        rate, lag = np.median([one.drag(forth) for forth in (True, False, True, False)], axis=0)
        print(f"{one.name:34}{len(one.latency):8}{p50:8.1f}{p95:8.1f}{rate:12.1f}{lag:9.0f}")


def ratio(usual, ours):
    a, b = np.percentile(usual.latency, [50, 95]), np.percentile(ours.latency, [50, 95])
    print(f"{usual.name} / {ours.name}: p50 {a[0] / b[0]:.1f}×, p95 {a[1] / b[1]:.1f}×")


def measure(watched):
    for turn in range(EVENTS + 3):
        for one in watched:
            one.key(turn)
        if turn == 2:
            for one in watched:
                one.latency.clear()  # the first events trace and warm up


def compare():
    with tempfile.TemporaryDirectory() as folder, Server(folder) as server, chromium() as page:
        write_notebook(Path(folder) / "x.ipynb", *CELLS)
        notebook = Notebook(page, server, "x.ipynb")
        notebook.run_all()
        watched = [
            our_slider(page, notebook, "Lab, 16 images", "ours", "z"),
            our_plane(page, notebook, "LatentPlane, in the browser", "plane"),
            usual_slider(page, "@interact, predict, 16 axes", "usual"),
            usual_slider(page, "@interact, predict, one axes", "grid"),
        ]
        measure(watched)
        table(watched)
        for usual in watched[2:]:
            for ours in watched[:2]:
                ratio(usual, ours)


def retraining(notebook, title, label):
    """Seconds from the release of a slider to the picture of the trained model, for settings not visited before."""
    slider, bar, seconds = notebook.slider(title, label), notebook.lab(title).locator("progress"), []
    for place in (0.9, 0.1, 0.7, 0.3, 0.5):
        before, value = notebook.png(title), slider.value()
        slider.drag(place)
        released = time.perf_counter()
        if slider.value() == value:  # a slider of few steps stands there already
            continue
        notebook.wait_changed(title, before, timeout=60)
        wait_for(lambda: bar.is_hidden(), "the training does not end")
        seconds.append(time.perf_counter() - released)
    print(
        f"{title}: {np.median(seconds):.1f} s from release to the trained picture ({min(seconds):.1f} to "
        f"{max(seconds):.1f})"
    )


def labs_of(path):
    with tempfile.TemporaryDirectory() as folder, Server(folder) as server, chromium() as page:
        shutil.copy(path, Path(folder) / "x.ipynb")
        notebook = Notebook(page, server, "x.ipynb")
        notebook.run_all(timeout=300)
        watched = []
        for title, lab in notebook.labs().items():
            if lab["kind"] == "RetrainLab":
                retraining(notebook, title, lab["sliders"][0])
            elif lab["kind"] == "LatentPlane":
                watched.append(our_plane(page, notebook, title, title))
            elif lab["kind"] == "Lab":
                watched.append(our_slider(page, notebook, title, title, lab["sliders"][0]))
        measure(watched)
        table(watched)


if __name__ == "__main__":
    labs_of(sys.argv[1]) if len(sys.argv) == 2 else compare()
