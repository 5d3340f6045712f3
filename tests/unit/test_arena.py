"""helpers.labs.arena without a browser: orders and their threads, recipes, own points, errors in words, still pictures.

A reader's event is imitated by `press`, as a button's message does, and by setting `values`, as a control's does.
"""

import threading
import time

import numpy as np
import pytest

from helpers import gan, labs, training
from helpers.labs import arena, recipes, sides

SMALL = {"a_width": 8, "b_width": 8, "a_cures": [], "b_cures": [], "b_beta1": 0.0, "stop": 0}


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


@pytest.fixture(scope="module")
def shared():
    made = arena.Arena("Shared")
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch):
    """Arenas whose still picture is of no training: it takes seconds, and is tested by itself."""
    monkeypatch.setattr(arena.Arena, "still", lambda self: self.picture(0, data="own points", own=[]))


@pytest.fixture
def ring(shared):
    """An arena with two small sides at step 0."""
    shared.press("pause")
    shared.values = SMALL | {"data": "ring", "recipe": recipes.NO_RECIPE}
    shared.press("restart")
    shared.settle()
    assert steps(shared) == [0, 0] and not shared.running
    return shared


def wait_for(condition, otherwise, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def steps(made):
    return [side.step for side in made._sides]


def at_rest(made):
    """Wait until all orders are carried out and shown."""
    made.settle()
    return True


def threads(title):
    return [t for t in threading.enumerate() if t.name.startswith(f"arena {title}") and t.is_alive()]


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
    assert a["step"] == stopped[0] and a["modes"] == 8 and 0 <= a["strict"] <= a["captured"] <= 8
    assert len(a["fake"]) == 400 * 8 and len(a["pull"]) == 60 * 8 and len(a["field"]) == sides.GRID**2
    assert len(a["grid"]) == 13**2 * 8
    assert len(a["history"]) == 5 * 4 * a["kept"] and a["fake"] != b["fake"]


def test_steps_are_of_both_or_of_one_and_count_those_of_the_generator(ring):
    def weights():
        return ring._sides[0].gan.state.weights

    def changed(part):
        return any((old != new).numpy().any() for old, new in zip(before[part], weights()[part]))

    before = weights()
    ring.press("step", which="D")
    assert at_rest(ring) and steps(ring) == [0, 0] and changed(1) and not changed(0)
    before = weights()
    ring.press("step", which="G")
    assert at_rest(ring) and steps(ring) == [1, 1] and changed(0) and not changed(1)
    ring.press("step")
    assert at_rest(ring) and steps(ring) == [2, 2] and not ring.running


def test_a_step_in_two_parts_is_a_step(ring):
    def run(*parts):
        ring.press("restart")
        for part in parts:
            ring.press("step", which=part)
        assert at_rest(ring)
        return ring.frame["sides"][0]["fake"]

    assert run("both", "both", "both") == run("both", "D", "G", "both")


def test_restart_begins_the_same_run_anew(ring):
    def run():
        ring.press("restart")
        for _ in range(3):
            ring.press("step")
        assert at_rest(ring)
        return ring.frame["sides"][0]["fake"], ring.frame["sides"][1]["fake"]

    assert run() == run()


def test_equal_settings_make_equal_sides(ring):
    a = recipes.of_side(ring.values, "a")
    ring.values = ring.values | {f"b_{name}": value for name, value in a.items()}
    ring.press("restart")
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


def test_slow_motion_makes_a_step_in_five_parts(ring, monkeypatch):
    monkeypatch.setattr(arena, "PHASE", 0.05)
    phases = []
    ring.observe(lambda change: phases.append((change["new"]["phase"], steps(ring)[0])), "frame")
    ring.values = ring.values | {"speed": recipes.SLOW}
    ring.press("start")
    wait_for(lambda: steps(ring)[0] >= 2, "it does not train")
    ring.press("pause")
    assert at_rest(ring)
    ring.unobserve_all("frame")
    seen = [phase for k, phase in enumerate(phases) if phase[0] and phase != phases[k - 1]]
    assert seen[:6] == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (1, 1)]


