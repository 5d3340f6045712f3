"""helpers.gan: losses against their formulas, Adam against Keras's, runs that do not depend on how they are cut."""

import functools
from dataclasses import asdict, replace

import numpy as np
import pytest

from helpers import data, gan, metrics, training
from helpers.gan import GAN, Settings, steps
from helpers.gan.steps import D, G
from helpers.training import keras, tf

RING = data.points("ring", n=1000).x
WIDTH, SMALL = 8, {"batch": 16}
CURES = {
    "smoothing": 0.1,
    "noise": 0.3,
    "replay": 40,
    "deviation": True,
    "packing": 4,
    "unrolling": 2,
    "spectral": True,
    "r1": 0.1,
    "penalty": 1.0,
    "average": 0.9,
    "d_steps": 2,
    "discriminator_rate": 3e-3,
    "beta1": 0.0,
}
ALL = {**CURES, "noise_steps": 30}
EACH = [{}, *({name: value} for name, value in CURES.items()), ALL, *({"loss": loss} for loss in gan.LOSSES)]
NAMES = ["plain", *CURES, "all", *gan.LOSSES]


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


@pytest.fixture(scope="module")
def built():
    """built(copies, **settings): a small GAN at step 0, on the ring. GANs that have one graph are built once."""
    made = {}

    def get(copies=None, **settings):
        wanted = Settings.of(**SMALL | settings)
        key = copies, *wanted.graph.items()
        if key not in made:
            made[key] = GAN(RING, copies=copies, width=WIDTH, **asdict(wanted))
        return made[key].set(**asdict(wanted)).feed(RING).restart(0)

    return get


def state(model):
    return [np.array(v) for v in tf.nest.flatten(model.state)]


def weights(model, player):
    return model.game.networks[player].get_weights()


def equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


# Losses -----------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


REAL, FAKE = np.array([-2.0, 0.3, 1.5]), np.array([-1.0, 0.7, 3.0])
BY_HAND = {
    "minimax": (-np.log(sigmoid(REAL)) - np.log(1 - sigmoid(FAKE)), np.log(1 - sigmoid(FAKE))),
    "non-saturating": (-np.log(sigmoid(REAL)) - np.log(1 - sigmoid(FAKE)), -np.log(sigmoid(FAKE))),
    "least squares": (((REAL - 1) ** 2 + FAKE**2) / 2, (FAKE - 1) ** 2 / 2),
    "hinge": (np.maximum(0, 1 - REAL) + np.maximum(0, 1 + FAKE), -FAKE),
    "Wasserstein": (FAKE - REAL, -FAKE),
}


@pytest.mark.parametrize("loss", gan.LOSSES)
def test_losses_are_their_formulas(loss):
    of_discriminator, of_generator = gan.LOSSES[loss]
    assert np.allclose(of_discriminator(1.0, REAL, FAKE), BY_HAND[loss][0])
    assert np.allclose(of_generator(FAKE), BY_HAND[loss][1])


def test_smoothed_cross_entropy_is_least_at_the_smoothed_label():
    values = np.linspace(-5, 5, 10_001)
    best = values[np.argmin(gan.LOSSES["minimax"][0](0.9, values, np.float64(0)))]
    assert sigmoid(best) == pytest.approx(0.9, abs=1e-3)


def test_the_first_losses_are_those_of_the_initial_weights(built):
    losses = built(copies=3).restart(1).train(1, which="D")
    assert losses.shape == (1, 2, 3) and np.isnan(losses[0, 1]).all()
    assert losses[0, 0] == pytest.approx(2 * np.log(2), abs=0.5)  # a discriminator that knows nothing yet


# Runs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", EACH, ids=NAMES)
def test_a_run_does_not_depend_on_how_it_is_cut(built, settings):
    model = built(**settings)
    whole, after = model.restart(3).train(23), state(model)
    samples = model.generate(20)
    parts = [model.restart(3).train(5), *(model.train(n) for n in (1, 0, 10, 7))]
    assert np.array_equal(np.concatenate(parts), whole) and equal(state(model), after)
    assert np.array_equal(model.generate(20), samples)
    assert np.isfinite(whole).all() and model.step == 23


