"""The arena in JupyterLab, as a reader uses it: live frames, a free kernel, recipes, own points, looking back."""

import json

import numpy as np
import pytest
from jupyter_driver import drag, wait_for

expect = pytest.importorskip("playwright.sync_api", reason="no Playwright (pip install playwright)").expect

ARENA = """
from helpers import labs, training
from helpers.labs import arena
training.reproducible(1)
made = arena.Arena("Arena")
made
"""
BUSY = """
import time
end = time.monotonic() + 300
while made.running and time.monotonic() < end:
    time.sleep(0.05)
"""
TITLE = "Arena"
NOW = "labs.LABS['Arena']"


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("lab", "arena", ARENA, BUSY)
    notebook.run_cell(0)
    wait_for(lambda: frames(notebook) > 0, "no frame is drawn")
    yield notebook
    assert notebook.page.errors == []


@pytest.fixture
def rested(notebook):
    notebook.execute(f"{NOW}.press('pause')\n{NOW}.values = {{'stop': 0}}")
    notebook.execute(f"{NOW}.press('restart')\n{NOW}.settle()")
    wait_for(lambda: step(notebook) == 0 == step(notebook, 1), "no restart")
    expect(part(notebook, "pause at step")).to_have_value("0")
    return notebook


def frames(notebook):
    return int(notebook.lab(TITLE).get_attribute("data-frames") or 0)


def part(notebook, label):
    """A control or a button of the arena by its name."""
    return notebook.lab(TITLE).get_by_label(label, exact=True)


def said(notebook, side=0):
    return notebook.lab(TITLE).locator(".said").nth(side).inner_text()


def step(notebook, side=0):
    number = said(notebook, side).removeprefix("step ").split(":")[0].replace(",", "")
    return int(number) if number else -1  # nothing is shown yet


def plane(notebook, side=0):
    return notebook.lab(TITLE).locator("canvas.arena-plane").nth(side)


def place(notebook, x, y, side=0):
    """Where on the page a place of the plane is."""
    box = plane(notebook, side).bounding_box()
    return box["x"] + box["width"] * (x / 3.2 + 1) / 2, box["y"] + box["height"] * (1 - y / 3.2) / 2


def pixels(canvas):
    return canvas.evaluate("c => c.toDataURL()")


def kernel(notebook, expression):
    return json.loads(notebook.execute(f"import json\nprint(json.dumps({NOW}.{expression}))"))


def loops(notebook):
    return int(notebook.execute("import threading\nprint(sum(t.name == 'arena Arena' for t in threading.enumerate()))"))


# Training -----------------------------------------------------------------------------------------------------


def test_it_trains_live_while_the_kernel_is_free_and_pauses(rested):
    before, drawn = pixels(plane(rested)), frames(rested)
    rested.button(TITLE, "Start").click()
    wait_for(lambda: frames(rested) > drawn + 10 and step(rested) > 100, "no frames")
    assert pixels(plane(rested)) != before
    assert rested.execute("print(6 * 7)").strip() == "42" and loops(rested) == 1
    rested.button(TITLE, "Pause").click()
    expect(rested.button(TITLE, "Start")).to_be_visible()
    wait_for(lambda: (now := step(rested), rested.page.wait_for_timeout(500))[0] == now == step(rested), "it goes on")


def test_it_goes_on_and_pauses_while_a_cell_runs(rested):
    """The cell runs until the arena pauses, so the click must reach the kernel while the cell runs."""
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 50, "it does not train")
    rested.start_cell(1)
    wait_for(rested.cell_runs, "the cell does not start")
    now = step(rested)
    wait_for(lambda: step(rested) > now, "it stands still while a cell runs")
    assert rested.cell_runs()
    rested.button(TITLE, "Pause").click()
    wait_for(lambda: not rested.cell_runs(), "the click waits for the cell")
    expect(rested.button(TITLE, "Start")).to_be_visible()


def test_steps_and_restart(rested):
    for name, expected in (("Step", 1), ("Step D", 1), ("Step G", 2)):
        before = pixels(plane(rested))
        rested.button(TITLE, name).click()
        wait_for(lambda: step(rested) == expected and pixels(plane(rested)) != before, f"{name} makes no step")  # noqa: B023
    rested.button(TITLE, "Restart").click()
    wait_for(lambda: step(rested) == 0, "no restart")