def test_it_pauses_by_itself_at_a_step(ring):
    ring.values = ring.values | {"stop": 37}
    ring.press("start")
    wait_for(lambda: not ring.running, "it does not pause")
    assert at_rest(ring) and steps(ring) == [37, 37] and ring.message.startswith("Paused at step 37")
    ring.press("start")
    wait_for(lambda: steps(ring)[0] > 40, "it does not go on")
    assert ring.message == ""
    ring.press("pause")


# Controls -----------------------------------------------------------------------------------------------------


def test_rates_change_while_the_run_goes_on(ring):
    ring.press("step")
    at_rest(ring)
    weights = [v.numpy() for v in ring._sides[0].gan.variables.weights[0]]
    ring.values = ring.values | {"a_g_rate": 0.01, "a_beta1": 0.5, "a_d_steps": 4}
    assert at_rest(ring) and steps(ring) == [1, 1]
    assert all((v == new.numpy()).all() for v, new in zip(weights, ring._sides[0].gan.variables.weights[0]))
    settings = ring._sides[0].gan.settings
    assert settings.generator_rate == pytest.approx(0.01) and (settings.beta1, settings.d_steps) == (0.5, 4)


@pytest.mark.parametrize("change", [{"a_loss": "hinge"}, {"a_width": 16}, {"a_cures": ["R1"]}])
def test_another_graph_begins_anew_and_the_other_side_trains_on(ring, change, monkeypatch):
    gate, build = threading.Event(), arena.build
    monkeypatch.setattr(arena, "build", lambda *args: gate.wait(60) and build(*args))
    ring._sides[0].ready = {
        key: made for key, made in ring._sides[0].ready.items() if key[0] == 8 and key[1:3] != ("hinge", ())
    }
    before = [side.gan for side in ring._sides]
    ring.press("start")
    wait_for(lambda: min(steps(ring)) > 5, "it does not train")
    ring.values = ring.values | change
    wait_for(lambda: ring.frame["sides"][0]["building"], "nothing says that a graph is built")
    now = steps(ring)
    wait_for(lambda: steps(ring)[1] > now[1] + 5, "the other side stands still")
    assert steps(ring)[0] == now[0]
    gate.set()
    wait_for(lambda: 0 < steps(ring)[0] < steps(ring)[1] and ring._sides[0].gan is not before[0], "it does not begin")
    assert ring._sides[1].gan is before[1]
    ring.press("pause")
    assert at_rest(ring) and not ring.frame["sides"][0]["building"]


def test_a_graph_is_built_once_and_nothing_outdated(ring, monkeypatch):
    built, build = [], arena.build
    monkeypatch.setattr(arena, "build", lambda key, *args: built.append(key) or build(key, *args))
    for loss in ("least squares", ring.values["b_loss"]) * 2:
        ring.values = ring.values | {"b_loss": loss}
        at_rest(ring)
    assert len(built) == 1
    assert len(ring._sides[1].ready) <= sides.READY


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_sets_both_sides_and_begins_anew(ring, name):
    ring.press("step")
    ring.values = {"recipe": name}
    made = recipes.RECIPES[name]
    for letter, settings in (("a", made.a), ("b", made.b)):
        mine = recipes.of_side(ring.values, letter)
        assert all(mine[k] == (list(v) if k == "cures" else v) for k, v in settings.items())
    assert at_rest(ring) and steps(ring) == [0, 0] and ring.values["stop"] == made.stop
    ring.values = ring.values | {"stop": 12}
    assert ring.values["recipe"] == name, "another pause is no other recipe"
    ring.values = ring.values | {"a_beta1": 0.55}
    assert ring.values["recipe"] == recipes.NO_RECIPE and ring.values["a_beta1"] == 0.55


