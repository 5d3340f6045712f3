"""Check the environment: a line for each thing that the notebooks need, with the remedy where it is missing."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from . import data

ROOT = Path(__file__).resolve().parents[1]
TRAIN = """import os
backend = os.environ.get("KERAS_BACKEND", "tensorflow")
assert backend == "tensorflow", f"the environment variable KERAS_BACKEND says {backend}, not tensorflow"
import keras, numpy
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(numpy.ones((8, 2)), numpy.ones((8, 1)), verbose=0)"""


def environment() -> None:
    """Print ✓ for what is there, ✗ and the remedy for what is not. Never raises; takes about five seconds."""
    for what, problem_of in CHECKS.items():
        try:
            problem = problem_of()
        except Exception as error:
            problem = f"not checked, {type(error).__name__}: {error}"
        print(f"✗ {what}: {problem}" if problem else f"✓ {what}")


def python() -> str:
    fine = (3, 11) <= sys.version_info < (3, 14)
    return "" if fine else f"this is {sys.version.split()[0]}; install 3.11, 3.12 or 3.13"


def packages() -> str:
    bounds = asked()
    wrong = {name: version for name in bounds if (version := installed(name)) is None or version not in bounds[name]}
    told = ", ".join(f"{name} is {version or 'missing'}" for name, version in wrong.items())
    return told and f"{told}; run `%pip install {within_bounds(*wrong)}`, then restart the kernel"


def asked() -> dict[str, SpecifierSet]:
    """{package: its bounds}, what requirements.txt asks of this machine."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines())
    required = [Requirement(line) for line in lines if line and not line.startswith("-")]
    bounds = {r.name: r.specifier for r in required if not r.marker or r.marker.evaluate()}
    if installed("tensorflow") and not installed("tensorflow-cpu") and "tensorflow-cpu" in bounds:
        bounds["tensorflow"] = bounds.pop("tensorflow-cpu")  # the build with the GPU's part serves as well
    if not installed("jupyterlab"):
        bounds.pop("jupyterlab", None)  # the page comes from elsewhere then: a hub, VS Code, Colab
    return bounds


def installed(name: str) -> str | None:
    return next((found.version for found in metadata.distributions(name=name)), None)


def within_bounds(*names: str) -> str:
    return " ".join(f'"{name}{bounds}"' for name, bounds in asked().items() if name in names)


def runs(code: str, packages: str) -> str:
    # In a process of its own, for a broken library may take its process down; -P: not from the current folder.
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=120)
    said = run.stderr.strip().splitlines() or [f"Python ended with code {run.returncode}"]
    return f"{said[-1]}; run `%pip install {packages}`, then restart the kernel" if run.returncode else ""


def extensions() -> str:
    lost = [
        name
        for name in ("jupyterlab_widgets", "anywidget")
        if not any(
            "labextensions" in file.parts and file.name == "package.json" and Path(file.locate()).exists()
            for file in metadata.files(name) or ()
        )
    ]
    return f"run `%pip install --force-reinstall {' '.join(lost)}`, then start Jupyter anew" if lost else ""


def folder() -> str:
    place = Path(os.environ.get("TEACHING_DATA") or data.FOLDER).expanduser()
    stored = (*place.glob("*.npz"), *place.glob("*/*-ubyte*"))  # the two forms that data.load finds there
    fine = place.is_dir() and (os.access(place, os.W_OK) or any(stored))
    return "" if fine else f"{place} cannot be written to; let TEACHING_DATA name a folder that can (digits need none)"


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 4
    cores = os.cpu_count() or 1
    fine = cores >= 2 and memory >= 3.5
    return "" if fine else f"{cores} core(s), {memory:.1f} GB: it runs, but slowly; run little else beside it"


# {what is needed: a function that returns "" where it is there, else what to do about it}
CHECKS = {
    "Python 3.11 to 3.13": python,
    "every package of requirements.txt": packages,
    "helpers can be imported from any folder": lambda: runs("import helpers.labs, helpers.evidence", f'-e "{ROOT}"'),
    "sliders and buttons in JupyterLab and Notebook": extensions,
    "a folder for downloads": folder,
    "two cores and 4 GB of memory": machine,
    "TensorFlow trains a model": lambda: runs(
        TRAIN, f"--force-reinstall {within_bounds('tensorflow', 'tensorflow-cpu', 'keras')}"
    ),
}
