"""helpers.models.adjustable: the gate; penalties against their formulas; one graph for every setting."""

import numpy as np
import pytest

from helpers import models, training
from helpers.training import keras

ops = keras.ops
X = np.random.default_rng(0).uniform(size=(32, 16)).astype("float32")


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


# The gate -----------------------------------------------------------------------------------------------------


def test_gate_lets_the_first_numbers_pass():
    gate = models.Bottleneck()
    assert (np.array(gate(X)) == X).all()  # open at first
    for k in (1, 5, 16):
        gate.keep(k)
        out = np.array(gate(X))
        assert (out[:, :k] == X[:, :k]).all() and (out[:, k:] == 0).all()
    assert gate.trainable_weights == []


@pytest.mark.parametrize("k", [0, -1, 17])
def test_gate_of_impossible_size(k):
    gate = models.Bottleneck()
    gate(X)
    with pytest.raises(ValueError, match=f"cannot keep {k} numbers of a code of 16"):
        gate.keep(k)


# The adjustable autoencoder -----------------------------------------------------------------------------------


class Counted(keras.losses.Loss):
    """Mean squared error that counts how often it is traced."""

    traces = 0

    def call(self, y, y_pred):
        self.traces += 1
        return ops.mean(ops.square(y - y_pred), axis=-1)


@pytest.fixture(scope="module")
def machine():
    machine = models.Adjustable(16, 20, 2, "relu")
    machine.compile("adam", Counted(), steps_per_execution=10)
    return machine


@pytest.fixture
def adjusted(machine):
    """A function that restarts and adjusts the machine, and returns it."""

    def adjust(code=20, regulariser="none", strength=0.0):
        training.restart(machine, 1).adjust(code, regulariser, strength)
        return machine

    return adjust


def full_code(machine):
    """What reaches the code's regulariser, before the gate: (batch, widest)."""
    code = X
    for layer in machine.encoder.layers[1:-2]:
        code = layer(code)
    return np.array(code, np.float64)


def evaluated(machine):
    return machine.evaluate(X, X, batch_size=32, verbose=0)


def reconstruction_error(machine):
    return np.mean((np.array(machine(X), np.float64) - X) ** 2)


def test_without_a_regulariser_the_loss_is_the_error(adjusted):
    machine = adjusted()
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine), rel=1e-5)


def test_l1_adds_the_sum_of_sizes(adjusted):
    machine = adjusted(regulariser="L1", strength=0.3)
    penalty = 0.3 * 0.01 * np.abs(full_code(machine)).sum(axis=1).mean()
    assert penalty > 0.01 * reconstruction_error(machine)
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine) + penalty, rel=1e-5)


def test_kl_adds_the_divergence_from_a_tenth(adjusted):
    machine = adjusted(regulariser="KL", strength=0.3)
    rho, p = np.abs(full_code(machine)).mean(axis=0), 0.1
    assert 0.1 < rho.max() < 1
    penalty = 0.3 * 0.01 * (p * np.log(p / rho) + (1 - p) * np.log((1 - p) / (1 - rho))).sum()
    assert penalty > 0.01 * reconstruction_error(machine)
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine) + penalty, rel=1e-5)


@pytest.mark.parametrize("regulariser", ["noise", "dropout"])
def test_noise_and_dropout_leave_use_alone(adjusted, regulariser):
    machine = adjusted(regulariser=regulariser, strength=0.5)
    assert evaluated(machine) == pytest.approx(reconstruction_error(adjusted()), rel=1e-6)


