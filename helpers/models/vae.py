"""The variational autoencoder, and what its loss is made of."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from helpers.models.precision import FullPrecision
from helpers.training import keras, tf

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable("helpers")
class Sampling(FullPrecision):
    """Draw a code from the encoder's Gaussian: z = mean + exp(log_variance / 2) · noise, noise ~ N(0, 1).

    Takes (mean, log_variance), each (batch, latent); returns (batch, latent). Gradients pass to both (Kingma and
    Welling, 2013). Example: `z = Sampling()([mean, log_variance])`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(log_variance / 2) * noise


@keras.saving.register_keras_serializable("helpers")
class Likelihood(FullPrecision):
    """−log p(x|z) in nats, (batch,), summed over pixels: call it with images x and what the decoder makes of z.

    bernoulli: the decoder gives logits; x in 0–1. A grey value counts as the expectation over pixels that are on with
    that probability. gaussian: the decoder gives means; one learnt variance for all pixels, 1 at the start.
    ValueError for another kind. Example: `nats = Likelihood()(x, logits)`.
    """

    KINDS = ("bernoulli", "gaussian")
    OUTSIDE = (
        "pixels outside 0–1: a Bernoulli likelihood has no value for them. Scale the images to 0–1, or use "
        "likelihood='gaussian'."
    )

    def __init__(self, kind: str = "bernoulli", **options: Any) -> None:
        super().__init__(**options)
        if kind not in self.KINDS:
            raise ValueError(f"unknown likelihood {kind!r}: choose {' or '.join(self.KINDS)}")
        self.kind = kind

    def build(self, *_):
        if self.kind == "gaussian":
            self.log_variance = self.add_weight(shape=(), initializer="zeros", name="log_variance")

    def call(self, x, output):
        if self.kind == "gaussian":
            squares = (x - output) ** 2 / ops.exp(self.log_variance)
            return ops.sum(squares + self.log_variance + math.log(2 * math.pi), axis=-1) / 2
        tf.debugging.Assert(tf.reduce_all((x >= 0) & (x <= 1)), [self.OUTSIDE])
        return ops.sum(ops.binary_crossentropy(x, output, from_logits=True), axis=-1)

    def mean(self, output: Any) -> tf.Tensor:
        """The expected pixels for the decoder's output, both (batch, pixels)."""
        return output if self.kind == "gaussian" else ops.sigmoid(output)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("helpers")
