"""An autoencoder for labs, whose code size and regulariser change without a new graph."""

from typing import Any

from helpers.models.precision import FullPrecision
from helpers.models.sparsity import divergence
from helpers.training import keras, tf

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable("helpers")
class Bottleneck(keras.layers.Layer):
    """A gate on a code (batch, units): the first k numbers pass, the others become zero.

    One compiled model then serves every code size, as 04_under_overcomplete shows.
    """

    def build(self, shape):
        self.open = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)

    def call(self, code):
        return code * self.open

    def keep(self, k: int) -> None:
        """Let the first k numbers pass, from 1 to all; ValueError else."""
        if not 1 <= k <= self.open.shape[0]:
            raise ValueError(f"cannot keep {k} numbers of a code of {self.open.shape[0]}: choose from 1 to that")
        self.open.assign(ops.cast(ops.arange(self.open.shape[0]) < k, "float32"))


@keras.saving.register_keras_serializable("helpers")
class Regularisers(FullPrecision):
    """Noise or dropout on what passes, (batch, units), and an L1 or KL penalty on it.

    noise: Gaussian, of that standard deviation; dropout: the share that becomes zero; L1: times the sum of sizes; KL:
    times the divergence of the mean sizes from 0.1 (a sparse code: Ng, 2011), in nats. The strengths are weights, 0 at
    first, so that a new one needs no graph.
    """

    KINDS = ("noise", "dropout", "L1", "KL")

    def build(self, shape):
        self.strengths = {
            kind: self.add_weight(shape=(), initializer="zeros", trainable=False, name=kind) for kind in self.KINDS
        }
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        s, size = self.strengths, ops.abs(x)
        apart = divergence(ops.mean(size, axis=0), target=0.1)
        self.add_loss(s["L1"] * ops.mean(ops.sum(size, axis=-1)) + s["KL"] * apart)
        if not training:
            return x
        kept = keras.random.uniform(ops.shape(x), seed=self.seed_generator) >= s["dropout"]
        noise = keras.random.normal(ops.shape(x), seed=self.seed_generator) * s["noise"]
        return x * ops.cast(kept, x.dtype) / (1 - s["dropout"]) + noise


@keras.saving.register_keras_serializable("helpers")
class Adjustable(keras.Model):
    """An autoencoder for labs: code size, regulariser and its strength change without a new graph.

    pixels: inputs and reconstructions are (batch, pixels), in 0–1. widest: the longest code. depth: hidden layers of
    128 each way. activation: theirs. A saved one is loaded as it was adjusted.

        machine = Adjustable(64, widest=32, depth=1, activation="relu")
        machine.compile("adam", "mse")
        training.restart(machine, seed).adjust(8, "noise", 0.3)
        machine.fit(training.pipeline(x))
    """

    def __init__(self, pixels: int, widest: int, depth: int, activation: Any, **options: Any) -> None:
        super().__init__(**options)
        self.settings = {
            "pixels": pixels,
            "widest": widest,
            "depth": depth,
            "activation": keras.activations.serialize(keras.activations.get(activation)),
        }
        like = {"dtype": self.dtype_policy.name}
        hidden = [layers.Dense(128, activation, **like) for _ in range(depth)]
        self.on_input, self.on_code, self.gate = Regularisers(**like), Regularisers(**like), Bottleneck(**like)
        self.encoder = keras.Sequential([self.on_input, *hidden, layers.Dense(widest, **like), self.on_code, self.gate])
        self.decoder = keras.Sequential(
            [layers.Dense(128, activation, **like) for _ in range(depth)]
            + [layers.Dense(pixels, "sigmoid", dtype=self.variable_dtype)]
        )
        self(ops.zeros((1, pixels)))

    def call(self, x, training=False):
        return self.decoder(self.encoder(x, training=training))

    def encode(self, x: Any) -> tf.Tensor:
        """The codes of images (n, pixels): (n, widest), of which those beyond the code size are zero."""
        return self.encoder(x)

    def adjust(self, code: int, regulariser: str, strength: float) -> None:
        """Set the code size, and one regulariser: none, noise (on the input), dropout, L1 or KL (on the code).

        code: from 1 to widest. strength: as in `Regularisers`, L1 and KL in hundredths. An impossible setting is a
        ValueError and changes nothing.
        """
        if regulariser not in ("none", *Regularisers.KINDS):
            raise ValueError(f"unknown regulariser {regulariser!r}: choose none, {', '.join(Regularisers.KINDS)}")
        if strength < 0 or regulariser == "dropout" and strength >= 1:
            raise ValueError(f"{regulariser} of strength {strength}: choose 0 or more, and less than 1 for dropout")
        self.gate.keep(code)
        for layer in (self.on_input, self.on_code):
            for kind, weight in layer.strengths.items():
                mine = kind == regulariser and (kind == "noise") == (layer is self.on_input)
                weight.assign(strength * (0.01 if kind in ("L1", "KL") else 1) if mine else 0.0)

    def get_config(self):
        return {**super().get_config(), **self.settings}
