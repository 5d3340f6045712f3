"""A penalty that keeps the units of a code at rest for most images."""

from typing import Any

from helpers.training import keras

ops = keras.ops


def divergence(mean: Any, target: float) -> Any:
    """Of units' mean activations (units,), in 0–1, from the target: the KL divergences' sum, in nats (Ng, 2011)."""
    mean = ops.clip(mean, 1e-6, 1 - 1e-6)
    return ops.sum(target * ops.log(target / mean) + (1 - target) * ops.log((1 - target) / (1 - mean)))


@keras.saving.register_keras_serializable("helpers")
class KLSparsity(keras.regularizers.Regularizer):
    """A layer's `activity_regularizer`: strength times the divergence of its units' mean activations from a target.

    The units are in 0–1, as of a sigmoid. 04_under_overcomplete builds it in the open.

        layers.Dense(256, "sigmoid", activity_regularizer=KLSparsity(1e-3, target=0.05))
    """

    def __init__(self, strength: float, target: float = 0.1) -> None:
        self.strength, self.target = strength, target

    def __call__(self, code):  # (batch, units)
        # Keras divides an activity penalty by the batch size; this one is of means already.
        batch = ops.cast(ops.shape(code)[0], code.dtype)
        return self.strength * divergence(ops.mean(code, axis=0), self.target) * batch

    def get_config(self):
        return {"strength": self.strength, "target": self.target}
