"""helpers.metrics against closed forms, and data made so that the answer is known."""

import numpy as np
import pytest

from helpers import metrics

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(20, 64)).astype("float32")


def blobs(n=60, classes=3, distance=8.0, features=4, seed=0):
    """Normal clouds whose centres are `distance` apart, n points a class; and their labels."""
    labels = np.repeat(np.arange(classes), n)
    noise = np.random.default_rng(seed).normal(size=(len(labels), features))
    return noise + distance * np.eye(features)[labels], labels


def test_mse():
    assert metrics.mse(X, X) == 0
    assert metrics.mse(X, X + np.float32(0.5)) == pytest.approx(0.25, rel=1e-6)
    assert metrics.mse([[0, 1], [2, 3]], [[1, 1], [2, 1]]) == pytest.approx(5 / 4)
    assert isinstance(metrics.mse(X, X), float)


def test_mse_of_bytes_does_not_wrap_round():
    assert metrics.mse(np.array([[0, 255]], np.uint8), np.array([[3, 239]], np.uint8)) == (9 + 256) / 2


def test_psnr():
    assert metrics.psnr(X, X) == float("inf")
    assert metrics.psnr(np.zeros(8), np.full(8, 0.1)) == pytest.approx(20)
    assert metrics.psnr(np.zeros(8), np.ones(8)) == pytest.approx(0)
    noise = np.random.default_rng(1).normal(0, 0.05, 200_000)  # its PSNR is 26.02 dB, standard error 0.014
    assert metrics.psnr(np.zeros(200_000), noise) == pytest.approx(-20 * np.log10(0.05), abs=0.055)


def test_errors_of_each_image():
    shift = np.arange(20, dtype="float32")[:, None] / 20
    assert metrics.errors(X, X + shift) == pytest.approx(shift[:, 0] ** 2, abs=1e-6)
    assert metrics.errors(X, X[::-1]).mean() == pytest.approx(metrics.mse(X, X[::-1]))
    assert metrics.errors(X, X).shape == (20,)
    square = X.reshape(20, -1, 4, 1)
    assert metrics.errors(square, square + 0.5) == pytest.approx(np.full(20, 0.25))


@pytest.mark.parametrize("measure", [metrics.mse, metrics.psnr, metrics.errors])
@pytest.mark.parametrize("other", [X[:1], X[:, :1], X[0], X.reshape(20, 8, 8), 0.0])  # NumPy would broadcast most
def test_shapes_must_be_equal(measure, other):
    with pytest.raises(ValueError, match=r"shapes \(20, 64\) and .* differ"):
        measure(X, other)


# What can be read off features --------------------------------------------------------------------------------


def test_probe_reads_off_classes_and_only_those():
    (train, labels), (test, test_labels) = blobs(), blobs(seed=1)
    assert metrics.probe(train, labels, test, test_labels) == 1
    shuffled = np.random.default_rng(2).permutation(test_labels)
    assert metrics.probe(train, labels, test, shuffled) < 0.5
    noise = np.random.default_rng(3).normal(size=(2, 180, 4))
    assert metrics.probe(noise[0], labels, noise[1], test_labels) < 0.5


