"""helpers.models and training.restart under mixed precision: half where it will do, float32 where it would not."""

import numpy as np
import pytest

from helpers import models, training
from helpers.training import keras

ops = keras.ops
X = (np.random.default_rng(0).random((32, 16)) < 0.4).astype("float32")


@pytest.fixture(autouse=True, scope="module")
def mixed():
    """float16 within layers, float32 for their weights; afterwards as it was before."""
    training.reproducible(0)
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy(before)


def tied():
    dense = keras.layers.Dense(8, "relu")
    return keras.Sequential([keras.Input((16,)), dense, models.DenseTranspose(dense, "sigmoid")])


def adjusted():
    model = models.Adjustable(16, 20, 1, "relu")
    model.adjust(9, "KL", 0.3)
    return model


MODELS = {
    "VAE": lambda: models.VAE(16, 3),
    "linear, Gaussian": lambda: models.VAE(16, 3, hidden=0, likelihood="gaussian"),
    "adjustable": adjusted,
    "tied": tied,
}


def history(model, seed):
    return training.restart(model, seed).fit(training.pipeline(X, seed=seed), epochs=2, verbose=0).history["loss"]


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models_learn_repeat_and_are_saved(make, tmp_path):
    model = make()
    model.compile("adam", None if isinstance(model, models.VAE) else "mse", steps_per_execution=30)
    first, other, again = (history(model, seed) for seed in (1, 2, 1))
    assert first[1] < first[0] and other[1] < other[0]
    assert first == again != other
    assert all(weight.dtype == "float32" for weight in model.trainable_weights)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for found, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(found, expected)
    if isinstance(model, models.VAE):
        codes = np.array(model.encode(X))
        assert np.array_equal(loaded.encode(X), codes) and np.array_equal(loaded.decode(codes), model.decode(codes))
        assert model.log_weights(X, 2).shape == (32, 2)
    else:
        assert np.array_equal(loaded(X), model(X))


def test_hidden_layers_compute_in_half_and_what_needs_it_in_full():
    vae, machine = models.VAE(16, 3), models.Adjustable(16, 20, 1, "relu")
    half = [vae.trunk, vae.decoder.layers[0], machine.encoder.layers[1], machine.gate, tied().layers[1]]
    full = [
        vae.mean,
        vae.log_variance,
        vae.sampling,
        vae.likelihood,
        vae.beta,
        vae.decoder.layers[1],
        machine.on_input,
        machine.on_code,
        machine.decoder.layers[-1],
    ]
    assert {layer.compute_dtype for layer in half} == {"float16"}
    assert {layer.compute_dtype for layer in full} == {"float32"}


def test_a_variance_beyond_half_is_sampled():
    assert np.exp(12) > np.finfo("float16").max
    z = models.Sampling()([np.zeros((1000, 2), "float32"), np.full((1000, 2), 24, "float32")])
    assert np.std(z) == pytest.approx(np.exp(12), rel=0.1)


def test_a_schedule_beyond_half_rises():
    assert float(models.Beta(1.0, "linear", 10**6)(training=True)) == pytest.approx(1e-6)


def test_the_loss_is_that_of_full_precision_to_three_digits():
    half = models.VAE(16, 3)
    full = models.VAE(16, 3, dtype="float32")
    full.set_weights(half.get_weights())
    losses = []
    for vae in (half, full):
        vae.sampling.seed_generator.state.assign([5, 0])
        losses.append(float(vae.compute_loss(X, None, vae(X))))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3) and losses[0] != losses[1]
