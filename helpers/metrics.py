"""Measures of reconstructions and codes; what scikit-learn has is called, not written again."""
import numpy as np


def mse(x, y):
    """Mean squared error over all pixels of two equal-shaped arrays."""
    return float(_squares(x, y).mean())


def psnr(x, y):
    """Peak signal-to-noise ratio in decibels, for pixels in 0–1: 10 log10(1 / MSE). Higher is cleaner."""
    error = mse(x, y)
    return float("inf") if error == 0 else -10 * np.log10(error)


def errors(x, y):
    """Mean squared error of each image: (n, pixels) twice → (n,)."""
    return _squares(x, y).mean(axis=1)


def probe(train, labels, test, test_labels, max_iter=1000):
    """Accuracy of a linear classifier (logistic regression) on features: how much class is there to read off.

    train, test: (n, features). The features are scaled by one number, never one by one: dividing each by its own
    spread blows up border pixels that are almost constant, and makes pixels look worse than they are.
    """
    from sklearn.linear_model import LogisticRegression

    scale = _scale(train)
    model = LogisticRegression(max_iter=max_iter).fit(np.asarray(train) / scale, labels)
    return model.score(np.asarray(test) / scale, test_labels)


def neighbours(train, labels, test, test_labels, k=5):
    """Accuracy of a k-nearest-neighbours classifier on features."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(k).fit(train, labels).score(test, test_labels)


def clustering(features, labels, seed=0):
    """Agreement of k-means clusters with the classes: adjusted Rand index, 0 by chance, 1 when equal."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    clusters = KMeans(len(np.unique(labels)), n_init=10, random_state=seed % 2**32).fit_predict(features)
    return adjusted_rand_score(labels, clusters)


def few_labels(labels, per_class, seed):
    """Indices of `per_class` images of each class, drawn at random; raises where a class has fewer."""
    rng = np.random.default_rng(seed)
    chosen = []
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


def precision_recall(real, generated, k=3):
    """Precision and recall of generated samples (Kynkäänniemi et al., 2019).

    real, generated: (n, features) and (m, features). A sample lies in a set's support when it is within the distance
    of some member to that member's k-th neighbour in the set. Precision: the share of generated samples in the support
    of the real ones. Recall: the share of real samples in the support of the generated ones.
    """
    return _share_within(real, generated, k), _share_within(generated, real, k)


def _share_within(reference, samples, k):
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    reference, samples = np.asarray(reference), np.asarray(samples)
    if min(len(reference), len(samples)) <= k:
        raise ValueError(f"precision and recall with k = {k} need more than {k} samples of each kind")
    radii = NearestNeighbors(n_neighbors=k).fit(reference).kneighbors()[0][:, -1]        # the sample itself not counted
    return float((pairwise_distances(samples, reference) <= radii).any(axis=1).mean())
