"""Measures of reconstructions and codes; what scikit-learn has is called, not written again."""
import numpy as np


def mse(x, y):
    """Mean squared error over all pixels of two equal-shaped arrays."""
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape} differ: compare an image with its own reconstruction")
    return float(np.mean(np.square(x - y, dtype=np.float64)))


def psnr(x, y):
    """Peak signal-to-noise ratio in decibels, for pixels in 0–1: 10 log10(1 / MSE). Higher is cleaner."""
    error = mse(x, y)
    return float("inf") if error == 0 else -10 * np.log10(error)


def errors(x, y):
    """Mean squared error of each image: (n, pixels) twice → (n,)."""
    return np.mean(np.square(np.asarray(x) - np.asarray(y)), axis=1)


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

    clusters = KMeans(len(np.unique(labels)), n_init=3, random_state=seed % 2**32).fit_predict(features)
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


def _scale(features):
    return float(np.sqrt(np.var(np.asarray(features, np.float64), axis=0).mean())) or 1.0
