"""Labs in JupyterLab and Notebook 7 as a reader uses them, by mouse and by keyboard, also while a cell runs.

Every picture shown is compared, byte for byte, with the one that the lab's pure function gives for the same controls.
"""

import contextlib
import json
import re

import numpy as np
import pytest
from jupyter_driver import drag, wait_for

expect = pytest.importorskip("playwright.sync_api", reason="no Playwright (pip install playwright)").expect

NUMBERS = """
import numpy as np, time
from helpers import labs, plots

drawn = []
def draw(n, x, kind, size):
    drawn.append(n)
    if n == 13:
        raise ValueError("13 is <unlucky>")
    return plots.images({f"{n} {x:.2f} {kind} {size}": np.full((4, 8, 8), n / 100)})

labs.Lab(draw, "Numbers", question="Which n is black?", n=labs.slider("whole number", 0, 100, 20),
         x=labs.slider("fraction", -1, 1, 0, step=.05),
         kind=labs.choice("kind", ["first", "second", "third"]), drag={"n": 3, "x": 100},
         size=labs.slider("size", value=8, values=[2 ** i for i in range(11)], unit="numbers"))
"""
SLOW = """
import pathlib
held, log, active = pathlib.Path("held"), [], 0
def train(n):
    global active
    active += 1
    log.append(["start", n, active])
    try:
        chunks = 0
        while chunks < 10 or held.exists():
            time.sleep(.03)
            chunks += 1
            yield chunks / (chunks + 100)
        log.append(["end", n, active])
        return n
    finally:
        active -= 1

def draw_result(result, n):
    return plots.images({f"trained {result}": np.full((4, 8, 8), result / 30)})

labs.RetrainLab(train, draw_result, "Slow", n=labs.slider("size", 0, 30, 5))
"""
GROWING = """
labs.Lab(lambda rows: plots.images({f"row {i}": np.full((4, 8, 8), .5) for i in range(rows)}), "Growing",
         rows=labs.slider("rows", 1, 6, 5))
"""
PLANE = """
import keras
import numpy as np
from helpers import labs
layers = keras.layers
decoder = keras.Sequential([keras.Input((2,)), *(layers.Dense(24, name) for name in ("relu", "tanh", "leaky_relu")),
                            layers.Dense(24), layers.Dense(64, "sigmoid")])
rng = np.random.default_rng(0)
decoder.set_weights([rng.normal(size=w.shape) * .5 for w in decoder.get_weights()])
labels = rng.integers(0, 10, 300)
codes = rng.normal(size=(300, 2)) + 3 * np.c_[np.cos(labels), np.sin(labels)]
images = rng.integers(0, 256, (300, 64)) / 255
labs.LatentPlane(decoder, codes, labels, (8, 8), "Plane", images=images)
"""
PAD = """
encoder = keras.Sequential([keras.Input((784,)), layers.Dense(32, "relu"), layers.Dense(2)])
encoder.set_weights([rng.normal(size=w.shape) * .1 for w in encoder.get_weights()])
wide = keras.Sequential([keras.Input((2,)), layers.Dense(784, "sigmoid")])
labs.LatentPlane(wide, codes, labels, (28, 28), "Pad", encoder=encoder, reach=20, question="Where does a 7 land?",
                 names=["naught", *map(str, range(1, 10))])
"""
DIRAC = """
import numpy as np
from helpers import labs

def dirac(h, n, gamma, in_turns, start):
    path = [start]
    for _ in range(n):
        theta, psi = path[-1]
        new = theta + h * psi
        path.append((new, psi - h * ((new if in_turns else theta) + gamma * psi)))
    return np.array(path)

labs.DiracGAN(dirac, "Dirac", question="Where does it go?")
"""
CURVE = """
import matplotlib.pyplot as plt, numpy as np
from helpers import labs, plots

plt.rcParams["figure.max_open_warning"] = 0
curves = []
def draw_curve(n):
    curves.append(n)
    fig, ax = plots.figure(width=2, height=1.5)
    ax.plot(np.sin(np.linspace(0, n, 50)), label="sine")
    ax.set(xticks=[], yticks=[])              # whose labels would take most of the time
    return fig

labs.Lab(draw_curve, "Curve", n=labs.slider("n", 0, 100, 20))
"""
SIXTY = """
import pathlib, time
moving, end = pathlib.Path("moving"), time.monotonic() + 300
for i in range(60):
    fig, ax = plt.subplots(figsize=(2, 1.5))
    while moving.exists() and len(curves) < i / 5 and time.monotonic() < end:
        time.sleep(.01)                       # half-made, until the slider that a test moves has had its curves drawn
    ax.plot([0, i, 1], label="a line")
    ax.set(title=f"figure {i}", xticks=[], yticks=[])
    ax.legend()
"""
RUN_ON = """
import pathlib, time
running, end = pathlib.Path("running"), time.monotonic() + 300
running.touch()
while running.exists() and time.monotonic() < end:
    time.sleep(.02)
"""
CELLS = {
    "Numbers": NUMBERS,
    "Slow": SLOW,
    "Growing": GROWING,
    "run on": RUN_ON,
    "Plane": PLANE,
    "Pad": PAD,
    "Dirac": DIRAC,
    "Curve": CURVE,
    "with show": SIXTY + "    plt.show()",
    "without show": SIXTY,
}


