"""Labs without a browser: controls, pure pictures, errors in words, latest wins, and decoding like Keras.

A reader's event is imitated by setting `lab.values`, as the browser's messages do.
"""

import base64
import json
import re
import threading
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from helpers import labs, plots
from helpers.labs import arena, predictions
from helpers.labs.panel import browser
from helpers.labs.worker import Worker


def draw(n, kind):
    if n == 13:
        raise ValueError("13 is <unlucky>")
    return plots.images({f"{n} {kind}": np.full((2, 8, 8), n / 20)})


@pytest.fixture
def lab():
    lab = labs.Lab(draw, "Numbers", n=labs.slider("whole number", 0, 20, 5), kind=labs.choice("kind", ["a", "b", "c"]))
    yield lab
    lab.close()


def png(lab):
    """The bytes of the picture that the lab shows."""
    return base64.b64decode(lab.shown["src"].removeprefix("data:image/png;base64,"))


def wait_for(condition, otherwise, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.005)


# Controls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", 3, 3, 3), "low must be below high"),
        (("x", 5, 1, 3), "low must be below high"),
        (("x", 0, 1, 0.5, 0), "step between 0"),
        (("x", 0, 1, 0.5, 2), "step between 0"),
        (("x", 0, 1, 1.5), "'x' must be a number from 0 to 1, got 1.5"),
        (("x", 0, 1, float("nan")), "must be a number from 0 to 1"),
        (("x", 0, 1, "0.5"), "must be a number from 0 to 1"),
    ],
)
def test_impossible_sliders_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        labs.slider(*arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "give low and high, or a list of values"),
        ({"low": 1, "values": [2, 4], "value": 2}, "values must rise, from low 1 to high 4, got 2, 4"),
        ({"values": [4, 2], "value": 2}, "values must rise"),
        ({"values": [2, 2], "value": 2}, "values must rise"),
        ({"values": [2, 4], "value": 3}, "'code size' must be one of 2, 4, got 3"),
        ({"values": [2, 4], "value": "4"}, "'code size' must be one of 2, 4, got '4'"),
    ],
)
def test_impossible_lists_of_values_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        labs.slider("code size", **arguments)


def test_a_slider_through_a_list_gives_its_values_and_no_others():
    sizes = labs.slider("code size", 1, 1024, 8, values=2 ** np.arange(11), unit="numbers")
    assert sizes.extremes == (1, 1024) and sizes.unit == "numbers"
    assert sizes.check(16.0) == 16 and type(sizes.check(16.0)) is int
    penalties = labs.slider("penalty", values=[0, 1e-5, 3e-5])
    assert penalties.value == 0 and penalties.check(3e-5) == 3e-5
    rng = np.random.default_rng(0)
    assert {penalties.random(rng) for _ in range(50)} == {0, 1e-5, 3e-5}
    with pytest.raises(ValueError, match="'penalty' must be one of 0, 1e-05, 3e-05, got 2e-05"):
        penalties.check(2e-5)
    lab = labs.Lab(lambda n: draw(n / 1024, ""), "Sizes", n=sizes)
    assert json.loads(json.dumps(lab.rows))[0]["values"] == [2**i for i in range(11)]
    assert [s["n"] for s in lab.settings()][:3] == [1, 1024, 8]
    lab.close()


@pytest.mark.parametrize(
    ("options", "value", "said"),
    [
        (["a"], None, "at least two options"),
        (["a", "a"], None, "all different"),
        (["a", "b"], "c", "'kind' must be one of 'a', 'b', got 'c'"),
    ],
)
def test_impossible_choices_are_refused(options, value, said):
    with pytest.raises(ValueError, match=said):
        labs.choice("kind", options, value)


def test_a_slider_is_as_precise_as_its_numbers():
    assert labs.slider("n", 0, 10, 5).check(7.0) == 7 and type(labs.slider("n", 0, 10, 5).check(7.0)) is int
    assert labs.slider("x", 0, 1, 0.5, step=0.05).check(0.1 + 0.2) == 0.3
    assert labs.slider("x", 0, 1, 0.125, step=0.05).check(0.1234) == 0.123
    assert labs.slider("x", 0.0, 1e-4, 0.0, step=1e-5).check(3.00001e-5) == 3e-5
    with pytest.raises(ValueError, match="whole number, got 7.5"):
        labs.slider("n", 0, 10, 5).check(7.5)


