"""helpers.files: every form in which people have images, in the names that their makers give them; and each error."""

import gzip

import numpy as np
import pytest
from PIL import Image

from helpers import files
from helpers.data import DataError, is_path, load

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (40, 8, 8), np.uint8), np.arange(40, dtype=np.uint8) % 4
ROWS = X.reshape(40, 64)


def idx(array, zipped):
    raw = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()
    return gzip.compress(raw) if zipped else raw


def medmnist(folder):
    np.savez(
        folder / "mine.npz",
        train_images=X[:20],
        train_labels=Y[:20, None],
        val_images=X[:5],
        val_labels=Y[:5, None],
        test_images=X[20:],
        test_labels=Y[20:, None],
    )
    return "mine.npz"


def kuzushiji(folder):
    for half, rows in (("train", slice(20)), ("test", slice(20, 40))):
        np.savez_compressed(folder / f"kmnist-{half}-imgs.npz", X[rows])
        np.savez_compressed(folder / f"kmnist-{half}-labels.npz", Y[rows])
    return "kmnist-train-imgs.npz"


def idx_files(folder, zipped=True):
    end = ".gz" if zipped else ""
    for half, rows in (("train", slice(20)), ("t10k", slice(20, 40))):
        (folder / f"{half}-images-idx3-ubyte{end}").write_bytes(idx(X[rows], zipped))
        (folder / f"{half}-labels-idx1-ubyte{end}").write_bytes(idx(Y[rows], zipped))
    return f"train-images-idx3-ubyte{end}"


def four_in_a_row(folder):
    np.savez(folder / "mine.npz", X[:20], Y[:20], X[20:], Y[20:])
    return "mine.npz"


def keras(folder):
    np.savez(folder / "mine.npz", X_train=X[:20], Y_train=Y[:20], X_test=X[20:], Y_test=Y[20:])
    return "mine.npz"


def folder_of_halves(folder):
    for i, image in enumerate(X):
        place = folder / "mine" / ("train" if i < 20 else "test") / str(Y[i])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i:03}.png")
    return "mine"


@pytest.mark.parametrize("make", [medmnist, kuzushiji, idx_files, lambda f: idx_files(f, False), four_in_a_row, keras])
def test_two_halves_with_labels(tmp_path, make):
    mine = load(tmp_path / make(tmp_path), n_train=None, n_test=None)
    assert np.array_equal(mine.images(mine.x_train * 255).round(), X[:20]) and np.array_equal(mine.y_train, Y[:20])
    assert np.array_equal(mine.images(mine.x_test * 255).round(), X[20:]) and np.array_equal(mine.y_test, Y[20:])


def test_folder_with_train_and_test(tmp_path):
    mine = load(tmp_path / folder_of_halves(tmp_path), n_train=None, n_test=None)
    order = np.argsort(Y[:20], kind="stable")  # a folder is read class by class
    assert np.array_equal(mine.images(mine.x_train * 255).round(), X[:20][order])
    assert np.array_equal(mine.y_train, Y[:20][order]) and mine.class_names == tuple("0123") and mine.name == "mine"


def csv(name, head, columns):
    def make(folder):
        np.savetxt(folder / name, np.column_stack(columns), fmt="%d", delimiter=",", header=head, comments="")
        return name

    return make


def images_of_classes(folder):
    for image, y in zip(X, Y):
        place = folder / "my images" / f"class {y}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{len(list(place.iterdir()))}.png")
    (folder / "my images" / ".cache").mkdir()
    (folder / "my images" / "class 0" / "notes.txt").write_text("no image")
    return "my images"


def saved(**arrays):
    def make(folder):
        np.savez(folder / "mine.npz", **arrays)
        return "mine.npz"

    return make


PIXELS = ",".join(f"pixel{i}" for i in range(64))
DARK = np.where(np.arange(64) % 63 == 0, 0, ROWS)  # first and last pixel black, as in MNIST