@pytest.fixture(scope="module")
def opened(app, open_notebook):
    """The notebook of CELLS in JupyterLab or Notebook 7; none has run yet."""
    return open_notebook(app, f"labs-{app}", *CELLS.values())


def number(cell):
    return list(CELLS).index(cell)


@pytest.fixture(scope="module")
def with_labs(opened):
    for cell in ("Numbers", "Slow", "Growing"):
        opened.run_cell(number(cell))
    return opened


@pytest.fixture(scope="module")
def with_plane(opened):
    opened.run_cell(number("Plane"))
    return opened


@pytest.fixture(scope="module")
def with_pad(with_plane):
    with_plane.run_cell(number("Pad"))
    return with_plane


@pytest.fixture(scope="module")
def with_dirac(opened):
    opened.run_cell(number("Dirac"))
    return opened


@pytest.fixture(scope="module")
def with_figures(opened):
    for cell in ("Curve", "with show", "without show"):
        opened.run_cell(number(cell))
    return opened


@pytest.fixture
def notebook(with_labs):
    """The notebook with the labs "Numbers" and "Slow", the first at its defaults."""
    with_labs.execute("labs.LABS['Numbers'].values = {}")
    with_labs.wait_right("Numbers")
    yield with_labs
    assert with_labs.page.errors == []


@pytest.fixture
def slow(notebook):
    """The same notebook with "Slow" made afresh."""
    notebook.run_cell(number("Slow"))
    notebook.wait_right("Slow")
    notebook.execute("log.clear()")
    return notebook


@pytest.fixture
def plane(with_plane):
    yield with_plane
    assert with_plane.page.errors == []


@pytest.fixture
def pad(with_pad):
    """The notebook with the lab "Pad", nothing drawn in it."""
    with_pad.button("Pad", "Clear").click()
    yield with_pad
    assert with_pad.page.errors == []


@pytest.fixture
def dirac(with_dirac):
    """The notebook with the lab "Dirac" at its defaults."""
    with_dirac.button("Dirac", "Reset").click()
    wait_for(lambda: with_dirac.arrived("Dirac"), "Reset does not reach the kernel")
    yield with_dirac
    assert with_dirac.page.errors == []


@pytest.fixture
def busy_kernel(opened):
    """busy_kernel(): a block during which a cell runs."""

    @contextlib.contextmanager
    def busy():
        sign = opened.server.root / "running"
        opened.start_cell(number("run on"))
        try:
            wait_for(sign.exists, "the cell does not start")
            yield
            assert opened.cell_runs(), "the kernel was free: nothing is shown by this test"
        finally:
            sign.unlink(missing_ok=True)
        wait_for(lambda: not opened.cell_runs(), "the cell does not end")

    return busy


@pytest.fixture
def held(slow):
    """held(): a block during which no training of "Slow" ends by itself."""

    @contextlib.contextmanager
    def hold():
        sign = slow.server.root / "held"
        sign.touch()
        try:
            yield
        finally:
            sign.unlink()

    return hold


# A lab that draws while the slider moves


def test_the_last_position_of_a_drag_is_what_is_shown(notebook):
    before, slider = notebook.png("Numbers"), notebook.slider("Numbers", "whole number")
    slider.drag(to=0.9, steps=60)
    assert notebook.wait_right("Numbers") != before
    assert abs(slider.value() - 90) <= 2
    assert notebook.execute("print(labs.LABS['Numbers'].values['n'])").strip() == f"{slider.value():.0f}"
    assert slider.number.input_value() == f"{slider.value():.0f}"


def test_sliders_follow_the_pointer_over_the_picture(notebook):
    image = notebook.lab("Numbers").locator("img")
    image.hover()
    box = image.bounding_box()
    start = box["x"] + 20, box["y"] + 10
    drag(notebook.page, start, (start[0] + 60, start[1] + 50), steps=20)
    notebook.wait_right("Numbers")
    assert values(notebook) == {"n": 40, "x": 0.5, "kind": "first", "size": 8}
    notebook.page.mouse.move(*start)  # not held down: nothing moves
    drag(notebook.page, start, (start[0] - 900, start[1]), steps=20)
    notebook.wait_right("Numbers")
    assert notebook.slider("Numbers", "whole number").value() == 0, "not clipped to the slider's range"