def test_it_pauses_at_a_step_and_answers_the_guess(rested):
    entry = part(rested, "pause at step")
    entry.fill("150")
    entry.press("Enter")
    expect(rested.lab(TITLE).locator(".guess").first).to_contain_text("Guess for step 150")
    part(rested, "A: your guess").select_option("8")
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) == 150 == step(rested, 1), "it does not pause at the step")
    expect(rested.button(TITLE, "Start")).to_be_visible()
    expect(rested.lab(TITLE).locator(".message")).to_contain_text("Paused at step 150")
    held = kernel(rested, "frame['sides'][0]['strict']")
    expect(rested.lab(TITLE).locator(".guess").first).to_contain_text("right." if held == 8 else f"it held {held}.")
    assert said(rested) == f"step 150: {held} of 8 modes held"


def test_a_graph_that_is_built_says_so_and_leaves_the_other_side_running(rested):
    rested.execute(
        "import threading, time\n_gate, _build = threading.Event(), arena.build\n"
        "arena.build = lambda *args: _gate.wait(60) and _build(*args)"
    )
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "it does not train")
    part(rested, "A: width").select_option("16")
    waits = rested.lab(TITLE).locator(".stage .waits")
    expect(waits.first).to_have_text("building its graph …")
    expect(waits.nth(1)).to_be_hidden()
    now = step(rested, 1)
    wait_for(lambda: step(rested, 1) > now + 20, "the other side stands still")
    rested.execute("arena.build = _build\n_gate.set()")
    expect(waits.first).to_be_hidden(timeout=60_000)
    wait_for(lambda: 0 < step(rested) < step(rested, 1), "it does not begin anew")
    rested.button(TITLE, "Pause").click()


def test_slow_motion_lights_the_networks(rested):
    part(rested, "speed").select_option("slow motion")
    lab = rested.lab(TITLE)
    expect(lab.locator(".networks svg")).to_be_visible()
    expect(lab.locator(".arena-curves").first).to_be_hidden()
    rested.button(TITLE, "Start").click()
    expect(lab.locator(".phase")).to_contain_text("3 of 5", timeout=60_000)
    assert lab.locator(".networks .d").get_attribute("data-flow") == "back"
    assert lab.locator(".networks .g").get_attribute("data-flow") == ""
    expect(lab.locator(".phase")).to_contain_text("5 of 5", timeout=60_000)
    assert lab.locator(".networks .g").get_attribute("data-flow") == "back" and step(rested) == 1
    rested.button(TITLE, "Pause").click()


# Controls -----------------------------------------------------------------------------------------------------


def test_every_control_reaches_the_kernel_by_the_keyboard_and_has_a_tooltip(rested):
    names = {"A: G's rate": "a_g_rate", "B: Adam's β₁": "b_beta1", "A: D's steps": "a_d_steps"}
    for label, name in names.items():
        before = kernel(rested, f"values['{name}']")
        part(rested, label).press("Home" if 0.5 < before < 1 else "End")
        wait_for(lambda: kernel(rested, f"values['{name}']") != before, f"{label} does not arrive")  # noqa: B023
    assert (
        rested
        .lab(TITLE)
        .locator("select, input:not(.copied), button")
        .evaluate_all("all => all.filter((e) => !e.title && !e.closest('[title]')).map((e) => e.outerHTML)")
        == []
    )
    shown = rested.lab(TITLE).locator(".knobs .differs").all_inner_texts()
    values = kernel(rested, "values")
    assert ("Adam's β₁" in shown) == (values["a_beta1"] != values["b_beta1"])


def test_a_recipe_moves_the_controls_and_says_what_to_see(rested):
    part(rested, "recipe").select_option("vanishing gradient")
    expect(part(rested, "A: loss")).to_have_value("minimax")
    sentence = rested.lab(TITLE).locator(".sentence")
    expect(sentence).to_have_text(kernel(rested, "facts['recipes']['vanishing gradient']['words']"))
    assert kernel(rested, "values['recipe']") == "vanishing gradient" and kernel(rested, "values['a_d_steps']") == 10
    part(rested, "A: D's steps").press("Home")
    expect(sentence).to_have_text("")
    expect(part(rested, "recipe")).to_have_value("a recipe …")


