"""helpers.models: samples, losses and penalties against their formulas; one graph for every setting."""
import numpy as np
import pytest

from helpers import data, models, training
from helpers.training import keras

ops = keras.ops
RNG = np.random.default_rng(0)
X = RNG.uniform(size=(32, 16)).astype("float32")


@pytest.fixture(autouse=True, scope="module")
def repeatable():
    training.reproducible(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


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
    mean, log_variance = (training.tf.Variable(RNG.normal(size=(5, 3)).astype("float32")) for _ in range(2))
    with training.tf.GradientTape() as tape:
        z = models.Sampling()([mean, log_variance])
    to_mean, to_log_variance = tape.gradient(z, [mean, log_variance])
    assert (np.array(to_mean) == 1).all()
    assert np.array(to_log_variance) == pytest.approx(np.array(z - mean) / 2, rel=1e-5)


# The variational autoencoder ----------------------------------------------------------------------------------

@pytest.fixture
def vae():
    """A VAE with weights large enough that nothing is trivial: means of size 1, variances from 0.1 to 10."""
    model = models.VAE(16, 3, hidden=32)
    model.compile("adam")
    training.restart(model, 1)
    for layer in (model.mean, model.log_variance):
        layer.kernel.assign(layer.kernel * 2)
    return model


def loss_by_hand(vae, x, logits):
    """(cross-entropy summed over pixels, KL summed over the code), each the mean over images, in nats."""
    p, x = sigmoid(np.array(logits, np.float64)), np.float64(x)
    mean, log_variance = (np.array(head, np.float64) for head in vae.heads(x))
    cross_entropy = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    return cross_entropy, ((np.exp(log_variance) + mean**2 - 1 - log_variance) / 2).sum(axis=1).mean()


def test_kl_is_what_its_own_samples_say(vae):
    vae(X[:1])
    kl, = (float(loss) for loss in vae.losses)
    mean, log_variance = (ops.repeat(head, 200_000, axis=0) for head in vae.heads(X[:1]))
    z = np.array(vae.sampling([mean, log_variance]), np.float64)
    mean, log_variance = np.array(mean, np.float64), np.array(log_variance, np.float64)
    log_q = -((z - mean) ** 2 / np.exp(log_variance) + log_variance).sum(axis=1) / 2
    ratio = log_q + (z**2).sum(axis=1) / 2                               # log q(z|x) − log p(z)
    assert kl > 0.3
    assert abs(ratio.mean() - kl) < 4.5 * ratio.std() / np.sqrt(len(ratio))


def test_loss_is_cross_entropy_plus_kl_in_nats(vae):
    logits = vae(X)
    cross_entropy, kl = loss_by_hand(vae, X, logits)
    assert kl > 0.3
    assert float(vae.compute_loss(X, X, logits)) == pytest.approx(cross_entropy + kl, rel=1e-5)


def test_keras_counts_the_loss_once(vae):
    def same_noise():
        vae.sampling.seed_generator.state.assign([1, 0])

    same_noise()
    expected = sum(loss_by_hand(vae, X, vae(X)))
    for measure in (vae.test_on_batch, vae.test_on_batch, vae.train_on_batch):       # nothing piles up
        same_noise()
        assert measure(X, X) == pytest.approx(expected, rel=1e-5)


def test_a_vae_of_zeros_costs_one_bit_a_pixel():
    vae = models.VAE(16, 3)
    vae.set_weights([0 * w for w in vae.get_weights()])
    assert float(vae.compute_loss(X, X, vae(X))) == pytest.approx(16 * np.log(2), rel=1e-6)


def test_loss_is_exact_where_a_sigmoid_saturates():
    vae = models.VAE(16, 3)
    logits = np.full((1, 16), 100, "float32")
    vae(X[:1])
    kl = float(sum(vae.losses))
    assert float(vae.compute_loss(None, np.zeros((1, 16), "float32"), logits)) == pytest.approx(1600 + kl, rel=1e-6)


def test_encode_and_decode(vae):
    mean = np.array(vae.encode(X))
    assert mean.shape == (32, 3) and (mean == np.array(vae.encode(X))).all()         # the mean: no noise in it
    assert np.array(vae.decode(mean)) == pytest.approx(sigmoid(np.array(vae.decoder(mean))), rel=1e-5)
    assert vae.decode(mean).shape == (32, 16)


def test_saved_vae_is_the_same(vae, tmp_path):
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    assert loaded.settings == vae.settings
    codes = np.array(vae.encode(X))
    assert (np.array(loaded.encode(X)) == codes).all()
    assert (np.array(loaded.decode(codes)) == np.array(vae.decode(codes))).all()
    loaded.fit(X, X, verbose=0)                                          # and it can be trained on
    assert (np.array(loaded.encode(X)) != codes).any()


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
    assert vae.evaluate(x, x, verbose=0) < entropy - 1 < untrained - 1   # it has learned more than the mean image


# The gate -----------------------------------------------------------------------------------------------------

def test_gate_lets_the_first_numbers_pass():
    gate = models.Bottleneck()
    assert (np.array(gate(X)) == X).all()                                # open at first
    for k in (1, 5, 16):
        gate.keep(k)
        out = np.array(gate(X))
        assert (out[:, :k] == X[:, :k]).all() and (out[:, k:] == 0).all()
    assert gate.trainable_weights == []


@pytest.mark.parametrize("k", [0, -1, 17])
def test_gate_of_impossible_size(k):
    gate = models.Bottleneck()
    gate(X)
    with pytest.raises(ValueError, match=f"cannot keep {k} numbers of a code of 16"):
        gate.keep(k)


# The adjustable autoencoder -----------------------------------------------------------------------------------

class Counted(keras.losses.Loss):
    """Mean squared error that counts how often it is traced."""
    traces = 0

    def call(self, y, y_pred):
        self.traces += 1
        return ops.mean(ops.square(y - y_pred), axis=-1)


@pytest.fixture(scope="module")
def machine():
    machine = models.Adjustable(16, 20, 2, "relu")
    machine.compile("adam", Counted(), steps_per_execution=10)
    return machine


@pytest.fixture
def adjusted(machine):
    """A function that restarts and adjusts the machine, and returns it."""
    def adjust(code=20, regulariser="none", strength=0.0):
        training.restart(machine, 1).adjust(code, regulariser, strength)
        return machine
    return adjust


def full_code(machine):
    """What reaches the code's regulariser, before the gate: (batch, widest)."""
    code = X
    for layer in machine.encoder.layers[1:-2]:
        code = layer(code)
    return np.array(code, np.float64)


def evaluated(machine):
    return machine.evaluate(X, X, batch_size=32, verbose=0)


def reconstruction_error(machine):
    return np.mean((np.array(machine(X), np.float64) - X) ** 2)


def test_without_a_regulariser_the_loss_is_the_error(adjusted):
    machine = adjusted()
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine), rel=1e-5)