@pytest.mark.parametrize("settings", EACH, ids=NAMES)
def test_copies_train_with_every_setting(built, settings):
    model = built(copies=3, **settings).restart(3)
    before = state(model)
    assert np.isfinite(model.train(12)).all() and not equal(before, state(model))
    samples = model.generate(20)
    assert samples.shape == (3, 20, 2) and not np.allclose(samples[0], samples[1])


def test_another_seed_is_another_run_in_the_same_graph():
    model = GAN(RING, width=WIDTH, **SMALL)
    first = model.restart(1).train(5)
    traced = model._run.experimental_get_tracing_count()
    assert not np.array_equal(model.restart(2).train(5), first)
    assert np.array_equal(model.restart(1).train(5), first)
    elsewhere = model.restart(1).feed(RING[:100] + 50).train(5)  # other data need no other graph
    assert not np.array_equal(elsewhere, model.restart(1).feed(RING).train(5))
    assert traced == model._run.experimental_get_tracing_count() == 1
    model.set(beta1=0.2, generator_rate=1e-4, d_steps=3).train(7, which="D")  # one more, for all other turns
    model.set(d_steps=2).train(7)
    model.train(np.int64(7), which="G")
    assert model._run.experimental_get_tracing_count() == 2


def test_restart_leaves_nothing_of_the_run_before(built):
    model = built(**ALL).restart(5)
    fresh = state(model)
    model.train(30)
    assert equal(state(model.restart(5)), fresh)


def test_one_network_trains_alone(built):
    model = built().restart(1)
    g, d = (weights(model, player) for player in (G, D))
    model.train(3, which="G")
    assert not equal(g, weights(model, G))
    assert equal(d, weights(model, D))
    model.train(3, which="D")
    assert not equal(d, weights(model, D))


def test_the_discriminator_makes_its_steps_first(built):
    model = built(d_steps=3)
    model.restart(1).train(2)
    at_once = state(model)
    model.restart(1)
    for _ in range(2):
        model.train(1, which="D")
        model.train(1, which="G")
    assert equal(at_once, state(model))


def test_a_step_follows_from_its_state_and_leaves_it_alone(built):
    model = built(**CURES)
    model.train(3)
    before, shown = model.state, state(model)
    for step, player in ((steps.discriminator_step, D), (steps.generator_step, G)):
        after, loss = step(model.game, before, model.settings.fed)
        again, same = step(model.game, before, model.settings.fed)
        assert equal(tf.nest.flatten(after), tf.nest.flatten(again)) and np.array_equal(loss, same)
        assert equal(after.weights[1 - player], before.weights[1 - player])
        assert not equal(after.weights[player], before.weights[player])
        assert int(after.steps[player]) == int(before.steps[player]) + 1
    assert equal(state(model), shown)


def test_it_learns_a_gaussian():
    x = np.random.default_rng(0).normal((1, -1), (0.5, 0.2), (2000, 2)).astype("float32")
    model = GAN(x, copies=3, width=16, beta1=0.0, r1=0.1, average=0.99).restart(1)
    model.train(1500)
    for samples in model.generate(2000):
        assert samples.mean(axis=0) == pytest.approx((1, -1), abs=0.15)
        assert samples.std(axis=0) == pytest.approx((0.5, 0.2), abs=0.15)


# The optimizer and the cures --------------------------------------------------------------------------------


def test_adam_is_keras_adam(built):
    ours = built().state.weights[D]
    theirs, variables = keras.optimizers.Adam(0.01, beta_1=0.7), [tf.Variable(weight) for weight in ours]
    theirs.build(variables)
    moments = [tf.zeros(sum(weight.shape.num_elements() for weight in ours))] * 2
    rng = np.random.default_rng(0)
    for step in range(1, 6):
        gradients = [tf.constant(rng.normal(size=weight.shape).astype("float32")) for weight in ours]
        theirs.apply(gradients)
        ours, moments = steps.adam(ours, gradients, moments, step, tf.constant(0.01), tf.constant(0.7))
    for weight, variable in zip(ours, variables):
        assert np.allclose(weight.numpy(), variable.numpy(), atol=1e-6)


def test_one_step_each_trains_alike_in_both_graphs(built):
    model = built().restart(1)
    model.train(3)
    both = state(model)
    model.restart(1)
    for _ in range(3):
        model.train(1, which="D")
        model.train(1, which="G")
    assert all(np.allclose(x, y, atol=1e-5) for x, y in zip(both, state(model)))


