"""Files of images: what a reader has at hand, read into arrays as it is.

    read("train.csv")               # {"x": (42000, 784), "y": (42000,)}
    read("pathmnist.npz")           # {"x_train": (…), "y_train": (…, 1), "x_test": …, "y_test": …}

An .npz with names that people use, an .npy, IDX files as MNIST has them, a .csv with a row an image, or a folder with a
sub-folder of images for each class. Scales and labels are the business of helpers.data.
"""

import gzip
import re
from pathlib import Path

import numpy as np

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
NAMES = {  # what the arrays of an .npz are called, small letters for all
    "x_train": ("x_train", "train_images", "train_x", "images_train", "train_data"),
    "y_train": ("y_train", "train_labels", "train_y", "labels_train", "train_targets"),
    "x_test": ("x_test", "test_images", "test_x", "images_test", "test_data"),
    "y_test": ("y_test", "test_labels", "test_y", "labels_test", "test_targets"),
    "x": ("x", "images", "image", "imgs", "data", "arr_0"),
    "y": ("y", "labels", "label", "targets", "target", "arr_1"),
}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
LABEL = {"label", "labels", "class", "target", "y"}  # a column of a .csv


class FileError(ValueError):
    """A file that cannot be used; the message says what it holds, what is needed, and how to convert it."""


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file or folder: those of ARRAYS, or x and y where it has no halves; labels if it has any.

    Raises FileError.
    """
    if path.is_dir():
        return _folder(path)
    name = path.name.lower()
    kind = next((reader for end, reader in READERS.items() if re.search(end, name)), None)
    if kind is None:
        raise FileError(
            f"{path} is of no kind that can be read: .npz, .npy, IDX (such as train-images-idx3-ubyte.gz), "
            ".csv, or a folder with a sub-folder of images for each class. This makes one of arrays:"
            + _lines("np.savez('mine.npz', x=images, y=labels)       # images: (n, height, width)")
        )
    try:
        return kind(path)
    except FileError:
        raise
    except Exception as error:  # a damaged file fails in a dozen ways, and few of them name it
        raise FileError(
            f"{path} cannot be read: it is damaged, cut short, not open to you, or holds Python "
            "objects. Save it again with numpy.savez; delete it if it was downloaded."
        ) from error


def read_idx(path: Path) -> np.ndarray:
    """An IDX file, gzipped or not: 0, 0, type, number of axes, their lengths as big-endian int32, data."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    kinds = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    if raw[:2] != b"\0\0" or raw[2] not in kinds:
        raise FileError(
            f"{path} is no IDX file: those begin with 0, 0 and the type of their numbers. Look what it "
            "is, and save its images with numpy.savez."
        )
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, kinds[raw[2]], offset=4 + 4 * len(shape)).reshape(shape)


def _npz(path):
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        known = {key.lower(): key for key in file.files}
        if {"arr_0", "arr_1", "arr_2", "arr_3"} <= known.keys():  # np.savez(file, x_train, y_train, …)
            return {name: file[f"arr_{i}"] for i, name in enumerate(ARRAYS)}
        named = {ours: known[theirs] for ours, names in NAMES.items() for theirs in reversed(names) if theirs in known}
        halves = {ours: named[ours] for ours in ARRAYS if ours in named}
        wanted = halves if "x_train" in halves else {ours: named[ours] for ours in ("x", "y") if ours in named}
        if wanted.keys().isdisjoint({"x", "x_train"}):
            held = ", ".join(f"{key} {file[key].shape}" for key in file.files) or "nothing"
            raise FileError(
                f"{path} holds {held}. Needed are images, called x_train and x_test, or x for all, and "
                "labels, if there are any, called y_train and y_test, or y. This makes such a file:"
                + _lines(
                    f"old = np.load({path.name!r})",
                    "np.savez('mine.npz', x=old['…'], y=old['…'])       # the names that it holds",
                )
            )
        arrays = {ours: file[theirs] for ours, theirs in wanted.items()}
    return _with_neighbours(path, arrays["x"]) if arrays.keys() == {"x"} else _whole(arrays)


def _whole(arrays):
    """Arrays of one half only are all that there is, x and y."""
    if "x_train" in arrays and "x_test" not in arrays:
        return {name[0]: arrays[name] for name in ("x_train", "y_train") if name in arrays}
    return arrays


def _npy(path):
    return _with_neighbours(path, np.load(path, allow_pickle=False))


def _idx(path):
    return _with_neighbours(path, read_idx(path))


def _with_neighbours(path, images):
    """Images, and what lies beside them by its name: their labels, and the other half with its own."""
    reader = next(kind for end, kind in _ALONE.items() if re.search(end, path.name.lower()))
    found = {"x": images}
    if labels := _neighbour(path, r"images|imgs|image", "labels", idx=True):
        found["y"] = reader(labels)
    other = next((p for name in ("test", "t10k") if (p := _neighbour(path, "train", name))), None)
    if other is None:
        return found
    halves = {f"{name}_train": array for name, array in found.items()} | {"x_test": reader(other)}
    if "y" in found and (labels := _neighbour(other, r"images|imgs|image", "labels", idx=True)):
        halves["y_test"] = reader(labels)
    return halves