def test_an_arena_is_made_at_a_setting(quick):
    made = arena.Arena("Set", recipe="hopping", seed=3, a_width=8)
    assert made.values["recipe"] == recipes.NO_RECIPE and made.values["seed"] == 3 and made.start["seed"] == 1
    assert recipes.of_side(made.values, "a") == recipes.of_side(recipes.recipe("hopping"), "a") | {
        "width": 8,
        "cures": [],
    }
    made.close()
    with pytest.raises(ValueError, match="no parameter speeed"):
        arena.Arena("Set", speeed=1)
    assert not threads("Set")
    labs.LABS["Set"].close()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a_cures": ["magic"]}, "'A: cures' may hold unrolling, .*, not 'magic'"),
        ({"data": "torus"}, "'data' must be one of 'ring'"),
        ({"c_loss": 1}, "no parameter c_loss"),
        ({"own": [[0, 9]]}, "'own points' lie within ±3.2, not at 0, 9"),
        ({"own": [[x / 3, y / 3] for x in range(-6, 7) for y in range(-6, 7)]}, "are 100 at most, not 169"),
    ],
)
def test_wrong_values_are_refused(ring, values, said):
    with pytest.raises(ValueError, match=said):
        ring.values = values


def test_smoothing_is_left_out_where_there_are_no_labels(ring):
    ring.values = ring.values | {"a_cures": ["label smoothing", "R1"], "a_loss": "hinge"}
    assert at_rest(ring)
    assert ring._sides[0].gan.settings.smoothing == 0 and ring._sides[0].gan.settings.r1 == 0.1
    assert ring.frame["sides"][0]["note"] == "no labels to smooth in this loss"


def test_a_run_that_diverges_stops_and_says_so(ring, monkeypatch):
    def diverge(self, steps, which="both"):
        raise gan.Diverged(7)

    monkeypatch.setattr(gan.GAN, "train", diverge)
    ring.press("start")
    wait_for(lambda: "step 7" in ring.message, "nothing is said")
    assert not ring.running and "side A: step 7" in ring.message
    monkeypatch.undo()
    ring.press("restart")
    ring.press("step")
    assert at_rest(ring) and steps(ring) == [1, 1] and ring.message == ""


# Own points ---------------------------------------------------------------------------------------------------


def modes_of(made):
    return np.frombuffer(made.world["modes"], "f4").reshape(-1, 2)


def test_own_points_change_while_it_trains(ring):
    ring.press("step")
    ring.values = ring.values | {"data": "own points"}
    assert at_rest(ring) and steps(ring) == [1, 1]
    assert modes_of(ring) == pytest.approx(np.array(recipes.OWN, "f4"))
    ring.values = ring.values | {"own": [[1, 2], [-2, 0.5], [1.1, 2.1]]}
    assert at_rest(ring) and steps(ring) == [1, 1] and ring.values["own"] == [[1, 2], [-2, 0.5]]
    points = np.frombuffer(ring.world["real"], "f4").reshape(-1, 2)
    near = np.linalg.norm(points[:, None] - modes_of(ring), axis=-1).min(axis=1)
    assert np.quantile(near, 0.95) < 3 * ring.world["std"]
    assert ring._sides[0].gan.data.numpy().mean(axis=0) == pytest.approx(modes_of(ring).mean(axis=0), abs=0.02)


def test_without_points_it_waits_and_says_so(ring):
    ring.values = ring.values | {"data": "own points", "own": []}
    assert at_rest(ring) and ring.world["real"] == b"" and "nothing to learn" in ring.message
    ring.press("start")
    assert at_rest(ring) and steps(ring) == [0, 0]
    ring.values = ring.values | {"own": [[0, 1]]}
    wait_for(lambda: steps(ring)[0] > 5, "it does not train")
    ring.press("pause")
    assert at_rest(ring) and ring.message == ""


