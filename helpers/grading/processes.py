"""Call a function in a process of its own, which is ended when its time is over, with all that it started.

Each process is forked from one that has done the imports, and `beforehand`, so that it starts within milliseconds.
Where nothing can be forked, it starts anew.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import psutil

_running: set = set()  # of this process, so that an interruption can end them


class Ended(Exception):
    """A call that has no value; the message says why."""


def start() -> None:
    """Begin with the imports now: they take seconds."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()


def call(function: Callable, *inputs: Any, seconds: float = 600, memory: int | None = None) -> Any:
    """The value of a function of some module, called in a process of its own.

    inputs, value: what can be pickled. What the function leaves in the temporary folder goes with its process. Raises
    Ended if the function raises, if it takes longer than `seconds`, or if its process ends. memory: how many bytes it
    may ask for; what it starts may set itself another limit.
    """
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        Path(folder, "tmp").mkdir()
        Path(folder, "call").write_bytes(pickle.dumps((function, inputs, memory)))
        process = _start(folder)
        _running.add(process)
        try:
            in_time = _wait(process, seconds)
        finally:
            _end(process)
            _running.discard(process)
        if not in_time:
            raise Ended(f"ran longer than {seconds:.0f} s in all")
        try:
            returned, value = pickle.loads(Path(folder, "value").read_bytes())
        except OSError:
            raise Ended("the process ended") from None
    if not returned:
        raise Ended(value)
    return value


def stop() -> None:
    """End every process that a call in another thread waits for."""
    for process in list(_running):
        _end(process)


def _context():
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"helpers.grading.{name}" for name in ("student", "course", "beforehand")])
    return context


def _start(folder):
    if multiprocessing.current_process().daemon:  # such as a worker of Dask, which may have no children
        return subprocess.Popen([sys.executable, "-m", "helpers.grading.processes", folder], stdout=subprocess.DEVNULL)
    process = _context().Process(target=_serve, args=(folder,))
    process.start()
    return process


def _wait(process, seconds):
    """Whether a process ends in time."""
    if isinstance(process, subprocess.Popen):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None
    process.join(seconds)
    return process.exitcode is not None


def _end(process):
    """End a process and all that it started."""
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(process.pid)
        for one in [*whole.children(recursive=True), whole]:
            with contextlib.suppress(psutil.Error):
                one.kill()
    _wait(process, 10)


def _serve(folder):
    """Make the call that lies in a folder, and leave its value there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who called, who ends this process
    os.environ["TMPDIR"] = tempfile.tempdir = str(Path(folder, "tmp"))
    function, inputs, memory = pickle.loads(Path(folder, "call").read_bytes())
    if memory:
        import resource  # not everywhere, but wherever a kernel can be confined

        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    try:
        outcome = True, function(*inputs)
    except Exception as error:
        outcome = False, f"{type(error).__name__}: {error}"[:500]
    part = Path(folder, "part")
    part.write_bytes(pickle.dumps(outcome))
    part.rename(Path(folder, "value"))


if __name__ == "__main__":
    _serve(sys.argv[1])
