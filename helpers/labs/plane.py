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

        labs.LatentPlane(decoder, encoder.predict(x), y, (8, 8), "Codes of digits", images=x)

    decoder: a keras.Sequential of Dense layers from 2 numbers to the pixels of an image in 0–1. codes: (n, 2).
    labels: (n,). image_shape: (height, width). The weights are sent once and the decoder runs in the browser, so the
    image follows the pointer without the kernel. images: (n, pixels) in 0–1, if given: the one whose code is nearest to
    the pointer, or to the cross, is shown beside the decoded one. Raises ValueError where shapes do not fit, or where
    the decoder has a layer or an activation (ACTIVATIONS has those it may have) that the browser cannot compute.
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
    ):
        self.codes, self.labels = np.asarray(codes, np.float32), np.asarray(labels)
        self.images = None if images is None else np.asarray(images, np.float32)
        self.image_shape = tuple(image_shape)
        if self.codes.shape != (len(self.labels), 2) or not np.isfinite(self.codes).all():
            raise ValueError(
                "a latent plane needs finite codes of shape (n, 2) and a label for each, "
                f"got {self.codes.shape} and {self.labels.shape}"
            )
        self._layers = [_dense(layer) for layer in decoder.layers]
        shapes = [kernel.shape for kernel, _, _ in self._layers]
        if shapes[0][0] != 2 or shapes[-1][1] != np.prod(image_shape):
            raise ValueError(
                f"the decoder must lead from 2 numbers to {' × '.join(map(str, image_shape))} pixels, "
                f"not from {shapes[0][0]} to {shapes[-1][1]}"
            )
        if self.images is not None and self.images.shape != (len(self.labels), np.prod(image_shape)):
            raise ValueError(
                f"images must be one for each code, ({len(self.labels)}, {np.prod(image_shape)}), "
                f"got {self.images.shape}"
            )
        margin = 0.05 * np.ptp(self.codes, axis=0) + 0.01
        ends = zip((self.codes.min(0) - margin).round(2).tolist(), (self.codes.max(0) + margin).round(2).tolist())
        controls = {
            f"z{i}": slider(f"z{i}", low, high, min(max(0.0, low), high), step=0.01)
            for i, (low, high) in enumerate(ends, 1)
        }
        super().__init__(title, controls, scene=self._scene())

    def _scene(self):
        names, group = np.unique(self.labels, return_inverse=True)
        return {
            "codes": self.codes.tobytes(),
            "group": group.astype(np.uint8).tobytes(),
            "names": list(map(str, names)),
            "images": None if self.images is None else (255 * self.images.clip(0, 1)).astype(np.uint8).tobytes(),
            "colours": plots.COLOURS[:7],
            "shape": self.image_shape,
            "layers": [
                {"kernel": kernel.tobytes(), "bias": bias.tobytes(), "activation": activation}
                for kernel, bias, activation in self._layers
            ],
        }

    def decode(self, z: ArrayLike) -> np.ndarray:
        """Images of codes: (2,) → (height, width), (n, 2) → (n, height, width); what the browser computes."""
        x = np.asarray(z, np.float32)
        for kernel, bias, activation in self._layers:
            x = ACTIVATIONS[activation](x @ kernel + bias)
        return x.reshape(*x.shape[:-1], *self.image_shape)

    def picture(self, **parameters: Any) -> plots.Picture:
        """The map with a cross at z1, z2 and the decoded image beside it, as a `Picture` made by the kernel."""
        z1, z2 = self.parameters(**parameters).values()
        pictures = {f"decoded at z1 = {z1:.2f}, z2 = {z2:.2f}": self.decode((z1, z2))}
        if self.images is not None:
            i = np.square(self.codes - (z1, z2)).sum(axis=1).argmin()
            pictures[f"nearest image: a {self.labels[i]}"] = self.images[i].reshape(self.image_shape)
        fig, (plane, *places) = plots.figure(
            1,
            1 + len(pictures),
            width=8.6,
            height=3.8 if len(pictures) == 1 else 3,
            width_ratios=[4 / 3, *[1] * len(pictures)],
        )
        plots.classes(plane, self.codes, self.labels)
        plane.plot(z1, z2, "+", color="black", markersize=18, markeredgewidth=2)
        plane.set(xlabel="z1", ylabel="z2", title="latent plane")
        for place, (said, shades) in zip(places, pictures.items()):
            place.imshow(shades, cmap="gray_r", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
            place.set_title(said, fontsize=10)
        return plots.picture(fig)


def _dense(layer):
    """(kernel, bias, name of the activation) of a Dense layer, or an error that says what a plane can decode."""
    import keras

    activation = getattr(getattr(layer, "activation", None), "__name__", "unknown")
    if not isinstance(layer, keras.layers.Dense) or activation not in ACTIVATIONS:
        raise ValueError(
            f"layer {layer.name!r} ({type(layer).__name__}, activation {activation}) cannot run in the "
            f"browser: a latent plane takes Dense layers with {', '.join(ACTIVATIONS)}"
        )
    kernel = np.asarray(layer.kernel, np.float32)
    return kernel, np.asarray(layer.bias, np.float32) if layer.use_bias else np.zeros(layer.units, "f"), activation
