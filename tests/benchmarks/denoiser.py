"""The published denoiser of claim 1.3, rebuilt in Keras 3, and a better one at the same number of steps.

    python tests/benchmarks/denoiser.py                     all of it: 9,380 steps for each model, some minutes
    python tests/benchmarks/denoiser.py --steps 200         a quick try

The reference: 3 × 3 convolutions of stride 2 with 16 and 32 filters, transposed back; Adam 1e-3, batches of 64, noise
of σ = 0.1 clipped to 0–1; published with a last training MSE of 0.0012 after 10 epochs of MNIST's 60,000 images: 9,380
steps. Here the steps are the same, and the training images 10,000. From some initial weights (--seed 0) the reference
never leaves the all-black image, where its sigmoid hardly passes a gradient.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV

from helpers import data, metrics, training
from helpers.training import keras

layers, ops = keras.layers, keras.ops
SIGMA, BATCH, EPOCHS, STEPS, PUBLISHED = 0.1, 64, 10, 9380, 0.0012
SAME = {"padding": "same"}
AT_HAND = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist20k.npz"


def noisy(x, seed):
    """Images (n, pixels) with Gaussian noise, clipped to 0–1."""
    return np.clip(x + SIGMA * np.random.default_rng(seed).standard_normal(x.shape, np.float32), 0, 1)


# The models: (batch, 28, 28, 1) → (batch, 28, 28, 1), and the learning rate of each ---------------------------------


def reference(steps):
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, 2, activation="relu", **SAME),  # → (batch, 14, 14, 16)
        layers.Conv2D(32, 3, 2, activation="relu", **SAME),  # → (batch, 7, 7, 32)
        layers.Conv2DTranspose(16, 3, 2, activation="relu", **SAME),  # → (batch, 14, 14, 16)
        layers.Conv2DTranspose(1, 3, 2, activation="sigmoid", **SAME),  # → (batch, 28, 28, 1)
    ]), 1e-3


def small_unet(steps):
    """A small U-Net (Ronneberger et al., 2015) that predicts the noise (as DnCNN does: Zhang et al., 2017).

    Detail passes beside the code, and what there is to learn is only what is wrong with the image.
    """
    image = keras.Input((28, 28, 1))
    fine = layers.Conv2D(32, 4, 2, activation="relu", **SAME)(image)  # → (batch, 14, 14, 32)
    coarse = layers.Conv2D(32, 3, 2, activation="relu", **SAME)(fine)  # → (batch, 7, 7, 32)
    back = layers.Conv2DTranspose(32, 3, 2, activation="relu", **SAME)(coarse)  # → (batch, 14, 14, 32)
    both = layers.Concatenate()([fine, back])  # → (batch, 14, 14, 64)
    noise = layers.Conv2DTranspose(1, 4, 2, **SAME)(both)  # → (batch, 28, 28, 1)
    model = keras.Model(image, ops.clip(image - noise, 0, 1))
    return model, keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=steps)


def train(build, x, steps, seed):
    """(model, training MSE that Keras reports for the last tenth of the steps, seconds), noise drawn for each batch."""
    training.reproducible(seed)
    generator = keras.random.SeedGenerator(seed)

    def corrupt(images):
        return ops.clip(images + SIGMA * keras.random.normal(ops.shape(images), seed=generator), 0, 1)

    model, rate = build(steps)
    part = max(1, steps // EPOCHS)
    model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=part)
    batches = training.pipeline(x.reshape(-1, 28, 28, 1), batch_size=BATCH, passes=1, corrupt=corrupt, seed=seed)
    start = time.perf_counter()
    history = model.fit(batches.repeat(), epochs=EPOCHS, steps_per_epoch=part, verbose=2)
    return model, history.history["loss"][-1], time.perf_counter() - start


# The baselines: functions that clean noisy images (n, 784), fitted to clean training images ------------------------


def best_pca(x):
    damaged, pca = noisy(x, seed=3), PCA().fit(x)
    codes = pca.transform(damaged)

    def clean(codes, k):
        return np.clip(codes[:, :k] @ pca.components_[:k] + pca.mean_, 0, 1)

    k = min(range(20, 400, 20), key=lambda k: metrics.mse(x, clean(codes, k)))
    return f"PCA, best size: {k}", lambda images: clean(pca.transform(images), k)


def ridge(x):
    model = RidgeCV(np.logspace(-1, 3, 9)).fit(noisy(x, seed=3), x)
    return f"ridge regression, α = {model.alpha_:g}", lambda images: np.clip(model.predict(images), 0, 1)


def median(x):
    return "median of 3 × 3", lambda images: median_filter(images.reshape(-1, 28, 28), (1, 3, 3)).reshape(images.shape)


def untouched(x):
    return "the noisy image", lambda images: images


# The table -----------------------------------------------------------------------------------------------------------


def row(name, d, clean, last="", seconds="", parameters=""):
    errors = [metrics.mse(x, clean(noisy(x, seed))) for seed, x in ((4, d.x_train[::5]), (5, d.x_test))]
    print(f"{name:28}{last:>12}{errors[0]:>10.5f}{errors[1]:>10.5f}{seconds:>9}{parameters:>12}", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=STEPS)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", default=str(AT_HAND) if AT_HAND.exists() else "mnist", help="a name or an .npz")
    options = options.parse_args()
    d = data.load(options.data, n_train=10_000, n_test=2000)
    if d.image_shape != (28, 28):
        raise SystemExit(f"{d} will not do: these models need images of 28 × 28 pixels")
    trained = {
        build.__name__.replace("_", " "): train(build, d.x_train, options.steps, options.seed)
        for build in (reference, small_unet)
    }
    print(f"\nMSE after {options.steps} steps on {len(d.x_train):,} images; published for the reference: {PUBLISHED}")
    print(f"{'':28}{'last epoch':>12}{'train':>10}{'test':>10}{'seconds':>9}{'parameters':>12}")
    for name, (model, last, seconds) in trained.items():

        def clean(images, model=model):
            return model.predict(images.reshape(-1, 28, 28, 1), batch_size=500, verbose=0).reshape(images.shape)

        row(name, d, clean, f"{last:.5f}", f"{seconds:.0f}", f"{model.count_params():,}")
    for baseline in (untouched, best_pca, ridge, median):
        name, clean = baseline(d.x_train)
        row(name, d, clean)


if __name__ == "__main__":
    main()
