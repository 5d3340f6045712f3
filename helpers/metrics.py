"""Measures of reconstructions and codes; what scikit-learn has is called, not written again."""

import numpy as np
from numpy.typing import ArrayLike


def mse(x: ArrayLike, y: ArrayLike) -> float:
    """Mean squared error over all pixels of two arrays of one shape; raises ValueError where the shapes differ."""
    return float(_squares(x, y).mean())


def psnr(x: ArrayLike, y: ArrayLike) -> float:
    """Peak signal-to-noise ratio in decibels, for pixels in 0–1: 10 log10(1 / MSE). Higher is cleaner."""
    error = mse(x, y)
    return float("inf") if error == 0 else -10 * np.log10(error)


def errors(x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Mean squared error of each image: (n, pixels) or (n, height, width, 1), twice → (n,). Raises ValueError where
    the shapes differ.
    """
    squares = _squares(x, y)
    return squares.mean(axis=tuple(range(1, squares.ndim)))


def probe(train: ArrayLike, labels: ArrayLike, test: ArrayLike, test_labels: ArrayLike) -> float:
    """Accuracy of a linear classifier (logistic regression) on features: how much class is there to read off (Alain and
    Bengio, 2017).

    train, test: (n, features); labels: (n,). Returns a share. The features are scaled by one number, never one by
    one: dividing each by its own spread blows up border pixels that are almost constant, and makes pixels look worse
    than they are.
    """
    from sklearn.linear_model import LogisticRegression

    scale = _scale(train)
    model = LogisticRegression(max_iter=1000).fit(np.asarray(train) / scale, labels)
    return model.score(np.asarray(test) / scale, test_labels)


def neighbours(train: ArrayLike, labels: ArrayLike, test: ArrayLike, test_labels: ArrayLike, k: int = 5) -> float:
    """Accuracy, a share, of a k-nearest-neighbours classifier on features (n, features) with labels (n,)."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(k).fit(train, labels).score(test, test_labels)


def clustering(features: ArrayLike, labels: ArrayLike, seed: int = 0) -> float:
    """Agreement of k-means clusters of features (n, features) with the classes (n,): adjusted Rand index, 0 by chance,
    1 when equal (Hubert and Arabie, 1985). There are as many clusters as classes.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    clusters = KMeans(len(np.unique(labels)), n_init=10, random_state=seed % 2**32).fit_predict(features)
    return adjusted_rand_score(labels, clusters)


def few_labels(labels: ArrayLike, per_class: int, seed: int) -> np.ndarray:
    """Indices of `per_class` images of each class, drawn at random; raises ValueError where a class has fewer.

    ten_each = few_labels(images.y_train, 10, seed=42); x, y = images.x_train[ten_each], images.y_train[ten_each]
    """
    labels, rng, chosen = np.asarray(labels), np.random.default_rng(seed), []
    for c in np.unique(labels):
        mine = np.flatnonzero(labels == c)
        if len(mine) < per_class:
            raise ValueError(f"class {c} has {len(mine)} images, {per_class} are asked for: ask for fewer labels")
        chosen.append(rng.choice(mine, per_class, replace=False))
    return rng.permutation(np.concatenate(chosen))


def _squares(x, y):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape} differ: compare an image with its own reconstruction")
    return np.square(x - y)


def _scale(features):
    return float(np.sqrt(np.var(np.asarray(features, np.float64), axis=0).mean())) or 1.0


def precision_recall(real: ArrayLike, generated: ArrayLike, k: int = 3) -> tuple[float, float]:
    """Precision and recall of generated samples (Kynkäänniemi et al., 2019).

    real, generated: (n, features) and (m, features). A sample lies in a set's support when it is within the distance
    of some member to that member's k-th neighbour in the set. Precision: the share of generated samples in the support
    of the real ones. Recall: the share of real samples in the support of the generated ones. Raises ValueError where
    there are k samples or fewer.
    """
    return _share_within(real, generated, k), _share_within(generated, real, k)


def _share_within(reference, samples, k):
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    reference, samples = np.asarray(reference), np.asarray(samples)
    if min(len(reference), len(samples)) <= k:
        raise ValueError(f"precision and recall with k = {k} need more than {k} samples of each kind")
    radii = NearestNeighbors(n_neighbors=k).fit(reference).kneighbors()[0][:, -1]  # the sample itself not counted
    return float((pairwise_distances(samples, reference) <= radii).any(axis=1).mean())


def frechet(real: ArrayLike, generated: ArrayLike) -> float:
    """Fréchet distance between the Gaussians fitted to two sets of features (Dowson and Landau, 1982; as a score of
    generated images, Heusel et al., 2017): |m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½). 0 when mean and covariance agree.

    real, generated: (n, features) and (m, features). Its estimate from few samples is too large, so compare it with the
    distance between two sets of real ones, of the same sizes. Raises ValueError for features of unlike widths, or
    not finite, and for fewer than two samples of a kind.
    """
    a, b = _two_sets(real, generated, 2)
    # tr (C₁C₂)^½ is the sum of the singular values of A₁A₂ᵀ, where AᵢᵀAᵢ = Cᵢ: no root of a singular matrix is taken.
    factors: list = [np.linalg.qr((x - x.mean(axis=0)) / np.sqrt(len(x) - 1), mode="r") for x in (a, b)]
    shared = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    spread = sum(np.square(factor).sum() for factor in factors)
    return float(max(np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + spread - 2 * shared, 0))


def mmd(x: ArrayLike, y: ArrayLike, bandwidth: float | None = None) -> float:
    """Squared maximum mean discrepancy, its unbiased estimate (Gretton et al., 2012, equation 3), with a Gaussian
    kernel exp(−|a − b|² / (2 bandwidth²)). Around 0 for equal distributions, and then often negative.

    x, y: (n, features) and (m, features). bandwidth: by default the median distance between two samples of x, so that
    several y can be compared with one x. Raises ValueError as `frechet` does, and for a bandwidth that is not above 0.
    """
    from scipy.spatial.distance import cdist, pdist

    x, y = _two_sets(x, y, 2)
    width = np.median(pdist(x)) if bandwidth is None else bandwidth
    if not width > 0:
        raise ValueError(f"a bandwidth of {width}: give one above 0 (the default needs samples that differ)")

    def kernel(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2))

    def within(a):  # pairs of different samples only: that makes the estimate unbiased
        return (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())


def _two_sets(x: ArrayLike, y: ArrayLike, least: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        raise ValueError(
            f"features of shapes {x.shape} and {y.shape}: give (n, features) and (m, features), with at "
            f"least {least} samples each"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features hold NaN or infinite values: the model that made them has diverged")
    return x, y


def importance_bound(log_weights: ArrayLike, k: int) -> np.ndarray:
    """Bounds of log p(x) from importance weights (IWAE; Burda et al., 2016): log of the mean of k weights, in nats.

    log_weights: (n, draws), from `VAE.log_weights`. Returns (n, draws // k): one bound from each k draws. Their mean
    rises with k, from the ELBO at k = 1 towards log p(x). Raises ValueError for a k that is not from 1 to draws.
    """
    from scipy.special import logsumexp

    log_weights = np.asarray(log_weights, np.float64)
    if log_weights.ndim != 2 or not 1 <= k <= log_weights.shape[1]:
        raise ValueError(f"log weights of shape {log_weights.shape} and k = {k}: give (n, draws), k from 1 to draws")
    groups = log_weights[:, : log_weights.shape[1] // k * k].reshape(len(log_weights), -1, k)
    return logsumexp(groups, axis=2) - np.log(k)


def modes(samples: ArrayLike, centres: ArrayLike, std: float) -> dict[str, float]:
    """How many modes of a mixture of equal round Gaussians the samples have found: a dictionary of three numbers.

    samples: (n, features), 2,500 in the published protocol (Srivastava et al., 2017). centres: (k, features). std: the
    Gaussians' deviation on each axis. A sample is of high quality within 3 std of the nearest centre.
    quality: the share of such samples. captured: modes nearest to at least one of them, the published count.
    strict: modes to which at least a quarter of a fair share, n / k, of them are nearest. Raises ValueError for samples
    and centres of unlike widths, or not finite.

        ring = data.points("ring"); modes(gan.generate(2500)[0], ring.modes, ring.std)["strict"]
    """
    samples, centres = _two_sets(samples, centres, 1)
    distances = np.linalg.norm(samples[:, None] - centres, axis=-1)
    nearest, good = distances.argmin(axis=1), distances.min(axis=1) <= 3 * std
    found = np.bincount(nearest[good], minlength=len(centres))
    return {
        "captured": int((found > 0).sum()),
        "strict": int((found >= len(samples) / len(centres) / 4).sum()),
        "quality": float(good.mean()),
    }


def inception_score(probabilities: ArrayLike) -> float:
    """exp(mean over samples of KL(p(class | sample) ‖ p(class))) (Salimans et al., 2016), from 1 to the number of
    classes: high where a classifier is sure of each sample, and the classes are equally frequent.

    probabilities: (n, classes), a row of a classifier's softmax for each sample; ValueError for what is none.
    """
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or not len(p) or not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            f"probabilities of shape {p.shape}: give a row for each sample, not negative, that sums to 1 "
            "(of a classifier's softmax, not its logits)"
        )
    p = p / p.sum(axis=1, keepdims=True)
    marginal = p.mean(axis=0)
    ratio = np.log(np.where(p > 0, p, 1) / np.where(p > 0, marginal, 1))
    return float(np.exp((p * ratio).sum(axis=1).mean()))
