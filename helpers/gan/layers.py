"""Layers that a GAN's networks are made of, and the dense networks that it has by default."""

from __future__ import annotations

from functools import partial
from typing import Any

from helpers.training import keras, tf

from .settings import Settings

from keras import layers, ops  # isort: skip


@keras.saving.register_keras_serializable("helpers")
class Copies(layers.Layer):
    """Dense layers side by side: (copies, batch, inputs) → (copies, batch, units), each with a kernel of its own; or
    (batch, inputs) → (batch, units).

    activation: what keras.layers.Dense takes. spectral: kernels are divided by their largest singular value
    (Miyato et al., 2018).

        layer = Copies(64, "relu")
        layer(np.zeros((5, 128, 2))).shape                      # (5, 128, 64)
    """

    def __init__(self, units: int, activation: Any = None, spectral: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.spectral, self.activation = units, spectral, keras.activations.get(activation)

    def build(self, shape):
        *copies, _, inputs = shape
        limit = (6 / (inputs + self.units)) ** 0.5  # Glorot's, of one copy
        self.kernel_initializer = keras.initializers.RandomUniform(-limit, limit)
        self.bias_initializer = keras.initializers.Zeros()
        self.kernel = self.add_weight(
            shape=(*copies, inputs, self.units), initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(*copies, 1, self.units) if copies else (self.units,), name="bias", initializer=self.bias_initializer
        )
        if self.spectral:
            self.direction = self.add_weight(
                shape=(*copies, 1, self.units), initializer="ones", trainable=False, name="direction"
            )

    def call(self, x, training=False):
        kernel = self.normalised(training) if self.spectral else self.kernel
        return self.activation(ops.matmul(x, kernel) + self.bias)

    def normalised(self, training: bool) -> tf.Tensor:
        """The kernel over its largest singular value, which one step of the power iteration follows in training."""
        kernel, right = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.direction)
        back = ops.swapaxes(kernel, -1, -2)
        if training:
            right = tf.stop_gradient(_unit(_unit(right @ back) @ kernel))
            self.direction.assign(right)
        left = tf.stop_gradient(_unit(right @ back))
        return kernel / (left @ kernel @ ops.swapaxes(right, -1, -2))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "spectral": self.spectral,
            "activation": keras.activations.serialize(self.activation),
        }


def _unit(x):
    return x / (ops.norm(x, axis=-1, keepdims=True) + 1e-12)


@keras.saving.register_keras_serializable("helpers")
class MinibatchDeviation(layers.Layer):
    """Appends one number to each sample: the standard deviation over the batch, averaged over features (Karras et al.,
    2018). (…, batch, features) → (…, batch, features + 1). Outside of training it appends what the last batch had.
    """

    def build(self, shape):
        self.last = self.add_weight(shape=(*shape[:-2], 1, 1), initializer="zeros", trainable=False, name="last")

    def call(self, x, training=False):
        deviation = ops.convert_to_tensor(self.last)
        if training:
            deviation = ops.mean(ops.sqrt(ops.var(x, axis=-2, keepdims=True) + 1e-8), axis=-1, keepdims=True)
            self.last.assign(deviation)
        return ops.concatenate([x, ops.zeros_like(x[..., :1]) + deviation], axis=-1)


def networks(
    features: int,
    latent: int = 2,
    width: int = 64,
    depth: int = 2,
    d_depth: int | None = None,
    copies: int | None = None,
    settings: Settings | None = None,
) -> tuple[keras.Model, keras.Model]:
    """A dense generator, latent → features, and a discriminator, features → 1, of relu layers, in float32 always.

    depth, d_depth: hidden layers of each. copies: None for one pair of networks. The settings decide on packing,
    spectral normalisation and the minibatch deviation.

        generator, discriminator = networks(2, settings=Settings(spectral=True))
    """
    settings, shape = settings or Settings(), (None,) if copies is None else (copies, None)
    dense = partial(Copies, dtype="float32")  # whatever the global policy says
    hidden = [dense(width, "relu") for _ in range(depth)]
    generator = keras.Sequential([keras.Input(batch_shape=(*shape, latent)), *hidden, dense(features)])
    hidden = [dense(width, "relu", settings.spectral) for _ in range(depth if d_depth is None else d_depth)]
    discriminator = keras.Sequential([
        keras.Input(batch_shape=(*shape, features * settings.packing)),
        *hidden,
        *[MinibatchDeviation(dtype="float32")] * settings.deviation,
        dense(1, spectral=settings.spectral),
    ])
    return generator, discriminator
