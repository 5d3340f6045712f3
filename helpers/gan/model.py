"""The GAN that a notebook holds: networks, settings and a state, trained inside one graph."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from helpers import training
from helpers.training import keras, tf

from . import steps as game_steps
from .layers import networks
from .settings import Settings
from .steps import G, Game, State

PLAYERS = "generator", "discriminator"


class Diverged(ArithmeticError):
    """Training left the finite numbers. step: the step that broke the weights; the GAN holds those before it."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"step {step} made the weights infinite or undefined; the weights before it are kept. Try "
            "lower learning rates, or a bound on the discriminator's slope (spectral, penalty)."
        )
        self.step = step


class GAN:
    """A generator and a discriminator, trained in turns on samples x (n, …).

    settings: those of `Settings`, by name. copies: train so many GANs side by side (None: one), which differ in their
    initial weights and in all that is random: an experiment over five seeds is then a single run. By default the
    networks are `networks(…)` with latent, width, depth and d_depth; or give Keras models of your own:
    generator (batch, latent) → (batch, …), discriminator (batch, …) → (batch, 1), without a sigmoid.

        model = GAN(data.points("ring").x, copies=5, r1=0.1, beta1=0.0).restart(seed=1)
        model.train(2000)
        model.generate(2500)                                    # (5, 2500, 2)

    A run depends on its seed and settings alone, not on the calls of `train` that it is cut into. With copies every
    result has them as its first axis, of losses as the last. Raises ValueError for settings, samples or networks that
    do not fit together.
    """

    def __init__(
        self,
        x: np.ndarray,
        *,
        copies: int | None = None,
        latent: int = 2,
        width: int = 64,
        depth: int = 2,
        d_depth: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **settings: Any,
    ) -> None:
        chosen = Settings.of(**settings)
        x = np.asarray(x, np.float32)
        if generator is None or discriminator is None:
            if generator is not discriminator:
                raise ValueError("a GAN needs a generator and a discriminator: give both, or neither")
            _check_samples(x, None)
            generator, discriminator = networks(x.shape[1], latent, width, depth, d_depth, copies, chosen)
        elif chosen.deviation or chosen.spectral:
            raise ValueError(
                "minibatch deviation and spectral normalisation are layers: put them into your own "
                "discriminator (gan.MinibatchDeviation, keras.layers.SpectralNormalization)"
            )
        self.generator, self.discriminator = generator, discriminator
        self.copies: tuple[int, ...] = () if copies is None else (copies,)
        self.data = tf.Variable(x, shape=(None, *x.shape[1:]), trainable=False)
        self.game = Game(generator, discriminator, chosen, self.copies, self.data)
        _check_samples(x, self.game.sample_shape)
        _check_networks(self.game)
        self.variables = game_steps.begin(self.game)
        self._check_trainable()
        self._run = tf.function(self._trained, jit_compile=False)
        z = [tf.TensorSpec(self.generator.input_shape, tf.float32)]
        self._generate = tf.function(lambda z: game_steps.samples(self.game, self.state, z), input_signature=z)
        self._pull = tf.function(lambda z: game_steps.pull(self.game, self.state, z), input_signature=z)
        self._discriminate = tf.function(lambda x: self.discriminator(x, training=False)[..., 0], reduce_retracing=True)
        self.restart(0)

    @property
    def settings(self) -> Settings:
        return self.game.settings

    @property
    def state(self) -> State:
        """All that training changes, as it is now."""
        return tf.nest.map_structure(tf.convert_to_tensor, self.variables)

    def restart(self, seed: int) -> GAN:
        """New initial weights, fresh optimizers and noise, all from one seed; nothing is built anew. Returns self."""
        training.restart(self.generator, seed)
        training.restart(self.discriminator, int(seed) + 1)
        kept = self.variables
        for variable in tf.nest.flatten([kept.moments, kept.steps, kept.old]):
            variable.assign(tf.zeros_like(variable))
        for average, weight in zip(kept.average, kept.weights[G]):
            average.assign(weight)
        kept.seed.assign(int(seed) % 2**31)
        self.step = 0
        return self

    def set(self, **settings: Any) -> GAN:
        """Change settings that need no other graph: rates, beta1, d_steps, and the strength of cures that are on.
        Returns self, or raises ValueError.
        """
        new = Settings.of(**(asdict(self.settings) | settings))
        if changed := [name for name, value in new.graph.items() if value != self.settings.graph[name]]:
            raise ValueError(f"{', '.join(changed)} cannot change in a GAN that is built: make another one")
        self.game = replace(self.game, settings=new)
        return self

    def feed(self, x: np.ndarray) -> GAN:
        """Train on other samples from now on, (n, …) of the same shape as those before. Returns self."""
        x = np.asarray(x, np.float32)
        _check_samples(x, self.game.sample_shape)
        self.data.assign(x)
        return self

    def train(self, steps: int, which: str = "both") -> np.ndarray:
        """Train on. which: "both", or "G" or "D" alone. Returns the losses, (steps, 2), of D and G as they were before
        each step (nan for a network that made none). Raises Diverged where they leave the finite numbers.
        """
        if which not in ("both", "G", "D"):
            raise ValueError(f"train both, G or D, not {which!r}")
        if steps < 0 or steps != int(steps):
            raise ValueError(f"a run has 0 steps or more, not {steps}: give a whole number, say round(BUDGET * 2000)")
        steps = int(steps)
        self._check_trainable()
        turns = self.settings.d_steps * (which != "G"), int(which != "D")
        losses, finite = self._train(steps, turns)
        if not finite:
            good = _last_good(losses, turns)
            self._train(good, turns, anyway=True)  # the same steps again, up to the last good one
            self.step += good
            raise Diverged(self.step + 1)
        self.step += steps
        return losses

    def _check_trainable(self):
        for name, net, weights in zip(PLAYERS, self.game.networks, self.variables.weights):
            if not net.trainable_variables:
                raise ValueError(
                    f"the {name} is frozen: set its `trainable` to True. Older recipes freeze the "
                    "discriminator; here a step of one network leaves the other alone"
                )
            if len(net.trainable_variables) != len(weights):
                raise ValueError(
                    f"the {name} had {len(weights)} weights to train when the GAN was made, and has "
                    f"{len(net.trainable_variables)} now: freeze layers before you make the GAN"
                )

    def _train(self, steps, turns, anyway=False):
        # One step each, the usual case, has a graph without loops in its loop: a tenth faster. Tensors share another.
        turns = turns if turns == (1, 1) else map(tf.constant, turns)
        fed = {name: tf.constant(value, tf.float32) for name, value in self.settings.fed.items()}
        losses, finite = self._run(tf.constant(steps, tf.int32), *turns, fed, tf.constant(anyway))
        return losses.numpy(), bool(finite)

    def _trained(self, steps, d_steps, g_steps, fed, anyway):
        """In the graph: run, and keep the state that comes out if all of it is finite."""
        state, losses, finite = game_steps.run(self.game, self.state, fed, steps, d_steps, g_steps)
        if tf.logical_or(finite, anyway):
            for variable, value in zip(tf.nest.flatten(self.variables), tf.nest.flatten(state)):
                variable.assign(value)
        return losses, finite

    def generate(self, n: int, seed: int = 0) -> np.ndarray:
        """n samples, (n, …), with averaged weights if there are any."""
        return self._generate(game_steps.latent(self.game, (seed, -1), n)).numpy()

    def samples(self, z: np.ndarray) -> np.ndarray:
        """What the generator makes of these inputs z (n, latent), with averaged weights if there are any."""
        return self._generate(tf.constant(z, tf.float32)).numpy()

    def settle(self) -> keras.Model:
        """Put the averaged weights, if there are any, into the generator, and return it: its parts can then be called,
        and it can be saved. Training goes on from there.
        """
        for average, weight in zip(self.variables.average, self.variables.weights[G]):
            weight.assign(average)
        return self.generator

    def discriminate(self, x: np.ndarray) -> np.ndarray:
        """The discriminator's values of samples (n, …), before a sigmoid: (n,). With packing, each is packed with real
        samples, always the same.
        """
        x = np.broadcast_to(np.asarray(x, np.float32), (*self.copies, *np.shape(x)))
        if (m := self.settings.packing) > 1:
            real = self.data.numpy()
            others = real[np.arange(x.shape[-2] * (m - 1)) % len(real)].reshape(x.shape[-2], -1)
            x = np.concatenate([x, np.broadcast_to(others, (*self.copies, *others.shape))], axis=-1)
        return self._discriminate(tf.constant(x)).numpy()

    def pull(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """n samples (n, …), with packing as many as fill whole packs, and for each, in the same shape, the direction in
        which the generator's loss falls, with its slope as length.
        """
        points, pull = self._pull(game_steps.latent(self.game, (seed, -1), n - n % self.settings.packing))
        return points.numpy(), pull.numpy()


def _last_good(losses, turns):
    """How many steps of a run that left the finite numbers were good. losses: (steps, 2, …), those of its steps."""
    d_fine, g_fine = (np.isfinite(losses[:, k]).reshape(len(losses), -1).all(axis=1) | (turns[k] == 0) for k in (0, 1))
    bad = np.flatnonzero(~(d_fine & g_fine))
    if not len(bad):
        return len(losses) - 1
    # The first loss of a step tells of the step before; the generator's, after the discriminator's, of the step itself.
    return max(int(bad[0]) - (1 if turns[0] == 0 or not d_fine[bad[0]] else 0), 0)


def _check_samples(x, shape):
    if x.ndim < 2 or not len(x):
        raise ValueError(f"a GAN needs samples of shape (n, features) or (n, height, width, channels), got {x.shape}")
    if shape is not None and x.shape[1:] != tuple(shape):
        raise ValueError(
            f"these samples have the shape {x.shape[1:]}, and the generator makes {tuple(shape)}: give "
            "data of that shape, or make another GAN"
        )
    if not np.isfinite(x).all():
        raise ValueError("the samples hold values that are infinite or undefined (nan): leave those rows out")


def _check_networks(game):
    for name, net in zip(PLAYERS, game.networks):
        if other := {net.outputs[0].dtype, *(v.dtype for v in net.trainable_variables)} - {"float32"}:
            raise ValueError(
                f"the {name} computes in {min(other)}, and a GAN trains in float32: give its layers "
                'dtype="float32", or call keras.config.set_dtype_policy("float32") before making them'
            )
    m, shape = game.settings.packing, game.sample_shape
    if m > 1 and len(shape) != 1:
        raise ValueError(f"samples of shape {shape} cannot be packed: flatten them, (n, features)")
    asked, taken = (m * shape[0], *shape[1:]), game.discriminator.input_shape[len(game.copies) + 1 :]
    if tuple(taken) != tuple(asked):
        raise ValueError(
            f"the discriminator takes {tuple(taken)}, and gets samples of shape {asked}"
            f"{f', packed by {m}' if m > 1 else ''}: change its input"
        )
