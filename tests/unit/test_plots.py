"""helpers.plots: grids pixel by pixel, figures as objects (axes, labels, data), alternative texts by their numbers."""

import base64
import io
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from helpers import plots

RNG = np.random.default_rng(0)
RUNS = RNG.uniform(0.1, 1, (5, 4))  # (seeds, points)
SIZES = [1, 2, 4, 8]


def pixels(picture):
    """The PNG of a Picture on a white page, as grey values (height, width)."""
    sheet = Image.open(io.BytesIO(picture.png)).convert("RGBA")
    page = Image.new("RGBA", sheet.size, "white")
    page.alpha_composite(sheet)
    return np.asarray(page.convert("L")).astype(int)


def css(picture):
    """The same, of each CSS pixel one."""
    return pixels(picture)[:: plots.SHARPNESS, :: plots.SHARPNESS]


@pytest.fixture
def displayed(monkeypatch):
    """What the code under test displays."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    return outputs


# Grids of images ----------------------------------------------------------------------------------------------

GAP = 6
INK = 200  # what is written is darker


def test_every_pixel_is_where_it_belongs():
    images = RNG.uniform(size=(3, 4, 5))
    grid = css(plots.images({"": images}, zoom=10))
    assert grid.shape == (GAP + 1 * (40 + GAP), GAP + 3 * (50 + GAP))
    for n, row, column in np.ndindex(3, 4, 5):
        top, left = GAP + 10 * row, GAP + n * (50 + GAP) + 10 * column
        assert set(np.unique(grid[top : top + 10, left : left + 10])) == {
            255 - int(np.ceil(255 * images[n, row, column]))
        }


def test_paper_is_white_and_ink_is_black():
    grid = css(plots.images({"": [[[0, 1], [-3, 7]], [[0.5, np.nan], [0, 0]]]}, zoom=10))
    middles = GAP + 5 + 10 * np.arange(2)
    first, second = (grid[np.ix_(middles, middles + n * (20 + GAP))].tolist() for n in (0, 1))
    assert first == [[255, 0], [255, 0]]  # clipped to 0–1
    assert second == [[127, 255], [255, 255]]  # NaN is left blank
    assert grid[0, 0] == 255 and grid[GAP - 1, GAP] == 190  # a thin frame shows where an image ends


def test_a_grid_has_no_ground_of_its_own():
    sheet = Image.open(io.BytesIO(plots.images({"": np.zeros((1, 2, 2))}, zoom=10, title="a title").png))
    opacity = np.asarray(sheet.convert("RGBA"))[..., 3]
    assert opacity[-1, -1] == opacity[0, 0] == 0 and (opacity == 255).sum() > (20 * plots.SHARPNESS) ** 2


def test_rows_stand_below_each_other_with_labels_at_the_left():
    black, half = np.ones((2, 3, 3)), np.full((1, 3, 3), 0.5)
    plain = css(plots.images({"": black}, zoom=10))
    grid = css(plots.images({"black": black, "half grey": half}, zoom=10))
    margin = grid.shape[1] - plain.shape[1]
    assert margin > 50 and grid.shape[0] == GAP + 2 * (30 + GAP)
    assert (grid[GAP : GAP + 30, margin + GAP : margin + GAP + 30] == 0).all()
    below = GAP + 30 + GAP
    assert (grid[below : below + 30, margin + GAP : margin + GAP + 30] == 127).all()
    assert (grid[below : below + 30, margin + 2 * GAP + 30 :] == 255).all()  # the second row has one image
    for top in (GAP, below):
        assert (grid[top : top + 30, :margin] < INK).any()  # the label's ink


def test_title_and_captions_take_lines_of_their_own():
    images = np.zeros((2, 3, 3))
    plain, full = (
        css(plots.images({"": images}, zoom=20, **more)) for more in ({}, {"title": "a title", "captions": ["7", 8]})
    )
    assert full.shape == (plain.shape[0] + 22 + 18, plain.shape[1])
    assert (full[:20] < INK).any()
    caption = full[-18:]
    assert all((caption[:, left : left + 60] < INK).any() for left in (GAP, 2 * GAP + 60))
    assert (full[22 : 22 + plain.shape[0]] == plain).all()


def test_grid_is_as_large_as_fits():
    for n in (2, 10, 16):
        assert plots.images({"": np.zeros((n, 8, 8))}, width=640).width <= 640
    zooms = [(plots.images({"": np.zeros((n, 8, 8))}, width=640).width - GAP) // n - GAP for n in (2, 10)]
    assert zooms == [96, 56]  # at most 96 pixels an image, whole zooms only


@pytest.mark.parametrize(
    "rows, words",
    [
        ({}, "no rows"),
        ({"flat": np.zeros((3, 64))}, r"flat: \(3, 64\)"),
        ({"colour": np.zeros((3, 8, 8, 3))}, r"colour: \(3, 8, 8, 3\)"),
        ({"none": np.zeros((0, 8, 8))}, r"none: \(0, 8, 8\)"),
        ({"a": np.zeros((3, 8, 8)), "b": np.zeros((3, 28, 28))}, r"the same in all rows; got a: .*b: \(3, 28, 28\)"),
    ],
)
def test_images_of_wrong_shape(rows, words):
    with pytest.raises(ValueError, match=r"shape \(n, height, width\).*" + words):
        plots.images(rows)


def test_more_captions_than_columns():
    with pytest.raises(ValueError, match="3 captions for 2 columns"):
        plots.images({"": np.zeros((2, 8, 8))}, captions="abc")


def test_grid_says_what_it_shows():
    picture = plots.images(
        {"noisy": np.full((2, 8, 8), 0.25), "clean": np.zeros((1, 8, 8))}, captions=[3, 5], title="Digits"
    )
    assert picture.alt == (
        "Digits. Grid of 8 by 8 pixel images, noisy: 2 images, mean grey 0.25; "
        "clean: 1 images, mean grey 0.00. Captions: 3, 5."
    )
    assert 2 * picture.width == pixels(picture).shape[1]


def test_a_grid_is_twice_as_sharp_as_the_page_and_no_heavy_file():
    rng = np.random.default_rng(0)
    picture = plots.images({name: rng.uniform(size=(10, 28, 28)) for name in ("image", "reconstruction", "lost")})
    assert picture.width <= 825 and pixels(picture).shape[1] == 2 * picture.width
    assert len(picture.png) < 150_000, "noise of 23,520 pixels"


# Pictures -----------------------------------------------------------------------------------------------------


def test_picture_of_a_figure():
    fig, ax = plots.figure(width=6, height=2)
    ax.plot([1, 2], [3, 4])
    picture = plots.picture(fig)
    assert pixels(picture).shape == (2 * 96 * 2, 6 * 96 * 2)  # two physical pixels for each of the page's
    assert picture.width == 6 * 96
    assert pixels(plots.picture(fig, sharpness=1)).shape == (2 * 96, 6 * 96)
    assert picture.alt == plots.describe(fig) != ""
    assert (pixels(picture)[:2] == 255).all()  # the paper is white, also on a dark page


def test_picture_of_a_picture_is_itself():
    picture = plots.Picture(b"png", "text", 100)
    assert plots.picture(picture) is picture


def test_an_author_says_what_a_drawing_shows(displayed):
    fig, _ = plots.figure(width=3, height=2)
    for drawing in (fig, plots.images({"": np.zeros((1, 2, 2))})):
        plots.show(drawing, alt="Nothing at all.")
        assert displayed.pop() == plots.picture(drawing, alt="Nothing at all.")
        assert plots.picture(drawing, alt="Nothing at all.").alt == "Nothing at all." != plots.picture(drawing).alt


def test_picture_of_a_readers_own_figure():
    fig = Figure()  # has no Agg canvas
    fig.subplots().plot([1, 2], [3, 4])
    assert (pixels(plots.picture(fig)) < 128).any()


def test_picture_of_something_else():
    with pytest.raises(TypeError, match="cannot show a ndarray: give a matplotlib Figure or a Picture"):
        plots.picture(np.zeros((8, 8)))


def test_mime_bundle():
    data, metadata = plots.Picture(b"png", "two digits", 100)._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == b"png"
    assert data["text/plain"] == "two digits"
    assert metadata == {"image/png": {"alt": "two digits", "width": 100}}


def test_stack():
    top, bottom = (plots.images({"": np.full((n, 4, 4), n / 2)}, zoom=10) for n in (1, 2))
    stacked = plots.stack(top, bottom)
    whole = css(stacked)
    assert whole.shape == (2 * (GAP + 40 + GAP), bottom.width) and stacked.width == bottom.width
    assert (whole[:52, : top.width] == css(top)).all() and (whole[:52, top.width :] == 255).all()
    assert (whole[52:] == css(bottom)).all()
    assert stacked.alt == f"{top.alt} {bottom.alt}"


def test_stack_of_a_figure_and_a_picture_of_another_sharpness():
    fig, ax = plots.figure(width=5, height=2)
    ax.plot([1, 2], [3, 4])
    coarse = plots.picture(fig, sharpness=1)
    for sharpness in (1, 2):
        stacked = plots.stack(fig, coarse, sharpness=sharpness)
        assert pixels(stacked).shape == (2 * 2 * 96 * sharpness, 5 * 96 * sharpness) and stacked.width == 5 * 96


# The one verb -------------------------------------------------------------------------------------------------


def test_show_labels_and_displays(displayed):
    fig, axes = plots.figure(1, 2)
    axes[0].plot([1, 2], [3, 4], label="error")
    axes[1].plot([1, 2], [3, 4])
    plots.show(fig, ("size", "error"), ("step", "loss"), title="Both")
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in axes] == [("size", "error"), ("step", "loss")]
    assert [ax.get_legend() is not None for ax in axes] == [True, False]  # a legend where there are names
    assert fig.get_suptitle() == "Both"
    assert displayed == [plots.picture(fig)]
    assert displayed[0].alt.startswith("Both. Panel: error against size.")


def test_show_uses_one_pair_for_all_axes(displayed):
    fig, axes = plots.figure(1, 3)
    plots.show(fig, ("size", "error"))
    assert {(ax.get_xlabel(), ax.get_ylabel()) for ax in axes} == {("size", "error")}


def test_show_without_labels_keeps_those_there(displayed):
    fig, ax = plots.figure()
    ax.plot([1, 2], [3, 4], label="error")
    ax.set(xlabel="size", ylabel="error")
    plots.show(fig, legend=False)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_legend()) == ("size", "error", None)


@pytest.mark.parametrize("pairs", [2, 4])
def test_show_counts_labels(displayed, pairs):
    fig, _ = plots.figure(1, 3)
    with pytest.raises(ValueError, match=f"{pairs} pairs of labels for 3 axes"):
        plots.show(fig, *[("x", "y")] * pairs)
    assert displayed == []


def test_show_displays_a_picture_as_it_is(displayed):
    picture = plots.images({"": np.zeros((1, 2, 2))})
    plots.show(picture)
    assert displayed == [picture]


# Alternative text ---------------------------------------------------------------------------------------------


def test_lines_are_described_by_their_numbers():
    fig, ax = plots.figure()
    ax.plot([1, 2, 4], [0.5, 0.125, 0.25], label="test error")
    ax.plot([3], [0.3], "*", label="your setting")
    ax.axhline(0.4, label="not data")
    ax.set(xlabel="size", ylabel="error", title="Sweep")
    assert plots.describe(fig) == (
        "Sweep: error against size. test error goes from 0.5 at 1 to 0.25 at 4, lowest 0.125, highest 0.5. "
        "your setting at 3, 0.3."
    )


def test_bars_are_described_by_their_numbers():
    fig, (left, right) = plots.figure(1, 2)
    left.bar(["relu", "tanh"], [0.25, 0.5])
    right.hist([1, 1, 1, 2, 3], bins=[0.5, 1.5, 2.5, 3.5])
    right.set_xticks([0, 2, 4])  # as many ticks as bars, but not theirs
    assert plots.describe(fig) == ("Panel: bars: relu 0.25, tanh 0.5. Panel: bars: 3 bars from 1 to 3.")


def test_points_images_and_words_are_described():
    fig, (left, right) = plots.figure(1, 2)
    plots.classes(left, RNG.normal(size=(9, 2)), list("aaabbbccc"))
    right.imshow(np.zeros((3, 7)))
    right.text(0, 0, "two\nlines")
    assert plots.describe(fig) == ("Panel: 9 points in 3 groups. a. b. c. Panel: An image of 3 by 7 values. two lines.")


def test_description_changes_with_the_data():
    def alt(error):
        return plots.describe(plots.dots({"error": {"PCA": 0.5, "AE": error}}))

    assert alt(0.2) == alt(0.2) != alt(0.3)


# Recurring figures --------------------------------------------------------------------------------------------


def test_maps():
    codes, labels = RNG.normal(size=(12, 2)), np.repeat([0, 1, 7], 4)
    fig = plots.maps({"PCA": codes, "AE": 2 * codes}, labels)
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["PCA", "AE"]
    for ax, scale in zip(fig.axes, (1, 2)):
        assert [text.get_text() for text in ax.texts] == ["0", "1", "7"]
        for c, dots, name in zip((0, 1, 7), ax.collections, ax.texts):
            assert np.array(dots.get_offsets()) == pytest.approx(scale * codes[labels == c])
            assert name.xy == pytest.approx(np.median(scale * codes[labels == c], axis=0))
        assert len({to_hex(dots.get_facecolor()[0]) for dots in ax.collections}) == 3


def test_ten_classes_look_different():
    _, ax = plots.figure()
    plots.classes(ax, RNG.normal(size=(40, 2)), np.arange(40) % 10)
    looks = {(to_hex(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes()) for c in ax.collections}
    assert len(looks) == 10


# The same in every thread, and every time ---------------------------------------------------------------------


def drawing(i):
    values = np.random.default_rng(i).uniform(0.01, 1, (5, 4))
    fig = plots.dots({f"$\\sigma_{{{i}}}$": {"AE": values[0, 0], "PCA": values[0, 1]}})
    return plots.stack(plots.images({f"row {i}": values[None]}), fig).png


def test_threads_draw_what_one_draws_alone():
    before, interval = dict(matplotlib.rcParams), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads take turns as often as they can
    try:
        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(drawing, range(12)))
    finally:
        sys.setswitchinterval(interval)
    assert dict(matplotlib.rcParams) == before
    assert [a == b for a, b in zip(together, map(drawing, range(12)))] == [True] * 12
    assert len(set(together)) == 12


def test_figure_begun_in_a_cell_keeps_its_style_while_a_lab_draws():
    """A lab's thread draws between two lines of a cell: the cell's figure comes out as if it had not."""

    def cell(between):
        fig, ax = plots.figure()
        ax.plot([1, 2], [3, 4], label="error")
        between()
        ax.plot([1, 2], [4, 3], label="probe")
        ax.legend()
        between()
        return plots.picture(fig).png

    with ThreadPoolExecutor(1) as pool:
        assert cell(lambda: pool.submit(drawing, 1).result()) == cell(lambda: None)


def test_style_stands_without_a_context():
    for name, value in plots.STYLE.items():
        assert matplotlib.rcParams[name] == ([value] if name == "font.family" else value)


def test_heatmap_shows_its_values_and_says_them():
    fig = plots.heatmap([[0.1, 1], [0.7, 0]], ["A", "B"], ["clean", "noise"], limits=(0, 1))
    (ax,) = fig.axes
    assert [t.get_text() for t in ax.texts] == ["0.10", "1.00", "0.70", "0.00"]
    shades = ax.images[0].get_array()
    assert shades[0, 1] > shades[1, 0] > shades[0, 0] > shades[1, 1] == 0
    assert plots.describe(fig) == "Panel: A: clean 0.10, noise 1.00; B: clean 0.70, noise 0.00."


def test_a_title_longer_than_its_grid_is_not_cut():
    short, long = (plots.images({"": np.zeros((1, 4, 4))}, zoom=2, title=title) for title in ("1", "a long title " * 5))
    assert long.width > short.width
    ink = [pixels(p)[:22].min(axis=0) < INK for p in (short, long)]
    assert ink[1].nonzero()[0].max() > short.width and not ink[1][-2:].any()


def test_dots_stand_where_their_values_are():
    fig = plots.dots({"error": {"plain": 0.2, "noise": 0.3}, "probe": {"plain": 0.7, "noise": 0.6}}, reference="plain")
    places = [{line.get_label(): line.get_xydata().tolist() for line in ax.get_lines()} for ax in fig.axes]
    assert places[0]["_plain"] == [[0.2, 0]] and places[0]["_noise"] == [[0.3, 1]] and places[1]["_noise"] == [[0.6, 1]]
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["plain", "noise"]
    assert {line.get_color() for ax in fig.axes for line in ax.get_lines()[:1]} == {plots.ROLES["plain"]}


@pytest.mark.parametrize(
    ("control", "drawn"), [(0.5, (0.5, "o")), (-0.9, (-0.9, "o")), (-40, (-1, "<")), (9, (2, ">"))]
)
def test_a_control_far_off_is_an_arrow_at_the_edge(control, drawn):
    assert plots._in_sight(control, [0, 0.3, 1]) == drawn


def test_a_picture_in_fewer_colours_takes_fewer_bytes_and_looks_alike():
    fig, ax = plots.figure()
    ax.imshow(np.random.default_rng(0).uniform(size=(20, 20)))
    whole = plots.picture(fig, small=False)
    less = whole.smaller()
    assert (
        len(less.png) < len(whole.png) and less.smaller() is less and (less.alt, less.width) == (whole.alt, whole.width)
    )
    before, after = (np.asarray(Image.open(io.BytesIO(p.png)).convert("RGBA"), float) for p in (whole, less))
    assert np.abs(before - after).mean() < 2
