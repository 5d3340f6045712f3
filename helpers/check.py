"""Check the environment: a line for each thing that the notebooks need, with the remedy where it is missing."""
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

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


def python():
    return not (3, 11) <= sys.version_info < (3, 14) and f"this is {sys.version.split()[0]}; install 3.11, 3.12 or 3.13"


def packages():
    bounds = asked()
    wrong = {name: version for name in bounds if (version := installed(name)) is None or version not in bounds[name]}
    told = ", ".join(f"{name} is {version or 'missing'}" for name, version in wrong.items())
    return wrong and f"{told}; run `%pip install {within_bounds(*wrong)}`, then restart the kernel"


def asked():
    """{package: its bounds}, what requirements.txt asks of this machine."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines())
    lines = [Requirement(line) for line in lines if line and not line.startswith("-")]
    bounds = {line.name: line.specifier for line in lines if not line.marker or line.marker.evaluate()}
    if installed("tensorflow") and not installed("tensorflow-cpu") and "tensorflow-cpu" in bounds:
        bounds["tensorflow"] = bounds.pop("tensorflow-cpu")         # the build with the GPU's part serves as well
    if not installed("jupyterlab"):
        bounds.pop("jupyterlab", None)          # the page comes from elsewhere then: a hub, VS Code, Colab
    return bounds


def installed(name):
    return next((found.version for found in metadata.distributions(name=name)), None)


def within_bounds(*names):
    return " ".join(f'"{name}{bounds}"' for name, bounds in asked().items() if name in names)


def runs(code, packages):
    # In a process of its own, for a broken library may take its process down; -P: not from the current folder.
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=120)
    said = run.stderr.strip().splitlines() or [f"Python ended with code {run.returncode}"]
    return run.returncode and f"{said[-1]}; run `%pip install {packages}`, then restart the kernel"


def extensions():
    lost = [name for name in ("jupyterlab_widgets", "anywidget") if not any(
        "labextensions" in file.parts and file.name == "package.json" and file.locate().exists()
        for file in metadata.files(name) or ())]
    return lost and f"run `%pip install --force-reinstall {' '.join(lost)}`, then start Jupyter anew"


def folder():
    place = Path(os.environ.get("TEACHING_DATA") or data.FOLDER).expanduser()
    fine = place.is_dir() and (os.access(place, os.W_OK) or any(place.glob("*.npz")))
    return not fine and f"{place} cannot be written to; let TEACHING_DATA name a folder that can (digits need none)"


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 4
    return (os.cpu_count() < 2 or memory < 3.5) and f"{os.cpu_count()}, {memory:.1f} GB: close other programs"


CHECKS = {
    "Python 3.11 to 3.13": python,
    "every package of requirements.txt": packages,
    "helpers can be imported from any folder": lambda: runs("import helpers.labs, helpers.evidence", f'-e "{ROOT}"'),
    "sliders and buttons in JupyterLab and Notebook": extensions,
    "a folder for downloads": folder,
    "two cores and 4 GB of memory": machine,
    "TensorFlow trains a model": lambda: runs(
        TRAIN, f"--force-reinstall {within_bounds('tensorflow', 'tensorflow-cpu', 'keras')}"),
}
