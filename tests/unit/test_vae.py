"""helpers.models.vae: the loss against formulas, probabilistic PCA, quadrature, finite differences; wrong uses."""

import numpy as np
import pytest
from scipy.special import logsumexp

from helpers import data, labs, metrics, models, training
from helpers.training import keras, tf

ops = keras.ops
RNG = np.random.default_rng(0)
X = (RNG.random((32, 16)) < 0.4).astype("float32")
GREY = np.random.default_rng(0).uniform(size=(32, 16)).astype("float32")
LABELS = np.arange(32) % 3


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


@pytest.fixture(scope="module")
def machine():
    """A VAE that is compiled once; who uses it begins with a restart."""
    vae = models.VAE(16, 3, hidden=32)
    vae.compile("adam")
    return vae


@pytest.fixture
def vae(machine):
    """A VAE with weights large enough that nothing is trivial: means of size 1, variances from 0.1 to 10."""
    training.restart(machine, 1)
    for layer in (machine.mean, machine.log_variance):
        layer.kernel.assign(layer.kernel * 2)
    return machine


def livelier(vae, seed=1):
    """A VAE with weights large enough that nothing is trivial."""
    vae.compile("adam")
    training.restart(vae, seed)
    for layer in (vae.mean, vae.log_variance, *vae.decoder.layers):
        layer.kernel.assign(layer.kernel * 2)
    return vae


def loss_now(vae, *images, noise=None):
    """What Keras measures on one batch; Keras 3.13 averages over batches until told otherwise."""
    if noise is not None:
        vae.sampling.seed_generator.state.assign([noise, 0])
    vae.reset_metrics()
    return vae.test_on_batch(*images)


# Sampling -----------------------------------------------------------------------------------------------------


def test_samples_have_the_mean_and_the_variance_asked_for():
    n, mean, log_variance = 100_000, np.float32([0, 3, -1]), np.log(np.float32([1, 0.25, 4]))
    z = np.array(models.Sampling()([ops.tile([mean], (n, 1)), ops.tile([log_variance], (n, 1))]), np.float64)
    variance = np.exp(log_variance)
    assert (np.abs(z.mean(0) - mean) < 4.5 * np.sqrt(variance / n)).all()
    assert (np.abs(z.var(0) / variance - 1) < 4.5 * np.sqrt(2 / n)).all()
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 4.5 / np.sqrt(n)


def test_samples_are_drawn_anew():
    sampling = models.Sampling()
    zeros = np.zeros((4, 3), "float32")
    assert (np.array(sampling([zeros, zeros])) != np.array(sampling([zeros, zeros]))).all()


def test_gradients_pass_to_mean_and_log_variance():
    mean, log_variance = (tf.Variable(RNG.normal(size=(5, 3)).astype("float32")) for _ in range(2))
    with tf.GradientTape() as tape:
        z = models.Sampling()([mean, log_variance])
    to_mean, to_log_variance = tape.gradient(z, [mean, log_variance])
    assert (np.array(to_mean) == 1).all()
    assert np.array(to_log_variance) == pytest.approx(np.array(z - mean) / 2, rel=1e-5)


# The loss ----------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def loss_by_hand(vae, x, logits):
    """(cross-entropy summed over pixels, KL summed over the code), each the mean over images, in nats."""
    p, x = sigmoid(np.array(logits, np.float64)), np.float64(x)
    mean, log_variance = (np.array(head, np.float64) for head in vae.heads(x))
    cross_entropy = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    return cross_entropy, ((np.exp(log_variance) + mean**2 - 1 - log_variance) / 2).sum(axis=1).mean()


def test_kl_is_what_its_own_samples_say(vae):
    vae(GREY[:1])
    (kl,) = (float(loss) for loss in vae.losses)
    mean, log_variance = (ops.repeat(head, 200_000, axis=0) for head in vae.heads(GREY[:1]))
    z = np.array(vae.sampling([mean, log_variance]), np.float64)
    mean, log_variance = np.array(mean, np.float64), np.array(log_variance, np.float64)
    log_q = -((z - mean) ** 2 / np.exp(log_variance) + log_variance).sum(axis=1) / 2
    ratio = log_q + (z**2).sum(axis=1) / 2  # log q(z|x) − log p(z)
    assert kl > 0.3
    assert abs(ratio.mean() - kl) < 4.5 * ratio.std() / np.sqrt(len(ratio))


