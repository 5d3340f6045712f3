"""helpers.gan.dcgan: what is stored can be loaded again, and belongs to the averaged weights."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import data, training
from helpers.gan import GAN, dcgan


@pytest.fixture(scope="module")
def digits():
    images = data.load("digits", seed=1)
    return replace(images, x_train=images.x_train[:80])


@pytest.fixture(scope="module")
def game(digits):
    training.reproducible(0)
    size = digits.image_shape
    pictures = digits.images(digits.x_train)[..., None]
    networks = {"generator": dcgan.generator(*size, filters=4), "discriminator": dcgan.discriminator(*size, filters=4)}
    game = GAN(pictures, **networks, **dcgan.SETTINGS).restart(3)
    game.train(30)
    return game


@pytest.fixture
def z():
    return np.random.default_rng(0).standard_normal((64, dcgan.LATENT)).astype("float32")


def test_images_of_any_size(z):
    for size in ((8, 8), (28, 28), (9, 30)):
        assert dcgan.generator(*size, filters=2)(z[:3]).shape == (3, *size, 1)
        assert dcgan.discriminator(*size, filters=2)(np.zeros((3, *size, 1))).shape == (3, 1)


def test_settled_generator_makes_what_averaged_weights_make(game, z):
    state = [weight.numpy() for weight in game.generator.weights]
    expected = dcgan.averaged(game, z)
    assert all(np.array_equal(a, b) for a, b in zip(state, game.generator.weights)), "averaged changes nothing"
    wrong = game.samples(z)[..., 0]  # averaged weights, and the moving means of others
    made = np.array(dcgan.settled(game, z)(z))[..., 0]
    assert np.abs(made - expected).max() < 1e-4 < np.abs(wrong - expected).max()


def test_what_is_stored_is_loaded(digits, tmp_path):
    training.reproducible(0)
    path = dcgan.train(digits, frames=(0, 20, 60), folder=tmp_path)
    kept = dcgan.load("digits", tmp_path)
    assert path == tmp_path / "digits.npz" and list(kept.steps) == [0, 20, 60] and kept.seconds > 0
    assert kept.film.shape == (3, dcgan.SHOWN, 8, 8) and 0 <= kept.film.min() < kept.film.max() <= 1
    again = dcgan.generator(8, 8)
    again.set_weights(kept.weights)
    seen = np.random.default_rng(dcgan.SEED).standard_normal((500, dcgan.LATENT)).astype("float32")
    made = np.array(again(seen))[: dcgan.SHOWN, ..., 0]
    assert np.abs(made - kept.film[-1]).max() < 0.02 < np.abs(made - kept.film[0]).max()


def test_nothing_is_stored_of_other_data(tmp_path):
    assert dcgan.load("moons", tmp_path) is None
    assert dcgan.load(str(tmp_path / "mine.npz")) is None


@pytest.mark.parametrize("path", sorted(dcgan.FOLDER.glob("*.npz")), ids=lambda path: path.stem)
def test_stored_weights(path, z):
    kept = dcgan.load(path.stem)
    again = dcgan.generator(*kept.film.shape[2:])
    again.set_weights(kept.weights)
    assert path.stat().st_size < 1_000_000 and len(kept.film) == len(kept.steps)
    made, last = np.array(again(z)), kept.film[-1]
    assert abs(made.mean() - last.mean()) < 0.05 and np.std(made, axis=0).mean() > 0.05, "no images of this kind"


def test_there_are_stored_weights():
    assert dcgan.load("mnist5k") is not None