def test_no_frame_of_a_drag_is_without_a_picture(notebook):
    panel = notebook.lab("Numbers")
    panel.locator("img").evaluate("""img => { window.frames_seen = []; window.watching = true;
        const look = () => { frames_seen.push([img.src, img.isConnected && img.complete && img.naturalWidth > 0]);
                             if (window.watching) requestAnimationFrame(look) }; look() }""")
    notebook.slider("Numbers", "whole number").drag(to=0.8, steps=60)
    seen = notebook.page.evaluate("() => { window.watching = false; return frames_seen }")
    notebook.wait_right("Numbers")
    assert len({source for source, _ in seen}) >= 5, "too few pictures to tell"
    assert all(complete for _, complete in seen)
    assert panel.locator("img").count() == 1


def test_the_page_below_a_picture_stays_where_it_is_when_that_shrinks(notebook):
    frame, slider = notebook.lab("Growing").locator(".picture"), notebook.slider("Growing", "rows")
    size = "part => { const { width, height } = part.getBoundingClientRect(); return [width, height] }"
    notebook.wait_right("Growing")
    before = frame.evaluate(size)
    for key in ("Home", "PageUp"):
        slider.press(key)
        notebook.wait_right("Growing")
        assert frame.evaluate(size) == before
    assert frame.locator("img").evaluate(size)[1] < before[1]
    slider.press("End")
    notebook.wait_right("Growing")
    wait_for(lambda: frame.evaluate(size)[1] > before[1], "a larger picture has no place")


def test_pictures_are_twice_as_sharp_as_the_page(notebook):
    natural, shown = (
        notebook.lab("Growing").locator("img").evaluate("i => [i.naturalWidth, i.getBoundingClientRect().width]")
    )
    assert natural == pytest.approx(2 * shown, abs=1)


def test_picture_has_alternative_text_of_what_it_shows(notebook):
    image = notebook.lab("Numbers").locator("img")
    assert "20 0.00 first" in image.get_attribute("alt")
    notebook.slider("Numbers", "whole number").press("End")
    notebook.wait_right("Numbers")
    assert "100 0.00 first" in image.get_attribute("alt")


def test_reset_brings_every_control_back(notebook):
    default, slider = notebook.png("Numbers"), notebook.slider("Numbers", "whole number")
    slider.drag(to=0.4)
    notebook.row("Numbers", "kind").locator("select").select_option("third")
    assert notebook.wait_changed("Numbers", default)
    notebook.button("Numbers", "Reset").click()
    wait_for(lambda: notebook.png("Numbers") == default, "Reset does not bring the first picture back")
    assert slider.value() == 20
    assert notebook.row("Numbers", "kind").locator("select").input_value() == "first"


def test_an_error_is_said_in_words_and_the_lab_lives_on(notebook):
    slider = notebook.slider("Numbers", "whole number")
    slider.number.fill("13")
    slider.number.press("Enter")
    wait_for(lambda: "ValueError: 13 is <unlucky>" in notebook.message("Numbers"), "no message")
    slider.press("ArrowRight")
    notebook.wait_right("Numbers")
    assert notebook.message("Numbers") == "" and slider.value() == 14


def values(notebook, title="Numbers"):
    return json.loads(notebook.execute(f"import json; print(json.dumps(labs.LABS[{title!r}].values))"))


def test_play_walks_a_slider_to_its_end(notebook):
    notebook.execute("labs.LABS['Numbers'].values = {'n': 90}; drawn.clear()")
    notebook.wait_right("Numbers")
    notebook.button("Numbers", "Play whole number").click()
    slider = notebook.slider("Numbers", "whole number")
    wait_for(lambda: slider.value() == 100, "it does not arrive")
    expect(notebook.button("Numbers", "Play whole number")).to_be_visible()
    notebook.wait_right("Numbers")
    seen = json.loads(notebook.execute("print(drawn)"))
    assert seen[0] <= 92 and len(set(seen)) >= 5 and seen == sorted(seen), "values were left out"
    notebook.button("Numbers", "Play whole number").click()
    wait_for(lambda: slider.value() < 50, "it does not begin anew")
    notebook.button("Numbers", "Pause whole number").click()


@pytest.mark.parametrize("touch", ["Pause", "slider", "key"])
def test_play_stops_at_a_touch(notebook, touch):
    slider = notebook.slider("Numbers", "whole number")
    notebook.button("Numbers", "Play whole number").click()
    wait_for(lambda: slider.value() > 20, "it does not play")
    if touch == "Pause":
        notebook.button("Numbers", "Pause whole number").click()
    elif touch == "slider":
        notebook.slider("Numbers", "fraction").drag(to=0.8)
    else:
        notebook.slider("Numbers", "fraction").press("ArrowLeft")
    expect(notebook.button("Numbers", "Play whole number")).to_be_visible()
    stands = slider.value()
    assert stands < 100
    notebook.page.wait_for_timeout(1500)
    assert slider.value() == stands and notebook.wait_right("Numbers")