# Pictures and settings


def test_a_picture_is_a_pure_function_of_the_parameters(lab):
    shown = dict(lab.shown)
    assert lab.picture(n=7) == draw(7, "a") != lab.picture()
    assert lab.picture() == draw(5, "a") == lab.twin
    assert lab.shown == shown and lab.values == {"n": 5, "kind": "a"}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"m": 1}, "no parameter m in this lab, which has n, kind"),
        ({"n": 21}, "from 0 to 20, got 21"),
        ({"n": 2.5}, "must be a whole number, got 2.5"),
        ({"kind": "z"}, "must be one of 'a', 'b', 'c', got 'z'"),
    ],
)
def test_wrong_parameters_are_refused(lab, parameters, said):
    with pytest.raises(ValueError, match=said):
        lab.picture(**parameters)
    with pytest.raises(ValueError, match=said):
        lab.values = parameters


def test_settings_hold_the_extremes_the_default_every_option_and_random_ones(lab):
    settings = list(lab.settings(n_random=4, seed=1))
    assert settings[:3] == [{"n": 0, "kind": "a"}, {"n": 20, "kind": "c"}, {"n": 5, "kind": "a"}]
    assert settings[3]["kind"] == "b"  # the option between the first and the last
    assert len(settings) == 7 and settings == list(lab.settings(n_random=4, seed=1))
    assert settings[3:] != list(lab.settings(n_random=4, seed=2))[3:]
    assert len(list(lab.settings(n_random=0))) == 4
    assert all(lab.parameters(**s) == s for s in settings)


def test_random_values_of_a_slider_lie_on_its_steps_and_reach_its_ends():
    rng, control = np.random.default_rng(0), labs.slider("x", 0.1, 0.5, 0.3, step=0.1)
    assert {control.random(rng) for _ in range(200)} == {0.1, 0.2, 0.3, 0.4, 0.5}


def test_a_matplotlib_figure_is_shown_as_a_picture_and_anything_else_refused():
    def curve(n):
        fig, ax = plots.figure()
        ax.plot(np.arange(n))
        return fig

    with_figure = labs.Lab(curve, "Figure", n=labs.slider("n", 2, 9, 4))
    assert png(with_figure).startswith(b"\x89PNG") and "0 at 0 to 3 at 3" in with_figure.shown["alt"]
    assert plt.get_fignums() == []
    with_figure.close()
    with pytest.raises(TypeError, match="cannot show a str"):
        labs.Lab(lambda n: "text", "Text", n=labs.slider("n", 0, 9, 4))
    assert "Text" not in labs.LABS


# The panel


def test_an_event_draws_what_the_controls_say(lab):
    lab.set_state({"values": {"n": 8, "kind": "b"}})
    assert png(lab) == draw(8, "b").png and lab.shown["alt"] == draw(8, "b").alt
    lab.values = {}
    assert lab.values == {"n": 5, "kind": "a"} and png(lab) == lab.twin.png


def test_an_error_is_said_in_words_and_the_last_picture_stays(lab):
    lab.values = {"n": 12}
    lab.values = {"n": 13}
    assert "ValueError: 13 is <unlucky>" in lab.message and png(lab) == draw(12, "a").png
    lab.values = {"n": 14}
    assert lab.message == "" and png(lab) == draw(14, "a").png


def test_a_drag_names_one_or_two_sliders():
    controls = {"n": labs.slider("n", 0, 9, 5), "kind": labs.choice("kind", ["a", "b"])}
    lab = labs.Lab(draw, "Dragged", drag={"n": 12}, **controls)
    assert lab.drag == {"n": 12}
    controls["listed"] = labs.slider("listed", values=[1, 2, 4])
    for wrong in ({"kind": 12}, {"absent": 12}, {"listed": 12}):
        with pytest.raises(ValueError, match="drag names one or two of its sliders, in even steps, got"):
            labs.Lab(draw, "Dragged", drag=wrong, **controls)
    lab.close()


