"""Models that several notebooks use. The notebook that teaches one builds it in the open."""
import math

import numpy as np

from helpers.training import keras, tf  # and with it a quiet TensorFlow; so not `import keras`

from keras import layers, ops  # isort: skip
from keras.src.backend.common import global_state  # isort: skip


@keras.saving.register_keras_serializable("helpers")
class Sampling(layers.Layer):
    """Draw a code from the encoder's Gaussian: z = mean + exp(log_variance / 2) · noise, noise ~ N(0, 1).

    Takes (mean, log_variance), each (batch, latent); returns (batch, latent). Gradients pass to both (Kingma and
    Welling, 2013).
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(log_variance / 2) * noise


@keras.saving.register_keras_serializable("helpers")
class Likelihood(layers.Layer):
    """−log p(x|z) in nats, (batch,), summed over pixels: call it with images x and what the decoder makes of z.

    bernoulli: the decoder gives logits; x in 0–1. A grey value counts as the expectation over pixels that are on with
    that probability. gaussian: the decoder gives means; one learnt variance for all pixels, 1 at the start.
    """
    KINDS = ("bernoulli", "gaussian")
    OUTSIDE = ("pixels outside 0–1: a Bernoulli likelihood has no value for them. Scale the images to 0–1, or use "
               "likelihood='gaussian'.")

    def __init__(self, kind="bernoulli", **options):
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

    def mean(self, output):
        """The expected pixels for the decoder's output."""
        return output if self.kind == "gaussian" else ops.sigmoid(output)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("helpers")
