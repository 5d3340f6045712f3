"""The arena in JupyterLab, as a reader uses it: live frames, a free kernel, Pause, recipes, clicks, one loop."""

import json

import numpy as np
import pytest
from jupyter_driver import wait_for

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


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("lab", "arena", ARENA, BUSY)
    notebook.run_cell(0)
    wait_for(lambda: frames(notebook) > 0, "no frame is drawn")
    yield notebook
    assert notebook.page.errors == []


@pytest.fixture
def rested(notebook):
    notebook.execute("labs.LABS['Arena'].press('pause')\nlabs.LABS['Arena'].values = {}")
    notebook.execute("labs.LABS['Arena'].press('reset')\nlabs.LABS['Arena'].settle()")
    wait_for(lambda: said(notebook).startswith("step 0:"), "no reset")
    return notebook


def frames(notebook):
    return int(notebook.lab(TITLE).get_attribute("data-frames") or 0)


def said(notebook, side=0):
    return notebook.lab(TITLE).locator(".said").nth(side).inner_text()


def step(notebook):
    number = said(notebook).removeprefix("step ").split(":")[0].replace(",", "")
    return int(number) if number else -1  # nothing is shown yet


def plane(notebook, side=0):
    return notebook.lab(TITLE).locator("canvas").nth(3 * side)


def pixels(canvas):
    return canvas.evaluate("c => c.toDataURL()")


def loops(notebook):
    return int(notebook.execute("import threading\nprint(sum(t.name == 'arena Arena' for t in threading.enumerate()))"))


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


def test_steps_and_reset(rested):
    for name, expected in (("Step", 1), ("Step D", 2), ("Step G", 3)):
        rested.button(TITLE, name).click()
        wait_for(lambda: step(rested) == expected, f"{name} makes no step")  # noqa: B023
    rested.button(TITLE, "Reset").click()
    wait_for(lambda: step(rested) == 0, "no reset")


def test_every_slider_reaches_the_kernel(rested):
    values = """import json
print(json.dumps([v for v in labs.LABS["Arena"].values.values() if isinstance(v, float | int)]))"""
    for name in ("A: G's rate, 10^", "B: Adam's β1", "A: D's steps a step of G"):
        slider = rested.slider(TITLE, name)
        slider.drag(to=0.02 if slider.fraction() > 0.5 else 0.98)
        arrived = lambda: slider.value() in json.loads(rested.execute(values))  # noqa: B023, E731
        wait_for(arrived, f"{name} does not arrive")


def test_a_recipe_moves_the_controls_and_says_what_to_see(rested):
    rested.row(TITLE, "recipe").locator("select").select_option("vanishing gradient")
    wait_for(lambda: rested.row(TITLE, "A: loss").locator("select").input_value() == "minimax", "no recipe")
    wait_for(lambda: "the arrows are gone" in rested.message(TITLE), "nothing is said")
    assert rested.slider(TITLE, "A: D's steps a step of G").value() == 10


def test_cures_are_switched_by_buttons(rested):
    cures = rested.lab(TITLE).get_by_role("group", name="A: cures")
    cures.get_by_role("button", name="packing").click()
    expect(cures.get_by_role("button", name="packing")).to_have_attribute("aria-pressed", "true")
    wait_for(
        lambda: rested.execute("print(labs.LABS['Arena']._sides[0].gan.settings.packing)").strip() == "4", "no packing"
    )


def test_one_side_alone(rested):
    rested.row(TITLE, "show").locator("select").select_option("A alone")
    expect(rested.lab(TITLE).locator(".arena-side").nth(1)).to_be_hidden()


def test_points_are_clicked_in(rested):
    rested.row(TITLE, "data").locator("select").select_option("own points")
    rested.button(TITLE, "Clear own points").click()
    box = plane(rested).bounding_box()
    for x, y in ((0.25, 0.25), (0.75, 0.5)):
        plane(rested).click(position={"x": box["width"] * x, "y": box["height"] * y})
    own = wait_for(
        lambda: [
            p
            for p in [json.loads(rested.execute("import json\nprint(json.dumps(labs.LABS['Arena']._own))"))]
            if len(p) == 2
        ],
        "the clicks do not arrive",
    )[0]
    assert np.allclose(own, [[-1.6, 1.6], [1.6, 0]], atol=0.05)
    wait_for(lambda: "of 2 modes" in said(rested), "the modes are not counted")


def test_the_cell_run_twice_leaves_one_loop(rested):
    rested.button(TITLE, "Start").click()
    rested.run_cell(0)
    wait_for(lambda: loops(rested) == 1, "two loops")
    wait_for(lambda: frames(rested) > 0 and step(rested) == 0, "the new arena shows nothing")
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "the new arena does not train")


def test_an_interrupt_does_not_stop_it_and_pause_does(rested):
    rested.button(TITLE, "Start").click()
    wait_for(lambda: step(rested) > 20, "it does not train")
    rested.command("notebook:interrupt-kernel")
    now = step(rested)
    wait_for(lambda: step(rested) > now, "the interrupt stopped it")
    rested.button(TITLE, "Pause").click()
    expect(rested.button(TITLE, "Start")).to_be_visible()
    assert loops(rested) == 1
