"""helpers.labs.arena without a browser: orders and their thread, recipes, own points, errors in words, still pictures.

A reader's event is imitated by `press`, as a button's message does, and by setting `values`, as a control's does.
"""

import threading
import time

import numpy as np
import pytest

from helpers import gan, labs, training
from helpers.labs import arena

SMALL = {"a_width": 8, "b_width": 8, "a_cures": [], "b_cures": []}


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


@pytest.fixture(scope="module")
def shared():
    made = arena.Arena("Shared")
    yield made
    made.close()


@pytest.fixture
def ring(shared):
    """An arena with two small sides at step 0."""
    shared.press("pause")
    shared.values = SMALL | {"data": "ring", "recipe": arena.NO_RECIPE}
    shared.press("reset")
    shared.settle()
    assert steps(shared) == [0, 0] and not shared.running
    return shared


def wait_for(condition, otherwise, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def steps(made):
    return [side.gan.step if side.gan else -1 for side in made._sides]


def at_rest(made):
    """Wait until all orders are carried out and shown."""
    made.settle()
    return True


def threads(title):
    return [t for t in threading.enumerate() if t.name == f"arena {title}" and t.is_alive()]


# Buttons ------------------------------------------------------------------------------------------------------


def test_it_starts_trains_shows_and_pauses(ring):
    frames = []
    ring.observe(frames.append, "frame")
    ring.press("start")
    wait_for(lambda: min(steps(ring)) > 50 and len(frames) > 5, "the arena does not train")
    ring.press("pause")
    assert at_rest(ring)
    stopped = steps(ring)
    time.sleep(0.3)
    assert steps(ring) == stopped and stopped[0] == stopped[1]
    ring.unobserve(frames.append, "frame")
    a, b = ring.frame["sides"]
    assert f"step {stopped[0]:,}" in a["said"] and "of 8 modes captured" in a["said"]
    assert len(a["fake"]) == 400 * 8 and len(a["pull"]) == 60 * 8 and len(a["field"]) == arena.GRID**2
    assert len(a["history"]) == 4 * 4 * a["kept"] and a["fake"] != b["fake"]


def test_steps_are_of_both_or_of_one(ring):
    nets = ring._sides[0].gan.state.weights

    def changed(part):
        return any((old != new).numpy().any() for old, new in zip(nets[part], ring._sides[0].gan.state.weights[part]))

    ring.press("step", which="D")
    assert at_rest(ring) and steps(ring) == [1, 1] and changed(1) and not changed(0)
    ring.press("step", which="G")
    assert at_rest(ring) and steps(ring) == [2, 2] and changed(0)
    ring.press("step")
    assert at_rest(ring) and steps(ring) == [3, 3] and not ring.running


def test_reset_begins_the_same_run_anew(ring):
    def run():
        ring.press("reset")
        for _ in range(3):
            ring.press("step")
        assert at_rest(ring)
        return ring.frame["sides"][0]["fake"], ring.frame["sides"][1]["fake"]

    assert run() == run()


def test_equal_settings_make_equal_sides(ring):
    a = arena.of_side(ring.values, "a")
    ring.values = ring.values | {f"b_{name}": value for name, value in a.items()}
    ring.press("reset")
    ring.press("step")
    assert at_rest(ring)
    assert ring.frame["sides"][0] == ring.frame["sides"][1]


def test_an_unknown_button_is_refused(ring):
    with pytest.raises(ValueError, match="no button 'jump': start, pause"):
        ring.press("jump")


def test_a_slow_run_is_slow(ring):
    ring.values = ring.values | {"speed": "10 steps a second"}
    ring.settle()
    began = time.monotonic()
    ring.press("start")
    wait_for(lambda: steps(ring)[0] >= 5, "it does not train")
    ring.press("pause")
    assert time.monotonic() - began > 0.35  # five steps, four pauses of a tenth of a second
    ring.values = ring.values | {"speed": "full speed"}


# Controls -----------------------------------------------------------------------------------------------------


def test_rates_change_while_the_run_goes_on(ring):
    models = [side.gan for side in ring._sides]
    ring.press("step")
    ring.values = ring.values | {"a_g_rate": -2.0, "a_beta1": 0.5, "a_d_steps": 4}
    assert at_rest(ring) and steps(ring) == [1, 1]
    assert [side.gan for side in ring._sides] == models
    settings = models[0].settings
    assert settings.generator_rate == pytest.approx(0.01) and (settings.beta1, settings.d_steps) == (0.5, 4)


@pytest.mark.parametrize("change", [{"a_loss": "hinge"}, {"a_width": 16}, {"a_cures": ["R1"]}])
def test_another_graph_begins_anew_on_both_sides(ring, change):
    before = [side.gan for side in ring._sides]
    ring.press("step")
    ring.values = ring.values | change
    assert at_rest(ring) and steps(ring) == [0, 0]
    assert ring._sides[0].gan is not before[0] and ring._sides[1].gan is before[1]


@pytest.mark.parametrize("name", arena.RECIPES)
def test_a_recipe_sets_both_sides_and_says_what_to_see(ring, name):
    ring.values = ring.values | {"recipe": name}
    wrong, right, hint = arena.RECIPES[name]
    for letter, settings in (("a", wrong), ("b", right)):
        mine = arena.of_side(ring.values, letter)
        assert all(mine[k] == (list(v) if k == "cures" else v) for k, v in settings.items())
    assert at_rest(ring) and ring.message == hint
    ring.values = ring.values | {"a_beta1": 0.55}
    assert ring.values["recipe"] == arena.NO_RECIPE and ring.values["a_beta1"] == 0.55


def test_a_recipe_chosen_in_the_browser_is_applied(ring):
    """A message sets the value before it is checked, so the check cannot compare with what was there."""
    ring.set_state({"values": ring.values | {"recipe": "D too weak"}})
    assert ring.values["a_d_rate"] == -5.0 and ring.values["recipe"] == "D too weak"
    ring.set_state({"values": ring.values | {"recipe": "vanishing gradient"}})
    assert ring.values["a_loss"] == "minimax"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a_cures": ["magic"]}, "'A: cures' may hold unrolling, .*, not 'magic'"),
        ({"data": "torus"}, "'data' must be one of 'ring'"),
        ({"c_loss": 1}, "no parameter c_loss"),
    ],
)
def test_wrong_values_are_refused(ring, values, said):
    with pytest.raises(ValueError, match=said):
        ring.values = values


