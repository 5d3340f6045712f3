"""The steps of a GAN's training, as functions of an explicit state: (game, state, fed) → (the state after, loss).

Nothing here keeps anything. A `Game` is what stays while a GAN trains, a `State` all that changes, and `fed` the
numbers of `Settings.fed`, which may be others in the next run. Of pairs the generator's part comes first (G), then the
discriminator's (D). With copies, samples are (copies, batch, …), and losses (copies,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from helpers.training import keras, tf

from .settings import LOSSES, Settings

G, D = 0, 1
Fed = dict[str, Any]


@dataclass(frozen=True)
class Game:
    """What stays: the two networks, the settings, the real samples (n, …); copies is () or (how many,)."""

    generator: keras.Model
    discriminator: keras.Model
    settings: Settings
    copies: tuple[int, ...]
    data: tf.Variable

    @property
    def networks(self) -> tuple[keras.Model, keras.Model]:
        return self.generator, self.discriminator

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return self.generator.output_shape[len(self.copies) + 1 :]


class State(NamedTuple):
    """What changes: all of a run follows from it, and from the settings and the data."""

    weights: tuple  # of each network, a list of its trainable weights
    rest: tuple  # of each, a list of what it changes by itself, such as a batch normalisation's means
    moments: tuple  # of each, Adam's two, of all its weights in a row
    steps: tuple  # of each, how many it made
    seed: tf.Tensor
    average: list  # the generator's averaged weights, or none
    old: tf.Tensor | tuple  # the replay store (…, replay, features), or none


def begin(game: Game) -> State:
    """A state in variables, those of the networks among them; seed and counts are 0."""

    def zeros(*shape, dtype=tf.float32):
        return tf.Variable(tf.zeros(shape, dtype), trainable=False)

    s, weights = game.settings, tuple(net.trainable_variables for net in game.networks)
    sizes = [sum(int(np.prod(v.shape)) for v in of) for of in weights]
    g_steps, d_steps, seed = (zeros(dtype=tf.int32) for _ in range(3))
    return State(
        weights,
        rest=tuple(net.non_trainable_variables for net in game.networks),
        moments=tuple((zeros(n), zeros(n)) for n in sizes),
        steps=(g_steps, d_steps),
        seed=seed,
        average=[zeros(*v.shape) for v in weights[G]] if s.average else [],
        old=zeros(*game.copies, s.replay, *game.sample_shape) if s.replay else (),
    )


def run(
    game: Game, state: State, fed: Fed, steps: tf.Tensor, d_steps: Any, g_steps: Any
) -> tuple[State, tf.Tensor, tf.Tensor]:
    """So many steps, each of d_steps of the discriminator and g_steps of the generator.

    Returns the state after, the losses (steps, 2, copies…) of D and G, and whether all stayed finite.
    """
    d_loss = g_loss = tf.fill(game.copies, np.nan)
    losses = tf.TensorArray(tf.float32, steps, element_shape=(2, *game.copies))
    for i in tf.range(steps):
        for _ in _times(d_steps):
            state, d_loss = discriminator_step(game, state, fed)
        for _ in _times(g_steps):
            state, g_loss = generator_step(game, state, fed)
        losses = losses.write(i, tf.stack([d_loss, g_loss]))
    losses = losses.stack()
    ran = tf.boolean_mask(losses, tf.stack([d_steps > 0, g_steps > 0]), axis=1)
    parts = [ran, loss_to_come(game, state, fed, d_steps), *tf.nest.flatten(state.weights)]
    return state, losses, tf.reduce_all([tf.reduce_all(tf.math.is_finite(part)) for part in parts])


def _times(n):
    return range(n) if isinstance(n, int) else tf.range(n)


# The steps ------------------------------------------------------------------------------------------------------


def discriminator_step(game: Game, state: State, fed: Fed) -> tuple[State, tf.Tensor]:
    """A step of Adam for the discriminator, on a new batch: the state after, and its loss (copies,) alone."""
    state, seed = _count(state, D)
    with _playing(game, state) as scope, tf.GradientTape() as tape:
        real, fake = real_samples(game, seed), game.generator(latent(game, seed), training=True)
        if game.settings.replay:
            fake, old = with_old(game, state, fake, seed)
            state = state._replace(old=old)
        real, fake = (seen(game, state, x, seed + [0, use], fed) for x, use in ((real, 3), (fake, 4)))
        tape.watch(state.weights[D])
        values, slopes = values_and_slopes(game, real)
        loss = discriminator_loss(game, values, game.discriminator(fake, training=True), fed)
        total = loss + penalties(game, real, fake, slopes, seed, fed)
    return _descended(game, state, D, tape.gradient(total, state.weights[D]), fed, scope), loss


def generator_step(game: Game, state: State, fed: Fed) -> tuple[State, tf.Tensor]:
    """A step of Adam for the generator, and of its averaged weights: the state after it, and its loss (copies,)."""
    state, seed = _count(state, G)
    with _playing(game, state) as scope, tf.GradientTape() as tape:
        tape.watch(state.weights[G])
        fake = game.generator(latent(game, seed), training=True)
        fake = seen(game, state, fake, seed + [0, 4], fed)
        values = (
            values_ahead(game, state, fake, seed, fed)
            if game.settings.unrolling
            else game.discriminator(fake, training=True)
        )
        loss = generator_loss(game, values)
    state = _descended(game, state, G, tape.gradient(loss, state.weights[G]), fed, scope)
    part = 1 - fed["average"]
    return state._replace(average=[a - part * (a - w) for a, w in zip(state.average, state.weights[G])]), loss


def loss_to_come(game: Game, state: State, fed: Fed, d_steps: Any) -> tf.Tensor:
    """What the next step's first loss will be, so that a run that went wrong is noticed however it is cut."""
    seed = _seed(state, tf.where(d_steps > 0, state.steps[D], state.steps[G]) + 1, tf.cast(d_steps > 0, tf.int32))
    with _playing(game, state):
        fake = game.generator(latent(game, seed), training=False)
        real, fake = (
            game.discriminator(seen(game, state, x, seed + [0, use], fed), training=False)
            for x, use in ((real_samples(game, seed), 3), (fake, 4))
        )
    return tf.where(d_steps > 0, discriminator_loss(game, real, fake, fed), generator_loss(game, fake))


