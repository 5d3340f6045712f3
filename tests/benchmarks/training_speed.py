"""Milliseconds for a training step: our pipeline and `fit` against the usual ways, on three autoencoders.

    python tests/benchmarks/training_speed.py

All contenders train the same model with Adam on batches of the same size, in turns, so that all meet the same machine.
XLA is off, as `training.reproducible` has it in the notebooks, but where a line says so. PyTorch takes part where it is
installed, in a process of its own, since it and TensorFlow do not always bear each other.
"""

import functools
import os
import platform
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np

from helpers import data, training
from helpers.training import keras, tf

TURNS = 9
STEPS = 600  # of each contender, each turn: about a second of the slowest


def autoencoder(shape):
    """Dense for images (pixels,); for images (height, width, 1) the convolutional denoiser of 01, without its noise."""
    if len(shape) == 1:
        return keras.Sequential([
            keras.Input(shape),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(8),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(*shape, activation="sigmoid"),
        ])
    down, up = keras.layers.Conv2D, keras.layers.Conv2DTranspose
    settings = {"strides": 2, "padding": "same"}
    return keras.Sequential([
        keras.Input(shape),
        down(16, 3, activation="relu", **settings),
        down(32, 3, activation="relu", **settings),
        up(16, 3, activation="relu", **settings),
        up(1, 3, activation="sigmoid", **settings),
    ])


def images():
    """(title, images, batch size) of each comparison."""
    large = data.load("mnist5k", n_train=4000)
    return [
        ("64 pixels", data.load("digits").x_train, 32),
        ("784 pixels", large.x_train, 100),
        ("28 × 28, convolutional", large.images(large.x_train)[..., None], 64),
    ]


# The contenders: each takes (x, batch size), and returns a function that trains, and returns how many steps --------


def fit_pipeline(x, size):
    model, batches = autoencoder(x.shape[1:]), training.pipeline(x, batch_size=size)
    model.compile("adam", "mse", steps_per_execution=len(batches), jit_compile=False)

    def train():
        epochs = max(1, round(STEPS / len(batches)))
        model.fit(batches, epochs=epochs, verbose=0)
        return epochs * len(batches)

    return train


def fit_arrays(x, size, xla=False):
    model = autoencoder(x.shape[1:])
    model.compile("adam", "mse", jit_compile=xla)

    def train():
        epochs, batches = round(STEPS * size / len(x)), -(-len(x) // size)
        model.fit(x, x, batch_size=size, epochs=epochs, verbose=0)
        return epochs * batches

    return train


def bare_loop(x, size):
    model, images = autoencoder(x.shape[1:]), tf.constant(x)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=False)
    def loop():
        for _ in tf.range(STEPS):
            batch = tf.gather(images, tf.random.uniform([size], maxval=len(x), dtype=tf.int32))
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(batch, training=True) - batch))
            optimizer.apply(tape.gradient(loss, model.trainable_variables))

    def train():
        loop()
        return STEPS

    return train


TORCH = """
import sys, torch
from torch import nn
size, threads, steps, *shape = map(int, sys.argv[1:])
torch.set_num_threads(threads)
if len(shape) == 1:
    images = torch.rand(4000, *shape)
    model = nn.Sequential(nn.Linear(*shape, 128), nn.ReLU(), nn.Linear(128, 8), nn.Linear(8, 128), nn.ReLU(),
                          nn.Linear(128, *shape), nn.Sigmoid())
else:
    images, down, up = torch.rand(4000, 1, *shape[:2]), {"stride": 2, "padding": 1}, {"output_padding": 1}
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, **down), nn.ReLU(), nn.Conv2d(16, 32, 3, **down), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 3, **down, **up), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 3, **down, **up), nn.Sigmoid())
optimizer, error = torch.optim.Adam(model.parameters()), nn.MSELoss()
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(steps):
        batch = images[torch.randint(len(images), (size,))]
        optimizer.zero_grad()
        error(model(batch), batch).backward()
        optimizer.step()
    print("done", flush=True)
"""


def torch_eager(x, size, threads):
    if not find_spec("torch"):
        raise ImportError
    settings = map(str, (size, threads, STEPS, *x.shape[1:]))
    child = subprocess.Popen(
        [sys.executable, "-c", TORCH, *settings], text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()

    def train():
        child.stdin.write("go\n")
        if child.stdout.readline() != "done\n":
            raise RuntimeError("the process that runs PyTorch has ended")
        return STEPS

    return train


CONTENDERS = {
    "fit(training.pipeline(x))": fit_pipeline,
    "fit(x, x)": fit_arrays,
    "fit(x, x), with XLA": functools.partial(fit_arrays, xla=True),
    "bare loop in one tf.function": bare_loop,
    "PyTorch eager, 1 thread": functools.partial(torch_eager, threads=1),
    "PyTorch eager, a thread a core": functools.partial(torch_eager, threads=os.cpu_count()),
}


def measure(x, size):
    """{contender: milliseconds a step in each turn}."""
    ready = {}
    for name, contender in CONTENDERS.items():
        try:
            ready[name] = contender(x, size)
        except ImportError:
            print(f"{name}: skipped, PyTorch is not installed")
    for train in ready.values():
        train()  # tracing, compiling, caches
    times = {name: [] for name in ready}
    for _ in range(TURNS):
        for name, train in ready.items():
            start = time.perf_counter()
            steps = train()
            times[name].append((time.perf_counter() - start) / steps * 1000)
    return times


def table(title, times):
    ours = np.median(times["fit(training.pipeline(x))"])
    print(f"\n{title:32}{'ms a step':>10}{'lowest':>9}{'highest':>9}{'times ours':>12}")
    for name, values in times.items():
        middle = np.median(values)
        print(f"{name:32}{middle:10.3f}{min(values):9.3f}{max(values):9.3f}{middle / ours:12.1f}")


def main():
    keras.utils.set_random_seed(0)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}; "
        f"medians of {TURNS} turns; load at the start {os.getloadavg()[0]:.1f}"
    )
    for title, x, size in images():
        table(f"{title}, batches of {size}", measure(x, size))


if __name__ == "__main__":
    main()
