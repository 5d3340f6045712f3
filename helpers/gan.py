"""Generative adversarial networks: one model, its losses and its cures, trained inside one graph.

    gan = GAN(data.points("ring").x, r1=0.1, beta1=0.0)
    losses = gan.restart(seed=1).train(2000)          # (2000, 2): the discriminator's and the generator's
    samples = gan.generate(2500)

A GAN holds one pair of networks, or several *copies* side by side, which differ in their initial weights and in all
that is random: an experiment over five seeds is then a single run.
"""
import difflib
from dataclasses import asdict, dataclass, fields

import numpy as np

from helpers import training
from helpers.training import keras, tf

from keras import layers, ops  # isort: skip

softplus = tf.nn.softplus
# {name: (the discriminator's loss, the generator's)}, of the values that the discriminator gives before any sigmoid.
# Its first argument is the target for real samples, 1 without label smoothing.
LOSSES = {
    # Goodfellow et al., 2014: cross-entropy; the generator minimises log(1 − D), or maximises log D.
    "minimax": (lambda t, real, fake: t * softplus(-real) + (1 - t) * softplus(real) + softplus(fake),
                lambda fake: -softplus(fake)),
    "non-saturating": (lambda t, real, fake: t * softplus(-real) + (1 - t) * softplus(real) + softplus(fake),
                       lambda fake: softplus(-fake)),
    # Mao et al., 2017, with targets 0 and 1
    "least squares": (lambda t, real, fake: ((real - t)**2 + fake**2) / 2, lambda fake: (fake - 1)**2 / 2),
    # Lim and Ye, 2017
    "hinge": (lambda t, real, fake: tf.nn.relu(1 - real) + tf.nn.relu(1 + fake), lambda fake: -fake),
    # Arjovsky et al., 2017; means something only with a bound on the discriminator's slope, such as `penalty`
    "Wasserstein": (lambda t, real, fake: fake - real, lambda fake: -fake),
}
WITH_LABELS = ("minimax", "non-saturating", "least squares")