def _playing(game, state):
    """A scope in which the networks have the state's weights, and leave their variables as they are."""
    pairs = []
    for net, weights, rest in zip(game.networks, state.weights, state.rest):
        pairs += [*zip(net.trainable_variables, weights), *zip(net.non_trainable_variables, rest)]
    return keras.StatelessScope(pairs)


def _descended(game, state, player, gradients, fed, scope):
    """The state after a step of Adam, and with what the networks changed by themselves (Keras's spectral normalisation
    changes its kernel).
    """
    weights = tuple([scope.get_current_value(v) for v in net.trainable_variables] for net in game.networks)
    rest = tuple([scope.get_current_value(v) for v in net.non_trainable_variables] for net in game.networks)
    rate = fed[("generator_rate", "discriminator_rate")[player]]
    new, moments = adam(weights[player], gradients, state.moments[player], state.steps[player], rate, fed["beta1"])
    return state._replace(weights=_put(weights, player, new), rest=rest, moments=_put(state.moments, player, moments))


def adam(weights: list, gradients: list, moments: tuple, step: tf.Tensor, rate: Any, beta1: Any) -> tuple[list, tuple]:
    """Adam (Kingma and Ba, 2015) of all weights in a row: a dozen operations in all, and not for each weight.

    step counts from 1. Returns the new weights and moments.
    """
    t = tf.cast(step, tf.float32)
    rate *= tf.sqrt(1 - tf.pow(0.999, t)) / (1 - beta1**t)
    gradient = tf.concat([tf.reshape(g, [-1]) for g in gradients], 0)
    m, v = moments
    m, v = m + (1 - beta1) * (gradient - m), v + 0.001 * (gradient**2 - v)
    changes = _cut(rate * m / (tf.sqrt(v) + 1e-7), weights)
    return [weight - change for weight, change in zip(weights, changes)], (m, v)


def _cut(row, like):
    """Numbers in a row, in the shapes of these weights."""
    shapes = [weight.shape for weight in like]
    return [
        tf.reshape(part, shape)
        for part, shape in zip(tf.split(row, [shape.num_elements() for shape in shapes]), shapes)
    ]


def _put(pair, player, new):
    return (new, pair[D]) if player == G else (pair[G], new)


# Losses and cures -----------------------------------------------------------------------------------------------


def discriminator_loss(game: Game, real: tf.Tensor, fake: tf.Tensor, fed: Fed) -> tf.Tensor:
    """Of values (…, batch, 1) of real samples and of fakes: (copies,)."""
    target = 1 - fed["smoothing"] if game.settings.smoothing else 1.0
    return _mean(LOSSES[game.settings.loss][0](target, real, fake))


def generator_loss(game: Game, fake: tf.Tensor) -> tf.Tensor:
    """Of values (…, batch, 1) of fakes: (copies,)."""
    return _mean(LOSSES[game.settings.loss][1](fake))


def _mean(values):
    """The mean over the samples of each copy."""
    return tf.reduce_mean(values, axis=[-2, -1])