def test_loss_is_cross_entropy_plus_kl_in_nats(vae):
    logits = vae(GREY)
    cross_entropy, kl = loss_by_hand(vae, GREY, logits)
    assert kl > 0.3
    assert float(vae.compute_loss(GREY, GREY, logits)) == pytest.approx(cross_entropy + kl, rel=1e-5)


def test_keras_counts_the_loss_once(vae):
    def same_noise():
        vae.sampling.seed_generator.state.assign([1, 0])

    same_noise()
    expected = sum(loss_by_hand(vae, GREY, vae(GREY)))
    for measure in (vae.test_on_batch, vae.test_on_batch, vae.train_on_batch):  # nothing piles up
        same_noise()
        assert measure(GREY, GREY) == pytest.approx(expected, rel=1e-5)


def test_a_vae_of_zeros_costs_one_bit_a_pixel():
    vae = models.VAE(16, 3)
    vae.set_weights([0 * w for w in vae.get_weights()])
    assert float(vae.compute_loss(GREY, GREY, vae(GREY))) == pytest.approx(16 * np.log(2), rel=1e-6)


def test_loss_is_exact_where_a_sigmoid_saturates():
    vae = models.VAE(16, 3)
    logits = np.full((1, 16), 100, "float32")
    vae(GREY[:1])
    kl = float(sum(vae.losses))
    assert float(vae.compute_loss(None, np.zeros((1, 16), "float32"), logits)) == pytest.approx(1600 + kl, rel=1e-6)


def test_encode_and_decode(vae):
    mean = np.array(vae.encode(GREY))
    assert mean.shape == (32, 3) and (mean == np.array(vae.encode(GREY))).all()  # the mean: no noise in it
    assert np.array(vae.decode(mean)) == pytest.approx(sigmoid(np.array(vae.decoder(mean))), rel=1e-5)
    assert vae.decode(mean).shape == (32, 16)


def test_training_lowers_the_loss():
    x = data.load("digits", seed=1).x_train
    vae = models.VAE(64, 4)
    batches = training.pipeline(x, seed=1)
    vae.compile(keras.optimizers.Adam(2e-3), steps_per_execution=len(batches))
    training.restart(vae, 1)
    untrained = vae.evaluate(x, x, verbose=0)
    assert untrained == pytest.approx(64 * np.log(2), rel=0.05)
    vae.fit(batches, epochs=2, verbose=0)
    always_the_mean_image = np.clip(x.mean(0), 1e-6, 1 - 1e-6)
    entropy = -(x * np.log(always_the_mean_image) + (1 - x) * np.log(1 - always_the_mean_image)).sum(1).mean()
    assert vae.evaluate(x, x, verbose=0) < entropy - 1 < untrained - 1  # it has learned more than the mean image


def test_images_alone_are_their_own_targets(machine):
    def batches(*arrays):
        return tf.data.Dataset.from_tensor_slices(arrays if arrays[1:] else arrays[0]).batch(16)

    found = []
    for images, validation, pipe in ((GREY,), GREY, batches(GREY)), ((GREY, GREY), (GREY, GREY), batches(GREY, GREY)):
        training.restart(machine, 1)
        history = machine.fit(*images, validation_data=validation, verbose=0).history
        found.append((history, machine.evaluate(*images, verbose=0), machine.fit(pipe, verbose=0).history))
    assert found[0] == found[1]


# The linear VAE is probabilistic PCA --------------------------------------------------------------------------


def linear_elbo(vae, x):
    """The ELBO of a linear VAE per image, nothing drawn: E|x − Wz − b|² = |x − Wμ − b|² + Σ σⱼ² |Wⱼ|²."""
    W, b = (np.array(w, np.float64) for w in vae.decoder.get_weights())
    mean, log_variance = (np.array(head, np.float64) for head in vae.heads(x))
    noise, variance = np.exp(float(vae.likelihood.log_variance)), np.exp(log_variance)
    squares = ((x - mean @ W - b) ** 2).sum(1) + variance @ (W**2).sum(1)
    log_p = -(squares / noise + x.shape[1] * np.log(2 * np.pi * noise)) / 2
    return log_p - (variance + mean**2 - 1 - log_variance).sum(1) / 2