@dataclass(frozen=True)
class Settings:
    """How a GAN trains. Everything after `batch` is a cure, and off by default.

    loss: one of LOSSES. generator_rate, discriminator_rate, beta1: Adam's. d_steps: steps of the discriminator for
    each of the generator. batch: samples a step.
    smoothing: real samples are labelled 1 − smoothing (Salimans et al., 2016). noise: standard deviation of Gaussian
    noise on all that the discriminator sees (Sønderby et al., 2017); it falls to 0 over noise_steps, if they are given.
    replay: how many old samples are kept, of which half the discriminator's fakes are drawn (Shrivastava et al., 2017).
    deviation: the discriminator sees how much a batch varies (Karras et al., 2018). packing: it judges so many samples
    together (Lin et al., 2018). unrolling: the generator looks so many steps of the discriminator ahead (Metz et al.,
    2017). spectral: the discriminator's kernels have norm 1 (Miyato et al., 2018). r1: γ of γ/2 ‖∇D‖² at real samples
    (Mescheder et al., 2018). penalty: λ of λ (‖∇D‖ − 1)², between real samples and fakes (Gulrajani et al., 2017).
    average: decay of the generator's averaged weights, which then make the samples (Yazıcı et al., 2019).
    """
    loss: str = "non-saturating"
    generator_rate: float = 1e-3
    discriminator_rate: float = 1e-3
    beta1: float = 0.9
    d_steps: int = 1
    batch: int = 128
    smoothing: float = 0.0
    noise: float = 0.0
    noise_steps: int = 0
    replay: int = 0
    deviation: bool = False
    packing: int = 1
    unrolling: int = 0
    spectral: bool = False
    r1: float = 0.0
    penalty: float = 0.0
    average: float = 0.0

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}: choose one of {', '.join(LOSSES)}")
        if self.batch % self.packing:
            raise ValueError(f"a batch of {self.batch} cannot be packed by {self.packing}: choose a batch that "
                             f"{self.packing} divides, such as {-(-self.batch // self.packing) * self.packing}")
        if self.smoothing and self.loss not in WITH_LABELS:
            raise ValueError(f"the {self.loss} loss has no labels to smooth: leave smoothing at 0, or choose one of "
                             f"{', '.join(WITH_LABELS)}")
        for name, least, most in BOUNDS:
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least} to {most}, got {getattr(self, name)}")

    @property
    def graph(self):
        """What decides which graph is built; the other settings are fed into it."""
        on = {name: bool(getattr(self, name)) for name in ("smoothing", "noise", "r1", "penalty", "average")}
        return on | {name: getattr(self, name) for name in
                     ("loss", "batch", "replay", "deviation", "packing", "unrolling", "spectral")}

    @classmethod
    def of(cls, **settings):
        """Settings from their names, or an error that says which name is unknown, and what was perhaps meant."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                raise ValueError(f"a GAN has no setting or cure {name!r}; "
                                 + (f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"))
        return cls(**settings)


BOUNDS = (("generator_rate", 0, 1), ("discriminator_rate", 0, 1), ("beta1", 0, 0.999), ("d_steps", 0, 100),
          ("batch", 2, 10_000), ("smoothing", 0, 0.5), ("noise", 0, 100), ("noise_steps", 0, 10**9),
          ("replay", 0, 10**6), ("packing", 1, 100), ("unrolling", 0, 20), ("r1", 0, 10**6), ("penalty", 0, 10**6),
          ("average", 0, 0.99999))
FED = ("generator_rate", "discriminator_rate", "beta1", "smoothing", "noise", "noise_steps", "r1", "penalty", "average")


class Diverged(ArithmeticError):
    """Training left the finite numbers. step: the step that broke the weights; the GAN holds those before it."""

    def __init__(self, step):
        super().__init__(f"step {step} made the weights infinite or undefined; the weights before it are kept. Try "
                         "lower learning rates, or a bound on the discriminator's slope (spectral, penalty).")
        self.step = step


# Layers ---------------------------------------------------------------------------------------------------------

@keras.saving.register_keras_serializable("helpers")
class Copies(layers.Layer):
    """Dense layers side by side: (copies, batch, inputs) → (copies, batch, units), each with a kernel of its own; or
    (batch, inputs) → (batch, units). spectral: kernels are divided by their largest singular value.
    """

    def __init__(self, units, activation=None, spectral=False, **options):
        super().__init__(**options)
        self.units, self.spectral, self.activation = units, spectral, keras.activations.get(activation)

    def build(self, shape):
        *copies, _, inputs = shape
        limit = (6 / (inputs + self.units))**0.5                   # Glorot's, of one copy
        self.kernel_initializer = keras.initializers.RandomUniform(-limit, limit)
        self.bias_initializer = keras.initializers.Zeros()
        self.kernel = self.add_weight(shape=(*copies, inputs, self.units), initializer=self.kernel_initializer,
                                      name="kernel")
        self.bias = self.add_weight(shape=(*copies, 1, self.units) if copies else (self.units,), name="bias",
                                    initializer=self.bias_initializer)
        if self.spectral:
            self.direction = self.add_weight(shape=(*copies, 1, self.units), initializer="ones", trainable=False,
                                             name="direction")

    def call(self, x, training=False):
        kernel = self._normalised(training) if self.spectral else self.kernel
        return self.activation(ops.matmul(x, kernel) + self.bias)

    def _normalised(self, training):
        """The kernel over its largest singular value, which one step of the power iteration follows."""
        kernel, right = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.direction)
        back = ops.swapaxes(kernel, -1, -2)
        if training:
            right = tf.stop_gradient(_unit(_unit(right @ back) @ kernel))
            self.direction.assign(right)
        left = tf.stop_gradient(_unit(right @ back))
        return kernel / (left @ kernel @ ops.swapaxes(right, -1, -2))

    def get_config(self):
        return {**super().get_config(), "units": self.units, "spectral": self.spectral,
                "activation": keras.activations.serialize(self.activation)}


def _unit(x):
    return x / (ops.norm(x, axis=-1, keepdims=True) + 1e-12)


@keras.saving.register_keras_serializable("helpers")
class MinibatchDeviation(layers.Layer):
    """Appends one number to each sample: the standard deviation over the batch, averaged over features.

    (…, batch, features) → (…, batch, features + 1). Outside of training it appends what the last batch had.
    """

    def build(self, shape):
        self.last = self.add_weight(shape=(*shape[:-2], 1, 1), initializer="zeros", trainable=False, name="last")

    def call(self, x, training=False):
        deviation = ops.convert_to_tensor(self.last)
        if training:
            deviation = ops.mean(ops.sqrt(ops.var(x, axis=-2, keepdims=True) + 1e-8), axis=-1, keepdims=True)
            self.last.assign(deviation)
        return ops.concatenate([x, ops.zeros_like(x[..., :1]) + deviation], axis=-1)


def networks(features, latent=2, width=64, depth=2, d_depth=None, copies=None, settings=None):
    """A dense generator, latent → features, and a discriminator, features → 1, of relu layers.

    depth, d_depth: hidden layers of each. copies: None for one pair of networks. The settings decide on packing,
    spectral normalisation and the minibatch deviation.
    """
    settings, shape = settings or Settings(), (None,) if copies is None else (copies, None)
    hidden = [Copies(width, "relu") for _ in range(depth)]
    generator = keras.Sequential([keras.Input(batch_shape=(*shape, latent)), *hidden, Copies(features)])
    judges = [Copies(width, "relu", settings.spectral) for _ in range(d_depth or depth)]
    discriminator = keras.Sequential([
        keras.Input(batch_shape=(*shape, features * settings.packing)), *judges,
        *[MinibatchDeviation()] * settings.deviation, Copies(1, spectral=settings.spectral)])
    return generator, discriminator


# The model ------------------------------------------------------------------------------------------------------

class GAN:
    """A generator and a discriminator, trained in turns on samples x (n, …).

    settings: those of `Settings`, by name. copies: train so many GANs side by side (None: one). By default the
    networks are `networks(…)` with latent, width, depth and d_depth; or give Keras models of your own:
    generator (batch, latent) → (batch, …), discriminator (batch, …) → (batch, 1), without a sigmoid.

    A run depends on its seed and settings alone, not on the calls of `train` that it is cut into. With copies every
    result has them as its first axis, of losses as the last.
    """

    def __init__(self, x, *, copies=None, latent=2, width=64, depth=2, d_depth=None, generator=None,
                 discriminator=None, **settings):
        self.settings = Settings.of(**settings)
        x = np.asarray(x, np.float32)
        if generator is None or discriminator is None:
            _check_samples(x, None)
            generator, discriminator = networks(x.shape[1], latent, width, depth, d_depth, copies, self.settings)
        elif self.settings.deviation or self.settings.spectral:
            raise ValueError("minibatch deviation and spectral normalisation are layers: put them into your own "
                             "discriminator (gan.MinibatchDeviation, keras.layers.SpectralNormalization)")
        self.generator, self.discriminator = generator, discriminator
        self.copies = () if copies is None else (copies,)
        self.sample_shape = generator.output_shape[len(self.copies) + 1:]
        _check_samples(x, self.sample_shape)
        self._check_packs()
        self.data = tf.Variable(x, shape=(None, *x.shape[1:]), trainable=False)
        self._make_state()
        self._make_graphs()
        self.restart(0)

    def _check_packs(self):
        m, taken = self.settings.packing, self.discriminator.input_shape[len(self.copies) + 1:]
        asked = (m * self.sample_shape[0],) if m > 1 and len(self.sample_shape) == 1 else self.sample_shape
        if m > 1 and len(self.sample_shape) != 1:
            raise ValueError(f"samples of shape {self.sample_shape} cannot be packed: flatten them, (n, features)")
        if tuple(taken) != tuple(asked):
            raise ValueError(f"the discriminator takes {tuple(taken)}, and gets samples of shape {asked}"
                             f"{f', packed by {m}' if m > 1 else ''}: change its input")

    def _make_state(self):
        zeros = lambda *shape: tf.Variable(tf.zeros(shape), trainable=False)               # noqa: E731
        self._weights = [[v.value for v in net.trainable_variables] for net in (self.generator, self.discriminator)]
        self._sizes = [[v.shape.num_elements() for v in weights] for weights in self._weights]
        self._moments = [(zeros(sum(sizes)), zeros(sum(sizes))) for sizes in self._sizes]    # of all weights in a row
        self._steps = [tf.Variable(0, trainable=False) for _ in range(2)]                   # of each network
        self._seed = tf.Variable(0, trainable=False)
        s = self.settings
        self._average = [tf.Variable(v, trainable=False) for v in self._weights[0]] if s.average else []
        self._old = zeros(*self.copies, s.replay, *self.sample_shape) if s.replay else None
        self._before = [tf.Variable(v, trainable=False) for v in self._state]               # at the last call of train
        self.step = 0

    def _make_graphs(self):
        self._run = tf.function(self._loop, jit_compile=False)
        latent = tf.TensorSpec(self.generator.input_shape, tf.float32)
        self._generate = tf.function(self._samples, input_signature=[latent])
        self._judge = tf.function(lambda x: self.discriminator(x, training=False)[..., 0], reduce_retracing=True)
        self._pulls = tf.function(self._pull, input_signature=[latent])

    # What a user calls

    def restart(self, seed):
        """New initial weights, fresh optimizers and noise, all from one seed; nothing is built anew. Returns self."""
        training.restart(self.generator, seed)
        training.restart(self.discriminator, int(seed) + 1)
        for variable in tf.nest.flatten([self._moments, self._steps, [] if self._old is None else self._old]):
            variable.assign(tf.zeros_like(variable))
        for average, weight in zip(self._average, self._weights[0]):
            average.assign(weight)
        self._seed.assign(int(seed) % 2**31)
        self.step = 0
        return self

    def set(self, **settings):
        """Change settings that need no other graph: rates, beta1, d_steps, and the strength of cures that are on."""
        new = Settings.of(**(asdict(self.settings) | settings))
        if changed := [name for name, value in new.graph.items() if value != self.settings.graph[name]]:
            raise ValueError(f"{', '.join(changed)} cannot change in a GAN that is built: make another one")
        self.settings = new
        return self

    def feed(self, x):
        """Train on other samples from now on, (n, …) of the same shape as those before."""
        x = np.asarray(x, np.float32)
        _check_samples(x, self.sample_shape)
        self.data.assign(x)
        return self

    def train(self, steps, which="both"):
        """Train on. which: "both", or "G" or "D" alone. Returns the losses, (steps, 2), of D and G as they were before
        each step (nan for a network that made none). Raises Diverged where they leave the finite numbers.
        """
        if which not in ("both", "G", "D"):
            raise ValueError(f"train both, G or D, not {which!r}")
        turns = self.settings.d_steps * (which != "G"), int(which != "D")
        losses, finite = self._run_for(steps, turns)
        losses = losses.numpy()
        if not finite:
            good = _last_good(losses, turns)
            for variable, value in zip(self._state, self._before):
                variable.assign(value)
            self._run_for(good, turns)                 # the same steps again, up to the last good one
            self.step += good
            raise Diverged(self.step + 1)
        self.step += steps
        return losses

    def _run_for(self, steps, turns):
        # One step each, the usual case, has a graph without loops in its loop: a tenth faster. Tensors share another.
        turns = turns if turns == (1, 1) else map(tf.constant, turns)
        return self._run(tf.constant(steps, tf.int32), *turns, self._fed())

    def generate(self, n, seed=0):
        """n samples, (n, …), with averaged weights if there are any."""
        return self._generate(self._latent(n, (seed, -1))).numpy()

    def settle(self):
        """Put the averaged weights, if there are any, into the generator, and return it: its parts can then be called,
        and it can be saved. Training goes on from there.
        """
        for average, weight in zip(self._average, self._weights[0]):
            weight.assign(average)
        return self.generator

    def judge(self, x):
        """The discriminator's values of samples (n, …), before a sigmoid: (n,). With packing, each is packed with real
        samples, always the same.
        """
        x = np.broadcast_to(np.asarray(x, np.float32), (*self.copies, *np.shape(x)))
        if (m := self.settings.packing) > 1:
            real = self.data.numpy()
            others = real[np.arange(x.shape[-2] * (m - 1)) % len(real)].reshape(x.shape[-2], -1)
            x = np.concatenate([x, np.broadcast_to(others, (*self.copies, *others.shape))], axis=-1)
        return self._judge(tf.constant(x)).numpy()

    def pull(self, n, seed=0):
        """n samples, and for each the direction in which the generator's loss falls, with its slope as length."""
        points, pull = self._pulls(self._latent(n - n % self.settings.packing, (seed, -1)))
        return points.numpy(), pull.numpy()

    @property
    def _state(self):
        nets = [v.value for net in (self.generator, self.discriminator) for v in net.non_trainable_variables]
        old = [] if self._old is None else [self._old]
        return tf.nest.flatten([self._weights, self._moments, self._steps, self._average, old, nets])

    def _fed(self):
        return tf.constant([getattr(self.settings, name) for name in FED], tf.float32)

    # What is in the graph

    def _loop(self, steps, d_steps, g_steps, fed):
        for saved, variable in zip(self._before, self._state):
            saved.assign(variable)
        fed = dict(zip(FED, tf.unstack(fed)))
        d_loss = g_loss = tf.fill(self.copies, np.nan)
        losses = tf.TensorArray(tf.float32, steps, element_shape=(2, *self.copies))
        for i in tf.range(steps):
            for _ in _times(d_steps):
                d_loss = self._discriminator_step(fed)
            for _ in _times(g_steps):
                g_loss = self._generator_step(fed)
            losses = losses.write(i, tf.stack([d_loss, g_loss]))
        losses = losses.stack()
        ran = tf.boolean_mask(losses, tf.stack([d_steps > 0, g_steps > 0]), axis=1)
        after = self._loss_to_come(d_steps, fed)
        parts = [ran, after, *tf.nest.flatten(self._weights)]
        return losses, tf.reduce_all([tf.reduce_all(tf.math.is_finite(part)) for part in parts])

    def _loss_to_come(self, d_steps, fed):
        """What the next step's first loss will be, so that a run that went wrong is noticed however it is cut."""
        network = tf.cast(d_steps > 0, tf.int32)
        seed = self._seed_of(tf.where(d_steps > 0, self._steps[1], self._steps[0]) + 1, network)
        real = self._seen(self._real(seed), seed + [0, 3], fed)
        fake = self._seen(self.generator(self._latent(self.settings.batch, seed), training=False), seed + [0, 4], fed)
        real, fake = (self.discriminator(x, training=False) for x in (real, fake))
        return tf.where(d_steps > 0, self._discriminator_loss(real, fake, fed),
                        self._mean(LOSSES[self.settings.loss][1](fake)))

    def _discriminator_step(self, fed):
        seed = self._next_seed(1)
        real, fake = self._real(seed), self.generator(self._latent(self.settings.batch, seed), training=True)
        if self._old is not None:
            fake = self._with_old(fake, seed)
        real, fake = self._seen(real, seed + [0, 3], fed), self._seen(fake, seed + [0, 4], fed)
        with tf.GradientTape() as tape:
            real_values, pull = self._values_and_slopes(real)
            loss = self._discriminator_loss(real_values, self._value(fake), fed)
            total = loss + self._penalties(real, fake, pull, seed, fed)
        gradients = tape.gradient(total, self._weights[1])
        self._apply(1, gradients, fed["discriminator_rate"], fed["beta1"])
        return loss

    def _generator_step(self, fed):
        seed = self._next_seed(0)
        with tf.GradientTape() as tape:
            fake = self.generator(self._latent(self.settings.batch, seed), training=True)
            seen = self._seen(fake, seed + [0, 4], fed)
            values = self._value_ahead(seen, seed, fed) if self.settings.unrolling else self._value(seen)
            loss = self._mean(LOSSES[self.settings.loss][1](values))
        self._apply(0, tape.gradient(loss, self._weights[0]), fed["generator_rate"], fed["beta1"])
        for average, weight in zip(self._average, self._weights[0]):
            average.assign_sub((1 - fed["average"]) * (average - weight))
        return loss

    def _discriminator_loss(self, real, fake, fed):
        target = 1 - fed["smoothing"] if self.settings.smoothing else 1.0
        return self._mean(LOSSES[self.settings.loss][0](target, real, fake))

    def _mean(self, values):
        """The mean over the samples of each copy."""
        return tf.reduce_mean(values, axis=[-2, -1])

    def _value(self, x):
        return self.discriminator(x, training=True)

    def _values_and_slopes(self, x):
        """Values (…, batch, 1) and, where R1 asks for it, their gradients with respect to x."""
        if not self.settings.r1:
            return self._value(x), None
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = self._value(x)
        return values, tape.gradient(values, x)

    def _penalties(self, real, fake, pull, seed, fed):
        total = 0.0
        if self.settings.r1:
            total += fed["r1"] / 2 * self._mean(_squared_length(pull, self.copies))
        if self.settings.penalty:
            part = tf.random.stateless_uniform(real.shape[:len(self.copies) + 1], seed + [0, 5])
            part = tf.reshape(part, (*part.shape, *[1] * (len(real.shape) - len(part.shape))))
            between = real + part * (fake - real)
            with tf.GradientTape() as tape:
                tape.watch(between)
                values = self._value(between)
            length = tf.sqrt(_squared_length(tape.gradient(values, between), self.copies) + 1e-12)
            total += fed["penalty"] * self._mean((length - 1)**2)
        return total

    def _value_ahead(self, fake, seed, fed):
        """The fakes' values after some steps of the discriminator, each with its rate and Adam's present scale."""
        real = self._seen(self._real(seed), seed + [0, 3], fed)
        weights, rest = self._weights[1], self.discriminator.non_trainable_variables
        steps = tf.maximum(tf.cast(self._steps[1], tf.float32), 1.0)
        scale = self._cut(tf.sqrt(self._moments[1][1] / (1 - tf.pow(0.999, steps))), 1)
        judge = lambda x, w: self.discriminator.stateless_call(w, rest, x, training=True)[0]      # noqa: E731
        for _ in range(self.settings.unrolling):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = self._discriminator_loss(judge(real, weights), judge(fake, weights), fed)
            gradients = tape.gradient(loss, weights)
            weights = [w - fed["discriminator_rate"] * g / (s + 1e-4) for w, g, s in zip(weights, gradients, scale)]
        return judge(fake, weights)

    def _apply(self, network, gradients, rate, beta1):
        """Adam (Kingma and Ba, 2015), of all weights in a row: a dozen operations in all, and not for each weight."""
        t = tf.cast(self._steps[network], tf.float32)
        rate *= tf.sqrt(1 - tf.pow(0.999, t)) / (1 - beta1**t)
        gradient = tf.concat([tf.reshape(g, [-1]) for g in gradients], 0)
        m, v = self._moments[network]
        new_m, new_v = m + (1 - beta1) * (gradient - m), v + 0.001 * (gradient**2 - v)
        m.assign(new_m)
        v.assign(new_v)
        for weight, change in zip(self._weights[network], self._cut(rate * new_m / (tf.sqrt(new_v) + 1e-7), network)):
            weight.assign_sub(change)

    def _cut(self, row, network):
        """Numbers in a row, in the shapes of a network's weights."""
        return [tf.reshape(part, weight.shape)
                for part, weight in zip(tf.split(row, self._sizes[network]), self._weights[network])]

    def _next_seed(self, network):
        """Count a network's step; a seed for it alone, whose second number leaves room for eight uses."""
        return self._seed_of(self._steps[network].assign_add(1), network)

    def _seed_of(self, step, network):
        return tf.stack([self._seed.read_value(), 16 * step + 8 * network])

    def _latent(self, n, seed):
        # The raw operations draw what tf.random.stateless_normal does, without two more that make a key of the seed.
        return tf.raw_ops.StatelessRandomNormal(shape=(*self.copies, n, self.generator.input_shape[-1]), seed=seed)

    def _real(self, seed):
        rows = tf.raw_ops.StatelessRandomUniformInt(shape=(*self.copies, self.settings.batch), seed=seed + [0, 1],
                                                    minval=0, maxval=tf.shape(self.data)[0])
        return tf.gather(self.data, rows)

    def _seen(self, x, seed, fed):
        """What the discriminator sees of samples: with noise, and in packs."""
        if self.settings.noise:
            done = tf.math.divide_no_nan(tf.cast(self._steps[0], tf.float32), fed["noise_steps"])
            x += fed["noise"] * tf.maximum(0.0, 1 - done) * tf.random.stateless_normal(tf.shape(x), seed)
        if self.settings.packing > 1:
            m, features = self.settings.packing, self.sample_shape[0]
            x = tf.reshape(x, (*self.copies, self.settings.batch // m, m * features))
        return x

    def _with_old(self, fake, seed):
        """Half of the fakes from the store, where the other half takes their place."""
        half, axis = self.settings.batch // 2, len(self.copies)
        begin = half * (self._steps[1] - 1) % (self.settings.replay - half + 1)
        place = tf.range(begin, begin + half)
        new, rest = tf.split(fake, [half, self.settings.batch - half], axis)
        rows = tf.random.stateless_uniform((half,), seed + [0, 2], 0, self.settings.replay, tf.int32)
        full = self._steps[1] * half > self.settings.replay
        old = tf.where(full, tf.gather(self._old, rows, axis=axis), new)
        index = tf.reshape(place, (-1, 1))
        stored = tf.tensor_scatter_nd_update(self._old, index, new) if not self.copies else tf.stack(
            [tf.tensor_scatter_nd_update(o, index, n) for o, n in zip(tf.unstack(self._old), tf.unstack(new))])
        self._old.assign(stored)
        return tf.concat([old, rest], axis)

    def _samples(self, z):
        weights = self._average or self._weights[0]
        return self.generator.stateless_call(weights, self.generator.non_trainable_variables, z, training=False)[0]

    def _pull(self, z):
        points = self._samples(z)
        with tf.GradientTape() as tape:
            tape.watch(points)
            m = self.settings.packing
            packed = tf.reshape(points, (*self.copies, -1, m * self.sample_shape[0])) if m > 1 else points
            loss = tf.reduce_sum(LOSSES[self.settings.loss][1](self.discriminator(packed, training=False)))
        return points, -tape.gradient(loss, points)


def _times(n):
    return range(n) if isinstance(n, int) else tf.range(n)


def _last_good(losses, turns):
    """How many steps of a run that left the finite numbers were good. losses: (steps, 2, …), those of its steps."""
    d_fine, g_fine = (np.isfinite(losses[:, k]).reshape(len(losses), -1).all(axis=1) | (turns[k] == 0) for k in (0, 1))
    bad = np.flatnonzero(~(d_fine & g_fine))
    if not len(bad):
        return len(losses) - 1
    # The first loss of a step tells of the step before; the generator's, after the discriminator's, of the step itself.
    return max(int(bad[0]) - (1 if turns[0] == 0 or not d_fine[bad[0]] else 0), 0)


def _squared_length(gradient, copies):
    """(copies…, batch, …) → (copies…, batch, 1)"""
    flat = tf.reshape(gradient, (*gradient.shape[:len(copies) + 1], -1))
    return tf.reduce_sum(flat**2, axis=-1, keepdims=True)


def _check_samples(x, shape):
    if x.ndim < 2 or not len(x):
        raise ValueError(f"a GAN needs samples of shape (n, features) or (n, height, width, channels), got {x.shape}")
    if shape is not None and x.shape[1:] != tuple(shape):
        raise ValueError(f"these samples have the shape {x.shape[1:]}, and the generator makes {tuple(shape)}: give "
                         "data of that shape, or make another GAN")
    if not np.isfinite(x).all():
        raise ValueError("the samples hold values that are infinite or undefined (nan): leave those rows out")
