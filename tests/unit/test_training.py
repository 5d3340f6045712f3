"""helpers.training: what a pipeline feeds, what a restart renews, and that runs can be repeated and interrupted."""

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from helpers import training
from helpers.training import keras

layers, ops = keras.layers, keras.ops
ROOT = Path(__file__).resolve().parents[2]
X = np.random.default_rng(0).uniform(size=(96, 8)).astype("float32")
NUMBERED = np.arange(40, dtype="float32")[:, None] * np.ones((1, 3), "float32")  # image i is full of i


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


def order(batches):
    """The images of one epoch, by their numbers: (batches, batch size)."""
    return np.array([inputs[:, 0] for inputs, _ in batches.as_numpy_iterator()]).astype(int)


def test_the_collector_leaves_the_libraries_alone_and_goes_on():
    assert gc.isenabled() and gc.get_freeze_count() > 100_000
    assert not any(thing is keras.layers.Dense for thing in gc.get_objects())  # nothing that it looks through


# Pipelines ----------------------------------------------------------------------------------------------------


def test_each_pass_has_each_image_once():
    batches = training.pipeline(NUMBERED, batch_size=8, passes=3)
    assert len(batches) == 15
    passes = order(batches).reshape(3, 40)
    assert (np.sort(passes) == np.arange(40)).all()
    assert len({tuple(images) for images in passes}) == 3  # shuffled anew


def test_whole_batches_only_and_nobody_is_left_out_for_long():
    passes = order(training.pipeline(NUMBERED, batch_size=12, passes=10)).reshape(10, 36)
    assert all(len(set(images)) == 36 for images in passes)
    assert len(set(passes.ravel())) == 40


def test_every_order_is_as_likely():
    passes = order(training.pipeline(NUMBERED[:4], batch_size=4, passes=2400))
    counts = np.unique(passes @ [64, 16, 4, 1], return_counts=True)[1]
    assert len(counts) == 24
    assert np.abs(counts - 100).max() < 4.5 * np.sqrt(100)  # each count is about Poisson(100)


def test_order_follows_from_the_seed_alone():
    first = order(training.pipeline(NUMBERED, seed=1))
    keras.utils.set_random_seed(99)  # as a lab in another thread may do
    assert (order(training.pipeline(NUMBERED, seed=1)) == first).all()
    assert (order(training.pipeline(NUMBERED, seed=2)) != first).any()
    assert order(training.pipeline(NUMBERED, seed=2**40 + 1)).shape == first.shape


def test_every_epoch_has_another_order_however_much_of_the_last_was_used():
    once, peeked = (training.pipeline(NUMBERED, batch_size=20, passes=2, seed=1) for _ in range(2))
    gc.collect()  # the pipeline keeps what it needs alive
    epochs = [order(once) for _ in range(3)]
    assert len({epoch.tobytes() for epoch in epochs}) == 3
    assert len({half.tobytes() for epoch in epochs for half in epoch.reshape(2, 40)}) == 6
    next(iter(peeked))
    assert (order(peeked) == epochs[1]).all()


def test_autoencoders_get_pairs_of_equals():
    for inputs, targets in training.pipeline(X, batch_size=32).as_numpy_iterator():
        assert inputs.dtype == np.float32 and (inputs == targets).all()


def test_targets_follow_their_inputs():
    batches = training.pipeline(NUMBERED, np.arange(40) * 10, batch_size=8, passes=10)
    assert len(batches) == 50
    for inputs, targets in batches.as_numpy_iterator():
        assert (targets == 10 * inputs[:, 0]).all()