def test_a_slider_through_a_list_has_its_values_alone(notebook):
    slider = notebook.slider("Numbers", "size")
    for key, value in (("ArrowRight", 16), ("Home", 1), ("End", 1024), ("ArrowLeft", 512)):
        slider.press(key)
        assert slider.number.input_value() == f"{value}"
        assert slider.handle.get_attribute("aria-valuetext") == f"{value} numbers"
        wait_for(lambda value=value: values(notebook)["size"] == value, "the kernel does not hear of it")
    slider.number.fill("100")
    slider.number.press("Enter")
    wait_for(lambda: values(notebook)["size"] == 128, "a number typed in is not taken to the nearest")
    assert slider.number.input_value() == "128" and slider.handle.input_value() == "7"
    assert "numbers" in notebook.row("Numbers", "size").inner_text()
    notebook.button("Numbers", "Reset").click()
    wait_for(lambda: slider.number.input_value() == "8", "Reset does not work")


def test_the_question_stands_under_the_title(notebook):
    texts = notebook.lab("Numbers").locator("h4, p").all_inner_texts()
    assert texts == ["Numbers", "Which n is black?"]


@pytest.mark.parametrize("width", [1280, 600])
def test_nothing_overflows_or_overlaps_whatever_the_width(pad, with_labs, width):
    pad.page.set_viewport_size({"width": width, "height": 1000})
    try:
        for title in ("Numbers", "Slow", "Growing", "Pad"):
            lab = pad.lab(title)
            assert lab.evaluate("lab => lab.scrollWidth <= lab.clientWidth && lab.clientWidth > 150")
            for control in lab.locator("input, select, button").all():
                box = control.bounding_box()
                assert min(box["width"], box["height"]) >= 24, "too small for a finger"
            for row in lab.locator(".row").all():
                label, track = (row.locator(f"> :nth-child({n})").bounding_box() for n in (1, 2))
                assert label["x"] + label["width"] <= track["x"] or label["y"] + label["height"] <= track["y"]
    finally:
        pad.page.set_viewport_size({"width": 1280, "height": 1000})


# By keyboard alone


def focused(page):
    """What has the focus: [is it in a lab, its kind, its accessible name]."""
    return page.evaluate("""() => { const e = document.activeElement;
        return [!!e.closest('.lab'), (e.tagName === 'INPUT' ? e.type : e.tagName).toUpperCase(),
                e.ariaLabel ?? e.textContent] }""")