def linear_log_p(vae, x):
    """log N(x; b, WWᵀ + σ²I), exactly."""
    from scipy.stats import multivariate_normal

    W, b = (np.array(w, np.float64) for w in vae.decoder.get_weights())
    covariance = W.T @ W + np.exp(float(vae.likelihood.log_variance)) * np.eye(x.shape[1])
    return multivariate_normal(b, covariance).logpdf(x)


@pytest.fixture(scope="module")
def trained_linear():
    """A linear VAE with a code of 2, trained by sampling on digits, and the digits."""
    x = data.load("digits", seed=3).x_train
    batches = training.pipeline(x, passes=75, seed=3)
    vae = models.VAE(64, 2, hidden=0, likelihood="gaussian")
    rate = keras.optimizers.schedules.CosineDecay(1e-2, len(batches))
    vae.compile(keras.optimizers.Adam(rate), steps_per_execution=len(batches))
    training.restart(vae, 3).fit(batches, verbose=0)
    return vae, x


def test_linear_vae_reaches_probabilistic_pca(trained_linear):
    from sklearn.decomposition import PCA

    vae, x = trained_linear
    pca = PCA(2).fit(x)
    values = np.linalg.eigvalsh(np.cov(x.T.astype(np.float64), bias=True))[::-1]
    noise = values[2:].mean()
    log_p = -(64 * np.log(2 * np.pi) + np.log(values[:2]).sum() + 62 * np.log(noise) + 64) / 2
    assert log_p == pytest.approx(pca.score(x), abs=1e-3)  # scikit-learn divides by n − 1
    assert 0 < log_p - linear_elbo(vae, x).mean() < 0.01
    W = np.array(vae.decoder.get_weights()[0])
    cosines = np.linalg.svd(pca.components_ @ np.linalg.qr(W.T)[0], compute_uv=False)
    assert cosines.min() > 0.999
    assert np.exp(float(vae.likelihood.log_variance)) == pytest.approx(noise, rel=0.01)


def test_bound_holds_for_each_image_and_the_weights_find_log_p(trained_linear):
    vae, x = trained_linear
    exact, elbo = linear_log_p(vae, x[:50]), linear_elbo(vae, x[:50])
    assert (elbo <= exact + 1e-4).all()  # 1e-4: the model's numbers are float32
    log_w = vae.log_weights(x[:50], 400)
    assert np.abs(log_w.mean(1) - elbo).max() < 6 * log_w.std(1).max() / 20
    assert metrics.importance_bound(log_w, 400)[:, 0] == pytest.approx(exact, abs=0.05)


# The importance-weighted bound --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flat():
    """A trained VAE with a code of 2, some test images, and their exact log p(x) by quadrature."""
    d = data.load("digits", seed=4)
    batches = training.pipeline(np.round(d.x_train), passes=20, seed=4)
    vae = models.VAE(64, 2)
    vae.compile(keras.optimizers.Adam(4e-3), steps_per_execution=len(batches))
    training.restart(vae, 4).fit(batches, verbose=0)
    x = np.round(d.x_test[:60])
    return vae, x, [quadrature(vae, x, side) for side in (81, 161)]


def quadrature(vae, x, side):
    line = np.linspace(-6, 6, side)
    codes = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    logits = np.array(vae.decoder(codes.astype("float32")), np.float64)
    log_p = x @ logits.T - np.logaddexp(0, logits).sum(1)
    return logsumexp(log_p - (codes**2).sum(1) / 2 - np.log(2 * np.pi), axis=1) + 2 * np.log(line[1] - line[0])