def _neighbour(path, pattern, word, idx=False):
    """The file beside a path whose name has another word in the place of a pattern, if there is one."""
    name, changed = re.subn(pattern, word, path.name)
    other = path.with_name(name.replace("idx3", "idx1") if idx else name)
    return other if changed and other.is_file() else None


def _only(path):
    with np.load(path, allow_pickle=False) as file:
        return file[file.files[0]]


_ALONE = {r"\.npz$": _only, r"\.npy$": lambda path: np.load(path, allow_pickle=False), "": read_idx}


def _csv(path):
    """Rows of pixels with a column of labels: one that is called so, or the first or last where it alone varies."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as file:
        head = [entry.strip().strip('"').lower() for entry in file.readline().split(",")]
    named = not all(re.fullmatch(r"[-+.\de]+", entry) for entry in head if entry)
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=int(named), ndmin=2, encoding="utf-8-sig")
    except ValueError as error:
        raise FileError(
            f"{path} holds what is no number ({error}). Needed is a row of numbers for each image, with commas between "
            "them: its pixels, and perhaps its label in a column called label. Leave other columns out (where "
            "semicolons stand between them, pandas.read_csv(…, sep=';') reads them):"
            + _lines(
                f"table = pandas.read_csv({path.name!r}).drop(columns=['…'])",
                "table.to_csv('mine.csv', index=False)",
                imports="pandas",
            )
        ) from None
    columns = [i for i, entry in enumerate(head) if entry in LABEL] if named else _label_column(path, table)
    if not columns:
        return {"x": table}
    return {"x": np.delete(table, columns[0], axis=1), "y": table[:, columns[0]]}


def _label_column(path, table):
    """The column of labels of a table without a head: it makes a square of what is left, and is not constant."""
    pixels = table.shape[1] - 1
    if round(table.shape[1] ** 0.5) ** 2 == table.shape[1] or round(pixels**0.5) ** 2 != pixels:
        return []
    varying = [i for i in (0, pixels) if np.ptp(table[:, i]) > 0]
    if len(varying) != 1:
        raise FileError(
            f"{path} has {pixels + 1} columns and no head, so its labels may be the first or the last. Add "
            "a first line that names them, with `label` for the labels:"
            + _lines(
                f"table = pandas.read_csv({path.name!r}, header=None).rename(columns={{0: 'label'}})",
                "table.to_csv('mine.csv', index=False)",
                imports="pandas",
            )
        )
    return varying


def _folder(path):
    """A folder of images; its sub-folders are the classes, or train and test with the classes in them."""
    halves = {name: path / name for name in ("train", "test") if (path / name).is_dir()}
    if len(halves) == 2:
        return {f"{name}_{half}": array for half, folder in halves.items() for name, array in _classes(folder).items()}
    return _classes(path)


def _classes(path):
    from PIL import Image

    inside = {folder.name: folder for folder in sorted(path.iterdir()) if folder.is_dir() and folder.name[0] != "."}
    files = [
        (name, file)
        for name, folder in (inside or {"": path}).items()
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in PICTURES and file.name[0] != "."  # macOS leaves a ._cat.jpg beside cat.jpg
    ]
    if not files:
        raise FileError(
            f"{path} holds no images ({', '.join(sorted(PICTURES))}), nor sub-folders with any. Needed is "
            "a folder with a sub-folder of images for each class, or the images alone."
        )
    images, size = [], None
    for _, file in files:
        try:
            with Image.open(file) as image:
                images.append(np.asarray(image.convert("L")))
        except OSError as error:
            raise FileError(f"{file} is no image that can be read ({error}). Delete it, or save it again.") from None
        size = size or (images[-1].shape, file)
        if images[-1].shape != size[0]:
            raise FileError(
                f"{file} has {images[-1].shape} pixels, {size[1].name} has {size[0]}. Make copies of one size, and let "
                "DATASET name their folder:"
                + _lines(
                    f"old, new = pathlib.Path({str(path)!r}), pathlib.Path('small')",
                    f"for file in old.rglob('[!.]*{file.suffix}'):",
                    "    copy = new / file.relative_to(old)",
                    "    copy.parent.mkdir(parents=True, exist_ok=True)",
                    "    PIL.Image.open(file).resize((28, 28)).save(copy)",
                    imports="pathlib, PIL.Image",
                )
            )
    found = {"x": np.stack(images)}
    return found | ({"y": np.array([name for name, _ in files])} if inside else {})


def _lines(*lines, imports="numpy as np"):
    return "\n    " + "\n    ".join([f"import {imports}", *lines])


READERS = {r"\.npz$": _npz, r"\.npy$": _npy, r"\.csv(\.gz)?$": _csv, r"ubyte(\.gz)?$|\.idx\d?(\.gz)?$": _idx}