def tab_to(page, wanted, most=120):
    """Press Tab until the focus is on `wanted`: (kind, name)."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page) == [True, *wanted]:
            return
    raise AssertionError(f"{most} times Tab do not lead to {wanted}; the focus is at {focused(page)}")


def letters_do_nothing_to_cells(notebook):
    cells = notebook.cells()
    for key in ("x", "a", "b", "d", "d", "Shift+M", "m", "y", "z", "Delete"):
        notebook.page.keyboard.press(key)
    return notebook.cells() == cells


def test_every_control_of_a_lab_works_by_keyboard_alone(notebook):
    page, slider = notebook.page, notebook.slider("Numbers", "whole number")
    page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    page.keyboard.press("Escape")
    tab_to(page, ("RANGE", "whole number"))
    for key, value in (
        ("ArrowRight", 21),
        ("ArrowUp", 22),
        ("ArrowLeft", 21),
        ("ArrowDown", 20),
        ("PageUp", 30),
        ("Home", 0),
        ("End", 100),
    ):
        page.keyboard.press(key)
        assert slider.value() == value
    assert letters_do_nothing_to_cells(notebook)
    tab_to(page, ("NUMBER", "whole number"), most=1)
    page.keyboard.press("Control+a")
    page.keyboard.type("42")
    page.keyboard.press("Enter")
    wait_for(lambda: slider.value() == 42, "the number entry does not move the slider")
    tab_to(page, ("BUTTON", "Play fraction"), most=1)
    tab_to(page, ("RANGE", "fraction"), most=1)
    page.keyboard.press("ArrowLeft")
    tab_to(page, ("NUMBER", "fraction"), most=1)
    tab_to(page, ("SELECT", "kind"), most=1)
    page.keyboard.press("ArrowDown")
    assert letters_do_nothing_to_cells(notebook)
    wait_for(
        lambda: values(notebook) == {"n": 42, "x": -0.05, "kind": "second", "size": 8},
        "the keys did not reach the kernel",
    )
    notebook.wait_right("Numbers")
    tab_to(page, ("BUTTON", "Reset"), most=4)
    assert letters_do_nothing_to_cells(notebook)
    page.keyboard.press("Enter")
    wait_for(lambda: slider.value() == 20, "Reset does not work by keyboard")
    page.keyboard.press("Tab")
    assert focused(page)[2] != "whole number", "the focus is kept in the lab"


def test_retraining_and_cancelling_by_keyboard(slow, held):
    page, slider = slow.page, slow.slider("Slow", "size")
    with held():
        slider.press("ArrowRight")
        tab_to(page, ("BUTTON", "Cancel"))
        wait_for(lambda: slow.message("Slow") == "Training …", "no training")
        assert letters_do_nothing_to_cells(slow)
        page.keyboard.press("Enter")
        wait_for(lambda: slider.value() == 5 and not slow.message("Slow"), "Cancel does not work by keyboard")


def test_every_control_has_an_accessible_name(notebook):
    for title, count in (("Numbers", 11), ("Slow", 4)):
        controls = notebook.lab(title).locator("input, select, button")
        assert controls.count() == count
        for control in controls.all():
            expect(control).to_have_accessible_name(re.compile(r"\w+"))


def test_shortcuts_with_control_still_work_in_a_lab(notebook):
    notebook.slider("Numbers", "whole number").press("Control+s")
    notebook.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")


# A lab that trains when the slider is let go


def test_training_starts_on_release_and_the_old_picture_stays_until_the_new_one(slow, held):
    before, slider = slow.png("Slow"), slow.slider("Slow", "size")
    bar = slow.lab("Slow").locator("progress")
    assert not bar.is_visible()
    with held():
        slider.drag(to=0.5, release=False)
        assert slider.number.input_value() == f"{slider.value():.0f}", "the number does not follow the drag"
        assert json.loads(slow.execute("import json; print(json.dumps(log))")) == []
        slow.page.mouse.up()
        expect(bar).to_be_visible()
        assert slow.message("Slow") == "Training …" and slow.png("Slow") == before
        first = bar.evaluate("bar => bar.value")
        wait_for(lambda: bar.evaluate("bar => bar.value") > first, "no progress to be seen")
        assert slow.execute("print(6 * 7)").strip() == "42", "the kernel is not free"
    assert slow.wait_changed("Slow", before) == slow.wait_right("Slow")
    expect(bar).not_to_be_visible()
    assert slow.message("Slow") == ""


def test_the_latest_setting_wins_and_trainings_never_overlap(slow, held):
    slider = slow.slider("Slow", "size")
    with held():
        for key in ("ArrowRight", "PageUp", "ArrowRight", "PageUp", "ArrowRight"):  # each starts a training
            slider.press(key)
            slow.page.wait_for_timeout(100)
    wanted = int(slider.value())
    wait_for(
        lambda: ["end", wanted, 1] in json.loads(slow.execute("import json; print(json.dumps(log))")),
        "the last setting is not trained to its end",
    )
    slow.wait_right("Slow")
    log = json.loads(slow.execute("import json; print(json.dumps(log))"))
    assert [entry for entry in log if entry[0] == "end"] == [["end", wanted, 1]]
    assert {active for *_, active in log} == {1} and len(log) >= 3


def test_cancel_keeps_the_picture_and_takes_the_controls_back(slow, held):
    before, slider = slow.png("Slow"), slow.slider("Slow", "size")
    with held():
        slider.drag(to=0.97)
        wait_for(lambda: slow.message("Slow") == "Training …", "no training")
        slow.button("Slow", "Cancel").click()
        wait_for(lambda: slow.execute("print(active)").strip() == "0", "the training goes on")
    assert slider.value() == 5 and slow.png("Slow") == before == slow.wait_right("Slow")
    assert "end" not in slow.execute("print(log)") and slow.message("Slow") == ""


def test_a_setting_visited_before_is_not_trained_again(slow):
    slider = slow.slider("Slow", "size")
    slider.press("ArrowRight")
    first = slow.wait_right("Slow")
    slider.press("ArrowLeft")
    slow.wait_changed("Slow", first)
    slow.execute("log.clear()")
    slider.press("ArrowRight")
    wait_for(lambda: slow.png("Slow") == first, "the kept result is not shown")
    assert slow.execute("print(log)").strip() == "[]"


def test_sliders_and_cancel_work_while_a_cell_runs(slow, busy_kernel, held):
    slow.slider("Slow", "size").press("ArrowRight")  # the first event on a lab would wait for the cell
    slow.wait_right("Slow")
    with held(), busy_kernel():
        slider = slow.slider("Slow", "size")
        slider.press("PageUp")
        wait_for(lambda: slow.message("Slow") == "Training …", "the slider is dead")
        slow.button("Slow", "Cancel").click()
        wait_for(lambda: slow.message("Slow") == "", "Cancel is dead")
        assert slider.value() == 6


def test_running_the_cells_again_replaces_the_labs(slow):
    for cell in ("Numbers", "Slow"):
        slow.run_cell(number(cell))
    threads = slow.execute("import threading\nprint([thread.name for thread in threading.enumerate()])")
    assert threads.count("lab Slow") == 1
    slow.slider("Slow", "size").press("ArrowRight")
    slow.slider("Numbers", "whole number").press("End")
    slow.wait_right("Numbers")
    wait_for(lambda: slow.png("Slow") == slow.expected("Slow"), "the new lab does not train")
    shown = slow.page.locator(".lab").evaluate_all("labs => labs.map(lab => lab.ariaLabel)")
    assert (shown.count("Numbers"), shown.count("Slow")) == (1, 1)


# A lab that runs in the browser


def browser_equals_keras(notebook):
    """The cross, and the largest difference between what the browser and Keras decode there."""
    z = notebook.cross("Plane")
    keras = json.loads(
        notebook.execute(f"print(decoder(np.array([{z}], 'float32')).numpy().ravel().astype(float).tolist())")
    )
    return z, np.abs(np.array(notebook.decoded("Plane")) - keras).max()


def test_dragging_the_plane_decodes_in_the_browser_what_keras_decodes(plane):
    before = plane.png("Plane")
    plane.drag_plane("Plane", to=(0.8, 0.3))
    assert plane.png("Plane") != before
    z, difference = browser_equals_keras(plane)
    (low1, high1), (low2, high2) = json.loads(
        plane.execute("print([list(c.extremes) for c in labs.LABS['Plane'].controls.values()])")
    )
    assert z == pytest.approx([low1 + 0.8 * (high1 - low1), high2 - 0.3 * (high2 - low2)], abs=0.05)
    assert difference <= 1e-5
    wait_for(
        lambda: json.loads(plane.execute("print(list(labs.LABS['Plane'].values.values()))")) == z,
        "the kernel does not hear of the move",
    )


NEAREST = """canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 8, 8).data)
    .filter((_, i) => i % 4 === 0).map(v => 255 - v)"""


def test_the_pointer_over_the_plane_shows_the_nearest_image(plane):
    canvas, nearest = plane.lab("Plane").locator("canvas").first, plane.lab("Plane").locator("canvas.nearest")
    canvas.hover()
    cross, box = plane.cross("Plane"), canvas.bounding_box()
    plane.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    expected = json.loads(
        plane.execute(
            "lab = labs.LABS['Plane']\n(l1, h1), (l2, h2) = (c.extremes for c in lab.controls.values())\n"
            "place = np.array([l1 + .3 * (h1 - l1), l2 + .4 * (h2 - l2)])\n"
            "i = np.square((codes - place) / [h1 - l1, h2 - l2]).sum(1).argmin()\n"
            "print([int(labels[i]), *(255 * images[i]).round().astype(int).tolist()])"
        )
    )
    assert nearest.get_attribute("aria-label") == f"nearest image: {expected[0]}"
    assert np.abs(np.array(nearest.evaluate(NEAREST)) - expected[1:]).max() <= 1
    assert plane.cross("Plane") == cross, "the cross moved without a click"
    plane.page.mouse.move(box["x"] + box["width"] + 5, box["y"])  # away: back to the image at the cross
    wait_for(lambda: np.abs(np.array(nearest.evaluate(NEAREST)) - expected[1:]).max() > 1, "it stays")


def test_the_plane_needs_no_kernel(plane, busy_kernel):
    before = plane.png("Plane")
    with busy_kernel():
        plane.drag_plane("Plane", to=(0.2, 0.8))
        assert plane.png("Plane") != before
    assert browser_equals_keras(plane)[1] <= 1e-5


def test_the_plane_works_by_keyboard_alone(plane):
    page, canvas = plane.page, plane.lab("Plane").locator("canvas").first
    plane.button("Plane", "Reset").click()
    wait_for(lambda: plane.cross("Plane") == [0, 0], "Reset does not work")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert letters_do_nothing_to_cells(plane)
    z, difference = browser_equals_keras(plane)
    assert z[0] > 0 and z[1] > 4 * z[0] and difference <= 1e-5
    for name, value in (("z1", "-1.5"), ("z2", "0.25")):
        tab_to(page, ("NUMBER", name), most=1)
        page.keyboard.press("Control+a")
        page.keyboard.type(value + "\n")
    wait_for(lambda: plane.cross("Plane") == [-1.5, 0.25], "the number entries do not move the cross")
    tab_to(page, ("BUTTON", "Reset"), most=1)
    page.keyboard.press("Enter")
    wait_for(lambda: plane.cross("Plane") == [0, 0], "Reset does not work by keyboard")
    for control in plane.lab("Plane").locator("canvas, input, button").all():
        expect(control).to_have_accessible_name(re.compile(r"\w+"))


# A game of two numbers


def browser_goes_the_kernels_way(notebook):
    """Whether the path on the page is the one that the notebook's own function gives. Returns that."""
    path = np.array(notebook.expected_path("Dirac"))
    np.testing.assert_allclose(notebook.path("Dirac"), path, rtol=1e-9)
    return path


