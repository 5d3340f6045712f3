"""helpers.models.sparsity: the penalty in a compiled loss, whatever the batch, and in a saved file."""

import numpy as np
import pytest

from helpers import models, training
from helpers.training import keras

X = np.random.default_rng(0).uniform(size=(48, 16)).astype("float32")


@pytest.fixture(scope="module")
def model():
    training.reproducible(0)
    penalty = models.KLSparsity(0.3, target=0.05)
    model = keras.Sequential([
        keras.Input((16,)),
        keras.layers.Dense(8, "sigmoid", activity_regularizer=penalty, name="code"),
        keras.layers.Dense(16),
    ])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("images", [48, 20])
def test_loss_holds_the_divergence_of_the_mean_activations(model, images):
    x, p = X[:images], 0.05
    q = np.array(model.get_layer("code")(x)).mean(axis=0)
    divergence = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum()
    error = np.square(np.array(model(x)) - x).mean()
    assert model.evaluate(x, x, batch_size=images, verbose=0) == pytest.approx(error + 0.3 * divergence, rel=1e-5)


def test_at_its_target_nothing_is_added_and_at_rest_it_is_finite():
    penalty = models.KLSparsity(2.0, target=0.1)
    assert float(penalty(np.full((5, 3), 0.1, "float32"))) == pytest.approx(0, abs=1e-6)
    assert 0 < float(penalty(np.zeros((5, 3), "float32"))) < np.inf


def test_saved_with_its_settings(model, tmp_path):
    model.save(tmp_path / "sparse.keras")
    again = keras.saving.load_model(tmp_path / "sparse.keras").get_layer("code").activity_regularizer
    assert isinstance(again, models.KLSparsity)
    assert (again.strength, again.target) == (0.3, 0.05)
