"""A map of codes that is decoded in the browser, under the pointer and without the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike

from .. import plots
from .controls import slider
from .panel import Panel, browser

if TYPE_CHECKING:
    import keras  # at run time only for who has a decoder: it takes seconds

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),  # Keras's slope
}


class LatentPlane(Panel):
    """A map of two-dimensional codes: click, drag or use the arrow keys, and the code under the cross is decoded.

        labs.LatentPlane(decoder, np.array(encoder(x)), y, (28, 28), "Codes of digits", images=x)
        labs.LatentPlane(decoder, codes, y, (28, 28), "Draw a digit", encoder=encoder, reach=6, names=names)

    decoder: a keras.Sequential of Dense layers from 2 numbers to the pixels of an image in 0–1. codes: (n, 2).
    labels: (n,). image_shape: (height, width). The weights are sent once and the networks run in the browser, so the
    image follows the pointer without the kernel. images: (n, pixels) in 0–1, if given: the one whose code is nearest to
    the pointer, or to the cross, is shown beside the decoded one. names: what the classes 0, 1, … are called. reach:
    both axes go from −reach to reach, where by default they end with the codes. encoder: a keras.Sequential of Dense
    layers from the pixels to 2 numbers, of a VAE the mean; with it the reader draws an image and sees its code land on
    the map, and decoded. question: one or two sentences for the reader to answer by the map. Raises ValueError where
    shapes do not fit, or where a network has a layer or an activation (ACTIVATIONS has those it may have) that the
    browser cannot compute.
    """

    module = traitlets.Unicode(browser("plane.js")).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)  # what never changes: codes, classes, layers

    def __init__(
        self,
        decoder: keras.Sequential,
        codes: ArrayLike,
        labels: ArrayLike,
        image_shape: Sequence[int],
        title: str,
        images: ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        reach: float | None = None,
        encoder: keras.Sequential | None = None,
        question: str = "",
    ):
        self.codes, self.labels = np.asarray(codes, np.float32), np.asarray(labels)
        self.images = None if images is None else np.asarray(images, np.float32)
        self.image_shape, pixels = tuple(image_shape), int(np.prod(image_shape))
        if self.codes.shape != (len(self.labels), 2) or not np.isfinite(self.codes).all():
            raise ValueError(
                "a latent plane needs finite codes of shape (n, 2) and a label for each, "
                f"got {self.codes.shape} and {self.labels.shape}"
            )
        where = f"{' × '.join(map(str, image_shape))} pixels"
        self._decoder = _layers(decoder, (2, pixels), f"the decoder must lead from 2 numbers to {where}")
        self._encoder = None
        if encoder is not None:
            self._encoder = _layers(encoder, (pixels, 2), f"the encoder must lead from {where} to 2 numbers")
        if self.images is not None and self.images.shape != (len(self.labels), pixels):
            raise ValueError(
                f"images must be one for each code, ({len(self.labels)}, {pixels}), got {self.images.shape}"
            )
        self.names = _class_names(self.labels, names)
        controls = {
            f"z{i}": slider(f"z{i}", low, high, min(max(0.0, low), high), step=0.01)
            for i, (low, high) in enumerate(_limits(self.codes, reach), 1)
        }
        super().__init__(title, controls, question, scene=self._scene())

    def _scene(self):
        classes, group = np.unique(self.labels, return_inverse=True)
        return {
            "codes": self.codes.tobytes(),
            "group": group.astype(np.uint8).tobytes(),
            "names": [self.names[c] for c in classes.tolist()],
            "images": None if self.images is None else (255 * self.images.clip(0, 1)).astype(np.uint8).tobytes(),
            "colours": plots.CLASS_COLOURS,
            "shape": self.image_shape,
            "layers": _sent(self._decoder),
            "encoder": self._encoder and _sent(self._encoder),
        }

    def decode(self, z: ArrayLike) -> np.ndarray:
        """Images of codes: (2,) → (height, width), (n, 2) → (n, height, width); what the browser computes."""
        x = _apply(self._decoder, z)
        return x.reshape(*x.shape[:-1], *self.image_shape)

    def encode(self, images: ArrayLike) -> np.ndarray:
        """Codes of images: (pixels,) → (2,), (n, pixels) → (n, 2); what the browser computes of a drawing.

        Raises ValueError for a plane without an encoder.
        """
        if self._encoder is None:
            raise ValueError(f"lab {self.title!r} was made without an encoder")
        return _apply(self._encoder, images)

    def picture(self, **parameters: Any) -> plots.Picture:
        """The map with a cross at z1, z2 and the decoded image beside it, as a `Picture` made by the kernel."""
        z1, z2 = self.parameters(**parameters).values()
        pictures = {f"decoded at z1 = {z1:.2f}, z2 = {z2:.2f}": self.decode((z1, z2))}
        if self.images is not None:
            i = np.square(self.codes - (z1, z2)).sum(axis=1).argmin()
            pictures[f"nearest image: {self.names[self.labels[i].item()]}"] = self.images[i].reshape(self.image_shape)
        fig, (plane, *places) = plots.figure(
            1,
            1 + len(pictures),
            width=8.6,
            height=3.8 if len(pictures) == 1 else 3,
            width_ratios=[4 / 3, *[1] * len(pictures)],
        )
        plots.classes(plane, self.codes, self.labels)
        plane.plot(z1, z2, "+", color=plots.ROLES["ink"], markersize=18, markeredgewidth=2)
        (left, right), (low, high) = (control.extremes for control in self.controls.values())
        plane.set(xlim=(left, right), ylim=(low, high), xlabel="z1", ylabel="z2", title="latent plane")
        for place, (said, shades) in zip(places, pictures.items()):
            place.imshow(shades, cmap="gray_r", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
            place.set_title(said, fontsize=10)
        classes = ", ".join(self.names[c] for c in np.unique(self.labels).tolist())
        alt = f"A map of {len(self.codes):,} codes of the classes {classes}, with a cross. Beside it: "
        return plots.picture(fig, alt=alt + "; ".join(pictures) + ".")


def _class_names(labels, names):
    """{label: what the class is called}, without names the labels themselves."""
    classes = np.unique(labels).tolist()
    if names is None:
        return {c: str(c) for c in classes}
    if not set(classes) <= set(range(len(names))):
        raise ValueError(
            f"names are for labels 0 to {len(names) - 1}, one for each, got {len(names)} for labels "
            f"{', '.join(map(str, classes))}"
        )
    return {c: str(names[c]) for c in classes}


def _apply(layers, x):
    x = np.asarray(x, np.float32)
    for kernel, bias, activation in layers:
        x = ACTIVATIONS[activation](x @ kernel + bias)
    return x


def _limits(codes, reach):
    """Where each axis begins and ends."""
    if reach is not None:
        return [(-float(reach), float(reach))] * 2
    low, high = codes.min(axis=0).astype(float), codes.max(axis=0).astype(float)  # single precision has no 0.01
    margin = 0.05 * (high - low) + 0.01
    return list(zip((low - margin).round(2).tolist(), (high + margin).round(2).tolist()))


def _layers(network, ends, needed):
    """What the browser needs of a network that leads from ends[0] numbers to ends[1]; else an error, which says so."""
    layers = [_dense(layer) for layer in network.layers]
    first, last = layers[0][0].shape[0], layers[-1][0].shape[1]
    if (first, last) != ends:
        raise ValueError(f"{needed}, not from {first} to {last}")
    return layers


def _sent(layers):
    """Layers as the browser gets them."""
    return [
        {"kernel": kernel.tobytes(), "bias": bias.tobytes(), "activation": activation}
        for kernel, bias, activation in layers
    ]


def _dense(layer):
    """(kernel, bias, name of the activation) of a Dense layer, or an error that says what a browser can compute."""
    import keras

    activation = getattr(getattr(layer, "activation", None), "__name__", "unknown")
    if not isinstance(layer, keras.layers.Dense) or activation not in ACTIVATIONS:
        raise ValueError(
            f"layer {layer.name!r} ({type(layer).__name__}, activation {activation}) cannot run in the "
            f"browser: a latent plane takes Dense layers with {', '.join(ACTIVATIONS)}"
        )
    kernel = np.asarray(layer.kernel, np.float32)
    return kernel, np.asarray(layer.bias, np.float32) if layer.use_bias else np.zeros(layer.units, "f"), activation