def test_dragging_the_start_of_the_game_changes_its_path(dirac):
    before = dirac.png("Dirac")
    dirac.drag_plane("Dirac", to=(0.8, 0.3))
    assert dirac.png("Dirac") != before
    path = browser_goes_the_kernels_way(dirac)
    assert path[0] == pytest.approx([1.2, 0.8], abs=0.051) and len(path) == 401


def test_every_setting_of_the_game_counts_and_is_said(dirac):
    ends = [browser_goes_the_kernels_way(dirac)[-1]]
    dirac.row("Dirac", "both players move").locator("select").select_option("in turns")
    ends.append(browser_goes_the_kernels_way(dirac)[-1])
    for label in ("R1: γ", "size of a step, h"):
        dirac.slider("Dirac", label).drag(to=0.4)
        ends.append(browser_goes_the_kernels_way(dirac)[-1])
    distances = np.linalg.norm(ends, axis=1)
    assert distances[0] > 1.5 and 0.9 < distances[1] < 1.1 and (distances[2:] < 0.1).all()
    assert dirac.message("Dirac") == f"after 400 steps: {distances[-1]:.2f} from the cross"


def test_the_game_is_played_step_by_step(dirac):
    slider = dirac.slider("Dirac", "steps")
    slider.number.fill("300")
    slider.number.press("Enter")
    dirac.button("Dirac", "Play steps").click()
    wait_for(lambda: slider.value() > 300, "it does not play")
    wait_for(lambda: slider.value() == 400, "it does not arrive", 30)
    assert len(browser_goes_the_kernels_way(dirac)) == 401