def test_l1_adds_the_sum_of_sizes(adjusted):
    machine = adjusted(regulariser="L1", strength=0.3)
    penalty = 0.3 * 0.01 * np.abs(full_code(machine)).sum(axis=1).mean()
    assert penalty > 0.01 * reconstruction_error(machine)
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine) + penalty, rel=1e-5)


def test_kl_adds_the_divergence_from_a_tenth(adjusted):
    machine = adjusted(regulariser="KL", strength=0.3)
    rho, p = np.abs(full_code(machine)).mean(axis=0), 0.1
    assert 0.1 < rho.max() < 1
    penalty = 0.3 * 0.01 * (p * np.log(p / rho) + (1 - p) * np.log((1 - p) / (1 - rho))).sum()
    assert penalty > 0.01 * reconstruction_error(machine)
    assert evaluated(machine) == pytest.approx(reconstruction_error(machine) + penalty, rel=1e-5)


@pytest.mark.parametrize("regulariser", ["noise", "dropout"])
def test_noise_and_dropout_leave_use_alone(adjusted, regulariser):
    machine = adjusted(regulariser=regulariser, strength=0.5)
    assert evaluated(machine) == pytest.approx(reconstruction_error(adjusted()), rel=1e-6)


def test_noise_is_added_to_the_input_in_training(adjusted):
    machine, zeros = adjusted(regulariser="noise", strength=0.5), np.zeros((2000, 16), "float32")
    noise = np.array(machine.on_input(zeros, training=True))
    assert noise.std() == pytest.approx(0.5, rel=4.5 / np.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 4.5 * 0.5 / np.sqrt(noise.size)
    code = np.ones((20, 20), "float32")
    assert (np.array(machine.on_code(code, training=True)) == code).all()


def test_dropout_drops_codes_in_training_and_scales_the_rest(adjusted):
    machine, ones = adjusted(regulariser="dropout", strength=0.3), np.ones((2000, 20), "float32")
    code = np.array(machine.on_code(ones, training=True))
    assert set(np.unique(code).round(5)) == {0, np.float32(1 / 0.7).round(5)}
    assert (code == 0).mean() == pytest.approx(0.3, abs=4.5 * np.sqrt(0.3 * 0.7 / code.size))
    assert (np.array(machine.on_input(X, training=True)) == X).all()


@pytest.mark.parametrize("regulariser", models.Regularisers.KINDS)
def test_strength_counts_from_zero(adjusted, regulariser):
    def losses(*setting):
        return adjusted(8, *setting).fit(training.pipeline(X, seed=1), verbose=0).history["loss"]
    assert losses(regulariser, 0.0) == losses("none", 0.0) == losses("none", 0.5)
    assert losses(regulariser, 0.5) != losses("none", 0.0)


def test_code_has_the_size_asked_for(adjusted):
    machine = adjusted(code=3)
    code = np.array(machine.encode(X))
    assert code.shape == (32, 20) and (code[:, 3:] == 0).all() and (code[:, :3] != 0).any(axis=0).all()


def test_settings_replace_each_other_without_a_new_graph(adjusted):
    def losses(*setting):
        return adjusted(*setting).fit(training.pipeline(X, seed=1), verbose=0).history["loss"]
    first, before = losses(8, "none", 0.0), adjusted().loss.traces
    others = [losses(k, kind, 0.5) for k in (2, 20) for kind in models.Regularisers.KINDS]
    assert losses(8, "none", 0.0) == first                               # nothing is left of what was set before
    assert len({tuple(loss) for loss in [first, *others]}) == 9
    assert adjusted().loss.traces == before > 0


@pytest.mark.parametrize("setting, words", [
    ((8, "dropuot", 0.1), "unknown regulariser 'dropuot': choose none, noise, dropout, L1, KL"),
    ((0, "none", 0.1), "cannot keep 0 numbers of a code of 20"),
    ((8, "dropout", 1.0), "less than 1 for dropout"),
    ((8, "L1", -0.1), "choose 0 or more"),
])
def test_impossible_settings(adjusted, setting, words):
    machine = adjusted(code=5, regulariser="L1", strength=0.2)
    before = evaluated(machine)
    with pytest.raises(ValueError, match=words):
        machine.adjust(*setting)
    assert evaluated(machine) == before                                  # refused as a whole


@pytest.mark.parametrize("depth", [1, 3])
def test_depth_is_hidden_layers_each_way(depth):
    machine = models.Adjustable(16, 20, depth, "tanh")
    for half in (machine.encoder, machine.decoder):
        dense = [layer for layer in half.layers if isinstance(layer, keras.layers.Dense)]
        assert [layer.units for layer in dense[:-1]] == [128] * depth
        assert all(layer.activation is keras.activations.tanh for layer in dense[:-1])
    assert (np.array(machine(X)) > 0).all() and machine(X).shape == (32, 16)


# Tied layers --------------------------------------------------------------------------------------------------------

def tied(widths, nested=False, pixels=12):
    """An autoencoder with this encoder, and a decoder tied to it: flat, or of two models in a row."""
    down = [keras.layers.Dense(n, "relu") for n in widths]
    up = [models.DenseTranspose(layer, "relu" if layer is not down[0] else "sigmoid") for layer in down[::-1]]
    if not nested:
        return keras.Sequential([keras.Input((pixels,)), *down, *up])
    return keras.Sequential([keras.Sequential([keras.Input((pixels,)), *down]),
                             keras.Sequential([keras.Input((widths[-1],)), *up])])


def flat(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dense | models.DenseTranspose)]


