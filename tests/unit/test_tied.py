"""helpers.models.tied: one kernel in two layers, also after saving, loading and learning; what cannot be saved."""

import numpy as np
import pytest

from helpers import models, training
from helpers.training import keras


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


def tied(widths, nested=False, pixels=12):
    """An autoencoder with this encoder, and a decoder tied to it: flat, or of two models in a row."""
    down = [keras.layers.Dense(n, "relu") for n in widths]
    up = [models.DenseTranspose(layer, "relu" if layer is not down[0] else "sigmoid") for layer in down[::-1]]
    if not nested:
        return keras.Sequential([keras.Input((pixels,)), *down, *up])
    return keras.Sequential([
        keras.Sequential([keras.Input((pixels,)), *down]),
        keras.Sequential([keras.Input((widths[-1],)), *up]),
    ])


def flat(model):
    return [layer for part in model.layers for layer in getattr(part, "layers", [part])]


def saved(model, tmp_path):
    model.save(tmp_path / "tied.keras")
    return keras.saving.load_model(tmp_path / "tied.keras")


PIXELS_OF_TIED = np.random.default_rng(0).uniform(size=(5, 12)).astype("float32")


def test_tied_layer_computes_with_the_transposed_kernel():
    model = tied([4])
    (kernel, bias), own = model.layers[0].get_weights(), np.arange(12.0) / 10
    model.layers[1].bias.assign(own)
    code = np.maximum(PIXELS_OF_TIED @ kernel + bias, 0)
    np.testing.assert_allclose(model(PIXELS_OF_TIED), 1 / (1 + np.exp(-(code @ kernel.T + own))), atol=1e-6)


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("widths", [[4], [8, 4], [9, 8, 7, 6]], ids=len)
def test_tied_model_is_saved_and_loaded(widths, nested, tmp_path):
    model = tied(widths, nested)
    for layer in flat(model):
        layer.bias.assign(np.random.default_rng(1).normal(size=layer.bias.shape))
    again = saved(model, tmp_path)
    np.testing.assert_array_equal(again(PIXELS_OF_TIED), model(PIXELS_OF_TIED))
    layers = flat(again)
    for up, down in zip(layers[len(widths) :], layers[len(widths) - 1 :: -1]):
        assert up.tied_to is down


def test_loaded_tied_model_stays_tied_while_it_learns(tmp_path):
    again = saved(tied([8, 4], nested=True), tmp_path)
    again.compile("adam", "mse")
    again.fit(PIXELS_OF_TIED, PIXELS_OF_TIED, epochs=2, verbose=0)
    encoder, decoder = again.layers
    before = np.array(decoder(np.ones((1, 4), "float32")))
    encoder.layers[0].kernel.assign_add(np.ones((12, 8)))
    assert not np.allclose(decoder(np.ones((1, 4), "float32")), before)


@pytest.mark.parametrize("widths", [[4], [8, 4], [9, 8, 7]], ids=len)
def test_tied_parameters_are_counted_once(widths):
    shapes = list(zip([12, *widths], widths))
    kernels, biases = sum(a * b for a, b in shapes), sum(widths) + sum(a for a, _ in shapes)
    assert tied(widths).count_params() == kernels + biases


def test_restart_renews_a_tied_model():
    model = tied([8, 4])
    first, second, again = (training.restart(model, seed).get_weights() for seed in (1, 2, 1))
    assert any(not np.array_equal(a, b) for a, b in zip(first, second))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))


@pytest.mark.parametrize("order", [(0, 1), (1, 1)], ids=str)
def test_layers_that_cannot_be_tied_say_so(order):
    down = [keras.layers.Dense(8), keras.layers.Dense(4)]
    with pytest.raises(ValueError, match="Tie the layers in reverse order"):
        keras.Sequential([keras.Input((12,)), *down, *(models.DenseTranspose(down[i]) for i in order)])


@pytest.mark.parametrize(
    "to, complaint",
    [(keras.layers.ReLU(), "give a Dense layer of the encoder"), (None, "give a Dense layer of the encoder")],
    ids=["relu", "none"],
)
def test_only_dense_layers_can_be_tied_to(to, complaint):
    with pytest.raises(ValueError, match=complaint):
        models.DenseTranspose(to)


def test_a_layer_without_a_kernel_cannot_be_tied_to():
    with pytest.raises(ValueError, match="it has no kernel yet"):
        models.DenseTranspose(keras.layers.Dense(4))(np.ones((1, 4), "float32"))


def test_a_clone_does_not_pass_for_the_original():
    with pytest.raises(ValueError, match="clone_model makes such a layer of its own"):
        keras.models.clone_model(tied([8, 4]))


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_tied_decoder_alone_is_not_saved_but_comes_with_the_whole(nested, tmp_path):
    model = tied([8, 4], nested)
    decoder = keras.Sequential([keras.Input((4,)), *flat(model)[2:]])
    with pytest.raises(
        ValueError,
        match="cannot save a decoder without the encoder that it is tied to.*Save the model "
        "that holds both, the encoder first; loaded, it has the decoder",
    ):
        decoder.save(tmp_path / "decoder.keras")
    again = keras.Sequential([keras.Input((4,)), *flat(saved(model, tmp_path))[2:]])
    code = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(again(code), decoder(code))


def test_tied_decoder_before_its_encoder_is_not_saved(tmp_path):
    encoder, decoder = tied([8, 4], nested=True).layers
    with pytest.raises(ValueError, match="Save the model that holds both, the encoder first"):
        keras.Sequential([keras.Input((4,)), decoder, encoder]).save(tmp_path / "backwards.keras")