def test_the_game_needs_no_kernel_and_no_mouse(dirac, busy_kernel):
    canvas = dirac.lab("Dirac").locator("canvas")
    with busy_kernel():
        canvas.focus()
        for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowUp"):
            dirac.page.keyboard.press(key)
        assert dirac.path("Dirac")[0] == pytest.approx([0.95, 0.55])
    assert letters_do_nothing_to_cells(dirac)
    browser_goes_the_kernels_way(dirac)
    for control in dirac.lab("Dirac").locator("canvas, input, select, button").all():
        expect(control).to_have_accessible_name(re.compile(r"\w+"))


# A drawing that finds its place on the plane


def drawing(notebook):
    """The pixels that the encoder sees (28, 28), and the code that the browser finds for them; or (None, None)."""
    seen = notebook.lab("Pad").locator("canvas.seen")
    pixels, code = seen.evaluate("c => [c.pixels && Array.from(c.pixels), c.code && Array.from(c.code)]")
    return (None, None) if pixels is None else (np.array(pixels).reshape(28, 28), np.array(code))


def draw_seven(notebook):
    canvas = notebook.lab("Pad").locator("canvas.pad")
    canvas.hover()
    box = canvas.bounding_box()
    corners = [
        (box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in ((0.1, 0.1), (0.5, 0.1), (0.3, 0.6))
    ]
    notebook.page.mouse.move(*corners[0])
    notebook.page.mouse.down()
    for corner in corners[1:]:
        notebook.page.mouse.move(*corner, steps=10)
    notebook.page.mouse.up()


def like_mnist(image):
    """Whether an image has a digit of MNIST's size, its centre of mass in the middle."""
    rows, columns = (np.flatnonzero(image.max(axis) > 0.05) for axis in (1, 0))
    centre = [(image.sum(1 - axis) * np.arange(0.5, 28)).sum() / image.sum() for axis in (0, 1)]
    return 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22 and np.abs(np.subtract(centre, 14)).max() < 0.5


def test_a_drawing_is_encoded_in_the_browser_as_in_the_kernel_and_decoded(pad):
    assert drawing(pad) == (None, None)
    draw_seven(pad)
    image, code = drawing(pad)
    assert image.min() == 0 and image.max() == pytest.approx(1) and 60 < image.sum() < 160 and like_mnist(image)
    assert image[:10].sum() > 1.4 * image[-10:].sum(), "a seven has its bar above"
    kernel = json.loads(
        pad.execute(
            "import json\nprint(json.dumps([np.asarray(f(np.array("
            + json.dumps(image.ravel().tolist())
            + ", 'float32')[None]))"
            "[0].astype(float).tolist() for f in (encoder, labs.LABS['Pad'].encode)]))"
        )
    )
    assert np.abs(kernel - code).max() <= 1e-4
    assert pad.cross("Pad") == pytest.approx(code, abs=0.0051), "the cross is not where the drawing landed"
    decoded = json.loads(pad.execute(f"print(wide(np.array([{pad.cross('Pad')}])).numpy()[0].astype(float).tolist())"))
    assert np.abs(np.array(pad.decoded("Pad")) - decoded).max() <= 1e-4
    pad.button("Pad", "Clear").click()
    assert drawing(pad) == (None, None)


def test_a_drawing_needs_no_kernel_and_its_mark_stays_when_the_cross_moves_on(pad, busy_kernel):
    colours = "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    canvas = pad.lab("Pad").locator("canvas").first
    with busy_kernel():
        draw_seven(pad)
        _, code = drawing(pad)
        assert pad.cross("Pad") == pytest.approx(code, abs=0.0051)
    pad.button("Pad", "Reset").click()
    wait_for(lambda: pad.cross("Pad") == [0, 0], "Reset does not work")
    marked = canvas.evaluate("c => c.toDataURL()")
    pad.button("Pad", "Clear").click()
    assert canvas.evaluate("c => c.toDataURL()") != marked
    assert canvas.evaluate(colours) > 10


def test_a_digit_is_drawn_by_keyboard_alone(pad):
    page = pad.page
    pad.lab("Pad").locator("canvas.map").focus()
    page.keyboard.press("Tab")
    assert "drawing pad" in focused(page)[2]
    page.keyboard.press("ArrowRight")
    assert drawing(pad) == (None, None), "the pen is still up"
    for key in ("Space", *["ArrowRight"] * 5, *["ArrowDown"] * 9, "Space", *["ArrowDown"] * 3):
        page.keyboard.press(key)
    image, _ = drawing(pad)
    assert like_mnist(image) and letters_do_nothing_to_cells(pad)
    page.keyboard.press("Tab")
    assert focused(page)[2] == "Clear"
    page.keyboard.press("Enter")
    assert drawing(pad) == (None, None)
    for control in pad.lab("Pad").locator("canvas, input, button").all():
        expect(control).to_have_accessible_name(re.compile(r"\w+"))


def test_the_plane_shows_its_question_and_names_and_fills_its_width(pad):
    lab = pad.lab("Pad")
    assert "Where does a 7 land?" in lab.inner_text() and "a naught" in lab.locator(".legend").inner_text()
    widths = [lab.locator(part).bounding_box()["width"] for part in (".map", ".plane")]
    assert widths[0] >= min(560, 0.55 * widths[1])


# Figures of a running cell


def figures(notebook, cell):
    """The pictures that a cell gave; None for an output that is none, such as an error."""
    return [output.get("data", {}).get("image/png") for output in notebook.outputs()[number(cell)]]


def figures_while_a_slider_moves(notebook, cell):
    """(figures of a quiet run, figures of a run during which the slider moves, pictures drawn meanwhile)."""
    calm, slider = figures(notebook, cell), notebook.slider("Curve", "n")
    slider.press("ArrowRight")  # from its second event on a slider is served beside a running cell
    notebook.wait_right("Curve")
    notebook.execute("curves.clear()")
    sign = notebook.server.root / "moving"
    sign.touch()
    try:
        notebook.start_cell(number(cell))
        keys = 0
        while notebook.cell_runs():
            slider.press("PageUp" if keys // 10 % 2 else "PageDown")
            keys += 1
            notebook.page.wait_for_timeout(20)
    finally:
        sign.unlink()
    return calm, figures(notebook, cell), int(notebook.execute("print(len(curves))"))


@pytest.mark.parametrize("cell", ["with show", "without show"])
def test_sixty_figures_of_a_running_cell_are_right_while_a_slider_moves(with_figures, cell):
    notebook = with_figures
    calm, busy, drawn = figures_while_a_slider_moves(notebook, cell)
    assert len(set(calm) - {None}) == 60 and drawn >= 10
    assert [i for i, (a, b) in enumerate(zip(calm, busy)) if a != b] == [] and len(busy) == 60
    assert len(notebook.outputs()[number("Curve")]) == 1 and notebook.lab("Curve").locator("img").count() == 1
    notebook.wait_right("Curve")
    assert notebook.page.errors == []


@pytest.mark.parametrize("app", ["lab"], indirect=True)
def test_without_the_cure_figures_come_out_wrong(with_figures):
    """The control of the test above: as the libraries come, it fails."""
    with_figures.execute("del get_ipython().events.trigger")
    with_figures.run_cell(number("with show"))
    calm, busy, drawn = figures_while_a_slider_moves(with_figures, "with show")
    assert len(set(calm) - {None}) == 60 and drawn >= 10
    assert busy != calm
