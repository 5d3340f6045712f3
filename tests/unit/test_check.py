"""helpers.check: every fault of the environment ends in a sentence with its remedy, and none in an error."""

import os
from importlib import metadata
from types import SimpleNamespace

import pytest

from helpers import check


@pytest.fixture
def requirements(tmp_path, monkeypatch):
    """A function that puts other lines into requirements.txt."""
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return (tmp_path / "requirements.txt").write_text


def test_all_is_well_here(capsys):
    check.environment()
    assert capsys.readouterr().out.splitlines() == [f"✓ {what}" for what in check.CHECKS]


def test_a_check_that_breaks_is_a_line_and_the_others_go_on(monkeypatch, capsys):
    monkeypatch.setattr(check, "CHECKS", {"one": lambda: 1 / 0, "two": lambda: "ask Ann", "three": lambda: ""})
    check.environment()
    assert capsys.readouterr().out.splitlines() == [
        "✗ one: not checked, ZeroDivisionError: division by zero",
        "✗ two: ask Ann",
        "✓ three",
    ]


@pytest.mark.parametrize(
    "version, fine", [((3, 10, 14), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_python(monkeypatch, version, fine):
    monkeypatch.setattr(check, "sys", SimpleNamespace(version_info=version, version="3.x | somebody's build"))
    assert bool(check.python()) != fine
    assert fine or check.python() == "this is 3.x; install 3.11, 3.12 or 3.13"


@pytest.fixture
def installed(monkeypatch):
    """A function that says what is installed: name=version."""

    def here(**versions):
        versions = {name.replace("_", "-"): version for name, version in versions.items()}
        monkeypatch.setattr(check, "installed", versions.get)

    return here


def test_packages(requirements):
    requirements("# a comment\n\nnumpy>=99,<100  # reason\nno-such-thing>=1,<2 # reason\npytest>=1 # reason\n-e .\n")
    assert check.packages() == (
        f"numpy is {metadata.version('numpy')}, no-such-thing is missing; "
        'run `%pip install "numpy<100,>=99" "no-such-thing<2,>=1"`, then restart the kernel'
    )


def test_packages_in_their_bounds(requirements):
    requirements("numpy>=1,<100  # reason\n-e .\n")
    assert not check.packages()


def test_only_what_this_machine_needs_counts(requirements):
    requirements('no-such-thing>=1; sys_platform == "none"  # reason\nnor-this>=2; sys_platform != "none"  # reason\n')
    assert check.packages() == 'nor-this is missing; run `%pip install "nor-this>=2"`, then restart the kernel'


@pytest.mark.parametrize(
    "here, said",
    [
        ({"tensorflow_cpu": "2.20"}, ""),
        ({"tensorflow": "2.20"}, ""),  # with the GPU's part, and on Colab
        ({"tensorflow": "2.19"}, 'tensorflow is 2.19; run `%pip install "tensorflow<2.22,>=2.20"`'),
        (
            {"tensorflow_cpu": "2.19", "tensorflow": "2.20"},
            'tensorflow-cpu is 2.19; run `%pip install "tensorflow-cpu<',
        ),
        ({}, 'tensorflow-cpu is missing; run `%pip install "tensorflow-cpu<2.22,>=2.20"`'),
    ],
)
def test_either_build_of_tensorflow_serves(requirements, installed, here, said):
    requirements("tensorflow-cpu>=2.20,<2.22  # reason\n")
    installed(**here)
    assert check.packages().startswith(said) and bool(check.packages()) == bool(said)
    remedy = check.within_bounds("tensorflow", "tensorflow-cpu")
    assert remedy.startswith('"tensorflow<' if here.keys() == {"tensorflow"} else '"tensorflow-cpu<')


def test_jupyterlab_may_be_elsewhere_but_not_too_old(requirements, installed):
    requirements("jupyterlab>=4,<5  # reason\n")
    installed()
    assert not check.packages()
    installed(jupyterlab="3.6")
    assert check.packages().startswith("jupyterlab is 3.6; run `%pip install")


@pytest.mark.parametrize(
    "code, said",
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'; run `%pip install x`"),
        ("import os; os.abort()", "Python ended with code -6; run `%pip install x`"),
        ("import sys; sys.exit('library too old')", "library too old; run `%pip install x`"),
    ],
)
def test_a_broken_library_is_a_sentence(code, said):
    assert check.runs(code, "x").startswith(said)


def test_modules_of_the_current_folder_do_not_count(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").touch()
    monkeypatch.chdir(tmp_path)
    assert "No module named 'only_here'" in check.runs("import only_here", "x")


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "KERAS_BACKEND says jax, not tensorflow" in check.runs(check.TRAIN, "x")


def test_extensions_without_their_files(monkeypatch):
    monkeypatch.setattr(metadata, "files", lambda name: None)
    assert check.extensions().startswith("run `%pip install --force-reinstall jupyterlab_widgets anywidget`")


def test_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TEACHING_DATA", str(tmp_path / "absent"))
    assert "cannot be written to; let TEACHING_DATA name" in check.folder()
    monkeypatch.setenv("TEACHING_DATA", str(tmp_path))
    assert not check.folder()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in check.folder()
    (tmp_path / "mnist.npz").touch()  # in a classroom it may be read-only once the file is there
    assert not check.folder()


@pytest.mark.parametrize("cores, pages, fine", [(2, 1_000_000, True), (1, 1_000_000, False), (2, 500_000, False)])
def test_machine(monkeypatch, cores, pages, fine):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": pages}.get)
    assert bool(check.machine()) != fine