class Beta(FullPrecision):
    """The weight of the KL term, a schedule over training steps; outside of training, and in the end, it is `beta`.

    none: always beta. linear: rises from beta / warm_up in the first step to beta in step warm_up (Bowman et al.,
    2016). cyclic: starts anew every warm_up steps, rises in the first half of a cycle, stays in the second (Fu et al.,
    2019). Its numbers are weights, so that `set` needs no new graph. Example: `vae.beta.set(4, "linear", warm_up=500)`.
    """

    SCHEDULES = ("none", "linear", "cyclic")

    def __init__(self, beta: float = 1.0, schedule: str = "none", warm_up: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="step")
        self.numbers = self.add_weight(shape=(3,), initializer="ones", trainable=False, name="numbers")
        self.set(beta, schedule, warm_up)

    def set(self, beta: float = 1.0, schedule: str = "none", warm_up: int = 0) -> None:
        """Begin anew with another weight or schedule. ValueError for one that cannot be, and nothing changes."""
        if not 0 <= beta < math.inf:
            raise ValueError(f"beta = {beta}: the weight of the KL term must be a number from 0 on")
        if schedule not in self.SCHEDULES:
            raise ValueError(f"unknown schedule {schedule!r}: choose {', '.join(self.SCHEDULES)}")
        if schedule != "none" and warm_up < 1:
            raise ValueError(f"a {schedule} schedule needs warm_up, the number of training steps that it takes")
        self.settings = {"beta": float(beta), "schedule": schedule, "warm_up": int(warm_up)}
        rise, period = {"none": (1, 1), "linear": (warm_up, 2**30), "cyclic": (warm_up / 2, warm_up)}[schedule]
        self.step.assign(0)
        self.numbers.assign([beta, rise, period])

    def call(self, training=False):
        beta, rise, period = ops.unstack(self.numbers)
        if not training:
            return beta
        now = self.step % period
        self.step.assign_add(1)
        return beta * ops.minimum((now + 1) / rise, 1)

    def get_config(self):
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable("helpers")
class VAE(keras.Model):
    """Variational autoencoder (Kingma and Welling, 2013). Its loss is the negative ELBO in nats, with the KL term
    weighted by β (Higgins et al., 2017; β = 1 is the ELBO itself):

    −log p(x|z) summed over pixels + β · KL(q(z|x) ‖ N(0, 1)) summed over latent axes, mean over the batch.

    pixels: inputs are (batch, pixels). latent: length of the code. hidden: width of the one hidden layer each way; 0
    for a linear VAE, whose mean code is linear in x and whose variance is the same for all x (Lucas et al., 2019).
    likelihood: bernoulli (pixels in 0–1) or gaussian. beta, schedule, warm_up: as in `Beta`.
    classes: above 0 for a conditional VAE (Sohn et al., 2015): inputs are then what `with_labels` makes. `encode` gives
    the mean code; `decode` the expected pixels of codes (batch, latent). Images are their own targets, given or not.
    ValueError for impossible options, images of another size, and pixels outside 0–1 where they are Bernoulli's.

        vae = VAE(64, latent=8)
        vae.compile(keras.optimizers.Adam(2e-3))
        vae.fit(training.pipeline(x))              # or vae.fit(x)
        images = vae.decode(np.random.standard_normal((10, 8)))
    """

    def __init__(
        self,
        pixels: int,
        latent: int,
        hidden: int = 128,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        schedule: str = "none",
        warm_up: int = 0,
        classes: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.settings: dict[str, Any] = {
            "pixels": pixels,
            "latent": latent,
            "hidden": hidden,
            "likelihood": likelihood,
            "beta": beta,
            "schedule": schedule,
            "warm_up": warm_up,
            "classes": classes,
        }
        wide, exact = {"activation": "relu", "dtype": self.dtype_policy}, {"dtype": self.variable_dtype}
        self.trunk = layers.Dense(hidden, name="trunk", **wide) if hidden else layers.Identity(**exact)
        self.mean = layers.Dense(latent, name="mean", **exact)
        self.log_variance = layers.Dense(latent, name="log_variance", **exact)
        self.sampling = Sampling()
        self.decoder = keras.Sequential(
            [
                keras.Input((latent + classes,)),
                *([layers.Dense(hidden, **wide)] if hidden else []),
                layers.Dense(pixels, **exact),  # bernoulli: logits, the loss is exact where a sigmoid saturates
            ],
            name="decoder",
        )
        self.likelihood = Likelihood(likelihood)
        self.beta = Beta(beta, schedule, warm_up)
        self.build((None, pixels + classes))

    def build(self, shape):
        self.trunk.build(shape)
        self.mean.build((None, self.settings["hidden"] or shape[-1]))
        self.log_variance.build((None, self.settings["hidden"] or shape[-1]))
        self.likelihood.build()
        self.built = True

    def heads(self, x: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """The encoder's Gaussian for inputs (batch, pixels + classes): mean and log variance, each (batch, latent)."""
        expected = self.settings["pixels"] + self.settings["classes"]
        if x.shape[-1] != expected:
            hint = f" pixels and {self.settings['classes']} classes: call with_labels(images, labels) first"
            raise ValueError(
                f"inputs of {x.shape[-1]} numbers, {expected} expected: {self.settings['pixels']}"
                + (hint if self.settings["classes"] else " pixels")
            )
        hidden = self.trunk(x)
        return self.mean(hidden), self.log_variance(hidden if self.settings["hidden"] else 0 * hidden)

    def call(self, x, training=False):
        mean, log_variance = self.heads(x)
        self.add_loss(self.beta(training=training) * ops.mean(kl_divergence(mean, log_variance)))
        z = self.sampling([mean, log_variance])
        return self.decoder(ops.concatenate([z, x[:, self.settings["pixels"] :]], axis=-1))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        images = (x if y is None else y)[:, : self.settings["pixels"]]
        return ops.mean(self.likelihood(images, y_pred)) + sum(self.losses)

    def fit(self, *arguments: Any, **options: Any) -> keras.callbacks.History:
        """Keras's `fit`, on images alone, (images, images), or, conditional, (with_labels(…), images)."""
        try:
            return super().fit(*arguments, **options)
        except tf.errors.InvalidArgumentError as error:
            outside = Likelihood.OUTSIDE.partition(":")[0] in str(error)  # which quotes the rest its own way
            raise (ValueError(Likelihood.OUTSIDE) if outside else error) from None

    def encode(self, x: Any) -> tf.Tensor:
        """The mean codes (batch, latent) of inputs (batch, pixels + classes)."""
        return self.heads(x)[0]

    def log_weights(self, x: ArrayLike, draws: int) -> np.ndarray:
        """log p(x|z) + log p(z) − log q(z|x), in nats, for `draws` codes of each image from the encoder: (n, draws).

        The mean of an image's is its ELBO; `metrics.importance_bound` makes tighter bounds of log p(x) of them.
        """
        x = np.repeat(np.asarray(x, np.float32), draws, axis=0)
        mean, log_variance = self.heads(x)
        z, pixels = self.sampling([mean, log_variance]), self.settings["pixels"]
        output = self.decoder(ops.concatenate([z, x[:, pixels:]], axis=-1))
        noise = (z - mean) / ops.exp(log_variance / 2)
        log_prior_to_posterior = ops.sum(noise**2 + log_variance - z**2, axis=-1) / 2
        return np.array(log_prior_to_posterior - self.likelihood(x[:, :pixels], output)).reshape(-1, draws)

    def decode(self, codes: Any, labels: ArrayLike | None = None) -> tf.Tensor:
        """Expected pixels (batch, pixels) of codes (batch, latent). labels: (batch,), for a conditional VAE."""
        if self.settings["classes"]:
            codes = self.with_labels(codes, labels)
        return self.likelihood.mean(self.decoder(codes))

    def with_labels(self, x: np.ndarray, labels: ArrayLike | None) -> np.ndarray:
        """Images or codes (n, …) with labels 0, 1, … (n,) as one-hot columns beside them, as a conditional VAE takes.

        ValueError where the VAE is not conditional, or labels are missing, not whole or not among its classes.
        """
        classes = self.settings["classes"]
        labels = np.asarray([] if labels is None else labels)
        if not classes:
            raise ValueError("this VAE is not conditional: make it with classes=…, the number of classes")
        if labels.shape != (len(x),) or labels.dtype.kind not in "iu" or not ((labels >= 0) & (labels < classes)).all():
            raise ValueError(
                f"a conditional VAE needs a label from 0 to {classes - 1} for each of the {len(x)} images or codes"
            )
        return np.hstack([np.asarray(x, np.float32), np.eye(classes, dtype=np.float32)[labels]])

    def count_params(self) -> int:
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)  # not what a schedule counts

    def get_config(self):
        return {**super().get_config(), **self.settings, **self.beta.settings}


def kl_divergence(mean: Any, log_variance: Any) -> tf.Tensor:
    """KL(N(mean, variance) ‖ N(0, 1)) in nats, summed over the code: (batch, latent) twice → (batch,).

    Kingma and Welling (2013), appendix B.
    """
    return ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1) / 2