def test_bounds_rise_with_k_towards_log_p(flat):
    vae, x, (coarse, exact) = flat
    assert coarse == pytest.approx(exact, abs=0.02)  # so the grid is fine enough
    log_w = vae.log_weights(x, 4000)
    bounds = [metrics.importance_bound(log_w, k).mean() for k in (1, 2, 5, 10, 50, 500)]
    assert (np.diff(bounds) > 0).all()
    assert bounds[0] == pytest.approx(log_w.mean())  # the ELBO
    assert exact.mean() - bounds[0] > 0.1
    assert exact.mean() - bounds[-1] == pytest.approx(0, abs=0.02)
    elbo, tighter = (metrics.importance_bound(log_w, k).mean(1) for k in (1, 50))
    assert (elbo < tighter + 0.02).all() and (tighter < exact + 0.05).all()  # image by image


def test_elbo_is_minus_the_loss(flat):
    vae, x, _ = flat
    loss = np.mean([loss_now(vae, x, x) for _ in range(300)])
    assert -vae.log_weights(x, 2000).mean() == pytest.approx(loss, abs=0.1)


def test_importance_bound_by_hand():
    log_w = np.log([[1.0, 3, 5, 7]])
    assert metrics.importance_bound(log_w, 2) == pytest.approx(np.log([[2, 6]]))
    assert metrics.importance_bound(log_w, 4) == pytest.approx(np.log([[4]]))
    assert metrics.importance_bound(log_w, 3) == pytest.approx(np.log([[3]]))  # a remainder is left out
    assert metrics.importance_bound(log_w - 1e5, 4) == pytest.approx(np.log([[4]]) - 1e5)
    with pytest.raises(ValueError, match="k = 5"):
        metrics.importance_bound(log_w, 5)


# Gradients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_gradient_of_the_loss_against_finite_differences(likelihood):
    vae = livelier(models.VAE(16, 3, hidden=8, likelihood=likelihood, beta=0.7))
    x = tf.constant(X)

    def loss():
        vae.sampling.seed_generator.state.assign([5, 0])  # the same noise each time
        return vae.compute_loss(x, x, vae(x))

    with tf.GradientTape() as tape:
        value = loss()
    for weight, gradient in zip(vae.trainable_weights, tape.gradient(value, vae.trainable_weights)):
        direction = RNG.normal(size=weight.shape).astype("float32")
        before, step = weight.numpy(), 2e-3
        ends = []
        for sign in (1, -1):
            weight.assign(before + sign * step * direction)
            ends.append(float(loss()))
        weight.assign(before)
        slope = (ends[0] - ends[1]) / (2 * step)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=0.02, abs=0.02), weight.path


# Likelihood ---------------------------------------------------------------------------------------------------


def test_gaussian_likelihood_is_scipys():
    from scipy.stats import norm

    layer, output = models.Likelihood("gaussian"), RNG.normal(size=X.shape).astype("float32")
    layer.build()
    layer.log_variance.assign(np.log(0.3))
    expected = -norm(output, np.sqrt(0.3)).logpdf(X).sum(1)
    assert np.array(layer(X, output)) == pytest.approx(expected, rel=1e-5)
    assert layer.mean(output) is output


def test_bernoulli_likelihood_sums_to_one_over_all_images():
    logits = RNG.normal(size=(1, 8)).astype("float32") * 3
    every = (np.arange(256)[:, None] >> np.arange(8) & 1).astype("float32")
    nats = np.array(models.Likelihood()(every, np.repeat(logits, 256, axis=0)), np.float64)
    assert np.exp(-nats).sum() == pytest.approx(1, abs=1e-5)


def test_vae_learns_the_gaussians_variance():
    x = np.random.default_rng(2).normal(3, 0.5, (640, 16)).astype("float32")
    vae = models.VAE(16, 2, hidden=0, likelihood="gaussian")
    batches = training.pipeline(x, passes=60)
    vae.compile(keras.optimizers.Adam(2e-2), steps_per_execution=len(batches))
    training.restart(vae, 1).fit(batches, verbose=0)
    assert np.exp(float(vae.likelihood.log_variance)) == pytest.approx(0.25, rel=0.1)


# Beta and its schedule ----------------------------------------------------------------------------------------


def weights_of_kl(beta, steps=9):
    return [round(float(beta(training=True)), 4) for _ in range(steps)]