def line(x, slope=3.0):
    """A GAN whose discriminator is the plane slope · x₁."""
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    discriminator.layers[0].kernel.assign([[slope], [0.0]])
    return lambda **settings: GAN(x, generator=generator, discriminator=discriminator, **settings), discriminator


def penalty_of(name, strength, slope):
    make, discriminator = line(RING, slope)
    model = make(**{name: strength, "batch": 16})
    discriminator.layers[0].kernel.assign([[slope], [0.0]])
    x, y = (tf.constant(RING[i : i + 16]) for i in (0, 16))
    _, slopes = steps.values_and_slopes(model.game, x)
    return float(steps.penalties(model.game, x, y, slopes, tf.constant([0, 1]), model.settings.fed))


def test_r1_is_half_gamma_times_the_squared_slope():
    assert penalty_of("r1", 0.2, slope=3.0) == pytest.approx(0.1 * 9)


@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_the_gradient_penalty_asks_for_slope_one(slope):
    assert penalty_of("penalty", 10.0, slope) == pytest.approx(10 * (slope - 1) ** 2, abs=1e-4)


def test_the_gradient_penalty_looks_between_real_samples_and_fakes():
    """A discriminator with a kink shows where the slope is taken: at x + U(0, 1) (fake − x), never outside."""
    seen = []
    make, discriminator = line(RING)
    model = make(penalty=1.0, batch=1000)
    game = replace(model.game, discriminator=lambda x, training: seen.append(x) or discriminator(x))
    x, y = tf.zeros((1000, 2)), tf.constant([[1.0, 5.0]] * 1000)
    steps.penalties(game, x, y, None, tf.constant([0, 1]), model.settings.fed)
    part = seen[0].numpy() / [1, 5]
    assert np.allclose(part[:, 0], part[:, 1])  # on the line between the two
    assert part.min() > 0 and part.max() < 1
    assert part.mean() == pytest.approx(0.5, abs=4.5 * 12**-0.5 / 1000**0.5)
    assert part.var() == pytest.approx(1 / 12, rel=0.1)


def test_spectral_normalisation_bounds_every_kernel(built):
    model = built(copies=3, spectral=True, discriminator_rate=0.05).restart(1)
    model.train(100)
    for layer in model.discriminator.layers:
        for raw, used in zip(layer.kernel.numpy(), layer.normalised(False).numpy()):
            assert np.linalg.norm(used, 2) == pytest.approx(1, abs=0.1)
            assert used / np.linalg.norm(used) == pytest.approx(raw / np.linalg.norm(raw), abs=1e-5)


def test_minibatch_deviation_tells_a_collapsed_batch():
    layer = gan.MinibatchDeviation()
    x = np.random.default_rng(0).normal(0, [1, 3], (2, 500, 2)).astype("float32")
    out = layer(x, training=True).numpy()
    assert out.shape == (2, 500, 3) and np.array_equal(out[..., :2], x)
    assert out[..., 2] == pytest.approx(np.broadcast_to(x.std(axis=1).mean(axis=1)[:, None], (2, 500)), rel=1e-4)
    assert np.allclose(layer(x[:, :1], training=False)[..., 2], out[:, :1, 2])  # alone: as in the last batch
    assert layer(np.ones((2, 50, 2)), training=True).numpy()[..., 2].max() < 1e-3


def test_packs_hold_samples_side_by_side(built):
    model = built(packing=4)
    x = tf.constant(RING[:16])
    packed = steps.seen(model.game, model.state, x, tf.constant([0, 1]), model.settings.fed).numpy()
    assert packed.shape == (4, 8) and np.array_equal(packed[1], RING[4:8].ravel())
    pack = np.concatenate([RING[7:8], RING[:3]]).reshape(1, 8)  # with the first real samples
    assert model.discriminate(RING[7:12]).shape == (5,)
    assert np.allclose(model.discriminate(RING[7:8]), model.discriminator(pack)[..., 0], atol=1e-6)