def saved(model, tmp_path):
    model.save(tmp_path / "tied.keras")
    return keras.saving.load_model(tmp_path / "tied.keras")


PIXELS_OF_TIED = np.random.default_rng(0).uniform(size=(5, 12)).astype("float32")


def test_tied_layer_computes_with_the_transposed_kernel():
    model = tied([4])
    (kernel, bias), own = model.layers[0].get_weights(), np.arange(12.0) / 10
    model.layers[1].bias.assign(own)
    code = np.maximum(PIXELS_OF_TIED @ kernel + bias, 0)
    np.testing.assert_allclose(model(PIXELS_OF_TIED), 1 / (1 + np.exp(-(code @ kernel.T + own))), atol=1e-6)


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("widths", [[4], [8, 4], [9, 8, 7, 6]], ids=len)
def test_tied_model_is_saved_and_loaded(widths, nested, tmp_path):
    model = tied(widths, nested)
    for layer in flat(model):
        layer.bias.assign(np.random.default_rng(1).normal(size=layer.bias.shape))
    again = saved(model, tmp_path)
    np.testing.assert_array_equal(again(PIXELS_OF_TIED), model(PIXELS_OF_TIED))
    layers = flat(again)
    for up, down in zip(layers[len(widths):], layers[len(widths) - 1::-1]):
        assert up.tied_to is down


