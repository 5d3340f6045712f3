"""Pictures: grids of images, figures in one style, and the one verb that finishes and shows them.

Figures are `matplotlib.figure.Figure` objects and never pyplot's, so nothing is drawn behind a reader's back and
labs may draw from any thread.
"""

import base64
import io
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

INK = "#7a828e"  # as far from white as from the ground of a dark page
GREY = 130  # the same, of grids of images
# Okabe and Ito's palette (2008), told apart by the colour-blind; markers and dashes say the same a second time.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", INK, "#999999")
CLASS_COLOURS = (*COLOURS[:7], "#6A3D9A", "#8C564B", "#8A8A00")  # ten classes, none like another
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (5, 5)))
STYLE: dict = {
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(marker=MARKERS) + cycler(linestyle=DASHES),
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "lines.markersize": 5,
    "legend.frameon": False,
    # No ground of its own, and one grey for all that is written: the page's colours, light or dark, show through.
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "grid.color": INK,
    "grid.alpha": 0.2,
}
# For good, and never in an rc_context: settings are the process's, so a context in a lab's thread would restyle the
# figure that a cell is drawing, and two that interleave would leave each other's settings behind.
matplotlib.rcParams.update(STYLE)
DPI = 96  # CSS pixels in an inch: a figure 8.6 inches wide fills 825 pixels of the page
SHARPNESS = 2  # physical pixels drawn for each CSS pixel, for sharp text on modern screens
# Colours by role, that carry on white and on black. A method keeps its colour in the whole collection.
ROLES = {
    "hero": "#3b82f6",  # what the section is about
    "this run": "#f59e0b",
    "plain": "#9ca3af",  # the same without what the section is about
    "PCA": "#a855f7",
    "data": INK,
    "ink": INK,
    "faint": "#9ca3af",
}
SAID = "said"  # gid of what repeats other data, and is left out of the alternative text


@dataclass(frozen=True)
class Picture:
    """A picture ready to show: PNG bytes, the alternative text, and the width on the page in CSS pixels."""

    png: bytes
    alt: str
    width: int

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": base64.b64encode(self.png).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}

    def smaller(self) -> "Picture":
        """The same picture in 256 colours, which takes fewer bytes in a notebook."""
        sheet = Image.open(io.BytesIO(self.png))
        return self if sheet.mode not in ("RGB", "RGBA") else replace(self, png=_png(sheet, colours=256))