def test_an_error_in_the_default_setting_is_raised_at_once():
    with pytest.raises(ValueError, match="unlucky"):
        labs.Lab(draw, "Unlucky", n=labs.slider("n", 0, 20, 13), kind=labs.choice("kind", "ab"))
    assert "Unlucky" not in labs.LABS


def test_of_two_threads_the_one_that_draws_last_draws_the_latest_values():
    entered, go = threading.Event(), threading.Event()

    def slow(n):
        if n == 1:
            entered.set()
            go.wait(10)
        return draw(n, "")

    lab = labs.Lab(slow, "Slow drawing", n=labs.slider("n", 0, 20, 0))
    first = threading.Thread(target=setattr, args=(lab, "values", {"n": 1}))
    first.start()
    assert entered.wait(10)
    second = threading.Thread(target=setattr, args=(lab, "values", {"n": 2}))
    second.start()
    wait_for(lambda: lab.values == {"n": 2}, "the second event waits for the first")
    go.set()
    first.join(10)
    second.join(10)
    assert png(lab) == draw(2, "").png
    lab.close()


def test_two_labs_and_a_call_never_draw_at_once():
    active, most = [], []

    def draw_alone(n):  # as a lab does whose model is shared
        active.append(n)
        time.sleep(0.05)
        most.append(len(active))
        active.remove(n)
        return draw(n, "")

    one, other = (labs.Lab(draw_alone, title, n=labs.slider("n", 0, 20, 5)) for title in ("One", "Other"))
    threads = [
        threading.Thread(target=setattr, args=(one, "values", {"n": 6})),
        threading.Thread(target=setattr, args=(other, "values", {"n": 7})),
        threading.Thread(target=one.picture, kwargs={"n": 8}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == [1] * 5
    one.close()
    other.close()


def test_labs_are_found_by_their_title_and_the_same_title_replaces(lab):
    assert labs.LABS["Numbers"] is lab
    again = labs.Lab(draw, "Numbers", n=labs.slider("n", 0, 20, 6), kind=labs.choice("kind", "ab"))
    assert labs.LABS["Numbers"] is again and lab.comm is None
    lab.close()  # the replaced one takes nothing with it
    assert labs.LABS["Numbers"] is again
    again.close()
    assert "Numbers" not in labs.LABS


def test_the_output_holds_a_static_twin_beside_the_widget(lab):
    data, metadata = lab._repr_mimebundle_()
    default = draw(5, "a")
    assert base64.b64decode(data["image/png"]) == default.png and data["text/plain"] == default.alt
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert metadata == {"image/png": {"alt": default.alt, "width": default.width}}
    assert "image/png" in DisplayFormatter().format(lab)[0], "the widget displays itself without its twin"


def test_a_question_stands_under_the_title_and_in_the_twin():
    def ask(question, **more):
        return labs.Lab(lambda n: draw(n, ""), "Asking", question=question, n=labs.slider("n", 0, 20, 5), **more)

    lab = ask("Which n?")
    assert lab.question == "Which n?" and lab.twin.alt == f"Which n? {draw(5, '').alt}"
    assert lab._repr_mimebundle_()[0]["text/plain"].startswith("Which n? ")
    assert ask("").twin == draw(5, "")
    lab = labs.RetrainLab(Trainer().train, draw_result, "Asking", question="And then?", n=labs.slider("n", 0, 9, 5))
    assert lab.twin.alt.startswith("And then? ")
    lab.close()


@pytest.mark.parametrize("kind", [labs.Lab, labs.LatentPlane, labs.DiracGAN, arena.Arena, predictions.Predictions])
def test_a_module_imports_what_load_can_give_it_and_exports_what_is_drawn(kind):
    """load.js gives addresses to "./base.js" and to the parts that a lab names, and to nothing else."""
    texts = kind.parts.default() | {"base.js": browser("base.js")}
    whole = kind.module.default_value
    for text in (whole, *texts.values()):
        imports = re.findall(r"^import \{ (.+) \} from \"\./(\w+\.js)\";$", text, re.MULTILINE)
        assert len(re.findall(r"^import\b", text, re.MULTILINE)) == len(imports)
        for names, file in imports:
            exported = re.findall(r"^export (?:function|const) (\w+)", texts[file], re.MULTILINE)
            assert set(names.split(", ")) <= set(exported)
    assert whole.count("\nexport default framed(") == 1


# Retraining


class Trainer:
    """A training whose chunks a test lets through one by one (`chunk`), or all (`free`)."""

    def __init__(self, free=True):
        self.free, self.gate, self.log, self.active, self.most = free, threading.Semaphore(0), [], 0, 0

    def train(self, n):
        self.active += 1
        self.most = max(self.most, self.active)
        self.log.append(("start", n))
        try:
            for k in range(4):
                if n == 13:
                    raise ValueError("13 is unlucky")
                yield (k + 1) / 4, f"part {k}"
                assert self.free or self.gate.acquire(timeout=10)
            self.log.append(("end", n))
            return n
        finally:
            self.active -= 1

    def chunk(self, count=1):
        self.gate.release(count)


def draw_result(result, n):
    return plots.images({f"{result}": np.full((2, 8, 8), 0.5)})


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def retrained(trainer):
    lab = labs.RetrainLab(trainer.train, draw_result, "Slow", n=labs.slider("n", 0, 20, 5))
    trainer.free = False
    yield lab
    trainer.free = True
    lab.close()
    trainer.chunk(100)
    lab.worker.join(10)


def shows(lab, result):
    return png(lab) == draw_result(result, 0).png and lab.progress is None


def test_the_default_is_trained_once_and_shown_at_once(retrained, trainer):
    assert trainer.log == [("start", 5), ("end", 5)] and shows(retrained, 5)
    assert retrained.picture() == retrained.twin == draw_result(5, 5) and len(trainer.log) == 2


def test_progress_and_partial_results_are_shown_while_it_trains_in_a_thread(retrained, trainer):
    retrained.values = {"n": 7}
    wait_for(lambda: png(retrained) == draw_result("part 0", 0).png, "no partial result")
    wait_for(lambda: retrained.progress == 0.25, "no progress")
    assert retrained.message == "Training …" and retrained.settled == {"n": 5}
    trainer.chunk()
    wait_for(lambda: retrained.progress == 0.5, "no progress")
    trainer.chunk(3)
    wait_for(lambda: shows(retrained, 7), "the result is not shown")
    wait_for(lambda: retrained.settled == {"n": 7}, "the lab does not settle")
    assert retrained.message == ""


def test_the_latest_setting_ends_the_training_in_progress(retrained, trainer):
    retrained.values = {"n": 7}
    wait_for(lambda: ("start", 7) in trainer.log, "no training")
    for n in (8, 9, 10):
        retrained.values = {"n": n}
    trainer.chunk(5)
    wait_for(lambda: shows(retrained, 10), "the latest result is not shown")
    assert trainer.log[2:] == [("start", 7), ("start", 10), ("end", 10)] and trainer.most == 1


def test_a_setting_visited_before_is_not_trained_again(retrained, trainer):
    trainer.free = True
    for n in (7, 5, 7):
        retrained.values = {"n": n}
        wait_for(lambda n=n: shows(retrained, n), f"the result of {n} is not shown")
    assert trainer.log == [("start", 5), ("end", 5), ("start", 7), ("end", 7)]


def test_cancel_takes_controls_and_picture_back(retrained, trainer):
    retrained.values = {"n": 7}
    wait_for(lambda: png(retrained) == draw_result("part 0", 0).png, "no training")
    retrained.set_state({"values": dict(retrained.settled)})  # what the button does
    trainer.chunk()
    wait_for(lambda: shows(retrained, 5), "the settled result is not back")
    assert ("end", 7) not in trainer.log and trainer.active == 0 and retrained.message == ""


def test_an_error_in_training_is_said_and_the_lab_lives_on(retrained, trainer):
    retrained.values = {"n": 13}
    wait_for(lambda: "ValueError: 13 is unlucky" in retrained.message, "no message")
    assert retrained.progress is None and shows(retrained, 5)
    trainer.free = True
    retrained.values = {"n": 6}
    wait_for(lambda: shows(retrained, 6), "the lab is dead")


def test_two_labs_and_a_call_never_train_at_once(retrained, trainer):
    trainer.free = True
    other = labs.RetrainLab(trainer.train, draw_result, "Other", n=labs.slider("n", 0, 20, 5))
    trainer.free = False
    retrained.values = {"n": 7}
    other.values = {"n": 8}
    call = threading.Thread(target=other.picture, kwargs={"n": 9})
    call.start()
    trainer.free = True
    trainer.chunk(20)
    wait_for(lambda: shows(retrained, 7) and shows(other, 8), "a result is missing")
    call.join(10)
    assert trainer.most == 1 and ("end", 9) in trainer.log
    other.close()


def test_closing_ends_the_thread_and_the_training(retrained, trainer):
    def workers():
        return [thread for thread in threading.enumerate() if thread.name == "lab Slow"]

    retrained.values = {"n": 7}
    wait_for(lambda: ("start", 7) in trainer.log, "no training")
    assert len(workers()) == 1
    retrained.close()
    trainer.chunk()
    wait_for(lambda: not workers(), "the thread goes on")
    assert ("end", 7) not in trainer.log and trainer.active == 0 and "Slow" not in labs.LABS


def test_train_must_be_a_generator_function():
    with pytest.raises(TypeError, match="train must be a generator function"):
        labs.RetrainLab(lambda n: n, draw_result, "No generator", n=labs.slider("n", 0, 20, 5))


# The thread of a lab that trains


@pytest.fixture
def hired():
    """hired(work): a worker, which ends with the test."""
    workers = []
    yield lambda work: workers.append(Worker(work, "worker")) or workers[-1]
    for worker in workers:
        worker.close()
        worker.join(10)


def test_a_worker_is_called_with_what_was_ordered_and_again_while_its_work_goes_on(hired):
    calls, waits = [], iter([0, 0.01, None, None])
    worker = hired(lambda orders: (calls.append(orders), next(waits))[1])
    time.sleep(0.05)
    assert calls == [], "it works without an order"
    worker.order(1)
    wait_for(lambda: len(calls) == 3, "it does not go on")
    time.sleep(0.05)
    assert calls == [[1], [], []], "it does not rest"
    worker.order(2)
    worker.settle(10)
    assert calls[3:] == [[2]]


def test_an_order_ends_the_wait_and_tells_the_work_in_progress(hired):
    go, calls = threading.Event(), []

    def work(orders):
        calls.append((orders, go.wait(10), worker.wanted))
        return 100

    worker = hired(work)
    worker.order("a")
    wait_for(lambda: not worker.wanted, "the order is not taken")
    worker.order("b")
    worker.order("c")
    go.set()
    worker.settle(10)
    assert calls == [(["a"], True, True), (["b", "c"], True, False)]


def test_a_worker_that_is_closed_ends_and_says_so(hired):
    go = threading.Event()
    worker = hired(lambda orders: go.wait(10) and None)
    worker.order()
    wait_for(lambda: not worker.wanted, "the order is not taken")
    with pytest.raises(TimeoutError, match="'worker' still has work to do after 0.01 s"):
        worker.settle(0.01)
    worker.close()
    worker.order()
    with pytest.raises(TimeoutError, match="'worker' still runs after 0.01 s"):
        worker.join(0.01)
    with pytest.raises(RuntimeError, match="'worker' was closed"):
        worker.settle(10)
    go.set()
    worker.join(10)


# The latent plane


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def decoder_of(keras, *layers):
    decoder = keras.Sequential([keras.Input((2,)), *layers])
    rng = np.random.default_rng(0)
    decoder.set_weights([rng.normal(size=w.shape) / 2 for w in decoder.get_weights()])
    return decoder


CODES = np.random.default_rng(1).normal(size=(50, 2)) + [5, 0]
LABELS = np.arange(50) % 3


def test_the_plane_decodes_what_keras_decodes(keras):
    Dense = keras.layers.Dense
    decoder = decoder_of(
        keras,
        *(Dense(16, name) for name in ("relu", "tanh", "leaky_relu", "linear")),
        Dense(48, "sigmoid", use_bias=False),
    )
    plane = labs.LatentPlane(decoder, CODES, LABELS, (6, 8), "Plane")
    z = np.random.default_rng(2).normal(size=(20, 2)).astype("float32")
    np.testing.assert_allclose(plane.decode(z).reshape(20, 48), decoder(z), rtol=0, atol=1e-5)
    assert plane.decode(z[0]).shape == (6, 8) and plane.decode(z).shape == (20, 6, 8)
    assert labs.LABS["Plane"] is plane
    plane.close()


def test_the_plane_reaches_over_the_codes_and_starts_in_it(keras):
    plane = labs.LatentPlane(decoder_of(keras, keras.layers.Dense(64)), CODES, LABELS, (8, 8), "Plane")
    low, high = np.array([control.extremes for control in plane.controls.values()]).T
    assert (low < CODES.min(0)).all() and (CODES.max(0) < high).all()
    assert [control.decimals for control in plane.controls.values()] == [2, 2]
    assert plane.values == plane.parameters() == {"z1": low[0], "z2": 0}  # 0 is left of all codes
    for setting in plane.settings():
        assert plane.picture(**setting).png.startswith(b"\x89PNG")
    assert plane.picture(z1=5) != plane.twin and "image/png" in plane._repr_mimebundle_()[0]
    with pytest.raises(ValueError, match="'z1' must be a number from"):
        plane.picture(z1=100)
    plane.close()


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([("Dense", (64, "gelu"))], "activation gelu.* takes Dense layers with linear, relu"),
        ([("Dense", (64,)), ("Reshape", ((8, 8),))], "Reshape, .*cannot run in the browser"),
        ([("Dense", (63,))], "from 2 numbers to 8 × 8 pixels, not from 2 to 63"),
    ],
)
def test_decoders_that_cannot_run_in_the_browser_are_refused(keras, layers, said):
    decoder = decoder_of(keras, *(getattr(keras.layers, name)(*arguments) for name, arguments in layers))
    with pytest.raises(ValueError, match=said):
        labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane")


