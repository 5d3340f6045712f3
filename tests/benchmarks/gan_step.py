"""Milliseconds for a training step of `gan.GAN` against a bare loop in one graph, and for each of its cures.

    python tests/benchmarks/gan_step.py

The bare loop is what one would write: two Keras models, two of Keras's optimizers, one `tf.function`. All contenders
train a 2-D GAN with hidden layers of 64, on batches of 128, in turns, so that all meet the same machine.
"""

import os
import platform
import time

import numpy as np

from helpers import data, gan
from helpers.training import keras, tf

TURNS, STEPS, BATCH, WIDTH = 9, 500, 128, 64
X = data.points("ring", n=4000).x
CURES = gan.CURES | {"five copies": {"copies": 5}}


def bare_loop():
    layers = keras.layers
    generator, discriminator = (
        keras.Sequential([keras.Input((2,)), *[layers.Dense(WIDTH, "relu") for _ in range(2)], layers.Dense(units)])
        for units in (2, 1)
    )
    optimizers = {net: keras.optimizers.Adam(1e-3, beta_1=0.9) for net in (generator, discriminator)}
    for net, optimizer in optimizers.items():
        optimizer.build(net.trainable_variables)
    points = tf.constant(X)

    def descend(net, tape, loss):
        optimizers[net].apply(tape.gradient(loss, net.trainable_variables))

    @tf.function(jit_compile=False)
    def loop():
        for _ in tf.range(STEPS):
            real = tf.gather(points, tf.random.uniform([BATCH], maxval=len(X), dtype=tf.int32))
            with tf.GradientTape() as tape:
                fake = generator(tf.random.normal((BATCH, 2)))
                loss = tf.reduce_mean(tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake)))
            descend(discriminator, tape, loss)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.softplus(-discriminator(generator(tf.random.normal((BATCH, 2))))))
            descend(generator, tape, loss)

    return loop


def ours(steps_at_once=STEPS, **settings):
    model = gan.GAN(X, width=WIDTH, batch=BATCH, **settings)

    def train():
        for _ in range(STEPS // steps_at_once):
            model.train(steps_at_once)

    return train


def main():
    contenders = {
        "bare loop": bare_loop(),
        "GAN.train": ours(),
        "GAN.train, 50 steps at once": ours(50),
        **{name: ours(**settings) for name, settings in CURES.items()},
    }
    times = {name: [] for name in contenders}
    for turn in range(TURNS + 1):
        for name, train in contenders.items():
            start = time.perf_counter()
            train()
            if turn:  # the first traces
                times[name].append((time.perf_counter() - start) / STEPS * 1000)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, TensorFlow {tf.__version__}, Keras {keras.__version__}; "
        f"medians of {TURNS} turns; load at the start {os.getloadavg()[0]:.1f}\n"
    )
    print(f"{'':30}{'ms a step':>10}{'lowest':>9}{'highest':>9}{'/ bare loop':>13}")
    bare = np.array(times["bare loop"])
    for name, values in times.items():
        ratio = np.median(np.array(values) / bare)  # turn by turn: neighbours come and go
        print(f"{name:30}{np.median(values):10.3f}{min(values):9.3f}{max(values):9.3f}{ratio:13.2f}")


if __name__ == "__main__":
    main()
