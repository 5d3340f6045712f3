"""Drawings of networks and ideas: boxes, layers, arrows, labels, sharp and legible in both themes.

hourglass = Drawing(9, 3, "An hourglass: 784 pixels, a code of 32 numbers, 784 pixels again.")
hourglass.network([(784, "x"), (32, "code z"), (784, "x̂")], at=(0.5, 1.5), width=8)
hourglass.show()
"""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon

from .plots import DPI, ROLES, Picture, picture


class Drawing:
    """An empty sheet, width × height inches, in which places are inches from the lower left corner.

    alt: what the drawing shows, in a sentence or two, for who cannot see it. Every method that draws returns the
    drawing.
    """

    def __init__(self, width: float, height: float, alt: str):
        if len(alt.split()) < 4:
            raise ValueError(f"alternative text {alt!r}: say in a sentence what the drawing shows")
        self.alt = alt
        self.figure = Figure(figsize=(width, height), dpi=DPI, facecolor="none")
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), facecolor="none")
        self.axes.set_axis_off()

    def text(
        self, at: tuple[float, float], words: str, role: str = "ink", size: float = 11, **options: Any
    ) -> "Drawing":
        """Words around a place; options go to matplotlib's `text`. Formulas stand between dollars."""
        placed: dict = {"ha": "center", "va": "center", "linespacing": 1.3, **options}
        self.axes.text(*at, words, color=ROLES[role], fontsize=size, **placed)
        return self

    def box(
        self, at: tuple[float, float], words: str, role: str = "hero", width: float = 1.3, height: float = 0.6
    ) -> "Drawing":
        """A box with rounded corners around a place."""
        x, y = at
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                linewidth=1.4,
                boxstyle="round,pad=0,rounding_size=0.1",
                edgecolor=ROLES[role],
                facecolor=(*_rgb(role), 0.15),
            )
        )
        return self.text(at, words)

    def arrow(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        words: str = "",
        role: str = "ink",
        bend: float = 0.0,
    ) -> "Drawing":
        """An arrow, with words above its middle. bend: how far it bends, as a share of its length."""
        self.axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=12,
                linewidth=1.4,
                shrinkA=0,
                shrinkB=0,
                color=ROLES[role],
                connectionstyle=f"arc3,rad={-bend}",
            )
        )
        if not words:
            return self
        (x0, y0), (x1, y1) = start, end
        lift = 0.18 + bend * math.hypot(x1 - x0, y1 - y0) / 2
        return self.text(((x0 + x1) / 2, (y0 + y1) / 2 + lift), words, size=10)

    def network(
        self,
        layers: Sequence[tuple[int, str]],
        at: tuple[float, float],
        width: float,
        height: float = 1.8,
        role: str = "hero",
    ) -> "Drawing":
        """Layers from left to right, each as tall as its numbers are many (by their logarithm), and what joins them.

        layers: (how many numbers, what they are called) of each. at: the middle of the left end. height: the largest's.
        """
        x, y = at
        largest = math.log2(1 + max(size for size, _ in layers))
        halves = [max(0.12, height / 2 * math.log2(1 + size) / largest) for size, _ in layers]
        places = [x + width * i / max(1, len(layers) - 1) for i in range(len(layers))]
        for (x0, h0), (x1, h1) in zip(zip(places, halves), zip(places[1:], halves[1:])):
            self.axes.add_patch(
                Polygon(
                    [(x0, y - h0), (x0, y + h0), (x1, y + h1), (x1, y - h1)], linewidth=0, facecolor=(*_rgb(role), 0.12)
                )
            )
        for (size, words), x0, half in zip(layers, places, halves):
            self.axes.plot(
                [x0, x0],
                [y - half, y + half],
                color=ROLES[role],
                linewidth=5,
                solid_capstyle="round",
                linestyle="-",
                marker="",
            )
            self.text((x0, y - half - 0.14), f"{size:,}", size=10, va="top")
            self.text((x0, y + half + 0.14), words, va="bottom")
        return self

    def picture(self) -> Picture:
        """The drawing as a `Picture`, on a transparent ground."""
        return picture(self.figure, alt=self.alt)

    def show(self) -> None:
        """Display the drawing."""
        from IPython.display import display

        display(self.picture())


def _rgb(role):
    return tuple(int(ROLES[role][i : i + 2], 16) / 255 for i in (1, 3, 5))
