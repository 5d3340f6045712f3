"""Data for the notebooks: small grey images in [0, 1], and 2-D points whose modes are known.

    data = load("digits", seed=42)      # or "mnist", "fashion_mnist", "my_images.npz"
    ring = points("ring", seed=42)      # or "grid", "moons", "circles"

Everything follows from a name and a seed. scikit-learn and pooch are imported by the functions that need
them, so that importing this module costs no more than NumPy, and never loads TensorFlow.
"""

import difflib
import errno
import gzip
import numbers
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

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
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
FOLDER = Path(__file__).resolve().parents[1] / "data"
POINTS = {"ring": {"k": 8, "radius": 2.0, "std": 0.05}, "grid": {"side": 5, "spacing": 2.0, "std": 0.1},
          "moons": {"std": 0.05}, "circles": {"std": 0.05}}  # the settings and their defaults


class DataError(ValueError):
    """Data that cannot be had or used; the message says what is wrong and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images in two halves. x_*: float32 (n, pixels) in [0, 1], row by row; y_*: int64 (n,), or None."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    image_shape: tuple[int, int]

    @property
    def n_pixels(self) -> int:
        return self.x_train.shape[1]

    @property
    def n_classes(self) -> int | None:
        """The greatest label + 1, as a softmax layer needs it; None without labels."""
        labels = [y.max() for y in (self.y_train, self.y_test) if y is not None]
        return int(max(labels)) + 1 if labels else None

    def images(self, x) -> np.ndarray:
        """Rows of pixels (n, pixels), or one row (pixels,), as images (n, h, w)."""
        x = np.asarray(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.n_pixels:
            raise DataError(f"images() takes rows of {self.n_pixels} pixels, and got the shape {x.shape}.")
        return x.reshape(-1, *self.image_shape)

    def shrunk(self, side: int) -> "Dataset":
        """The same data in images of at most side × side pixels: means of equal blocks; a remainder is cut off."""
        block = -(-max(self.image_shape) // _number("side", side, 1))
        h, w = (max(1, size // block) for size in self.image_shape)

        def means(x):
            blocks = self.images(x)[:, :h * block, :w * block]
            blocks = blocks.reshape(len(x), h, blocks.shape[1] // h, w, blocks.shape[2] // w)
            return blocks.mean(axis=(2, 4)).reshape(len(x), h * w)

        return replace(self, x_train=means(self.x_train), x_test=means(self.x_test), image_shape=(h, w))

    def __repr__(self):
        n, (h, w) = f"{len(self.x_train)} + {len(self.x_test)}", self.image_shape
        return f"{self.name}: {n} images of {h} × {w} pixels, {self.n_classes or 'no'} classes"


def names() -> tuple[str, ...]:
    """The names that `load` knows; it also takes the path of an .npz file."""
    return ("digits", *SOURCES)


def load(name: str | Path = "digits", seed: int = 42, n_train: int | None = 4000, n_test: int | None = 1000,
         labels: bool = True) -> Dataset:
    """Load a data set of images by name, or from the reader's own .npz file.

    name: one of `names()`, or a path that ends in .npz: a file with x_train and x_test, shape (n, h, w),
        (n, h, w, 1) or (n, pixels), and y_train and y_test, integers from 0, shape (n,). Flat images become
        square where that works, else one row. Pixels of any type are taken as 0–1 if none of both halves is
        greater than 1; else as 0–255, and divided by 255.
    seed: decides the split of `digits` (1,400 + 397) and every sample: the same seed, the same arrays.
    n_train, n_test: the most images to keep; None keeps all. Of more, a random sample is drawn, stratified
        where there are labels, in an order whose every beginning is stratified too.
    labels: whether the caller needs labels.

    mnist and fashion_mnist are read from <name>.npz in the folder that the environment variable TEACHING_DATA
    names, else in data/; if neither has it, it is downloaded into the first of them.
    Returns a Dataset. Raises DataError, whose message says what to do.
    """
    name, seed = str(name), _number("seed", seed, 0)
    source = name if name == "digits" else _locate(name)
    arrays = _digits(seed) if name == "digits" else _read(source)
    if problem := _problem(arrays, labels):
        raise DataError(f"{source}: {problem}")
    scale = np.float32(255 if max(arrays["x_train"].max(), arrays["x_test"].max()) > 1 else 1)
    halves: dict = {}
    for stream, (half, n) in enumerate([("train", n_train), ("test", n_test)]):
        x, y = arrays[f"x_{half}"], arrays.get(f"y_{half}")
        rows = np.arange(len(x))
        if n is not None and _number(f"n_{half}", n, 1) < len(x):
            rows = _stratified_order(0 * rows if y is None else y, seed, stream)[:n]
        halves[f"x_{half}"] = np.ascontiguousarray(x[rows].reshape(len(rows), -1), np.float32) / scale
        halves[f"y_{half}"] = None if y is None else y[rows].astype(np.int64)
    return Dataset(Path(source).stem, image_shape=_image_shape(x), **halves)


def _digits(seed):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    train, test = np.split(_stratified_order(y, seed, stream=2), [1400])
    return dict(zip(ARRAYS, (x[train] / 16, y[train], x[test] / 16, y[test]), strict=True))


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
    """The path of a data set's file, downloaded if need be."""
    if name.lower().endswith(".npz"):
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise DataError(f"There is no file {path}. Mend DATASET: relative paths start in {Path.cwd()}.")
        return path
    if name not in SOURCES:
        raise _unknown("load", name)
    shared = os.environ.get("TEACHING_DATA")
    folders = [Path(shared).expanduser().absolute(), FOLDER] if shared else [FOLDER]
    paths = [folder / f"{name}.npz" for folder in folders]
    return next((path for path in paths if path.is_file()), None) or _download(name, folders[0])