@pytest.mark.parametrize("n, size", [(10, 10), (1000, 32), (1400, 35), (4000, 100), (60000, 128)])
def test_about_forty_batches_a_pass(n, size):
    batches = training.pipeline(np.zeros((n, 1)), passes=2)
    assert batches.element_spec[0].shape == (size, 1)
    assert len(batches) == 2 * (n // size)


def test_corruption_is_drawn_anew_for_each_batch():
    generator = keras.random.SeedGenerator(3)

    def corrupt(x):
        return x + keras.random.normal(ops.shape(x), seed=generator)

    batches = training.pipeline(NUMBERED, batch_size=20, passes=3, corrupt=corrupt)
    noise = []
    for _ in range(2):  # two epochs
        for inputs, targets in batches.as_numpy_iterator():
            assert (targets == targets[:, :1]).all()  # targets stay clean
            noise.append(inputs - targets)
    noise = np.array(noise).reshape(12, -1)  # (batches, numbers)
    assert np.abs(np.corrcoef(noise) - np.eye(12)).max() < 4.5 / np.sqrt(60)
    assert noise.std() == pytest.approx(1, abs=0.12) and abs(noise.mean()) < 0.17  # 4.5 standard errors of 720


def test_corruption_with_targets_of_its_own():
    batches = training.pipeline(NUMBERED, np.arange(40), batch_size=8, corrupt=lambda x: -x)
    assert all((inputs[:, 0] == -targets).all() for inputs, targets in batches.as_numpy_iterator())


@pytest.mark.parametrize(
    "arrays, words", [((np.zeros((0, 8)),), "no images to train on"), ((X, X[:5]), "96 inputs but 5 targets")]
)
def test_pipeline_errors(arrays, words):
    with pytest.raises(ValueError, match=words):
        training.pipeline(*arrays)
    for passes in (0, 2.5):
        with pytest.raises(ValueError, match=f"{passes} passes over the data: give a whole number"):
            training.pipeline(X, passes=passes)


# Restarts -----------------------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    """A layer with a weight that has no initializer of its own to be found."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.scale


class Counted(keras.losses.Loss):
    """Mean squared error that counts how often it is traced."""

    traces = 0

    def call(self, y, y_pred):
        self.traces += 1
        return ops.mean(ops.square(y - y_pred), axis=-1)


def build(optimizer="adam"):
    encoder = keras.Sequential([
        keras.Input((8,)),
        layers.GaussianNoise(0.1),
        layers.Dense(16, "relu"),
        Scale(),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dropout(0.5),
    ])
    decoder = keras.Sequential([
        keras.Input((16,)),
        layers.Dense(16, "relu"),
        layers.Dense(16, "relu"),
        layers.Dense(8),
    ])
    model = keras.Sequential([encoder, decoder])
    model.compile(optimizer, Counted(), steps_per_execution=6)
    return model


@pytest.fixture(scope="module")
def model():
    """One compiled model, as a notebook has it; every test restarts it."""
    return build()


def trained(model, seed, epochs=2):
    training.restart(model, seed)
    history = model.fit(training.pipeline(X, batch_size=32, passes=2, seed=seed), epochs=epochs, verbose=0)
    return weights(model), history.history["loss"]


def weights(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


def test_same_seed_same_training_to_the_last_bit(model):
    (first, losses), (other, other_losses), (again, losses_again) = (trained(model, seed) for seed in (1, 2, 1))
    assert (first == again).all() and losses == losses_again
    assert (first != other).mean() > 0.9 and losses != other_losses


def test_restart_is_as_a_new_model(model):
    expected, losses = trained(model, 5)
    new = build()
    found, new_losses = trained(new, 5)
    assert (found == expected).all() and new_losses == losses


def test_nothing_is_traced_again(model):
    trained(model, 1)
    before = model.loss.traces
    assert before > 0
    for seed in (2, 3):
        trained(model, seed)
    assert model.loss.traces == before


def test_first_fit_traces_once():
    fresh = build()
    fresh.fit(training.pipeline(X, batch_size=32, passes=2), verbose=0)
    assert fresh.loss.traces == 1


def test_initial_weights_are_drawn_as_the_layers_ask(model):
    trained(model, 1)
    training.restart(model, 1)
    first, second, last = model.layers[1].layers
    for layer in (first, second, last):
        kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / sum(kernel.shape))  # Glorot and Bengio (2010)
        assert np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.2)
        assert (bias == 0).all()
    assert (first.get_weights()[0] != second.get_weights()[0]).all()  # equal shapes, yet drawn apart
    scale, norm = model.layers[0].layers[2:4]
    assert (scale.get_weights()[0] == 1).all()
    assert [set(w) for w in norm.get_weights()] == [{1.0}, {0.0}, {0.0}, {1.0}]


def test_initial_weights_do_not_depend_on_what_went_before(model):
    trained(model, 1, epochs=1)
    first = weights(training.restart(model, 7))
    keras.utils.set_random_seed(99)
    assert (weights(training.restart(model, 7)) == first).all()
    assert (weights(training.restart(model, 8)) != first).any()


def test_noise_starts_afresh(model):
    def noise(seed):
        training.restart(model, seed)
        one, other = model.layers[0].layers[4:6]
        return [np.array(layer(np.ones((4, 50)), training=True)) for layer in (one, other)]

    (a, b), (a_again, _), (a_other, _) = noise(1), noise(1), noise(2)
    assert (a == a_again).all()
    assert (a != b).any() and (a != a_other).any()  # no two layers, no two seeds share a mask


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam,
        keras.optimizers.Nadam,
        keras.optimizers.Adagrad,
        lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    ],
)
def test_optimizer_begins_again_and_keeps_its_rate(optimizer):
    model = build(optimizer(0.01))
    model.optimizer.build(model.trainable_variables)
    began = [v.numpy() for v in model.optimizer.variables]
    training.restart(model, 1)
    for v in model.optimizer.variables:
        if v is not model.optimizer.learning_rate:
            v.assign(ops.ones_like(v) * 3)  # as training would have left it
    model.optimizer.learning_rate = 0.003
    training.restart(model, 2)
    for variable, initial in zip(model.optimizer.variables, began):
        expected = np.float32(0.003) if variable is model.optimizer.learning_rate else initial
        assert np.array_equal(variable.numpy(), expected), variable.path