def test_half_of_the_fakes_are_old_ones(built):
    model = built(replay=64)
    now = model.state
    for step in range(1, 20):  # the store fills with zeros, then nines come in
        now = now._replace(steps=(0, step))
        _, old = steps.with_old(model.game, now, tf.zeros((16, 2)), tf.constant([0, step]))
        now = now._replace(old=old)
    now = now._replace(steps=(0, 20))
    mixed, old = steps.with_old(model.game, now, tf.fill((16, 2), 9.0), tf.constant([0, 20]))
    mixed = mixed.numpy()
    assert (mixed[:8] == 0).all() and (mixed[8:] == 9).all()
    assert (old.numpy() == 9).any(axis=1).sum() == 8


def test_noise_has_its_deviation_and_fades(built):
    def seen(step, **settings):
        model = built(noise=0.5, batch=2000, **settings)
        now = model.state._replace(steps=(step, step))
        return steps.seen(model.game, now, tf.zeros((2000, 2)), tf.constant([0, 1]), model.settings.fed).numpy()

    for step, deviation in ((0, 0.5), (50, 0.25), (100, 0), (150, 0)):
        assert seen(step, noise_steps=100).std() == pytest.approx(deviation, rel=0.1)
    assert seen(150, noise_steps=0).std() > 0.4  # noise that stays


def test_averaged_weights_make_the_samples(built):
    model = built(average=0.9).restart(1)
    expected = weights(model, G)
    for _ in range(5):
        model.train(1)
        expected = [0.9 * e + 0.1 * w for e, w in zip(expected, weights(model, G))]
    assert all(np.allclose(a, e, atol=1e-6) for a, e in zip(model.state.average, expected))
    z = steps.latent(model.game, (0, -1), 50)
    assert not np.allclose(model.generate(50), model.generator(z), atol=1e-5)


def test_a_settled_generator_makes_the_averaged_samples(built):
    model = built(average=0.9).restart(1)
    model.train(20)
    samples = model.generate(50)
    assert np.allclose(model.settle()(steps.latent(model.game, (0, -1), 50)), samples, atol=1e-6)
    assert np.allclose(model.generate(50), samples, atol=1e-6) and np.isfinite(model.train(2)).all()
    plain = built().restart(1)
    before = state(plain)
    assert plain.settle() is plain.generator and equal(state(plain), before)


def test_unrolling_looks_ahead(built):
    """The generator's loss after a step of the discriminator is that of a discriminator that made the step."""
    plain, ahead = built().restart(4), built(unrolling=5).restart(4)
    for model in (plain, ahead):
        model.train(200, which="D")
    first = [float(model.train(1, which="G")[0, 1]) for model in (plain, ahead)]
    assert first[1] > first[0]  # a discriminator five steps on rejects these fakes more


def test_pull_points_where_the_discriminator_rises():
    make, discriminator = line(RING)
    points, pull = make(batch=16).pull(32)
    discriminator.layers[0].kernel.assign([[3.0], [0.0]])
    points, pull = make(batch=16).pull(32)
    assert points.shape == pull.shape == (32, 2)


# Bad input, divergence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loss": "perceptual"}, "unknown loss 'perceptual': choose one of minimax, non-saturating"),
        ({"batch": 10, "packing": 4}, "batch of 10 cannot be packed by 4: choose .* such as 12"),
        ({"pack": 4}, "no setting or cure 'pack'; did you mean 'packing'"),
        ({"zzz": 4}, "no setting or cure 'zzz'; it has loss, "),
        ({"loss": "hinge", "smoothing": 0.1}, "hinge loss has no labels"),
        ({"beta1": 1.0}, "beta1 must be from 0 to 0.999, got 1.0"),
        ({"generator_rate": -1.0}, "generator_rate must be from 0 to 1"),
        ({"generator_rate": float("nan")}, "generator_rate must be from 0 to 1"),
        ({"average": 1.0}, "average must be"),
        ({"packing": 0}, "packing must be a whole number from 1 to"),
        ({"batch": 64.0}, "batch must be a whole number from"),
        ({"batch": 64, "replay": 8}, "store of 8 is too small .* at least 32"),
    ],
)
def test_wrong_settings_are_refused(built, settings, said):
    with pytest.raises(ValueError, match=said):
        GAN(RING, **settings)
    with pytest.raises(ValueError, match=said):
        built().set(**settings)