def figure(
    rows: int = 1, columns: int = 1, width: float = 8.6, height: float = 3.4, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the collection's style.

    Returns (figure, axes): one axes, or an array of them as `Figure.subplots` gives it. Sizes are in inches, 96 CSS
    pixels each; options go to `Figure.subplots`.

        fig, (left, right) = plots.figure(1, 2, sharey=True)
    """
    fig = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(fig)
    return fig, fig.subplots(rows, columns, **options)


def picture(drawing: Figure | Picture, sharpness: float = SHARPNESS, alt: str = "", small: bool = True) -> Picture:
    """A `Picture` of a drawing: a Picture as it is, or a matplotlib Figure with alternative text made from its data.

    sharpness: physical pixels for each CSS pixel. alt: what the drawing shows, in words, in the place of what its data
    alone can say. small: fewer bytes, for a notebook, rather than fewer milliseconds, for a lab. Raises TypeError for
    what is no drawing.
    """
    if isinstance(drawing, Picture):
        return replace(drawing, alt=alt) if alt else drawing
    png = _png(_drawn(drawing, sharpness), colours=256 if small else None)
    return Picture(png, alt or describe(drawing), round(drawing.get_figwidth() * DPI))


def _drawn(drawing, sharpness):
    """A figure as an image."""
    if not isinstance(drawing, Figure):
        raise TypeError(
            f"cannot show a {type(drawing).__name__}: give a matplotlib Figure or a Picture "
            "(plots.figure and plots.images make them)"
        )
    canvas = drawing.canvas if isinstance(drawing.canvas, FigureCanvasAgg) else FigureCanvasAgg(drawing)
    drawing.set_dpi(DPI * sharpness)
    canvas.draw()
    # A figure without a ground of its own stays transparent, for the page's colours, dark or light, to show through.
    pixels = np.asarray(canvas.buffer_rgba())[..., : 4 if to_rgba(drawing.get_facecolor())[3] == 0 else 3]
    drawing.set_dpi(DPI)
    return Image.fromarray(pixels)


def show(
    drawing: Figure | Picture,
    *axes_labels: tuple[str, str],
    title: str | None = None,
    legend: bool = True,
    alt: str = "",
) -> None:
    """Finish a drawing and display it: the last line of every cell that makes a figure.

    axes_labels: one (x label, y label) pair for each axes, or a single pair for all. title: the figure's own. alt: what
    the drawing shows, for readers who cannot see it. Raises ValueError where pairs and axes do not match.

        plots.show(fig, ("numbers in the code", "error"), alt="The error falls until 16 numbers, then stays.")
    """
    from IPython.display import display

    if isinstance(drawing, Figure):
        _label(drawing, axes_labels, title, legend)
    display(picture(drawing, alt=alt))


def _label(fig, axes_labels, title, legend):
    axes = fig.get_axes()
    if len(axes_labels) not in (0, 1, len(axes)):
        raise ValueError(f"{len(axes_labels)} pairs of labels for {len(axes)} axes: give one for each, or one for all")
    for ax, (x, y) in zip(axes, axes_labels * len(axes) if len(axes_labels) == 1 else axes_labels):
        ax.set_xlabel(x)
        ax.set_ylabel(y)
    for ax in axes:
        if legend and ax.get_legend() is None and ax.get_legend_handles_labels()[1]:
            ax.legend()
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=13)


def describe(fig: Figure) -> str:
    """Alternative text of a figure, made from its data: each axes' title, labels, and what is drawn, in figures."""
    heading = fig.get_suptitle()
    parts = [_describe_axes(ax) for ax in fig.get_axes()]
    return " ".join(filter(None, [heading and heading + ".", *parts]))


def _describe_axes(ax):
    title = " ".join(filter(None, [ax.get_title(loc="left") or ax.get_title()]))
    said = [f"{title}:" if title else "Panel:"]
    if ax.get_xlabel() or ax.get_ylabel():
        said.append(f"{ax.get_ylabel() or 'value'} against {ax.get_xlabel() or 'position'}.")
    said += [_describe_line(line) for line in ax.get_lines() if _is_data(line, ax)]
    for bars in ax.containers:
        if hasattr(bars, "datavalues"):
            said.append(_describe_bars(bars, ax))
    dots = [c for c in ax.collections if len(c.get_offsets()) > 1]
    if dots:
        said.append(f"{sum(len(c.get_offsets()) for c in dots)} points in {len(dots)} group{'s' * (len(dots) > 1)}.")
    if ax.images:
        said.append(_describe_image(ax))
    said += [t.get_text().replace("\n", " ") + "." for t in ax.texts if t.get_text() and t.get_gid() != SAID]
    return " ".join(said)


def _is_data(line, ax):
    return len(line.get_xdata()) and line.get_gid() != SAID and line.get_transform() == ax.transData


def _describe_image(ax):
    shape, cells = ax.images[0].get_array().shape[:2], {t.get_position(): t.get_text() for t in ax.texts}
    rows, columns = ([t.get_text() for t in axis.get_ticklabels()] for axis in (ax.yaxis, ax.xaxis))
    if len(cells) != shape[0] * shape[1]:
        return f"An image of {shape[0]} by {shape[1]} values."
    return (
        "; ".join(
            f"{row}: " + ", ".join(f"{column} {cells[j, i].partition(chr(10))[0]}" for j, column in enumerate(columns))
            for i, row in enumerate(rows)
        )
        + "."
    )


def _describe_line(line):
    x, y = (np.asarray(values, float) for values in line.get_data(orig=False))
    name = line.get_label() if not line.get_label().startswith("_") else "a line" if len(y) > 1 else "a point"
    if len(y) == 1:
        return f"{name} at {x[0]:.3g}, {y[0]:.3g}."
    return (
        f"{name} goes from {y[0]:.3g} at {x[0]:.3g} to {y[-1]:.3g} at {x[-1]:.3g}, "
        f"lowest {np.nanmin(y):.3g}, highest {np.nanmax(y):.3g}."
    )


def _describe_bars(bars, ax):
    values, horizontal = np.asarray(bars.datavalues, float), bars.orientation == "horizontal"
    axis = ax.yaxis if horizontal else ax.xaxis
    ticks, middles = axis.get_majorticklocs(), [bar.get_center()[int(horizontal)] for bar in bars]
    label = bars.get_label() if bars.get_label() and not bars.get_label().startswith("_") else "bars"
    if len(ticks) == len(middles) <= 16 and np.allclose(ticks, middles):
        names = axis.get_major_formatter().format_ticks(ticks)
        return f"{label}: " + ", ".join(f"{n} {v:.3g}" for n, v in zip(names, values)) + "."
    return f"{label}: {len(values)} bars from {values.min():.3g} to {values.max():.3g}."


# Grids of images ------------------------------------------------------------------------------------------------


def images(
    rows: Mapping[str, ArrayLike],
    captions: Collection | None = None,
    width: int = 825,
    zoom: int | None = None,
    title: str = "",
) -> Picture:
    """A grid of grey images, drawn large and without smoothing, one labelled row for each entry.

    rows: {label: array (n, h, w) in 0–1, 0 white as paper, 1 black as ink}; rows may differ in n. captions: a line
    under each column. width: the most CSS pixels the grid takes. zoom: CSS pixels for a pixel of an image (else as
    large as fits). Returns a `Picture`, of twice as many physical pixels, for sharp screens; made with NumPy and Pillow
    in a few milliseconds, so labs use it too. Raises ValueError for rows of another shape.

        plots.show(plots.images({"image": data.images(x), "reconstruction": data.images(model(x))}))
    """
    arrays = {label: np.asarray(x, dtype=np.float32) for label, x in rows.items()}
    if any(x.ndim != 3 or not x.size for x in arrays.values()) or len({x.shape[1:] for x in arrays.values()}) != 1:
        raise ValueError(
            "each row of images must be an array of shape (n, height, width) with n ≥ 1, height and width "
            "the same in all rows; got "
            + (", ".join(f"{label}: {x.shape}" for label, x in arrays.items()) or "no rows")
        )
    below = [] if captions is None else list(map(str, captions))
    n, h, w = max(map(len, arrays.values())), *next(iter(arrays.values())).shape[1:]
    if len(below) > n:
        raise ValueError(f"{len(below)} captions for {n} columns: give at most one for each")
    s = SHARPNESS  # all lengths from here on are in physical pixels
    font, gap = _font(13 * s), 6 * s
    margin = max((round(font.getlength(label)) for label in arrays), default=0) + 12 * s if any(arrays) else 0
    margin += margin % s
    zoom = zoom * s if zoom else max(1, min((width * s - margin) // n - gap, 96 * s) // w)
    head, cell, foot = 22 * s * bool(title), (h * zoom + gap, w * zoom + gap), 18 * s * bool(below)
    wide = max(margin + cell[1] * n + gap, round(font.getlength(title)) + 8 * s if title else 0)
    size = head + cell[0] * len(arrays) + gap + foot, wide + wide % s
    canvas = np.stack([np.full(size, GREY, np.uint8), np.zeros(size, np.uint8)], axis=-1)  # shade, opacity
    for i, x in enumerate(arrays.values()):
        shades = (255 - 255 * np.clip(np.nan_to_num(x), 0, 1)).astype(np.uint8)
        for j, shade in enumerate(shades.repeat(zoom, axis=1).repeat(zoom, axis=2)):
            top, left = head + gap + i * cell[0], margin + gap + j * cell[1]
            canvas[top - s : top + h * zoom + s, left - s : left + w * zoom + s] = 190, 255  # a thin frame
            canvas[top : top + h * zoom, left : left + w * zoom, 0] = shade
    sheet = Image.fromarray(canvas, "LA")
    pen, ink = ImageDraw.Draw(sheet), (GREY, 255)
    if title:
        pen.text((4 * s, 4 * s), title, fill=ink, font=font)
    for i, label in enumerate(arrays):
        pen.text((4 * s, head + gap + i * cell[0] + h * zoom / 2), label, fill=ink, font=font, anchor="lm")
    for j, caption in enumerate(below):
        pen.text(
            (margin + gap + j * cell[1] + w * zoom / 2, canvas.shape[0] - 10 * s),
            caption,
            fill=ink,
            font=_font(11 * s),
            anchor="mm",
        )
    said = "; ".join(f"{label or 'images'}: {len(x)} images, mean grey {x.mean():.2f}" for label, x in arrays.items())
    alt = f"{title.rstrip('.') + '. ' if title else ''}Grid of {h} by {w} pixel images, {said}."
    if below:
        alt += " Captions: " + ", ".join(below) + "."
    return Picture(_png(sheet), alt, canvas.shape[1] // s)


def stack(*drawings: Figure | Picture, sharpness: float = SHARPNESS) -> Picture:
    """One Picture of several drawings, one below the other. sharpness: physical pixels for each CSS pixel."""
    sheets = [_sheet(drawing, sharpness) for drawing in drawings]
    alts = [drawing.alt if isinstance(drawing, Picture) else describe(drawing) for drawing in drawings]
    whole = Image.new("RGBA", (max(s.width for s in sheets), sum(s.height for s in sheets)))
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return Picture(_png(whole), " ".join(alts), round(whole.width / sharpness))


def _sheet(drawing, sharpness):
    """A drawing as an image."""
    if not isinstance(drawing, Picture):
        return _drawn(drawing, sharpness).convert("RGBA")
    sheet, wide = Image.open(io.BytesIO(drawing.png)).convert("RGBA"), round(drawing.width * sharpness)
    if sheet.width == wide:
        return sheet
    return sheet.resize((wide, round(sheet.height * wide / sheet.width)), Image.Resampling.LANCZOS)


@lru_cache
def _font(size):
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def _png(sheet, colours=None):
    buffer = io.BytesIO()
    if colours:
        sheet = sheet.quantize(colours, dither=Image.Dither.NONE)  # a third of the size; plots have few colours
        used = sheet.getextrema()[1] + 1  # the rest of the palette would be stored, too, and not compressed
        sheet.putpalette(sheet.getpalette("RGBA")[: 4 * used], "RGBA")
    sheet.save(buffer, "png", compress_level=6 if colours else 1)
    return buffer.getvalue()


# Recurring figures ----------------------------------------------------------------------------------------------


def dots(
    panels: Mapping[str, Mapping[str, float]],
    reference: str = "",
    digits: int = 3,
    roles: Mapping[str, str] | None = None,
) -> Figure:
    """A panel of dots for each entry of {x label: {name: value}}; the names, alike in all panels, stand at the left.

    reference: the name that the others are compared with; its value is a line through the panel, and it is drawn in
    grey. digits: of the numbers beside the dots. roles: {name: role}, of ROLES, where not all names but the reference
    are heroes; who has none is drawn in grey. The axes show the range of the values.

        plots.dots({"test error": {"plain": 0.02, "noise": 0.015}}, reference="plain")
    """
    names = list(next(iter(panels.values())))
    fig, axes = figure(1, len(panels), height=0.9 + 0.3 * len(names), sharey=True, squeeze=False)
    for ax, (label, values) in zip(axes[0], panels.items()):
        for row, name in enumerate(names):
            role = ("plain" if name == reference else "hero") if roles is None else roles.get(name, "plain")
            ax.plot(values[name], row, "o", color=ROLES[role], markersize=8, label=f"_{name}")
            shown = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center", "fontsize": 8.5, "gid": SAID}
            ax.annotate(f"{values[name]:.{digits}g}", (values[name], row), **shown)
        if reference:
            ax.axvline(values[reference], color=ROLES["plain"], linewidth=1, linestyle="--", marker="")
        ax.set(xlabel=label, yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.4, -0.7))
        ax.margins(x=0.2)
        ax.grid(axis="y", visible=False)
    return fig


def heatmap(values: ArrayLike, rows: Sequence[str], columns: Sequence[str], limits: tuple[float, float]) -> Figure:
    """A table in colours, of values (rows, columns). limits: the values of the palest and the darkest colour."""
    low, high = limits
    values = np.asarray(values, float)
    shade = (values - low) / (high - low)
    fig, ax = figure(height=0.9 + 0.36 * len(rows))
    ax.imshow(0.6 * shade, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        ax.text(
            j,
            i,
            f"{value:.2f}",
            ha="center",
            va="center",
            fontsize=10,
            color="#222222",  # for the cells have grounds of their own, on light pages and on dark
            gid=SAID,
        )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0, labeltop=True, labelbottom=False, labelsize=9.5)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return fig


def maps(codes: Mapping[str, ArrayLike], labels: ArrayLike) -> Figure:
    """A map for each entry of {title: codes (n, 2)}, with the names and colours of the classes (n,)."""
    fig, axes = figure(1, len(codes), height=8.6 / len(codes) * 1.05 + 0.3, squeeze=False)
    for ax, (title, points) in zip(axes[0], codes.items()):
        classes(ax, points, labels, size=7)
        ax.set_title(title)
    return fig


def scatters(planes: Mapping[str, ArrayLike], points: ArrayLike, columns: int = 6) -> Figure:
    """A small plane for each entry of {title: samples (n, 2)}: the first 500 points of (m, 2) in grey, and as many
    samples in colour. Planes reach as far as the points and a bit more.
    """
    reach = 1.3 * float(np.abs(points).max())
    columns = min(columns, len(planes))
    rows, side = -(-len(planes) // columns), min(8.6 / columns, 3)
    fig, axes = figure(rows, columns, width=columns * side, height=rows * (side + 0.25), squeeze=False)
    for ax, (title, samples) in zip(axes.flat, planes.items()):
        ax.scatter(*np.asarray(points)[:500].T, s=2, color="#888888", linewidths=0, label="_data")
        ax.scatter(*np.asarray(samples)[:500].T, s=5, color=COLOURS[1], linewidths=0, alpha=0.6, label="_samples")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
        ax.set_title(title, fontsize=9.5)
        ax.spines[:].set(visible=True, color="#bbbbbb")
    for ax in axes.flat[len(planes) :]:
        ax.remove()
    return fig


def classes(ax: Axes, codes: ArrayLike, labels: ArrayLike, size: float = 12) -> None:
    """A map of two-dimensional codes (n, 2): each class has a colour, and its name stands at its middle."""
    codes, labels = np.asarray(codes), np.asarray(labels)
    for i, c in enumerate(np.unique(labels)):
        mine = codes[labels == c]
        ax.scatter(
            mine[:, 0],
            mine[:, 1],
            s=size,
            color=CLASS_COLOURS[i % 10],
            marker=MARKERS[i % 8],
            alpha=0.6,
            linewidths=0,
            label="_class",
        )
        ax.annotate(
            str(c),
            np.median(mine, axis=0),
            fontsize=14,
            fontweight="bold",
            ha="center",
            va="center",
            bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": CLASS_COLOURS[i % 10], "alpha": 0.85},
        )
    ax.set_xticks([])
    ax.set_yticks([])


# Strips of evidence ---------------------------------------------------------------------------------------------


def _in_sight(control, values):
    """Where to draw a control beside values, and its mark: one far off, which would squeeze the values into a spot,
    becomes an arrow at the edge."""
    low, high = min(values), max(values)
    place = float(np.clip(control, low - (high - low), high + (high - low)))
    return place, "o" if place == control else "<" if place > control else ">"


def strip(title: str, recorded: dict[str, Any], data: str, here: float, bar: Any, control: float) -> Picture:
    """A strip of evidence for a case of a claim: recorded runs as dots, this run as a diamond, the bar as a line, the
    control as a hollow dot, and how many runs reach the bar. Returns a `Picture` on a transparent ground.

    recorded: {data set: evidence.Case}, a row each. data: this run's data set, whose row is the first. here, control:
    this run's value and its control's, in the bar's unit. bar: an evidence.Bar.
    """
    rows = [(data, recorded.get(data)), *(row for row in recorded.items() if row[0] != data)]
    fig = Figure(figsize=(8.6, 0.36 + 0.16 * len(rows)), dpi=DPI, facecolor="none")
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0.38, 0.22 / fig.get_figheight(), 0.42, 1 - 0.25 / fig.get_figheight()), facecolor="none")
    place = ax.get_yaxis_transform()
    for y, (name, case) in enumerate(reversed(rows)):
        if case is None:
            words = "no recorded runs" if len(rows) == 1 else "none recorded"
        else:
            jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(case.values))
            ax.plot(case.values, y + jitter, "o", color=ROLES["hero"], markersize=3.6, alpha=0.6, markeredgewidth=0)
            words = f"{case.met} of {len(case.values)} runs"
        ax.text(-0.02, y, name, ha="right", va="center", fontsize=8, color=ROLES["ink"], transform=place)
        ax.text(1.02, y, words, va="center", fontsize=8, color=ROLES["ink"], transform=place)
    top = len(rows) - 1
    ax.axvline(bar.limit, color=ROLES["ink"], linewidth=1, linestyle=(0, (4, 2)))
    values = np.concatenate([[here, bar.limit], *(case.values for _, case in rows if case is not None)])
    place_of_control, sign = _in_sight(control, values)
    ax.plot(place_of_control, top, sign, markersize=5, markerfacecolor="none", markeredgecolor=ROLES["faint"])
    ax.plot(here, top, "D", markersize=6.5, color=ROLES["this run"], markeredgecolor="white", markeredgewidth=0.8)
    ax.set(ylim=(-0.6, top + 0.6), yticks=[])
    ax.margins(x=0.06)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(lambda value, _: bar.number(value))
    ax.tick_params(labelsize=7.5, colors=ROLES["ink"], length=2, pad=2)
    ax.spines[:].set_visible(False)
    ax.spines["bottom"].set(visible=True, color=ROLES["faint"])
    ax.grid(visible=False)
    said = textwrap.wrap(title, 34)
    fig.text(0.005, 0.97, "\n".join(said), fontsize=9, color=ROLES["ink"], weight="bold", va="top", linespacing=1.1)
    below = 0.97 - 0.15 * len(said) / fig.get_figheight()
    fig.text(0.005, below, str(bar), fontsize=8, color=ROLES["ink"], va="top")
    met_by = [f"{name}: {case.met} of {len(case.values)} runs reach it" for name, case in rows if case is not None]
    met = "reaches" if bar.met(here) else "misses"
    mine = f"{title}: this run {met} the bar, {bar.show(here)} where {bar} is required"
    alt = f"{mine}. {'; '.join(met_by) or 'No recorded runs'}."
    return picture(fig, alt=alt)