def nearly_constant(n, seed):
    """Two classes in one feature, beside 300 that are almost constant, and in a twentieth of the images carry noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    signal = 2 * labels - 1 + 0.6 * rng.normal(size=n)
    return np.column_stack([signal, 0.02 * rng.normal(size=(n, 300))]), labels


def test_probe_is_not_hurt_by_almost_constant_features():
    from sklearn.preprocessing import StandardScaler

    (train, labels), (test, test_labels) = nearly_constant(40, 0), nearly_constant(1000, 1)
    ours = metrics.probe(train, labels, test, test_labels)
    one_by_one = StandardScaler().fit(train)
    theirs = metrics.probe(one_by_one.transform(train), labels, one_by_one.transform(test), test_labels)
    assert ours > 0.93  # the best possible: Φ(1 / 0.6) = 0.952
    assert theirs < ours - 0.1


def test_probe_does_not_depend_on_the_unit():
    (train, labels), (test, test_labels) = blobs(distance=2), blobs(distance=2, seed=1)
    accuracy = metrics.probe(train, labels, test, test_labels)
    assert 0.7 < accuracy < 1
    assert metrics.probe(train * 1e-3, labels, test * 1e-3, test_labels) == accuracy
    assert metrics.probe(train * 1e3, labels, test * 1e3, test_labels) == accuracy


def test_probe_of_a_constant_code_is_chance():
    labels = np.repeat([0, 1], 10)
    assert metrics.probe(np.ones((20, 3)), labels, np.ones((20, 3)), labels) == 0.5


def test_neighbours():
    (train, labels), (test, test_labels) = blobs(), blobs(seed=1)
    assert metrics.neighbours(train, labels, test, test_labels) == 1
    line, halves = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    assert metrics.neighbours(line, halves, line, halves, k=1) == 1
    assert metrics.neighbours(line, [0, 1, 0, 1, 0, 1], line, [0, 1, 0, 1, 0, 1], k=3) == pytest.approx(2 / 6)


def test_clustering():
    features, labels = blobs()
    assert metrics.clustering(features, labels) == 1
    assert metrics.clustering(features, (labels + 1) % 3) == 1  # names do not matter
    assert abs(metrics.clustering(features, np.random.default_rng(0).permutation(labels))) < 0.05
    assert metrics.clustering(features, labels, seed=2**32 + 7) == 1  # any seed


# Few labels ---------------------------------------------------------------------------------------------------


def test_few_labels_draws_as_many_of_each_class():
    labels = np.repeat([0, 1, 5], [10, 50, 3])
    chosen = metrics.few_labels(labels, 3, seed=1)
    assert len(set(chosen)) == 9
    assert np.bincount(labels[chosen]).tolist() == [3, 3, 0, 0, 0, 3]
    assert (metrics.few_labels(labels, 3, seed=1) == chosen).all()
    assert (np.sort(metrics.few_labels(labels, 3, seed=2)) != np.sort(chosen)).any()
    assert (np.diff(labels[chosen]) < 0).any()  # and the classes are mixed


def test_few_labels_needs_enough_images():
    with pytest.raises(ValueError, match="class 5 has 3 images, 4 are asked for: ask for fewer labels"):
        metrics.few_labels(np.repeat([0, 5], [10, 3]), 4, seed=1)


# Precision and recall -----------------------------------------------------------------------------------------


def test_precision_and_recall_of_equal_distributions_are_high():
    a, b = np.random.default_rng(0).normal(size=(2, 400, 2))
    precision, recall = metrics.precision_recall(a, b)
    assert precision > 0.9 and recall > 0.9
    assert metrics.precision_recall(a, a) == (1, 1)


def test_precision_and_recall_tell_collapse_from_garbage():
    a, b = np.random.default_rng(0).normal(size=(2, 400, 2))
    clusters = np.concatenate([a, b + 100])  # two modes, far apart
    assert metrics.precision_recall(clusters, np.random.default_rng(1).normal(size=(400, 2))) == pytest.approx(
        (0.97, 0.49), abs=0.04
    )  # collapsed on one: precise, half recalled
    garbage = np.concatenate([a + 0.01, b - 100])
    precision, recall = metrics.precision_recall(a, garbage)
    assert precision == pytest.approx(0.5, abs=0.03) and recall > 0.95
    assert metrics.precision_recall(a, a + 1000) == (0, 0)


def test_precision_and_recall_by_hand():
    real, generated = np.array([[0.0], [1], [3]]), np.array([[-0.5], [2.5], [9]])
    # k = 1: real radii 1, 1, 2, so -0.5 and 2.5 lie within, 9 does not; generated radii 3, 3, 6.5: all within
    assert metrics.precision_recall(real, generated, k=1) == pytest.approx((2 / 3, 1))


def test_precision_and_recall_need_samples():
    with pytest.raises(ValueError, match="need more than 3 samples"):
        metrics.precision_recall(np.zeros((3, 2)), np.zeros((50, 2)))


# Fréchet distance and MMD -------------------------------------------------------------------------------------


def standardised(n, features, seed):
    """n samples whose mean is exactly 0 and whose covariance is exactly the identity."""
    x = np.random.default_rng(seed).normal(size=(n, features))
    x -= x.mean(axis=0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T


def test_frechet_distance_of_gaussians():
    a, b = standardised(50, 3, 0), standardised(80, 3, 1)
    assert metrics.frechet(a, b) == pytest.approx(0, abs=1e-12)
    assert metrics.frechet(a, b + [1, 2, 2]) == pytest.approx(9)  # only the mean: |m|²
    scales = np.array([2, 0.5, 3])
    assert metrics.frechet(a, b * scales) == pytest.approx(np.square(scales - 1).sum())  # Σ (σ − 1)²
    assert metrics.frechet(b * scales, a) == pytest.approx(np.square(scales - 1).sum())


def test_frechet_distance_where_covariances_do_not_commute():
    from scipy.linalg import sqrtm

    mix, turn = np.random.default_rng(2).normal(size=(2, 4, 4))
    a, b = standardised(60, 4, 0) @ mix.T, standardised(70, 4, 1) @ turn.T + 1
    first, second = mix @ mix.T, turn @ turn.T
    expected = 4 + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert metrics.frechet(a, b) == pytest.approx(expected)


def test_frechet_distance_of_degenerate_features():
    a = np.random.default_rng(0).normal(size=(20, 3))
    flat = np.column_stack([a, np.zeros((20, 2))])  # two dead units
    assert metrics.frechet(flat, flat) == pytest.approx(0, abs=1e-12)
    assert metrics.frechet(flat, flat + 1) == pytest.approx(5)
    few = np.random.default_rng(1).normal(size=(5, 40))  # fewer samples than features
    assert metrics.frechet(few, few) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(few, 3 * few) == pytest.approx(4 * (np.square(few.mean(0)).sum() + few.var(0, ddof=1).sum()))


def test_mmd_by_hand():
    x, y = np.array([[0.0], [1]]), np.array([[0.0], [2]])
    k = {d: np.exp(-(d**2) / 2) for d in (0, 1, 2)}
    assert metrics.mmd(x, y, bandwidth=1) == pytest.approx(k[1] + k[2] - 2 * (k[0] + k[2] + k[1] + k[1]) / 4)


def test_mmd_of_gaussians_has_its_closed_form():
    """For N(0, I) and N(m, I) in d dimensions: 2 (w² / (w² + 2))^(d/2) (1 − exp(−|m|² / (2 (w² + 2))))."""
    rng, w, d, shift = np.random.default_rng(0), 1.5, 2, np.array([1.0, 0.5])
    found = [metrics.mmd(rng.normal(size=(200, d)), shift + rng.normal(size=(200, d)), w) for _ in range(60)]
    exact = 2 * (w**2 / (w**2 + 2)) ** (d / 2) * (1 - np.exp(-shift @ shift / (2 * (w**2 + 2))))
    assert np.mean(found) == pytest.approx(exact, abs=4 * np.std(found) / 60**0.5)
    assert np.std(found) < exact / 4


def test_mmd_is_unbiased():
    rng = np.random.default_rng(1)
    found = np.array([metrics.mmd(*rng.normal(size=(2, 10, 2)), bandwidth=1) for _ in range(2000)])
    standard_error = found.std() / 2000**0.5
    assert abs(found.mean()) < 4 * standard_error and (found < 0).any()
    assert standard_error < 0.002  # the biased estimate would be about 0.13


def test_mmd_takes_its_bandwidth_from_the_first_set():
    x, y = np.random.default_rng(2).normal(size=(2, 30, 2))
    from scipy.spatial.distance import pdist

    assert metrics.mmd(x, y) == metrics.mmd(x, y, np.median(pdist(x)))
    assert metrics.mmd(1000 * x, 1000 * y) == pytest.approx(metrics.mmd(x, y))


@pytest.mark.parametrize("measure", [metrics.frechet, metrics.mmd])
@pytest.mark.parametrize(
    "x, y, said",
    [
        (np.zeros((9, 2)), np.zeros((9, 3)), r"shapes \(9, 2\) and \(9, 3\)"),
        (np.zeros(9), np.zeros(9), r"give \(n, features\)"),
        (np.zeros((9, 2)), np.zeros((1, 2)), "at least 2 samples"),
        (np.zeros((9, 2)), np.full((9, 2), np.nan), "NaN"),
    ],
)
def test_two_sets_of_features_are_checked(measure, x, y, said):
    with pytest.raises(ValueError, match=said):
        measure(x, y)


def test_mmd_needs_a_bandwidth():
    with pytest.raises(ValueError, match="bandwidth of 0.0: give one above 0"):
        metrics.mmd(np.zeros((9, 2)), np.ones((9, 2)))


# Modes and the Inception Score --------------------------------------------------------------------------------


def test_modes_are_counted_by_hand():
    centres = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    samples = np.concatenate([
        np.tile(centres[:1], (60, 1)),
        np.tile(centres[1:2], (25, 1)),
        np.tile(centres[2:3] + 0.2, (6, 1)),
        np.full((9, 2), 5.0),
    ])
    samples[:60, 0] += 0.29  # within 3 std of 0.1; the last nine are between the modes
    assert metrics.modes(samples, centres, 0.1) == {"captured": 3, "strict": 2, "quality": 0.91}
    assert metrics.modes(samples, centres, 0.05)["quality"] == 0.25
    assert metrics.modes(samples[:-2], centres, 0.1)["strict"] == 2  # 6 of 98 / 4 / 4 = 6.1: one too few
    assert metrics.modes(samples[:-4], centres, 0.1)["strict"] == 3  # 6 of 96 / 4 / 4 = 6


def test_modes_of_the_data_themselves_are_all_found():
    from helpers import data

    for name, k in (("ring", 8), ("grid", 25)):
        p = data.points(name, n=2500)
        found = metrics.modes(p.x, p.modes, p.std)
        assert found["captured"] == found["strict"] == k
        assert found["quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.005)  # of a Gaussian in the plane


def test_modes_refuse_samples_of_another_dimension():
    with pytest.raises(ValueError, match="shapes"):
        metrics.modes(np.zeros((5, 3)), np.zeros((8, 2)), 0.1)


def test_inception_score_runs_from_one_to_the_number_of_classes():
    sure = np.eye(10)[np.arange(500) % 10]
    assert metrics.inception_score(sure) == pytest.approx(10)
    assert metrics.inception_score(np.full((50, 10), 0.1)) == pytest.approx(1)
    assert metrics.inception_score(np.tile(np.eye(10)[3], (50, 1))) == pytest.approx(1)  # sure, and all alike
    half = sure[np.arange(500) % 10 < 4]
    assert metrics.inception_score(half) == pytest.approx(4)
    rng = np.random.default_rng(0)
    for concentration in (0.01, 0.1, 1, 10):
        assert 1 <= metrics.inception_score(rng.dirichlet(np.full(10, concentration), 200)) <= 10


def test_inception_score_by_hand():
    p = np.array([[0.8, 0.2], [0.4, 0.6]])
    kl = (0.8 * np.log(0.8 / 0.6) + 0.2 * np.log(0.2 / 0.4) + 0.4 * np.log(0.4 / 0.6) + 0.6 * np.log(0.6 / 0.4)) / 2
    assert metrics.inception_score(p) == pytest.approx(np.exp(kl))


@pytest.mark.parametrize("wrong", [[[2.0, -1.0]], [[0.5, 0.4]], [0.5, 0.5], [[np.nan, 1]], np.zeros((0, 3))])
def test_inception_score_refuses_what_is_no_probability(wrong):
    with pytest.raises(ValueError, match="softmax"):
        metrics.inception_score(wrong)


def test_a_collapsed_generator_is_precise_and_recalls_little():
    from helpers import data

    ring = data.points("ring", n=800)
    other, collapsed = data.points("ring", n=800, seed=1).x, ring.x[ring.mode == 3]
    precision, recall = metrics.precision_recall(ring.x, np.tile(collapsed, (8, 1)) + 0.001)
    assert precision > 0.9 and recall < 0.2
    assert min(metrics.precision_recall(ring.x, other)) > 0.9