def test_schedules():
    assert weights_of_kl(models.Beta(0.5)) == [0.5] * 9
    assert weights_of_kl(models.Beta(2.0, "linear", 4)) == [0.5, 1, 1.5, 2, 2, 2, 2, 2, 2]
    assert weights_of_kl(models.Beta(1.0, "cyclic", 4)) == [0.5, 1, 1, 1, 0.5, 1, 1, 1, 0.5]
    linear = models.Beta(2.0, "linear", 4)
    assert float(linear()) == 2 and weights_of_kl(linear, 1) == [0.5]  # out of training: no step, all of beta


def test_beta_weighs_kl_and_nothing_else():
    losses = {}
    for beta in (0, 1, 3):
        vae = livelier(models.VAE(16, 3, beta=beta))
        losses[beta] = loss_now(vae, X, X, noise=5)
    kl = float(np.mean(models.kl_divergence(*vae.heads(X))))
    assert losses[1] - losses[0] == pytest.approx(kl, rel=1e-4)
    assert losses[3] - losses[0] == pytest.approx(3 * kl, rel=1e-4)


def test_training_follows_the_schedule_and_a_restart_begins_it_anew():
    vae = models.VAE(16, 3, schedule="linear", warm_up=100)
    vae.compile("adam")
    for _ in range(2):
        training.restart(vae, 1)
        assert float(vae.beta.step) == 0
        vae.fit(X, X, batch_size=8, epochs=3, verbose=0)
        assert float(vae.beta.step) == 12
        vae.evaluate(X, X, verbose=0)
        assert float(vae.beta.step) == 12


def test_beta_is_set_without_a_new_graph():
    vae = models.VAE(16, 3)
    traces = []
    vae.compute_loss = lambda *a, f=vae.compute_loss, **k: traces.append(1) or f(*a, **k)
    vae.compile("adam")
    vae.fit(X, X, batch_size=8, verbose=0)
    first = len(traces)
    for beta, schedule in [(4, "none"), (2, "linear"), (2, "cyclic")]:
        vae.beta.set(beta, schedule, 10)
        training.restart(vae, 1)
        vae.fit(X, X, batch_size=8, verbose=0)
        assert float(vae.beta()) == beta
    assert len(traces) == first


def test_a_large_beta_collapses_the_code():
    vae = models.VAE(16, 3, beta=50.0)
    vae.compile(keras.optimizers.Adam(1e-2), steps_per_execution=200)
    training.restart(vae, 1).fit(training.pipeline(X, passes=200), verbose=0)
    assert np.mean(models.kl_divergence(*vae.heads(X))) < 0.02


# Saved, loaded, conditional -----------------------------------------------------------------------------------


def test_saved_vae_is_the_same(vae, tmp_path):
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.settings == vae.settings
    codes = np.array(vae.encode(GREY))
    assert (np.array(loaded.encode(GREY)) == codes).all()
    assert (np.array(loaded.decode(codes)) == np.array(vae.decode(codes))).all()
    loaded.fit(GREY, GREY, verbose=0)  # and it can be trained on
    assert (np.array(loaded.encode(GREY)) != codes).any()


@pytest.mark.parametrize(
    "options",
    [{"likelihood": "gaussian", "beta": 2.0, "schedule": "cyclic", "warm_up": 7}, {"hidden": 0}, {"classes": 3}],
    ids=str,
)
def test_saved_with_all_its_options(options, tmp_path):
    vae = livelier(models.VAE(16, 3, **options))
    x = vae.with_labels(X, LABELS) if "classes" in options else X
    vae.fit(x, X, verbose=0)
    vae.beta.set(**{**vae.beta.settings, "beta": 3.0})
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.get_config() == vae.get_config()
    assert float(loaded.beta()) == 3 and loaded.beta.settings == vae.beta.settings
    for a, b in zip(loaded.heads(x), vae.heads(x)):
        assert (np.array(a) == np.array(b)).all()
    assert loss_now(loaded, x, X, noise=5) == pytest.approx(loss_now(vae, x, X, noise=5), rel=1e-6)


