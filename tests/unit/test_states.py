"""What labs leave for a page without a kernel: small, and true to what the kernel draws."""

import base64
import io
import itertools

import keras
import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers import labs, plots
from helpers.labs import states
from helpers.labs.states import FEWEST, LARGEST_LAB, LARGEST_PLANE, settings


@pytest.fixture(autouse=True)
def no_labs_left():
    yield
    for lab in list(labs.LABS.values()):
        lab.close()


def grey(n, dark=0.0):
    """A picture of n squares."""
    shades = np.full((n, 4, 4), 1 - dark)
    return plots.picture(plots.images({"": shades}, zoom=4), alt=f"{n} squares, {dark:g} dark")


def pixels(kept):
    return seen(base64.b64decode(kept["webp"]))


def seen(data):
    """The pixels of a picture; whatever colour those have that cannot be seen."""
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    return np.where(shown[..., 3:] > 0, shown, 0)


def plane(codes=200, hidden=32, side=8, encoder=True, images=True):
    rng = np.random.default_rng(0)
    size = side * side
    keras.utils.set_random_seed(0)
    layers = keras.layers
    decoder = keras.Sequential([
        keras.Input((2,)),
        layers.Dense(hidden, "relu"),
        layers.Dense(hidden, "tanh"),
        layers.Dense(size, "sigmoid"),
    ])
    back = keras.Sequential([keras.Input((size,)), layers.Dense(hidden, "relu"), layers.Dense(2)])
    x = np.where(rng.uniform(size=(codes, size)) < 0.1, 1, 0).astype("float32")
    return labs.LatentPlane(
        decoder,
        rng.normal(size=(codes, 2)),
        np.arange(codes) % 3,
        (side, side),
        "A plane",
        images=x if images else None,
        encoder=back if encoder else None,
    )


def test_bytes_and_weights_come_back():
    assert states.unpacked(states.packed(b"abc" * 100)) == b"abc" * 100
    weights = np.random.default_rng(0).normal(size=(30, 20)).astype("float32")
    back = np.frombuffer(states.unpacked(states.rounded(weights, 100)), "f4").reshape(30, 20)
    assert np.abs(back - weights).max() <= np.abs(weights).max() / 100 / 2 * 1.001
    assert not any(states.unpacked(states.rounded(np.zeros((2, 3), "f4"))))


def test_a_plane_leaves_networks_that_compute_as_its_own():
    lab = plane()
    kept = states.state(lab)
    z = np.random.default_rng(1).uniform(-2, 2, (50, 2))
    assert np.abs(states.run(kept["scene"]["layers"], z) - lab.decode(z).reshape(50, -1)).max() < 0.02
    x = lab.images[:20]
    assert np.abs(states.run(kept["scene"]["encoder"], x) - lab.encode(x)).max() < 0.02
    assert states.unpacked(kept["scene"]["codes"]) == lab.scene["codes"]
    assert states.unpacked(kept["scene"]["images"]) == lab.scene["images"]


def test_a_large_plane_is_rounded_more_and_keeps_a_quarter_of_its_images_at_least():
    lab = plane(codes=1000, hidden=200, side=28)
    kept = states.state(lab)
    assert len(states.compressed(kept)) <= LARGEST_PLANE
    images = states.unpacked(kept["scene"]["images"])
    assert 250 <= len(images) / 784 < 1000 and lab.scene["images"].startswith(images)


def test_too_large_a_plane_leaves_nothing():
    assert states.state(plane(codes=50, hidden=600, side=28)) is None


def test_a_lab_with_few_settings_leaves_all_its_pictures_as_the_kernel_draws_them():
    lab = labs.Lab(grey, "Few", n=labs.slider("n", 1, 3, 2), dark=labs.choice("dark", [0.0, 0.5]))
    kept = states.state(lab)
    assert kept["start"] == {"n": 2, "dark": 0.0} and kept["all"] == 6 and kept["absent"] == []
    assert [row["values"] or row["options"] for row in kept["rows"][:1]] == [[1, 2, 3]]
    for (n, dark), shown in zip(itertools.product([1, 2, 3], [0.0, 0.5]), kept["pictures"], strict=True):
        drawn = lab.picture(n=n, dark=dark)
        assert (pixels(shown) == seen(drawn.png)).all()
        assert (shown["alt"], shown["width"]) == (drawn.alt, drawn.width)


def test_a_lab_with_many_settings_leaves_as_many_as_there_is_room_for():
    noise = np.random.default_rng(0).uniform(size=(40, 40))

    def rough(a, b):
        return plots.picture(plots.images({"": (noise * (a + b + 1) % 1)[None]}, zoom=4), alt="rough")

    lab = labs.Lab(rough, "Many", a=labs.slider("a", 0, 500, 7), b=labs.slider("b", 0.0, 5.0, 0.1, step=0.1))
    kept = states.state(lab)
    assert 0.7 * LARGEST_LAB < len(states.compressed(kept)) <= LARGEST_LAB
    assert kept["all"] == 501 * 51
    for row in kept["rows"]:
        values = row["values"]
        assert values == sorted(values) and len(values) >= FEWEST[1]
        assert (values[0], values[-1]) == (row["low"], row["high"]) and kept["start"][row["name"]] in values