def values_and_slopes(game: Game, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Values (…, batch, 1) and, where R1 asks for it, their gradients with respect to x."""
    if not game.settings.r1:
        return game.discriminator(x, training=True), None
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = game.discriminator(x, training=True)
    return values, tape.gradient(values, x)


def penalties(
    game: Game, real: tf.Tensor, fake: tf.Tensor, slopes: tf.Tensor | None, seed: tf.Tensor, fed: Fed
) -> tf.Tensor | float:
    """R1 from the slopes at real samples, and the gradient penalty between them and the fakes: (copies,)."""
    total = 0.0
    if game.settings.r1:
        total += fed["r1"] / 2 * _mean(_squared_length(slopes, game.copies))
    if game.settings.penalty:
        part = tf.random.stateless_uniform(real.shape[: len(game.copies) + 1], seed + [0, 5])
        part = tf.reshape(part, (*part.shape, *[1] * (len(real.shape) - len(part.shape))))
        between = real + part * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            values = game.discriminator(between, training=True)
        length = tf.sqrt(_squared_length(tape.gradient(values, between), game.copies) + 1e-12)
        total += fed["penalty"] * _mean((length - 1) ** 2)
    return total


def _squared_length(gradient, copies):
    """(copies…, batch, …) → (copies…, batch, 1)"""
    flat = tf.reshape(gradient, (*gradient.shape[: len(copies) + 1], -1))
    return tf.reduce_sum(flat**2, axis=-1, keepdims=True)


def values_ahead(game: Game, state: State, fake: tf.Tensor, seed: tf.Tensor, fed: Fed) -> tf.Tensor:
    """The fakes' values after some steps of the discriminator, each with its rate and Adam's present scale."""
    real = seen(game, state, real_samples(game, seed), seed + [0, 3], fed)
    weights, rest = state.weights[D], state.rest[D]
    steps = tf.maximum(tf.cast(state.steps[D], tf.float32), 1.0)
    scale = _cut(tf.sqrt(state.moments[D][1] / (1 - tf.pow(0.999, steps))), weights)

    def values(x):
        return game.discriminator.stateless_call(weights, rest, x, training=True)[0]

    for _ in range(game.settings.unrolling):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = discriminator_loss(game, values(real), values(fake), fed)
        gradients = tape.gradient(loss, weights)
        weights = [w - fed["discriminator_rate"] * g / (s + 1e-4) for w, g, s in zip(weights, gradients, scale)]
    return values(fake)


# Samples --------------------------------------------------------------------------------------------------------


def _count(state, player):
    """Count a network's step; a seed for it alone, whose second number leaves room for eight uses."""
    steps = state.steps[player] + 1
    return state._replace(steps=_put(state.steps, player, steps)), _seed(state, steps, player)


def _seed(state, step, player):
    return tf.stack([state.seed, 16 * step + 8 * player])


def latent(game: Game, seed: Any, n: int | None = None) -> tf.Tensor:
    """n inputs of the generator (copies…, n, latent), by default a batch."""
    # The raw operations draw what tf.random.stateless_normal does, without two more that make a key of the seed.
    shape = *game.copies, game.settings.batch if n is None else n, game.generator.input_shape[-1]
    return tf.raw_ops.StatelessRandomNormal(shape=shape, seed=seed)


def real_samples(game: Game, seed: tf.Tensor) -> tf.Tensor:
    """A batch of the data for each copy."""
    n = tf.raw_ops.VariableShape(input=game.data.handle)[0]  # tf.shape(game.data) would copy all of the data first
    rows = tf.raw_ops.StatelessRandomUniformInt(
        shape=(*game.copies, game.settings.batch), seed=seed + [0, 1], minval=0, maxval=n
    )
    return tf.gather(game.data, rows)


def seen(game: Game, state: State, x: tf.Tensor, seed: tf.Tensor, fed: Fed) -> tf.Tensor:
    """What the discriminator sees of samples: with noise, and in packs."""
    if game.settings.noise:
        done = tf.math.divide_no_nan(tf.cast(state.steps[G], tf.float32), fed["noise_steps"])
        x += fed["noise"] * tf.maximum(0.0, 1 - done) * tf.random.stateless_normal(tf.shape(x), seed)
    return packed(game, x)


def packed(game: Game, x: tf.Tensor) -> tf.Tensor:
    """(…, n, features) → (…, n / packing, packing · features)"""
    m = game.settings.packing
    return x if m == 1 else tf.reshape(x, (*game.copies, -1, m * game.sample_shape[0]))


def with_old(game: Game, state: State, fake: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Half of the fakes from the store, where the other half takes their place; and the store after."""
    half, axis, kept = game.settings.batch // 2, len(game.copies), game.settings.replay
    begin = half * (state.steps[D] - 1) % (kept - half + 1)
    place = tf.range(begin, begin + half)
    new, rest = tf.split(fake, [half, game.settings.batch - half], axis)
    rows = tf.random.stateless_uniform((half,), seed + [0, 2], 0, kept, tf.int32)
    full = state.steps[D] * half > kept
    old = tf.where(full, tf.gather(state.old, rows, axis=axis), new)
    index = tf.reshape(place, (-1, 1))
    stored = (
        tf.tensor_scatter_nd_update(state.old, index, new)
        if not game.copies
        else tf.stack([
            tf.tensor_scatter_nd_update(o, index, n) for o, n in zip(tf.unstack(state.old), tf.unstack(new))
        ])
    )
    return tf.concat([old, rest], axis), stored


def samples(game: Game, state: State, z: tf.Tensor) -> tf.Tensor:
    """The generator's samples of latent inputs z, with averaged weights if there are any."""
    weights = state.average or state.weights[G]
    return game.generator.stateless_call(weights, state.rest[G], z, training=False)[0]


def pull(game: Game, state: State, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples, and for each the direction in which the generator's loss falls."""
    points = samples(game, state, z)
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = game.discriminator(packed(game, points), training=False)
        loss = tf.reduce_sum(LOSSES[game.settings.loss][1](values))
    return points, -tape.gradient(loss, points)