@pytest.mark.parametrize(("codes", "labels"), [(CODES[:, :1], LABELS), (CODES, LABELS[1:]), (CODES * np.nan, LABELS)])
def test_codes_that_are_no_plane_are_refused(keras, codes, labels):
    with pytest.raises(ValueError, match=r"finite codes of shape \(n, 2\) and a label for each"):
        labs.LatentPlane(decoder_of(keras, keras.layers.Dense(64)), codes, labels, (8, 8), "Plane")


def test_the_plane_knows_the_nearest_image(keras):
    images = np.random.default_rng(3).uniform(size=(50, 64))
    decoder = decoder_of(keras, keras.layers.Dense(64))
    plane = labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane", images=images)
    z1, z2 = map(float, CODES[7].round(2))
    assert f"nearest image: {LABELS[7]}." in plane.picture(z1=z1, z2=z2).alt
    assert (
        len(plane.scene["images"]) == 50 * 64
        and "nearest" not in labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane").twin.alt
    )
    with pytest.raises(ValueError, match=r"one for each code, \(50, 64\), got \(49, 64\)"):
        labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane", images=images[1:])
    labs.LABS["Plane"].close()


def test_the_plane_encodes_what_keras_encodes(keras):
    Dense = keras.layers.Dense
    encoder = keras.Sequential([keras.Input((48,)), Dense(16, "relu"), Dense(8, "tanh"), Dense(2)])
    decoder = decoder_of(keras, Dense(48))
    plane = labs.LatentPlane(decoder, CODES, LABELS, (6, 8), "Plane", encoder=encoder)
    images = np.random.default_rng(4).uniform(size=(20, 48)).astype("float32")
    np.testing.assert_allclose(plane.encode(images), encoder(images), rtol=0, atol=1e-5)
    assert plane.encode(images[0]).shape == (2,) and len(plane.scene["encoder"]) == 3
    without = labs.LatentPlane(decoder, CODES, LABELS, (6, 8), "Plane")
    assert without.scene["encoder"] is None
    with pytest.raises(ValueError, match="lab 'Plane' was made without an encoder"):
        without.encode(images)
    wrong = keras.Sequential([keras.Input((48,)), Dense(3)])
    with pytest.raises(ValueError, match="the encoder must lead from 6 × 8 pixels to 2 numbers, not from 48 to 3"):
        labs.LatentPlane(decoder, CODES, LABELS, (6, 8), "Plane", encoder=wrong)
    without.close()