def test_settings_keep_the_first_controls_and_all_options():
    controls = {
        "a": labs.slider("a", 0, 100, 40),
        "kind": labs.choice("kind", ["x", "y"]),
        "b": labs.slider("b", 0, 9, 0),
        "seed": labs.slider("seed", 0, 99, 1),
    }
    found = settings(controls, 30)
    assert list(found) == ["a", "kind", "b"] and found["kind"] == ["x", "y"] and len(found["a"]) == 5
    assert 40 in found["a"] and found["a"][0] == 0 and found["a"][-1] == 100 and found["b"][0] == 0
    assert settings(controls, 4) == {"kind": ["x", "y"]}
    assert settings({"a": controls["a"]}, 2) == {}
    assert settings({"a": controls["a"]}, 1000) == {"a": list(range(101))}


def test_a_slider_may_begin_between_its_steps():
    found = settings({"a": labs.slider("a", -1.0, 1.0, 0.15, step=0.5)}, 10)
    assert found == {"a": [-1.0, -0.5, 0.15, 0.5, 1.0]}


def test_a_lab_that_trains_leaves_its_pictures_if_that_takes_few_trainings():
    def train(n):
        yield 0.5
        return n

    few = labs.RetrainLab(train, lambda result, n: grey(result), "Trains", n=labs.slider("n", 1, 3, 1))
    assert len(states.state(few)["pictures"]) == 3
    many = labs.RetrainLab(train, lambda result, n: grey(1), "Trains on", n=labs.slider("n", 1, 99, 1))
    assert states.state(many) is None


def test_labs_whose_titles_leave_the_same_file_name_keep_a_file_each(tmp_path):
    cells, made = [], [labs.Lab(grey, title, n=labs.slider("n", 1, 3, 2)) for title in ("Turn β", "Turn γ", "Σ")]
    states.leave(tmp_path)
    for lab in made:
        cells.append(nbformat.v4.new_code_cell("labs.Lab()"))
        cells[-1].outputs = [nbformat.v4.new_output("display_data", lab._repr_mimebundle_()[0])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    names = [file.name for file in states.store(tmp_path, notebook, tmp_path / "01_sample.ipynb")]
    assert names == ["turn.json.gz", f"turn-{cells[1].id}.json.gz", f"{cells[2].id}.json.gz"]


def test_states_are_stored_beside_a_notebook_and_read_while_its_code_is_the_same(tmp_path):
    lab, path = labs.Lab(grey, "A lab: one!", n=labs.slider("n", 1, 3, 2)), tmp_path / "01_sample.ipynb"
    states.leave(tmp_path)
    cell = nbformat.v4.new_code_cell("labs.Lab()")
    cell.outputs = [nbformat.v4.new_output("display_data", lab._repr_mimebundle_()[0])]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1"), cell])
    old = states.folder_of(path) / "old.json.gz"
    old.parent.mkdir(parents=True)
    old.touch()
    assert [file.name for file in states.store(tmp_path, notebook, path)] == ["a-lab-one.json.gz"]
    assert not old.exists()
    ((name, kept),) = states.read(notebook, path)
    assert name == "a-lab-one" and kept["cell"] == cell.id and kept["title"] == "A lab: one!"
    assert states.outdated(notebook, path) == []
    notebook.cells[0].source = "x = 2"
    assert list(states.read(notebook, path)) == []
    (sentence,) = states.outdated(notebook, path)
    assert sentence.startswith("lab a-lab-one was stored by other code")


def test_what_only_measures_prints_or_shows_changes_no_lab():
    cell, code = nbformat.v4.new_code_cell("labs.Lab(f)"), nbformat.v4.new_code_cell("%matplotlib inline")

    def of(source, lab="labs.Lab(f)"):
        other = nbformat.v4.new_code_cell(source)
        cell.source = lab
        return states.code_of(nbformat.v4.new_notebook(cells=[code, other, cell]), cell)

    plain = of("for x in (1, 2):\n    claims.measure('1.1', x)\n    print(x)\ny = x")
    assert plain == of("for x in (1, 2):  # two\n    claims.measure('1.2', 0)\n    print('x')\ny   = x")
    assert len({plain, of("for x in (1, 3):\n    claims.measure('1.1', x)\n    print(x)\ny = x"), of("y = 1")}) == 3
    assert plain != of("for x in (1, 2):\n    claims.measure('1.1', x)\n    print(x)\ny = x", "labs.Lab(g)")


def test_a_game_leaves_its_settings():
    lab = labs.DiracGAN(lambda h, steps, *_: np.zeros((steps + 1, 2)), "A game", steps=30)
    kept = states.state(lab)
    assert kept["kind"] == "dirac" and kept["start"]["steps"] == 30 and kept["scene"]["reach"] == 2
    assert len(states.compressed(kept)) < 2000
    lab.close()