class Beta(layers.Layer):
    """The weight of the KL term, a schedule over training steps; outside of training, and in the end, it is `beta`.

    none: always beta. linear: rises from beta / warm_up in the first step to beta in step warm_up (Bowman et al.,
    2016). cyclic: starts anew every warm_up steps, rises in the first half of a cycle, stays in the second (Fu et al.,
    2019). Its numbers are weights, so that `set` needs no new graph.
    """
    SCHEDULES = ("none", "linear", "cyclic")

    def __init__(self, beta=1.0, schedule="none", warm_up=0, **options):
        super().__init__(**options)
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="step")
        self.numbers = self.add_weight(shape=(3,), initializer="ones", trainable=False, name="numbers")
        self.set(beta, schedule, warm_up)

    def set(self, beta=1.0, schedule="none", warm_up=0):
        """Begin anew with another weight or schedule."""
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
    the mean code; `decode` the expected pixels of codes (batch, latent).
    """

    def __init__(self, pixels, latent, hidden=128, likelihood="bernoulli", beta=1.0, schedule="none", warm_up=0,
                 classes=0, **options):
        super().__init__(**options)
        self.settings = {"pixels": pixels, "latent": latent, "hidden": hidden, "likelihood": likelihood, "beta": beta,
                         "schedule": schedule, "warm_up": warm_up, "classes": classes}
        self.trunk = layers.Dense(hidden, activation="relu", name="trunk") if hidden else layers.Identity()
        self.mean = layers.Dense(latent, name="mean")
        self.log_variance = layers.Dense(latent, name="log_variance")
        self.sampling = Sampling()
        self.decoder = keras.Sequential([
            keras.Input((latent + classes,)),
            *([layers.Dense(hidden, activation="relu")] if hidden else []),
            layers.Dense(pixels),              # bernoulli: logits, the loss is exact where a sigmoid saturates
        ], name="decoder")
        self.likelihood = Likelihood(likelihood)
        self.beta = Beta(beta, schedule, warm_up)
        self.build((None, pixels + classes))

    def build(self, shape):
        self.trunk.build(shape)
        self.mean.build((None, self.settings["hidden"] or shape[-1]))
        self.log_variance.build((None, self.settings["hidden"] or shape[-1]))
        self.likelihood.build()
        self.built = True

    def heads(self, x):
        """The encoder's Gaussian: mean and log variance, each (batch, latent)."""
        expected = self.settings["pixels"] + self.settings["classes"]
        if x.shape[-1] != expected:
            hint = f" pixels and {self.settings['classes']} classes: call with_labels(images, labels) first"
            raise ValueError(f"inputs of {x.shape[-1]} numbers, {expected} expected: {self.settings['pixels']}"
                             + (hint if self.settings["classes"] else " pixels"))
        hidden = self.trunk(x)
        return self.mean(hidden), self.log_variance(hidden if self.settings["hidden"] else 0 * hidden)

    def call(self, x, training=False):
        mean, log_variance = self.heads(x)
        self.add_loss(self.beta(training=training) * ops.mean(kl_divergence(mean, log_variance)))
        z = self.sampling([mean, log_variance])
        return self.decoder(ops.concatenate([z, x[:, self.settings["pixels"]:]], axis=-1))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(self.likelihood(y[:, :self.settings["pixels"]], y_pred)) + sum(self.losses)

    def fit(self, *arguments, **options):
        try:
            return super().fit(*arguments, **options)
        except tf.errors.InvalidArgumentError as error:
            outside = Likelihood.OUTSIDE.partition(":")[0] in str(error)         # which quotes the rest its own way
            raise (ValueError(Likelihood.OUTSIDE) if outside else error) from None

    def encode(self, x):
        return self.heads(x)[0]

    def log_weights(self, x, draws):
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

    def decode(self, codes, labels=None):
        """Expected pixels of codes (batch, latent). labels: (batch,), for a conditional VAE."""
        if self.settings["classes"]:
            codes = self.with_labels(codes, labels)
        return self.likelihood.mean(self.decoder(codes))

    def with_labels(self, x, labels):
        """Images or codes, with labels 0, 1, … (n,) as one-hot columns beside them: what a conditional VAE takes."""
        classes = self.settings["classes"]
        labels = np.asarray([] if labels is None else labels)
        if not classes:
            raise ValueError("this VAE is not conditional: make it with classes=…, the number of classes")
        if labels.shape != (len(x),) or labels.dtype.kind not in "iu" or not ((labels >= 0) & (labels < classes)).all():
            raise ValueError(f"a conditional VAE needs a label from 0 to {classes - 1} for each of the {len(x)} images "
                             "or codes")
        return np.hstack([np.asarray(x, np.float32), np.eye(classes, dtype=np.float32)[labels]])

    def count_params(self):
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)        # not what a schedule counts

    def get_config(self):
        return {**super().get_config(), **self.settings, **self.beta.settings}


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) ‖ N(0, 1)) in nats, summed over the code: (batch, latent) twice → (batch,)."""
    return ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1) / 2


class Bottleneck(layers.Layer):
    """A gate on a code (batch, units): the first k numbers pass, the others become zero.

    One compiled model then serves every code size, as 04_under_overcomplete shows.
    """

    def build(self, shape):
        self.open = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)

    def call(self, code):
        return code * self.open

    def keep(self, k):
        """Let the first k numbers pass."""
        if not 1 <= k <= self.open.shape[0]:
            raise ValueError(f"cannot keep {k} numbers of a code of {self.open.shape[0]}")
        self.open.assign(ops.cast(ops.arange(self.open.shape[0]) < k, "float32"))


class Regularisers(layers.Layer):
    """Noise or dropout on what passes, L1 or KL penalty on it; strengths are weights, so a new one needs no graph."""
    KINDS = ("noise", "dropout", "L1", "KL")

    def build(self, shape):
        self.strengths = {kind: self.add_weight(shape=(), initializer="zeros", trainable=False, name=kind)
                          for kind in self.KINDS}
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        s, size = self.strengths, ops.abs(x)
        mean, target = ops.clip(ops.mean(size, axis=0), 1e-6, 1 - 1e-6), 0.1
        divergence = target * ops.log(target / mean) + (1 - target) * ops.log((1 - target) / (1 - mean))
        self.add_loss(s["L1"] * ops.mean(ops.sum(size, axis=-1)) + s["KL"] * ops.sum(divergence))
        if not training:
            return x
        kept = keras.random.uniform(ops.shape(x), seed=self.seed_generator) >= s["dropout"]
        noise = keras.random.normal(ops.shape(x), seed=self.seed_generator) * s["noise"]
        return x * ops.cast(kept, x.dtype) / (1 - s["dropout"]) + noise


class Adjustable(keras.Model):
    """An autoencoder for labs: code size, regulariser and its strength change without a new graph.

    pixels: inputs (batch, pixels) in 0–1. widest: longest code. depth: hidden layers of 128 each way.
    """

    def __init__(self, pixels, widest, depth, activation):
        super().__init__()
        self.settings = {"pixels": pixels, "widest": widest, "depth": depth, "activation": activation}
        hidden = [layers.Dense(128, activation) for _ in range(depth)]
        self.on_input, self.on_code, self.gate = Regularisers(), Regularisers(), Bottleneck()
        self.encoder = keras.Sequential([self.on_input, *hidden, layers.Dense(widest), self.on_code, self.gate])
        self.decoder = keras.Sequential([layers.Dense(128, activation) for _ in range(depth)]
                                        + [layers.Dense(pixels, "sigmoid")])
        self(ops.zeros((1, pixels)))

    def call(self, x, training=False):
        return self.decoder(self.encoder(x, training=training))

    def encode(self, x):
        return self.encoder(x)

    def adjust(self, code, regulariser, strength):
        """Set the code size, and one regulariser: none, noise (on the input), dropout, L1 or KL (on the code)."""
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
        return self.settings


@keras.saving.register_keras_serializable("helpers")
class DenseTranspose(layers.Layer):
    """A Dense layer with the transposed kernel of another, and a bias of its own: a decoder's tied layer.

    tied_to: the encoder's `Dense`, inputs → units; this layer leads back, (…, units) → (…, inputs). The two share one
    kernel, also after saving and loading the whole model, as 05_tied_weights shows.
    """

    def __init__(self, tied_to, activation=None, **options):
        super().__init__(**options)
        if not isinstance(tied_to, layers.Dense):
            raise ValueError(f"cannot tie to {tied_to!r}: give a Dense layer of the encoder")
        self.tied_to, self.activation = tied_to, keras.activations.get(activation)

    def build(self, shape):
        if not self.tied_to.built:
            raise ValueError(
                f"cannot tie to {self.tied_to.name!r}: it has no kernel yet. Build the encoder first: begin it with "
                "keras.Input, or call it once. (clone_model makes such a layer of its own; save and load instead.)")
        if shape[-1] != self.tied_to.units:
            raise ValueError(
                f"cannot tie to {self.tied_to.name!r}, {self.tied_to.kernel.shape[0]} → {self.tied_to.units}: its "
                f"transpose takes {self.tied_to.units} numbers and gets {shape[-1]}. Tie the layers in reverse order.")
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
        return {**super().get_config(), "tied_to": _serialised_as_shared(self.tied_to),
                "activation": keras.activations.serialize(self.activation)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "tied_to": keras.saving.deserialize_keras_object(config["tied_to"])})


def _serialised_as_shared(layer):
    """The configuration of a layer that a model holds elsewhere, such that a saved file loads both as one layer.

    Keras marks a layer that it serialises a second time, and the first configuration with it; but by then a nested
    Sequential has put a copy of the first into its own, so the mark is set there, too.
    """
    config = keras.saving.serialize_keras_object(layer)
    config.pop("build_config", None)      # a copy, made where a model is cloned, must not pass for the original
    if "shared_object_id" in config:      # a model is being saved
        for whole in list(global_state.get_global_attribute("shared_objects/id_to_config_map").values()):
            for part in _parts(whole):
                if part.get("class_name") == config["class_name"] and part["config"]["name"] == layer.name:
                    part["shared_object_id"] = config["shared_object_id"]
    return config


def _parts(config):
    """A nested configuration's dictionaries, itself among them."""
    if isinstance(config, dict):
        yield config
    for value in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _parts(value)
