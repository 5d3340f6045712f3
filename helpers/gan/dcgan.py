"""A DCGAN trained for longer than a notebook may: its networks, the command that trains it, and what it stores.

    python -m helpers.gan.dcgan --data mnist5k fashion_mnist

trains one for each data set, on the training images of seed 42, and writes `data/dcgan/<data set>.npz`: the generator's
weights, how long training took, and a film, images of the same noise after more and more steps. Notebook 7 loads these
files and builds the same networks in the open.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers import data, training
from helpers.training import keras

from .model import GAN

from keras import layers  # isort: skip

FOLDER = Path(__file__).resolve().parents[2] / "data" / "dcgan"
LATENT, FILTERS, SEED = 32, 16, 42
SETTINGS: dict[str, Any] = {
    "batch": 64,
    "generator_rate": 4e-3,
    "discriminator_rate": 4e-3,
    "beta1": 0.0,
    "r1": 1.0,
    "average": 0.995,
}
FRAMES = (0, 50, 100, 200, 400, 800, 1500, 3000, 6000)  # steps after which the film has a picture
SHOWN = 24  # images of a picture


def generator(height: int, width: int, latent: int = LATENT, filters: int = FILTERS) -> keras.Model:
    """Noise (batch, latent) → images (batch, height, width, 1): a small deep image, doubled twice."""
    h, w = -(-height // 4), -(-width // 4)
    return keras.Sequential([
        keras.Input((latent,)),
        layers.Dense(h * w * 2 * filters, use_bias=False),
        layers.Reshape((h, w, 2 * filters)),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(1, 4, 2, "same", activation="sigmoid"),
        layers.Cropping2D(((0, 4 * h - height), (0, 4 * w - width))),
    ])


def discriminator(height: int, width: int, filters: int = FILTERS) -> keras.Model:
    """Images (batch, height, width, 1) → logits (batch, 1): halved twice."""
    return keras.Sequential([
        keras.Input((height, width, 1)),
        layers.Conv2D(filters, 4, 2, "same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(2 * filters, 4, 2, "same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1),
    ])


@dataclass(frozen=True)
class Trained:
    """What was stored of a training. weights: of the generator, as `set_weights` takes them. steps: (frames,) of the
    film; film: (frames, images, height, width), from 0 to 1. seconds: of the processor, in training.
    """

    weights: list[np.ndarray]
    steps: np.ndarray
    film: np.ndarray
    seconds: float


def path_of(name: str, folder: Path | None = None) -> Path:
    """Where the DCGAN of a data set is stored."""
    return (folder or FOLDER) / f"{name}.npz"


def load(name: str, folder: Path | None = None) -> Trained | None:
    """What is stored for a data set, by its name; None where there is nothing."""
    if not (path := path_of(name, folder)).is_file():
        return None
    with np.load(path) as stored:
        count = sum(key.startswith("weight") for key in stored)
        weights = [stored[f"weight{i}"].astype(np.float32) for i in range(count)]
        film = stored["film"].astype(np.float32) / 255
        return Trained(weights, stored["steps"], film, float(stored["seconds"]))


def averaged(game: GAN, z: np.ndarray) -> np.ndarray:
    """What the averaged weights make of much noise z, (n, latent), with its own means in batch normalisation: the
    moving ones belong to the weights of the game. Returns (n, height, width); the game stays as it is.
    """
    weights, rest = game.variables.average, game.variables.rest[0]
    return np.array(game.generator.stateless_call(weights, rest, z, training=True)[0])[..., 0]


def settled(game: GAN, z: np.ndarray) -> keras.Model:
    """The generator with its averaged weights, and with batch normalisation's means of these weights, from noise z."""
    upwards = game.settle()
    norms = [layer for layer in upwards.layers if isinstance(layer, layers.BatchNormalization)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # what it knew is forgotten
    upwards(z, training=True)
    for norm, momentum in zip(norms, kept):
        norm.momentum = momentum
    return upwards


def _train(game, until, last):
    """Train up to a step, with rates that fall along a cosine until the last one."""
    while game.step < until:
        falling = (1 + np.cos(np.pi * game.step / last)) / 2
        game.set(**{name: falling * SETTINGS[name] for name in ("generator_rate", "discriminator_rate")})
        game.train(min(100, until - game.step))


def train(images: data.Dataset, frames: Sequence[int] = FRAMES, folder: Path | None = None) -> Path:
    """Train a DCGAN on the training images, up to the last of the frames, and store it. Returns the file's path."""
    x = images.images(images.x_train)[..., None]
    size = images.image_shape
    game = GAN(x, generator=generator(*size), discriminator=discriminator(*size), **SETTINGS).restart(SEED)
    z = np.random.default_rng(SEED).standard_normal((500, LATENT)).astype("float32")
    film, seconds = [], 0.0
    for until in training.progress(frames, images.name):
        began = time.process_time()
        _train(game, until, frames[-1])
        seconds += time.process_time() - began
        film.append(np.round(255 * averaged(game, z)[:SHOWN]).astype(np.uint8))
    settled(game, z)
    weights = {f"weight{i}": w.astype(np.float16) for i, w in enumerate(game.generator.get_weights())}
    path = path_of(images.name, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, steps=np.array(frames), film=np.array(film), seconds=seconds, **weights)
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["mnist5k"], help="data sets, by name")
    for name in parser.parse_args(arguments).data:
        training.reproducible(SEED)
        path = train(data.load(name, seed=SEED))
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