def test_cures_are_switched(rested):
    part(rested, "A: packing").check()
    wait_for(lambda: kernel(rested, "_sides[0].gan.settings.packing") == 4, "no packing")
    part(rested, "A: packing").uncheck()


def test_one_side_alone(rested):
    part(rested, "show").select_option("A alone")
    expect(rested.lab(TITLE).locator(".arena-side").nth(1)).to_be_hidden()


def test_the_setting_is_copied_as_a_line_of_code(rested):
    part(rested, "data").select_option("grid 3×3")
    part(rested, "B: width").select_option("16")
    rested.button(TITLE, "Copy this setting").click()
    text = part(rested, "this setting")
    expect(text).to_be_visible()
    line = text.input_value()
    assert line.startswith("arena.Arena(") and 'data="grid 3×3"' in line
    there = kernel(rested, "values")
    made = line.replace("arena.Arena(", f"{NOW}.parameters(")
    assert json.loads(rested.execute(f"import json\nprint(json.dumps({made}))")) == there


# Own points ---------------------------------------------------------------------------------------------------


def own(notebook):
    return np.array(kernel(notebook, "values['own']")).reshape(-1, 2)


def test_a_mode_is_dragged_while_it_trains(rested):
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "it does not train")
    plane(rested).scroll_into_view_if_needed()
    drag(rested.page, place(rested, 2, 0), place(rested, 2.6, 1), 10)
    wait_for(lambda: kernel(rested, "values['data']") == "own points", "the drag does not arrive")
    expect(part(rested, "data")).to_have_value("own points")
    wait_for(lambda: np.abs(own(rested) - [2.6, 1]).max(axis=1).min() < 0.05, "the mode is elsewhere")
    assert len(own(rested)) == 8
    now = step(rested)
    assert now > 20
    wait_for(lambda: step(rested) > now, "it stands still")
    rested.button(TITLE, "Pause").click()


def test_points_are_painted_wiped_and_cleared(rested):
    plane(rested).scroll_into_view_if_needed()
    rested.button(TITLE, "Clear").click()
    wait_for(lambda: kernel(rested, "values['data']") == "own points" and not len(own(rested)), "Clear leaves modes")
    expect(rested.lab(TITLE).locator(".message")).to_contain_text("nothing to learn")
    rested.page.mouse.click(*place(rested, -1.6, 1.6))
    rested.page.mouse.click(*place(rested, -1.6, 1.6))
    wait_for(lambda: len(own(rested)) == 1, "one place clicked twice is not one mode")
    drag(rested.page, place(rested, -2, -1), place(rested, 2, -1), 40)
    wait_for(lambda: len(own(rested)) >= 8, "the brush paints too little")
    assert np.abs(own(rested)[0] - [-1.6, 1.6]).max() < 0.05 and np.allclose(own(rested)[1:, 1], -1, atol=0.05)
    wait_for(lambda: f"of {len(own(rested))} modes" in said(rested), "the modes are not counted")
    rested.button(TITLE, "Eraser").click()
    drag(rested.page, place(rested, -2.5, -1), place(rested, 2.5, -1), 40)
    wait_for(lambda: len(own(rested)) == 1, "the eraser leaves modes")
    rested.button(TITLE, "Eraser").click()


def test_points_are_edited_by_the_keyboard(rested):
    part(rested, "data").select_option("own points")
    expect(part(rested, "data")).to_have_value("own points")
    canvas = plane(rested)
    canvas.focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowRight", "Enter"):  # paints at 0.4, 0.2
        rested.page.keyboard.press(key)
    wait_for(lambda: len(own(rested)) == 4 and np.allclose(own(rested)[-1], [0.4, 0.2]), "nothing is painted")
    for key in ("Enter", "ArrowUp", "ArrowUp", "Enter"):  # picks it up, and carries it to 0.4, 0.6
        rested.page.keyboard.press(key)
    wait_for(lambda: np.allclose(own(rested)[-1], [0.4, 0.6]), "the mode is not carried")
    rested.page.keyboard.press("Delete")
    wait_for(lambda: len(own(rested)) == 3, "nothing is wiped")
    assert len(rested.cells()) == 2, "the keys reached the notebook"