def test_conditional_vae_uses_its_labels():
    vae = models.VAE(16, 2, classes=3)
    vae.compile(keras.optimizers.Adam(1e-2), steps_per_execution=150)
    x = np.eye(3, dtype="float32")[LABELS].repeat(5, axis=1)[:, :16]
    x = np.hstack([x, np.zeros((32, 16 - x.shape[1]), "float32")])
    training.restart(vae, 1).fit(training.pipeline(vae.with_labels(x, LABELS), x, passes=150), verbose=0)
    decoded = np.array(vae.decode(np.zeros((3, 2), "float32"), [0, 1, 2]))
    assert np.abs(decoded - [x[0], x[1], x[2]]).max() < 0.2
    assert vae.encode(vae.with_labels(x, LABELS)).shape == (32, 2)
    given = vae.with_labels(x, LABELS)
    assert loss_now(vae, given, noise=5) == loss_now(vae, given, x, noise=5)  # its own targets
    assert vae.log_weights(vae.with_labels(x, LABELS), 3).shape == (32, 3)


# Wrong uses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, said",
    [
        ({"beta": -0.1}, r"beta = -0.1: the weight of the KL term must be a number from 0 on"),
        ({"beta": float("nan")}, "beta = nan"),
        ({"schedule": "cosine", "warm_up": 5}, "unknown schedule 'cosine': choose none, linear, cyclic"),
        ({"schedule": "linear"}, "a linear schedule needs warm_up"),
        ({"likelihood": "poisson"}, "unknown likelihood 'poisson': choose bernoulli or gaussian"),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(ValueError, match=said):
        models.VAE(16, 3, **options)


@pytest.mark.parametrize("x", [X * 16, X - 0.5, X * np.nan], ids=["0–16", "centred", "NaN"])
def test_pixels_outside_0_1_with_bernoulli(vae, x):
    with pytest.raises(ValueError, match="pixels outside 0–1: a Bernoulli likelihood has no value for them. Scale"):
        vae.fit(x, x, verbose=0)
    with pytest.raises(ValueError, match="pixels outside 0–1"):
        vae.fit(training.pipeline(x, batch_size=16), verbose=0)
    vae.fit(X, X, verbose=0)  # and goes on with right ones


def test_gaussian_likelihood_takes_any_pixels():
    vae = models.VAE(16, 3, likelihood="gaussian")
    vae.compile("adam")
    assert np.isfinite(vae.fit(X * 16 - 3, X * 16 - 3, verbose=0).history["loss"]).all()


def test_conditional_without_labels():
    vae = models.VAE(16, 3, classes=3)
    vae.compile("adam")
    with pytest.raises(ValueError, match=r"16 numbers, 19 expected: 16 pixels and 3 classes: call with_labels"):
        vae.fit(X, X, verbose=0)
    codes = np.zeros((4, 3), "float32")
    for labels in (None, [0, 1], [0, 1, 2, 3], [0, 1, 2, -1], [0.0, 1, 2, 1]):
        with pytest.raises(ValueError, match="needs a label from 0 to 2 for each of the 4 images or codes"):
            vae.decode(codes, labels)
    with pytest.raises(ValueError, match="not conditional"):
        models.VAE(16, 3).with_labels(X, LABELS)


def test_images_of_another_size():
    with pytest.raises(ValueError, match="inputs of 9 numbers, 16 expected: 16 pixels"):
        models.VAE(16, 3)(np.zeros((2, 9), "float32"))


# In the browser -----------------------------------------------------------------------------------------------


def test_latent_plane_decodes_as_keras_does():
    vae = livelier(models.VAE(16, 2))
    layers = keras.layers
    decoder = keras.Sequential([keras.Input((2,)), layers.Dense(128, "relu"), layers.Dense(16, "sigmoid")])
    decoder.set_weights(vae.decoder.get_weights())
    plane = labs.LatentPlane(decoder, vae.encode(X), LABELS, (4, 4), "A plane to test")
    z = RNG.normal(size=(200, 2)).astype("float32") * 2
    assert np.abs(plane.decode(z).reshape(200, 16) - np.array(vae.decode(z))).max() < 1e-5
    plane.close()