def test_the_plane_reaches_as_far_as_it_is_told_and_asks_its_question(keras):
    plane = labs.LatentPlane(
        decoder_of(keras, keras.layers.Dense(64)),
        CODES,
        LABELS,
        (8, 8),
        "Plane",
        reach=9,
        question="What lies out there?",
    )
    assert [control.extremes for control in plane.controls.values()] == [(-9, 9)] * 2
    assert plane.values == {"z1": 0, "z2": 0} and plane.twin.alt.startswith("What lies out there? ")
    plane.close()


def test_classes_of_the_plane_have_names(keras):
    decoder, images = decoder_of(keras, keras.layers.Dense(64)), np.zeros((50, 64))
    named = labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane", images, names=("shirt", "bag", "boot", "coat"))
    assert named.scene["names"] == ["shirt", "bag", "boot"]
    assert f"nearest image: {('shirt', 'bag', 'boot')[LABELS[7]]}." in named.picture(z1=CODES[7, 0], z2=CODES[7, 1]).alt
    texts = labs.LatentPlane(decoder, CODES, np.array(["a", "b", "c"])[LABELS], (8, 8), "Plane")
    assert texts.scene["names"] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="names are for labels 0 to 1, one for each, got 2 for labels 0, 1, 2"):
        labs.LatentPlane(decoder, CODES, LABELS, (8, 8), "Plane", names=("shirt", "bag"))
    texts.close()