def test_learning_rate_schedule_begins_again():
    schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=10)
    model = build(keras.optimizers.Adam(schedule))
    trained(model, 1)
    assert float(model.optimizer.learning_rate) == 0
    training.restart(model, 1)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_restart_before_the_first_fit_and_without_compiling():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4)])
    first = weights(training.restart(model, np.int64(3)))
    model.compile("adam", "mse")
    assert (weights(training.restart(model, 2**32 + 3)) == first).all()  # seeds count modulo 2³²
    assert training.restart(model, 3) is model


def test_weights_outside_of_layers_are_refused():
    class Odd(keras.Model):
        def __init__(self):
            super().__init__(name="odd")
            self.dense = layers.Dense(4)
            self.extra = self.add_weight(shape=(4,), name="extra")

        def call(self, x):
            return self.dense(x) + self.extra

    model = Odd()
    model(X)
    with pytest.raises(ValueError, match="cannot restart odd: .*extra belong to no layer"):
        training.restart(model, 1)


def test_restarts_in_two_threads_do_not_disturb_each_other():
    models = [build(), build()]
    alone = [weights(training.restart(model, seed)) for model, seed in zip(models, (1, 2))]
    wrong, interval = [], sys.getswitchinterval()

    def many(model, seed, expected):
        for _ in range(15):
            if (weights(training.restart(model, seed)) != expected).any():
                wrong.append(seed)

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=many, args=(m, s, w)) for m, s, w in zip(models, (1, 2), alone)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


# Runs that are repeated, and runs that are interrupted --------------------------------------------------------

SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)        # a background job inherits a deaf ear
from helpers import training
import keras, numpy as np
training.reproducible(7)
x = np.random.uniform(size=(200, 16))
generator = keras.random.SeedGenerator(1)
batches = training.pipeline(x, corrupt=lambda x: x + keras.random.normal(keras.ops.shape(x), seed=generator))
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "relu"), keras.layers.Dropout(0.2),
                          keras.layers.Dense(16)])
model.compile("adam", "mse", steps_per_execution=len(batches))
for seed in (1, 2):
    history = training.restart(model, seed).fit(batches, epochs=2, verbose=0).history
    print(history["loss"], [float(w.sum(dtype="float64")) for w in model.get_weights()])
if sys.argv[1] == "stop here":
    print(sorted({"matplotlib", "sklearn"} & set(sys.modules)))
    print(keras.wrappers.SKLearnClassifier.__name__, keras.visualization.plot_image_gallery.__name__)
    print(sorted({"matplotlib", "sklearn"} & set(sys.modules)))
    sys.exit()
batches = training.pipeline(x)
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(16)])
model.compile("adam", "mse", steps_per_execution=len(batches))
says = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("trains", flush=True))
try:
    model.fit(batches, epochs=1_000_000, verbose=0, callbacks=[says])
except KeyboardInterrupt:
    before = model.evaluate(x, x, verbose=0)
    model.predict(x, verbose=0)
    model.fit(batches, epochs=20, verbose=0)
    print("usable" if model.evaluate(x, x, verbose=0) < before else "worse")
"""


@pytest.fixture(scope="module")
def runs():
    """Two runs of one script: (lines printed, errors, exit status) of each. The second is interrupted in a fit."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "CUDA"))}
    whole, interrupted = (
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, until],
            cwd=ROOT,
            text=True,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for until in ("stop here", "train for ever")
    )
    begun = [interrupted.stdout.readline() for _ in range(3)]  # the third says that it trains
    interrupted.terminate() if os.name == "nt" else interrupted.send_signal(signal.SIGINT)
    found = []
    for run, lines in ((whole, []), (interrupted, begun)):
        said, errors = run.communicate(timeout=300)
        found.append((lines + said.splitlines(keepends=True), errors, run.returncode))
    return found


def test_two_runs_print_the_same_numbers_and_no_noise(runs):
    (first, errors, _), (second, *_) = runs
    assert errors == ""  # TensorFlow's start-up talk is kept off
    assert first[:2] == second[:2]
    one, other = first[:2]
    assert one != other


