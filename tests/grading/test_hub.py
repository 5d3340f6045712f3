"""The documented hub, with a teacher and two students, in a throw-away system that bubblewrap makes: real Unix users
of its own, its own loopback, and nothing of this machine to write to."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from helpers.grading import sandbox

PROJECT = Path(__file__).resolve().parents[2]
MISSING = (
    "not root"
    if os.getuid()
    else ""
    if shutil.which("configurable-http-proxy")
    else "configurable-http-proxy is not installed"
) or sandbox.unconfined_because()


def throw_away_system(scratch, command):
    """The command that runs another as root of a system of its own: /etc copied, /home and /srv empty."""
    shutil.copytree("/etc", scratch / "etc", symlinks=True, ignore_dangling_symlinks=True)
    words = [
        "bwrap",
        "--unshare-net",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--die-with-parent",
        "--ro-bind",
        "/usr",
        "/usr",
        "--bind",
        str(scratch / "etc"),
        "/etc",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    for name in ("bin", "sbin", "lib", "lib64"):
        words += ["--symlink", f"usr/{name}", f"/{name}"]
    for name in ("/home", "/srv", "/var", "/run"):
        words += ["--perms", "0755", "--tmpfs", name]
    words += ["--perms", "1777", "--tmpfs", "/tmp", "--perms", "0755", "--dir", "/var/mail"]
    proxy = Path(shutil.which("configurable-http-proxy")).resolve()
    modules = next((p for p in proxy.parents if p.name == "node_modules"), proxy.parent)
    for place in sorted({
        sys.prefix,
        sys.base_prefix,
        sysconfig.get_path("purelib"),
        str(PROJECT / "helpers"),
        str(PROJECT / "notebooks"),
        str(PROJECT / "tests"),
        str(modules),
    }):
        if not place.startswith("/usr/"):
            for above in reversed(Path(place).parents[:-1]):
                words += ["--perms", "0755", "--dir", str(above)]
            words += ["--ro-bind", place, place]
    path = f"{Path(sys.executable).parent}:{modules}/.bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [
        *words,
        "--clearenv",
        "--setenv",
        "PATH",
        path,
        "--setenv",
        "PYTHONPATH",
        str(PROJECT),
        "--setenv",
        "HOME",
        "/srv",
        "--setenv",
        "LANG",
        "C.UTF-8",
        "--setenv",
        "JUPYTER_PLATFORM_DIRS",
        "1",
        *command,
    ]


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    """What the scenario found."""
    command = [sys.executable, str(PROJECT / "tests" / "grading" / "hub_scenario.py"), str(PROJECT)]
    run = subprocess.run(
        throw_away_system(tmp_path_factory.mktemp("system"), command), capture_output=True, text=True, timeout=900
    )
    assert run.stdout.strip(), run.stderr[-3000:]
    return json.loads(run.stdout.strip().splitlines()[-1])


pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no hub: {MISSING}")


def test_every_step_succeeds(term):
    for step in (
        "assign",
        "release",
        "fetch ann",
        "fetch bob",
        "submit ann",
        "submit bob",
        "collect",
        "release_feedback",
        "fetch_feedback",
    ):
        status, answer = term[step]
        assert status == 200 and answer["success"], (step, answer, term["log"])


def test_marks(term):
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(term["csv"]))}
    assert {who: rows[who]["total"] for who in ("ann", "bob")} == {"ann": "2", "bob": "0"}, term["grade"]
    seen = {entry["student"]: entry["score"] for entry in term["seen by the formgrader"][1]}
    assert seen["ann"] == 2 and seen["bob"] == 0


def test_feedback_arrives(term):
    assert any("01_tasks" in page for page in term["page"])


def test_course_is_closed_to_students(term):
    assert all(code != 0 for code in term["closed"].values()), term["closed"]
    assert term["open"][0] == 0 and "01_tasks" in term["open"][1]


def test_students_have_no_formgrader(term):
    assert term["a student's formgrader"] == 404