def test_ten_classes_have_ten_colours(keras):
    labels = np.arange(50) % 10
    plane = labs.LatentPlane(decoder_of(keras, keras.layers.Dense(64)), CODES, labels, (8, 8), "Plane")
    assert len(set(plane.scene["colours"])) == 10 == len(plane.scene["names"])
    fig, ax = plots.figure()
    plots.classes(ax, CODES, labels)
    assert len({tuple(dots.get_facecolor()[0]) for dots in ax.collections}) == 10
    plane.close()


# Figures of a running cell


@pytest.fixture
def shell(monkeypatch):
    from types import SimpleNamespace

    import IPython
    from IPython.core.events import EventManager, available_events

    shell = SimpleNamespace()
    shell.events = EventManager(shell, available_events)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    return shell


def test_what_follows_a_cell_is_called_in_the_main_thread_only(shell):
    called = []
    shell.events.register("post_execute", lambda: called.append(threading.current_thread()))
    labs.protect_figures()
    labs.protect_figures()
    shell.events.trigger("post_execute")
    other = threading.Thread(target=shell.events.trigger, args=("post_execute",))
    other.start()
    other.join()
    assert called == [threading.main_thread()]


# The Dirac GAN


def game(h, steps, gamma, in_turns, start):
    path = [start]
    for _ in range(steps):
        theta, psi = path[-1]
        new = theta + h * psi
        path.append((new, psi - h * ((new if in_turns else theta) + gamma * psi)))
    return np.array(path)


def test_the_game_is_drawn_by_the_function_given():
    lab = labs.DiracGAN(game, "Game", steps=100, question="Where to?")
    path = lab.path(h=0.1, way="at once")
    assert path.shape == (101, 2) and np.linalg.norm(path[-1]) == pytest.approx(1.01**50)
    assert lab.path(way="in turns", gamma=1.0, theta=-2.0)[0].tolist() == [-2, 0]
    assert "after 100 steps: 1.13 from the cross" in lab.twin.alt and lab.twin.alt.startswith("Where to?")
    assert len({lab.picture(**setting).png for setting in lab.settings()}) > 5
    with pytest.raises(ValueError, match="no parameter speed"):
        lab.path(speed=2)
    lab.close()