def test_wrong_runs_are_refused(built):
    with pytest.raises(ValueError, match="train both, G or D, not 'g'"):
        built().train(1, which="g")
    with pytest.raises(ValueError, match="0 steps or more, not -1"):
        built().train(-1)
    with pytest.raises(ValueError, match="not 2.5: give a whole number"):
        built().train(2.5)


def test_what_needs_another_graph_cannot_be_set(built):
    model = built()
    for settings in ({"r1": 0.1}, {"packing": 2}, {"loss": "hinge"}, {"replay": 10}):
        with pytest.raises(ValueError, match="cannot change in a GAN that is built"):
            model.set(**settings)


@pytest.mark.parametrize(
    ("x", "said"), [(np.zeros(5), "shape"), (np.zeros((0, 2)), "got"), ([[0.0, np.nan]], "infinite or undefined")]
)
def test_wrong_samples_are_refused(built, x, said):
    with pytest.raises(ValueError, match=said):
        GAN(x, **SMALL)
    with pytest.raises(ValueError, match=said):
        built().feed(x)


def test_samples_of_another_dimension_are_refused(built):
    with pytest.raises(ValueError, match=r"samples have the shape \(3,\), and the generator makes \(2,\)"):
        built().feed(np.zeros((5, 3)))
    generator, discriminator = gan.networks(3)
    with pytest.raises(ValueError, match=r"shape \(2,\), and the generator makes \(3,\)"):
        GAN(RING, generator=generator, discriminator=discriminator)
    with pytest.raises(ValueError, match=r"discriminator takes \(3,\), and gets samples of shape \(12,\), packed by 4"):
        GAN(np.zeros((9, 3)), generator=generator, discriminator=discriminator, packing=4)
    with pytest.raises(ValueError, match="give both, or neither"):
        GAN(np.zeros((9, 3)), generator=generator)
    with pytest.raises(ValueError, match="are layers: put them into your own"):
        GAN(np.zeros((9, 3)), generator=generator, discriminator=discriminator, spectral=True)


def test_a_frozen_network_is_refused():
    """An old recipe sets D.trainable = False, so that a model of both trains G alone."""
    generator, discriminator = gan.networks(2, width=WIDTH)
    discriminator.trainable = False
    with pytest.raises(ValueError, match="the discriminator is frozen: set its `trainable` to True"):
        GAN(RING, generator=generator, discriminator=discriminator, **SMALL)
    discriminator.trainable = True
    discriminator.layers[0].trainable = False  # in part, as with features learnt before
    model = GAN(RING, generator=generator, discriminator=discriminator, **SMALL)
    first, *others = weights(model, D)
    model.train(2)
    assert np.array_equal(first, weights(model, D)[0]) and not equal(others[1:], weights(model, D)[2:])
    discriminator.trainable = False
    with pytest.raises(ValueError, match="the discriminator is frozen"):
        model.train(1)
    discriminator.trainable = True
    with pytest.raises(ValueError, match="discriminator had 4 weights to train when the GAN was made, and has 6 now"):
        model.train(1)


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy(before)


def test_mixed_precision_leaves_a_gan_in_float32_or_is_refused(half_precision):
    model = GAN(RING, width=WIDTH, **SMALL, deviation=True)
    assert np.isfinite(model.train(3)).all() and model.generate(4).dtype == np.float32
    assert {layer.compute_dtype for net in model.game.networks for layer in net.layers} == {"float32"}
    layers = keras.layers
    generator, discriminator = (keras.Sequential([keras.Input((2,)), layers.Dense(units)]) for units in (2, 1))
    with pytest.raises(ValueError, match="the generator computes in float16, and a GAN trains in float32: give its"):
        GAN(RING, generator=generator, discriminator=discriminator)


@functools.cache
def falling(which):
    """A GAN with the discriminator √(w · x), which gives nan where w · x falls below 0: by D's steps, whose fakes are
    larger than the data, or by G's, which with a root taken from 1 prefers small ones."""
    layers = keras.layers
    root = (lambda x: 1 - keras.ops.sqrt(x)) if which == "G" else keras.ops.sqrt
    generator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2, lambda x: 3 + keras.ops.tanh(x))]
        if which != "G"
        else [keras.Input((2,)), layers.Dense(2, kernel_initializer="zeros", bias_initializer="ones")]
    )
    discriminator = keras.Sequential([
        keras.Input((2,)),
        layers.Dense(1, root, use_bias=False, kernel_initializer="ones"),
    ])
    return GAN(
        np.ones((50, 2)),
        generator=generator,
        discriminator=discriminator,
        loss="Wasserstein",
        batch=16,
        discriminator_rate=0.02,
        generator_rate=0.02,
    )