def test_parts_of_keras_that_few_use_are_loaded_when_they_are_used(runs):
    (said, *_), _ = runs
    assert said[2:] == ["[]\n", "SKLearnClassifier plot_image_gallery\n", "['matplotlib', 'sklearn']\n"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_signal_leaves_the_model_usable(runs):
    _, (said, errors, status) = runs
    assert said[2] == "trains\n"
    assert (said[-1], errors, status) == ("usable\n", "", 0)


def test_operations_are_deterministic():
    from tensorflow.python.framework.config import is_op_determinism_enabled  # not public, yet Keras asks it too

    assert is_op_determinism_enabled()


def test_interrupt_from_a_callback_leaves_the_model_usable(model):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    batches = training.pipeline(X, batch_size=32, passes=2)
    training.restart(model, 1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(batches, epochs=50, verbose=0, callbacks=[Interrupt()])
    before = model.evaluate(X, X, verbose=0)
    assert np.isfinite(model.predict(X, verbose=0)).all()
    assert int(model.optimizer.iterations) == 2 * len(batches)
    model.fit(batches, epochs=20, verbose=0)
    assert model.evaluate(X, X, verbose=0) < before
    (interrupted, _), (whole, _) = trained(model, 3), trained(model, 3)
    assert (interrupted == whole).all()


# Adam in one operation ----------------------------------------------------------------------------------------


class ByKeras(keras.optimizers.Adam):
    """Adam with the update that Keras has for it."""

    update_step = keras.optimizers.Adam.update_step.__wrapped__


def stepped(adam, embedding=False, **options):
    """The weights of a small network after twelve steps, and what the optimizer then holds."""
    first = [layers.Embedding(50, 8), layers.Flatten()] if embedding else [layers.Dense(8, "tanh")]
    x = np.arange(len(X) * 8).reshape(-1, 8) % 50 if embedding else X
    model = keras.Sequential([keras.Input((8,)), *first, layers.Dense(8)])
    model.compile(adam(0.01, **options), "mse")
    training.restart(model, 3).fit(x, X, batch_size=32, epochs=4, shuffle=False, verbose=0)
    return model.get_weights(), [variable.numpy() for variable in model.optimizer.variables]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-16},
        {"amsgrad": True},
        {"clipnorm": 0.01, "use_ema": True, "weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"embedding": True},
    ],
)
def test_adam_is_keras_adam(options):
    theirs, ours = (stepped(adam, **options) for adam in (ByKeras, keras.optimizers.Adam))
    for of_theirs, of_ours in zip(theirs, ours):
        assert len(of_theirs) == len(of_ours)
        for a, b in zip(of_theirs, of_ours):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)


def test_adam_follows_its_formula():
    weight, m, v = np.array([1.0, -2.0]), 0, 0
    variable, adam = keras.Variable(weight.astype("float32")), keras.optimizers.Adam(0.1, beta_1=0.8, epsilon=1e-3)
    for t in range(1, 6):
        gradient = 2 * weight
        m, v = 0.8 * m + 0.2 * gradient, 0.999 * v + 0.001 * gradient**2
        weight = weight - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 1e-3)
        adam.apply([2 * variable], [variable])
    np.testing.assert_allclose(variable.numpy(), weight, rtol=1e-5)


def test_adam_may_step_more_than_once_in_one_graph():
    def thrice(apply):
        variable, adam = keras.Variable([1.0, -2.0]), keras.optimizers.Adam(0.1)
        adam.build([variable])

        def steps():
            for _ in range(3):
                adam.apply([2 * variable], [variable])

        apply(steps)()
        return variable.numpy()

    np.testing.assert_allclose(thrice(training.tf.function), thrice(lambda steps: steps), rtol=1e-6)


def test_adam_may_update_a_weight_outside_of_apply():
    one, other = (keras.Variable([1.0, -2.0]) for _ in range(2))
    outside, within = (keras.optimizers.Adam(0.1) for _ in range(2))
    outside.build([one])
    for _ in range(3):
        outside.update_step(2 * one, one.value, 0.1)
        outside.iterations.assign_add(1)
        within.apply([2 * other], [other])
    np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6)


# Progress -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Makes progress bars live by a clock of ours; returns a function that lets seconds pass."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_progress_says_nothing_for_two_seconds(clock, capsys):
    for _ in training.progress(range(19), "seeds"):
        clock(0.1)
    assert capsys.readouterr() == ("", "")


def test_progress_shows_a_bar_after_two_seconds_and_takes_it_away(clock, capsys):
    found = []
    for item in training.progress("abcdef", "seeds"):
        clock(0.7)
        found.append(item)
    out, err = capsys.readouterr()
    assert found == list("abcdef") and err == ""
    assert "seeds:  67%" in out
    assert out.split("\r")[-2].strip() == "" == out.split("\r")[-1]  # the last thing written wipes it out