@pytest.mark.parametrize("name", recipes.WORLDS)
def test_every_world_fits_the_plane(name):
    points = recipes.world(name)
    assert points.x.shape == (4000, 2) and np.abs(points.x).max() < recipes.REACH
    found = sides.count(points.x[:2500], points)
    assert found["quality"] > 0.95
    assert points.modes is None or found["strict"] == len(points.modes)


def test_samples_out_of_sight_are_counted(ring):
    side = ring._sides[0]
    for net in side.gan.variables.weights[0][-1:]:
        net.assign([10.0, 0.0])  # the bias of the generator's output
    beyond = sides.side_frame(side, ring._points)["beyond"]
    assert beyond[1] == 1 and beyond[0] == beyond[2] == beyond[3] == 0


# Threads, pictures --------------------------------------------------------------------------------------------


def test_an_arena_of_the_same_title_replaces_the_first(quick):
    first = arena.Arena("Twice")
    first.press("start")
    second = arena.Arena("Twice")
    wait_for(lambda: len(threads("Twice")) == 2, "more than two threads, one that trains and one that builds")
    assert labs.LABS["Twice"] is second
    done = first.steps_done
    time.sleep(0.3)
    assert first.steps_done == done
    second.close()
    wait_for(lambda: not threads("Twice"), "a thread goes on")
    assert "Twice" not in labs.LABS


def test_a_still_picture_leaves_the_live_sides_alone(ring):
    ring.press("step")
    assert at_rest(ring)
    before = ring.frame["sides"][0]["fake"]
    picture = ring.picture(**SMALL)
    assert picture == ring.picture(**SMALL) != ring.picture(**SMALL | {"a_beta1": 0.0})
    assert picture.alt.startswith("Samples of GANs, over data: ring. A: ") and "of 8 modes held" in picture.alt
    assert at_rest(ring) and ring.frame["sides"][0]["fake"] == before and steps(ring) == [1, 1]
    assert ring.picture(data="own points", own=[]) != picture


def test_settings_hold_the_extremes_every_recipe_and_every_world(ring):
    settings = list(ring.settings())
    assert all(ring.parameters(**s)["recipe"] == s["recipe"] for s in settings)
    assert {s["recipe"] for s in settings} >= set(recipes.RECIPES)
    assert {s["data"] for s in settings} == set(recipes.WORLDS) and {s["a_loss"] for s in settings} == set(gan.LOSSES)


def test_every_control_and_cure_has_a_tip_and_every_text_of_the_page_is_there():
    names = {name.removeprefix("a_") for name in recipes.controls() if not name.startswith("b_")} - {"own", "cures"}
    assert names | set(recipes.CURES) <= set(recipes.TIPS) and len(recipes.PHASES) == 5
    assert all(
        recipe["values"]["recipe"] == name and recipe["words"] for name, recipe in recipes.facts()["recipes"].items()
    )


def test_the_field_is_high_at_real_points():
    side, points = sides.Side(), recipes.world("ring")
    for loss in gan.LOSSES:
        values = recipes.PLAIN | {"loss": loss, "width": 16}
        key = side.key(values)
        side.ready[key] = sides.build(key, points, values)
        side.take(key, 1)
        side.set(points, values)
        side.train(300, "D")
        ticks = recipes.REACH * (2 * (np.arange(sides.GRID) + 0.5) / sides.GRID - 1)
        places = np.stack(np.meshgrid(ticks, -ticks), -1)
        real = np.linalg.norm(places[..., None, :] - points.modes, axis=-1).min(-1) < 0.2
        fakes = side.gan.generate(500)
        fake = np.linalg.norm(places[..., None, :] - fakes, axis=-1).min(-1) < 0.1
        field = side.field()
        assert ((0 <= field) & (field <= 1)).all()
        assert field[real].mean() > field[fake & ~real].mean() + 0.2, loss