def test_noise_is_added_to_the_input_in_training(adjusted):
    machine, zeros = adjusted(regulariser="noise", strength=0.5), np.zeros((2000, 16), "float32")
    noise = np.array(machine.on_input(zeros, training=True))
    assert noise.std() == pytest.approx(0.5, rel=4.5 / np.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 4.5 * 0.5 / np.sqrt(noise.size)
    code = np.ones((20, 20), "float32")
    assert (np.array(machine.on_code(code, training=True)) == code).all()


def test_dropout_drops_codes_in_training_and_scales_the_rest(adjusted):
    machine, ones = adjusted(regulariser="dropout", strength=0.3), np.ones((2000, 20), "float32")
    code = np.array(machine.on_code(ones, training=True))
    assert set(np.unique(code).round(5)) == {0, np.float32(1 / 0.7).round(5)}
    assert (code == 0).mean() == pytest.approx(0.3, abs=4.5 * np.sqrt(0.3 * 0.7 / code.size))
    assert (np.array(machine.on_input(X, training=True)) == X).all()


@pytest.mark.parametrize("regulariser", models.Regularisers.KINDS)
def test_strength_counts_from_zero(adjusted, regulariser):
    def losses(*setting):
        return adjusted(8, *setting).fit(training.pipeline(X, seed=1), verbose=0).history["loss"]

    assert losses(regulariser, 0.0) == losses("none", 0.0) == losses("none", 0.5)
    assert losses(regulariser, 0.5) != losses("none", 0.0)


def test_code_has_the_size_asked_for(adjusted):
    machine = adjusted(code=3)
    code = np.array(machine.encode(X))
    assert code.shape == (32, 20) and (code[:, 3:] == 0).all() and (code[:, :3] != 0).any(axis=0).all()


def test_settings_replace_each_other_without_a_new_graph(adjusted):
    def losses(*setting):
        return adjusted(*setting).fit(training.pipeline(X, seed=1), verbose=0).history["loss"]

    first, before = losses(8, "none", 0.0), adjusted().loss.traces
    others = [losses(k, kind, 0.5) for k in (2, 20) for kind in models.Regularisers.KINDS]
    assert losses(8, "none", 0.0) == first  # nothing is left of what was set before
    assert len({tuple(loss) for loss in [first, *others]}) == 9
    assert adjusted().loss.traces == before > 0


@pytest.mark.parametrize(
    "setting, words",
    [
        ((8, "dropuot", 0.1), "unknown regulariser 'dropuot': choose none, noise, dropout, L1, KL"),
        ((0, "none", 0.1), "cannot keep 0 numbers of a code of 20"),
        ((8, "dropout", 1.0), "less than 1 for dropout"),
        ((8, "L1", -0.1), "choose 0 or more"),
    ],
)
def test_impossible_settings(adjusted, setting, words):
    machine = adjusted(code=5, regulariser="L1", strength=0.2)
    before = evaluated(machine)
    with pytest.raises(ValueError, match=words):
        machine.adjust(*setting)
    assert evaluated(machine) == before  # refused as a whole


@pytest.mark.parametrize("depth", [1, 3])
def test_depth_is_hidden_layers_each_way(depth):
    machine = models.Adjustable(16, 20, depth, "tanh")
    for half in (machine.encoder, machine.decoder):
        dense = [layer for layer in half.layers if isinstance(layer, keras.layers.Dense)]
        assert [layer.units for layer in dense[:-1]] == [128] * depth
        assert all(layer.activation is keras.activations.tanh for layer in dense[:-1])
    assert (np.array(machine(X)) > 0).all() and machine(X).shape == (32, 16)


# Saved and loaded ---------------------------------------------------------------------------------------------


def test_saved_adjustable_is_as_it_was_adjusted(tmp_path):
    machine = models.Adjustable(16, 20, 1, keras.activations.tanh)
    machine.compile("adam", "mse")
    training.restart(machine, 1).adjust(5, "L1", 0.4)
    machine.fit(X, X, epochs=2, verbose=0)
    machine.save(tmp_path / "machine.keras")
    loaded = keras.saving.load_model(tmp_path / "machine.keras")
    assert loaded.settings == machine.settings
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), machine.get_weights(), strict=True))
    assert np.array_equal(loaded(X), machine(X)) and np.array_equal(loaded.encode(X), machine.encode(X))
    assert (np.array(loaded.encode(X))[:, 5:] == 0).all()
    assert evaluated(loaded) == evaluated(machine) > 1.1 * reconstruction_error(machine)  # and so is its penalty
    for model in (loaded, machine):
        training.restart(model, 2).adjust(9, "noise", 0.2)
    assert loaded.fit(X, X, verbose=0).history == machine.fit(X, X, verbose=0).history  # and it can be trained on


def test_gate_and_regularisers_are_saved_in_any_model(tmp_path):
    regularisers, gate = models.Regularisers(), models.Bottleneck()
    model = keras.Sequential([keras.Input((16,)), regularisers, gate])
    gate.keep(3)
    regularisers.strengths["dropout"].assign(0.25)
    model.save(tmp_path / "parts.keras")
    again = keras.saving.load_model(tmp_path / "parts.keras")
    assert np.array_equal(again(X), model(X)) and (np.array(again(X))[:, 3:] == 0).all()
    strengths = {kind: float(strength) for kind, strength in again.layers[0].strengths.items()}
    assert strengths == {"noise": 0, "dropout": 0.25, "L1": 0, "KL": 0}
