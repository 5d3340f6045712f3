"""The package: a wheel works without the checkout. And the files by which others start it name what is there."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Outside Jupyter a lab carries all that a page needs as text.
LABS = """
from helpers import labs, plots
from helpers.labs import arena, predictions

lab = labs.Lab(lambda n: plots.images({"a row": [[[n]]]}), "A lab", n=labs.slider("n", 0, 1, 0))
assert "{" in lab._css and "export default" in lab._esm, "no style, or nothing to load"
kinds = labs.LatentPlane, labs.DiracGAN, arena.Arena, predictions.Predictions
for text in (lab.base, lab.module, *(kind.module.default_value for kind in kinds)):
    assert "export" in text, "a module is missing"
print(labs.__file__)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The Python of a fresh environment into which the wheel was installed, without network and checkout."""
    pytest.importorskip("pip", reason="pip is not in this environment")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    shutil.copytree(ROOT / "helpers", source / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", source)
    builder = venv.EnvBuilder()
    builder.create(folder / "environment")
    python = builder.ensure_directories(folder / "environment").env_exe
    pip("--python", python, "install", "--no-deps", "--no-index", *(folder / "wheels").glob("*.whl"))
    return python


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "-qq", *map(str, arguments)], check=True)


def test_labs_of_a_wheel_have_all_their_files(environment, tmp_path):
    # The libraries of this environment, but not what its .pth files add: the checkout among them.
    libraries = os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    run = subprocess.run(
        [environment, "-c", LABS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": libraries},
        capture_output=True,
        text=True,
    )
    assert not run.returncode, run.stderr[-2000:]
    assert Path(run.stdout.strip()).is_relative_to(Path(environment).parents[1])


def test_a_wheel_has_every_file_of_helpers(environment):
    def files(folder):
        return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}

    installed = next(Path(environment).parents[1].rglob("helpers/__init__.py")).parent
    assert files(installed) == files(ROOT / "helpers")


def test_binder_installs_what_a_student_needs():
    lines = (ROOT / "binder/requirements.txt").read_text().splitlines()
    assert [line for line in lines if line[0] != "#"] == ["-r ../requirements.txt"]
    assert (ROOT / "binder/runtime.txt").read_text() == "python-3.11\n"


def test_the_container_does_what_readme_says():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["postCreateCommand"] == "pip install -r requirements.txt"
    assert all((ROOT / path).exists() for path in container["customizations"]["codespaces"]["openFiles"])


def test_the_workflow_runs_what_ci_runs():
    assert "run: bash .ci/run\n" in (ROOT / ".github/workflows/ci.yml").read_text() and (ROOT / ".ci/run").exists()
