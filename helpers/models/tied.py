"""Tied weights: a decoder's layer that uses an encoder's kernel, transposed, also after saving and loading."""

from typing import Any

from helpers.training import keras

ops = keras.ops


@keras.saving.register_keras_serializable("helpers")
class DenseTranspose(keras.layers.Layer):
    """A Dense layer with the transposed kernel of another, and a bias of its own: a decoder's tied layer.

    tied_to: the encoder's `Dense`, inputs → units; this layer leads back, (…, units) → (…, inputs). The two share one
    kernel, also after saving and loading the whole model, as 05_tied_weights shows. ValueError for what is no `Dense`,
    or has no kernel yet, or another width; and where the decoder is saved without its encoder.

        first, second = layers.Dense(128, "relu"), layers.Dense(8)
        model = keras.Sequential([keras.Input((64,)), first, second,
                                  DenseTranspose(second, "relu"), DenseTranspose(first, "sigmoid")])
    """

    def __init__(self, tied_to: keras.layers.Dense, activation: Any = None, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(tied_to, keras.layers.Dense):
            raise ValueError(f"cannot tie to {tied_to!r}: give a Dense layer of the encoder")
        self.tied_to, self.activation = tied_to, keras.activations.get(activation)

    def build(self, shape):
        if not self.tied_to.built:
            raise ValueError(
                f"cannot tie to {self.tied_to.name!r}: it has no kernel yet. Build the encoder first: begin it with "
                "keras.Input, or call it once. (clone_model makes such a layer of its own; save and load instead.)"
            )
        if shape[-1] != self.tied_to.units:
            raise ValueError(
                f"cannot tie to {self.tied_to.name!r}, {self.tied_to.kernel.shape[0]} → {self.tied_to.units}: its "
                f"transpose takes {self.tied_to.units} numbers and gets {shape[-1]}. Tie the layers in reverse order."
            )
        self.bias = self.add_weight(shape=self.tied_to.kernel.shape[:1], initializer="zeros", name="bias")

    def call(self, x):
        return self.activation(ops.matmul(x, ops.transpose(self.tied_to.kernel)) + self.bias)

    def compute_output_shape(self, shape):
        return *shape[:-1], self.tied_to.kernel.shape[0]

    @property
    def kernel_initializer(self):
        return self.tied_to.kernel_initializer

    bias_initializer = keras.initializers.Zeros()

    def get_config(self):
        return {
            **super().get_config(),
            "tied_to": _serialised_as_shared(self.tied_to),
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "tied_to": keras.saving.deserialize_keras_object(config["tied_to"])})


def _serialised_as_shared(layer):
    """The configuration of a layer that a model holds elsewhere, such that a saved file loads both as one layer.

    Keras marks a layer that it serialises a second time, and the first configuration with it; but by then a nested
    Sequential has put a copy of the first into its own, so the mark is set there, too.
    """
    so_far = _serialised_so_far()
    if so_far is not None and id(layer) not in so_far:
        raise ValueError(
            f"cannot save a decoder without the encoder that it is tied to: the kernel is that of {layer.name!r}. Save "
            "the model that holds both, the encoder first; loaded, it has the decoder as one of its layers."
        )
    config = keras.saving.serialize_keras_object(layer)
    config.pop("build_config", None)  # a copy, made where a model is cloned, must not pass for the original
    for whole in list((so_far or {}).values()):
        for part in _parts(whole):
            if part.get("class_name") == config["class_name"] and part["config"]["name"] == layer.name:
                part["shared_object_id"] = config["shared_object_id"]
    return config


def _serialised_so_far():
    """What Keras has serialised of a model that is being saved, {id of the object: configuration}; else None.

    The one private name of Keras here: it keeps this list to itself, and the mark must be set in it.
    """
    from keras.src.backend.common.global_state import get_global_attribute

    return get_global_attribute("shared_objects/id_to_config_map")


def _parts(config):
    """A nested configuration's dictionaries, itself among them."""
    if isinstance(config, dict):
        yield config
    for value in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _parts(value)