# Looking ------------------------------------------------------------------------------------------------------


def test_looking_back_while_it_trains(rested):
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 200, "it does not train")
    time = part(rested, "time")
    time.press("Home")
    wait_for(lambda: step(rested) == 0, "the first frame is not shown")
    drawn, kept = frames(rested), pixels(plane(rested))
    wait_for(lambda: frames(rested) > drawn + 3, "it does not go on")
    assert pixels(plane(rested)) == kept and kernel(rested, "running")
    time.press("End")
    wait_for(lambda: step(rested) > 200, "the newest frame is not shown")
    rested.button(TITLE, "Pause").click()


def test_the_grid_of_the_generator(rested):
    rested.button(TITLE, "Step").click()
    wait_for(lambda: step(rested) == 1, "no step")
    before = pixels(plane(rested))
    rested.lab(TITLE).get_by_label("G's grid").check()
    wait_for(lambda: pixels(plane(rested)) != before, "no grid")
    rested.lab(TITLE).get_by_label("G's grid").uncheck()
    wait_for(lambda: pixels(plane(rested)) == before, "the grid stays")


def test_what_matters_is_within_700_pixels_and_follows_the_theme(rested):
    lab = rested.lab(TITLE)
    top = lab.bounding_box()["y"]
    for what in (plane(rested), plane(rested, 1), part(rested, "B: weight averaging"), part(rested, "time")):
        box = what.bounding_box()
        assert box["y"] + box["height"] - top < 700
    ground = "c => Array.from(c.getContext('2d').getImageData(c.width / 2, 2, 1, 1).data)"
    light = sum(plane(rested).evaluate(ground)[:3])
    rested.theme("JupyterLab Dark")
    wait_for(lambda: sum(plane(rested).evaluate(ground)[:3]) < light / 2, "the plane stays light")
    rested.theme("JupyterLab Light")
    wait_for(lambda: sum(plane(rested).evaluate(ground)[:3]) == light, "the plane stays dark")


# The kernel ---------------------------------------------------------------------------------------------------


def test_the_cell_run_twice_leaves_one_loop(rested):
    rested.button(TITLE, "Start").click()
    rested.run_cell(0)
    wait_for(lambda: loops(rested) == 1, "two loops")
    wait_for(lambda: frames(rested) > 0 and step(rested) == 0, "the new arena shows nothing")
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "the new arena does not train")


def test_off_the_page_it_draws_nothing_and_back_there_it_shows_what_came(rested):
    """Jupyter takes a cell that is scrolled out of sight off the page, and puts it back."""
    rested.lab(TITLE).evaluate(
        "el => { window.off = { el, place: el.parentNode, drawn: el.dataset.frames }; el.remove() }"
    )
    rested.execute(f"{NOW}.press('step')\n{NOW}.settle()")
    rested.page.wait_for_timeout(500)  # for the frame to arrive
    assert rested.page.evaluate("off.el.dataset.frames === off.drawn")
    rested.page.evaluate("off.place.append(off.el)")
    wait_for(lambda: step(rested) > 0, "the step is not shown")
    assert rested.page.errors == []


def test_an_interrupt_does_not_stop_it_and_pause_does(rested):
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "it does not train")
    rested.command("notebook:interrupt-kernel")
    now = step(rested)
    wait_for(lambda: step(rested) > now, "the interrupt stopped it")
    rested.button(TITLE, "Pause").click()
    expect(rested.button(TITLE, "Start")).to_be_visible()
    assert loops(rested) == 1


def test_a_kernel_that_is_gone(rested):
    rested.shut_down()
    expect(rested.lab(TITLE).get_by_role("alert")).to_contain_text("has ended")
    expect(rested.button(TITLE, "Start")).to_be_disabled()