@pytest.mark.parametrize("which", ["both", "D", "G"])
def test_a_run_that_leaves_the_finite_numbers_stops_and_keeps_the_last_good_weights(which):
    stopped_at = set()
    for cut in ((300,), (1,) * 300, (7, 293)):  # whole, single steps, two parts
        model = falling(which).restart(1)
        with pytest.raises(gan.Diverged, match="made the weights infinite") as stopped:
            for n in cut:
                model.train(n, which=which)
        step, kept = stopped.value.step, state(model)
        assert 5 < step < 300 and model.step == step - 1
        assert all(np.isfinite(w).all() for w in kept)
        with pytest.raises(gan.Diverged) as at_once:
            model.train(5, which=which)
        assert at_once.value.step == step
        model.restart(1).train(step - 1, which=which)
        assert equal(state(model), kept)
        stopped_at.add(step)
    assert len(stopped_at) == 1


# Images and Keras's own layers ------------------------------------------------------------------------------


def test_a_convolutional_gan_trains_with_every_cure_that_fits():
    layers = keras.layers
    generator = keras.Sequential([
        keras.Input((4,)),
        layers.Dense(4 * 4 * 4, "relu"),
        layers.Reshape((4, 4, 4)),
        layers.Conv2DTranspose(1, 4, 2, "same", activation="sigmoid"),
    ])
    spectral = layers.SpectralNormalization(layers.Conv2D(4, 3, 2))  # which writes into its own kernel
    discriminator = keras.Sequential([
        keras.Input((8, 8, 1)),
        spectral,
        layers.LeakyReLU(),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dense(1),
    ])
    images = np.random.default_rng(0).uniform(size=(50, 8, 8, 1))
    model = GAN(
        images,
        generator=generator,
        discriminator=discriminator,
        batch=8,
        r1=1.0,
        penalty=1.0,
        average=0.9,
        noise=0.1,
        replay=16,
        smoothing=0.1,
    )
    whole = model.restart(1).train(6)
    assert np.isfinite(whole).all()
    model.restart(1).train(2)
    assert np.array_equal(model.train(4), whole[2:])
    assert model.generate(5).shape == (5, 8, 8, 1)
    assert np.linalg.norm(spectral.kernel.numpy().reshape(9, 4), 2) == pytest.approx(1, abs=0.1)


def test_layers_are_saved_and_loaded(tmp_path):
    _, discriminator = gan.networks(2, copies=3, settings=gan.Settings(spectral=True, deviation=True))
    x = np.random.default_rng(0).normal(size=(3, 20, 2)).astype("float32")
    discriminator(x, training=True)
    discriminator.save(tmp_path / "d.keras")
    loaded = keras.models.load_model(tmp_path / "d.keras")
    assert np.allclose(loaded(x), discriminator(x), atol=1e-6)


# What it is for ---------------------------------------------------------------------------------------------


def test_momentum_collapses_and_the_recipe_does_not():
    ring = data.points("ring")
    found = {}
    for name, settings in {"failing": {"d_depth": 1}, "cured": {"beta1": 0.0, "r1": 0.1, "average": 0.99}}.items():
        model = GAN(ring.x, copies=3, **settings).restart(1)
        model.train(1500)
        found[name] = [metrics.modes(s, ring.modes, ring.std)["captured"] for s in model.generate(2500)]
    assert np.mean(found["failing"]) <= 3 and np.mean(found["cured"]) >= 7


def test_drawing_real_samples_copies_no_data():
    model = GAN(RING, **SMALL)
    draw = tf.function(lambda seed: steps.real_samples(model.game, seed))
    kinds = {op.type for op in draw.get_concrete_function(tf.TensorSpec((2,), tf.int32)).graph.get_operations()}
    assert "ResourceGather" in kinds and "ReadVariableOp" not in kinds