def test_smoothing_is_left_out_where_there_are_no_labels(ring):
    ring.values = ring.values | {"a_cures": ["label smoothing", "R1"], "a_loss": "hinge"}
    assert at_rest(ring)
    assert ring._sides[0].gan.settings.smoothing == 0 and ring._sides[0].gan.settings.r1 == 0.1
    assert "no labels to smooth" in ring.frame["sides"][0]["said"]


def test_a_run_that_diverges_stops_and_says_so(ring, monkeypatch):
    def diverge(self, steps, which="both"):
        raise gan.Diverged(7)

    monkeypatch.setattr(gan.GAN, "train", diverge)
    ring.press("start")
    wait_for(lambda: "step 7" in ring.message, "nothing is said")
    assert not ring.running and "Diverged" in ring.message
    monkeypatch.undo()
    ring.press("reset")
    ring.press("step")
    assert at_rest(ring) and steps(ring) == [1, 1] and ring.message == ""


# Own points ---------------------------------------------------------------------------------------------------


def test_own_points_are_clicked_in(ring):
    ring.values = ring.values | {"data": "own points"}
    assert at_rest(ring)
    modes = np.frombuffer(ring.world["modes"], "f4").reshape(-1, 2)
    assert modes == pytest.approx(np.array(arena.OWN, "f4"))
    ring.press("clear")
    for x, y in ((1.0, 2.0), (-2.0, 0.5)):
        ring.press("point", x=x, y=y)
    assert at_rest(ring)
    modes = np.frombuffer(ring.world["modes"], "f4").reshape(-1, 2)
    assert modes == pytest.approx(np.array([[1, 2], [-2, 0.5]]))
    points = np.frombuffer(ring.world["real"], "f4").reshape(-1, 2)
    near = np.linalg.norm(points[:, None] - modes, axis=-1).min(axis=1)
    assert np.quantile(near, 0.95) < 3 * ring.world["std"]
    assert ring._sides[0].gan.data.numpy().mean(axis=0) == pytest.approx(modes.mean(axis=0), abs=0.02)


def test_a_click_elsewhere_says_what_to_do(ring):
    ring.press("point", x=1.0, y=1.0)
    assert at_rest(ring) and "own points" in ring.message


@pytest.mark.parametrize("name", arena.WORLDS)
def test_every_world_fits_the_plane(name):
    points = arena.world(name)
    assert points.x.shape == (4000, 2) and np.abs(points.x).max() < arena.REACH
    found = arena.count(points.x[:2500], points)
    assert found["quality"] > 0.95
    assert points.modes is None or found["strict"] == len(points.modes)


# One loop, pictures -------------------------------------------------------------------------------------------


def test_an_arena_of_the_same_title_replaces_the_first():
    first = arena.Arena("Twice")
    first.press("start")
    second = arena.Arena("Twice")
    wait_for(lambda: len(threads("Twice")) == 1, "two loops")
    assert labs.LABS["Twice"] is second
    done = first.steps_done
    time.sleep(0.3)
    assert first.steps_done == done
    second.close()
    wait_for(lambda: not threads("Twice"), "a loop goes on")
    assert "Twice" not in labs.LABS


def test_a_still_picture_leaves_the_live_sides_alone(ring):
    ring.press("step")
    assert at_rest(ring)
    before = ring.frame["sides"][0]["fake"]
    picture = ring.picture(**SMALL)
    assert picture == ring.picture(**SMALL) != ring.picture(**SMALL | {"a_beta1": 0.0})
    assert "generated" in picture.alt or "A:" in picture.alt
    assert at_rest(ring) and ring.frame["sides"][0]["fake"] == before and steps(ring) == [1, 1]


def test_settings_hold_the_extremes_every_recipe_and_every_world(ring):
    settings = list(ring.settings())
    assert all(
        ring.parameters(**s) == {**s, "a_cures": list(s["a_cures"]), "b_cures": list(s["b_cures"])} for s in settings
    )
    assert {s["recipe"] for s in settings} >= set(arena.RECIPES) and {s["data"] for s in settings} == set(arena.WORLDS)
    assert {s["a_loss"] for s in settings} == set(gan.LOSSES)


def test_the_field_is_high_at_real_points():
    side, points = arena.Side(), arena.world("ring")
    for loss in arena.LOSSES:
        side.prepare(points, 1, **arena.PLAIN | {"loss": loss, "width": 16})
        side.restart(1)
        side.train(300, "D")
        ticks = arena.REACH * (2 * (np.arange(arena.GRID) + 0.5) / arena.GRID - 1)
        places = np.stack(np.meshgrid(ticks, -ticks), -1)
        real = np.linalg.norm(places[..., None, :] - points.modes, axis=-1).min(-1) < 0.2
        fakes = side.gan.generate(500)
        fake = np.linalg.norm(places[..., None, :] - fakes, axis=-1).min(-1) < 0.1
        field = side.field()
        assert ((0 <= field) & (field <= 1)).all()
        assert field[real].mean() > field[fake & ~real].mean() + 0.2, loss