def _download(name, folder):
    """Download a data set as <folder>/<name>.npz, which appears whole or not at all; returns that path."""
    final = folder / f"{name}.npz"
    try:
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as aside:
            whole, *more = [_fetch(file, checksum, Path(aside)) for file, checksum in SOURCES[name].items()]
            if more:
                arrays = dict(zip(ARRAYS, map(_read_idx, [whole, *more]), strict=True))
                whole = Path(aside, final.name)
                np.savez_compressed(whole, **arrays)
            if not final.exists():  # another process may have been first, and Windows replaces no open file
                os.replace(whole, final)
    except OSError as error:  # the errors of requests are OSErrors too
        reason = error.strerror or f"there is no connection to {BASE_URL}, or it broke off"
        if getattr(error, "response", None) is not None:
            reason = f"{error.response.url} answered {error.response.status_code}"
        raise DataError(f"{name} cannot be downloaded into {folder}: {reason}. Put {final.name} there (as "
                        "data/README.md says), let TEACHING_DATA name a folder that has it or room for it, "
                        'or use DATASET = "digits", which needs no download.') from error
    return final


def _fetch(file, checksum, folder):
    import pooch

    path = folder / file
    pooch.HTTPDownloader(progressbar=True, chunk_size=2**16)(BASE_URL + file, path, None)
    algorithm, expected = checksum.split(":")
    if pooch.file_hash(path, algorithm) != expected:
        raise OSError(errno.EIO, f"the checksum of {BASE_URL}{file} is wrong (a network's log-in page?)")
    return path


def _read_idx(path):
    """Read gzipped IDX: 0, 0, type (uint8 here), number of axes, their lengths as big-endian int32, data."""
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _read(path):
    """The arrays of an .npz file, by name; nothing in it is unpickled."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in ARRAYS if name in file.files}
    except Exception as error:  # a damaged file fails in a dozen ways, and few of them name it
        raise DataError(f"{path} cannot be read: it is damaged, cut short, not open to you, or holds Python "
                        "objects. Save it again with numpy.savez; delete it if it was downloaded.") from error


def _problem(arrays, labels):
    """What keeps the arrays from being what the docstring of `load` asks for, in words, or None."""
    missing = [name for name in ARRAYS if name not in arrays and (labels or name.startswith("x"))]
    if missing:
        needs = "" if missing[0].startswith("x") else "this notebook needs labels, and "
        return f"{needs}{' and '.join(missing)} cannot be found. Add them with numpy.savez."
    for half in ("train", "test"):
        x, y = arrays[f"x_{half}"], arrays.get(f"y_{half}")
        if x.dtype.kind not in "buif":
            return f"x_{half} holds {x.dtype} values. Save it as numbers, uint8 or float32."
        if x.size == 0 or x.ndim not in (2, 3) and x.shape[3:] != (1,):
            return f"x_{half} has shape {x.shape}. Make it (n, h, w), (n, h, w, 1) or (n, pixels), none 0."
        if not np.isfinite(x).all():
            return f"x_{half} holds NaN or infinite values. Replace them, or leave those images out."
        if x.min() < 0 or x.max() > 255 or 1 < x.max() < 2:
            return f"x_{half} ranges from {x.min()} to {x.max()}. Scale it to 0–1 or 0–255, and clip it."
        if y is not None and (y.dtype.kind not in "iu" or y.shape != (len(x),) or y.min() < 0):
            return f"y_{half} is {y.dtype} of shape {y.shape}. Make it integers from 0 on, shape ({len(x)},)."
    train, test = _image_shape(arrays["x_train"]), _image_shape(arrays["x_test"])
    return None if train == test else f"x_train has {train} pixels, x_test {test}. Make them alike."


def _image_shape(x):
    side = round(x.shape[1] ** 0.5)
    return x.shape[1:3] if x.ndim > 2 else (side, side) if side**2 == x.shape[1] else (1, x.shape[1])


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
    return DataError(f"{function}() does not know {name!r}.{hint} load() takes {', '.join(names())} and "
                     f"paths that end in .npz; points() takes {', '.join(POINTS)}.")


def _number(name, value, least, kind=numbers.Integral):
    """The value, checked; NumPy and scikit-learn take seeds below 2**32."""
    if not isinstance(value, kind) or not least <= value < 2**32:
        what = "a whole number" if kind is numbers.Integral else "a number"
        raise DataError(f"{name} must be {what} from {least} to 2**32 - 1, not {value!r}.")
    return value