@pytest.mark.parametrize(
    "make, names, x",
    [
        (csv("train.csv", f"label,{PIXELS}", (Y, ROWS)), "0123", ROWS),
        (csv("train.csv", f'"{PIXELS}","Class"'.replace(",p", '","p'), (ROWS, Y + 5)), "5678", ROWS),
        (csv("mnist.csv", "", (Y, DARK)), "0123", DARK),
        (csv("mnist_5k.csv.gz", "", (DARK, Y)), "0123", DARK),
        (images_of_classes, ("class 0", "class 1", "class 2", "class 3"), ROWS),
        (saved(images=X, labels=Y + 1), "1234", ROWS),
        (saved(arr_0=ROWS, arr_1=Y), "0123", ROWS),
        (saved(Data=ROWS, Target=Y), "0123", ROWS),
        (saved(x_train=X, y_train=Y), "0123", ROWS),
    ],
)
def test_one_set_with_labels_is_split(tmp_path, make, names, x):
    path = tmp_path / make(tmp_path)
    mine = load(path, seed=3)
    assert mine.class_names == tuple(names) and len(mine.x_train) == 32 and len(mine.x_test) == 8
    assert np.bincount(mine.y_train).tolist() == [8] * 4  # stratified
    found = (np.vstack([mine.x_train, mine.x_test]) * 255).round().astype(int)
    assert sorted(map(tuple, found)) == sorted(map(tuple, x))
    label = dict(zip(map(bytes, x.astype(np.uint8)), Y))
    assert [label[bytes(row.astype(np.uint8))] for row in found] == [*mine.y_train, *mine.y_test]
    assert np.array_equal(load(path, seed=3).x_test, mine.x_test)
    assert not np.array_equal(load(path, seed=4).x_test, mine.x_test)


def array(folder):
    np.save(folder / "cat.npy", ROWS)
    return "cat.npy"


def images_alone(folder):
    (folder / "plain").mkdir()
    for i, image in enumerate(X):
        Image.fromarray(image).convert("RGB").save(folder / "plain" / f"{i:02}.png")
    return "plain"


@pytest.mark.parametrize(
    "make", [array, images_alone, saved(arr_0=X), csv("square.csv", "", (ROWS,)), saved(faces=X, images=X)]
)
def test_without_labels(tmp_path, make):
    path = tmp_path / make(tmp_path)
    mine = load(path, labels=False)
    assert mine.image_shape == (8, 8) and len(mine.x_train) == 32 and mine.y_train is None and mine.n_classes is None
    with pytest.raises(DataError, match="this notebook needs labels, and y cannot be found"):
        load(path)


def test_samples_of_ones_own_are_recorded_beside_them(tmp_path):
    assert load(tmp_path / keras(tmp_path)).folder == tmp_path / "evidence"
    assert load("digits").folder is None


def table_with_a_name(folder):
    (folder / "mine.csv").write_text("name,a,b\nann,1,2\n")
    return "mine.csv"


def either_column(folder):
    return csv("mine.csv", "", (ROWS, Y + 1))(folder)  # the first pixel varies as the label does


def two_sizes(folder):
    (folder / "mine" / "a").mkdir(parents=True)
    for size in (8, 9):
        Image.new("L", (size, size), 255).save(folder / "mine" / "a" / f"{size}.png")
    return "mine"


def write(name, content):
    def make(folder):
        (folder / name).write_bytes(content)
        return name

    return make


def broken_png(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "a.png").write_bytes(b"\x89PNG, cut")
    return "mine"


@pytest.mark.parametrize(
    "make, holds, remedy",
    [
        (saved(faces=X, who=Y), r"holds faces \(40, 8, 8\), who \(40,\)\. Needed are images", "old = np.load"),
        (saved(y=Y), r"holds y \(40,\)", "np.savez"),
        (write("mine.mat", b"MATLAB"), "of no kind that can be read: .npz, .npy, IDX", "np.savez"),
        (write("mine.npy", b"\x93NUMPY cut"), "damaged", "numpy.savez"),
        (write("a-idx3-ubyte", b"<html>"), "no IDX file", "numpy.savez"),
        (table_with_a_name, "holds what is no number .*ann", "pandas.read_csv"),
        (either_column, "65 columns and no head", "rename"),
        (two_sizes, r"9.png has \(9, 9\) pixels, 8.png has \(8, 8\)", "resize"),
        (broken_png, "a.png is no image that can be read", "Delete it"),
    ],
)
def test_what_cannot_be_read_says_what_it_holds_and_how_to_convert_it(tmp_path, make, holds, remedy):
    with pytest.raises(DataError, match=holds) as caught:
        load(tmp_path / make(tmp_path))
    assert remedy in str(caught.value)


def test_hidden_files_beside_images_are_no_images(tmp_path):
    for name in ("a", "b"):
        folder = tmp_path / "mine" / name
        folder.mkdir(parents=True)
        for i in range(6):
            Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(folder / f"{i}.png")
            (folder / f"._{i}.png").write_bytes(b"what macOS notes about a file")
    assert files.read(tmp_path / "mine")["x"].shape == (12, 8, 8)


def test_what_a_path_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "digits").mkdir()  # a folder does not take the place of a data set
    for name in ("a.npz", "a/b", r"c:\x", "train-images-idx3-ubyte", "pictures", "~/x.csv"):
        assert is_path(name)
    for name in ("mnist", "digits", "", "fashion_mnist", "cats"):
        assert not is_path(name)