def test_loaded_tied_model_stays_tied_while_it_learns(tmp_path):
    again = saved(tied([8, 4], nested=True), tmp_path)
    again.compile("adam", "mse")
    again.fit(PIXELS_OF_TIED, PIXELS_OF_TIED, epochs=2, verbose=0)
    encoder, decoder = again.layers
    before = np.array(decoder(np.ones((1, 4), "float32")))
    encoder.layers[0].kernel.assign_add(np.ones((12, 8)))
    assert not np.allclose(decoder(np.ones((1, 4), "float32")), before)


@pytest.mark.parametrize("widths", [[4], [8, 4], [9, 8, 7]], ids=len)
def test_tied_parameters_are_counted_once(widths):
    shapes = list(zip([12, *widths], widths))
    kernels, biases = sum(a * b for a, b in shapes), sum(widths) + sum(a for a, _ in shapes)
    assert tied(widths).count_params() == kernels + biases


def test_restart_renews_a_tied_model():
    model = tied([8, 4])
    first, second, again = (training.restart(model, seed).get_weights() for seed in (1, 2, 1))
    assert any(not np.array_equal(a, b) for a, b in zip(first, second))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))


@pytest.mark.parametrize("order", [(0, 1), (1, 1)], ids=str)
def test_layers_that_cannot_be_tied_say_so(order):
    down = [keras.layers.Dense(8), keras.layers.Dense(4)]
    with pytest.raises(ValueError, match="Tie the layers in reverse order"):
        keras.Sequential([keras.Input((12,)), *down, *(models.DenseTranspose(down[i]) for i in order)])


@pytest.mark.parametrize("to, complaint", [(keras.layers.ReLU(), "give a Dense layer of the encoder"),
                                           (None, "give a Dense layer of the encoder")], ids=["relu", "none"])
def test_only_dense_layers_can_be_tied_to(to, complaint):
    with pytest.raises(ValueError, match=complaint):
        models.DenseTranspose(to)


def test_a_layer_without_a_kernel_cannot_be_tied_to():
    with pytest.raises(ValueError, match="it has no kernel yet"):
        models.DenseTranspose(keras.layers.Dense(4))(np.ones((1, 4), "float32"))


def test_a_clone_does_not_pass_for_the_original():
    with pytest.raises(ValueError, match="clone_model makes such a layer of its own"):
        keras.models.clone_model(tied([8, 4]))
