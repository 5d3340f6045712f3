"""A kernel for code that is not trusted, confined by bubblewrap where the system allows it (Linux).

Inside there is no network, the system is read-only, and of the machine's files there are only Python, the packages,
the parts of `helpers` that hold no answers, and a throw-away copy of what was submitted. CPU time, memory, file size
and processes are limited. What runs inside one kernel can still change what else runs in it: confinement does not stop
that.
"""

import contextlib
import functools
import itertools
import math
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

import psutil
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import Bool, Instance, Type, Unicode

from helpers.publish import ThisPython

from .rebuilding import OPEN

HELPERS = Path(__file__).resolve().parents[1]
HOME, PROJECT, GIVEN = "/home/student", "/opt/project", "/opt/given"
# Runs inside, first: another user where the grader is root (whom a limit of processes does not bind), then the limits.
# Last the priority: a submission that forks must not take the processor from the grader, who has to end it.
BEGIN = f"""import os, resource, shutil, sys
user, *limits = map(int, sys.argv[1:6])
if user:
    os.setgroups([]); os.setgid(user); os.setuid(user)
for name, limit in zip(("CPU", "AS", "FSIZE", "NPROC"), limits):
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (limit, limit))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.nice(10)
shutil.copytree("{GIVEN}", "{HOME}/work", dirs_exist_ok=True)
os.chdir("{HOME}/work")
os.execv(sys.argv[6], sys.argv[6:])"""

_kernels = itertools.count()
LOOK = 0.5  # seconds between two looks at what a kernel uses
SOCKETS = 16 << 20  # bytes in the folder of its sockets, which is on the disk


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Seconds of a cell, of the first locked cells (imports take time), of CPU a process, and of the whole submission;
    bytes of memory that a process may ask for, and that all together may use; bytes of a file, and of all files (a
    quarter as much again in /tmp, and in /dev/shm an eighth; they are in memory, and never on a disk); processes and
    threads; characters of output a cell.
    """

    cell: float = 60
    setup: float = 180
    cpu: int = 600
    submission: float = 600
    memory: int = 8 << 30
    together: int = 4 << 30
    file: int = 64 << 20
    files: int = 512 << 20
    processes: int = 256
    output: int = 20_000


@functools.cache
def unconfined_because():
    """Why a kernel cannot be confined here, in words, or None: it can. Tried once, by confining a Python."""
    if not shutil.which("bwrap"):
        return (
            "bubblewrap is not installed (`apt-get install bubblewrap`)"
            if sys.platform == "linux"
            else f"bubblewrap is for Linux, and this is {sys.platform}"
        )
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            command([sys.executable, "-c", "import ipykernel"], folder, folder, Limits()),
            capture_output=True,
            text=True,
            timeout=60,
        )
    if not tried.returncode:
        return None
    return f"bubblewrap does not work here: {tried.stderr.strip()[-200:] or tried.returncode}"


def space(place, size):
    """The words by which bubblewrap makes an empty place for so many bytes of files, in memory."""
    return ["--perms", "1777", "--size", str(size), "--tmpfs", place]


def command(run, work, sockets, limits):
    """The command that runs `run`, a list, confined. work: a folder of which it gets a copy; sockets: its sockets'."""
    root = os.getuid() == 0
    # A user for each kernel: the limit of processes counts a user's, and those of the last kernel may still be ending.
    user = 1_000_000 + 10 * os.getpid() + next(_kernels) % 10 if root else 0
    for folder in (work, sockets):
        if root:
            for path in [folder, *Path(folder).rglob("*")]:
                os.chown(path, user, user)
    places = {sys.prefix, sys.base_prefix, *filter(None, map(sysconfig.get_path, ("purelib", "platlib")))}
    bound = []
    for place in sorted(place for place in places if not place.startswith("/usr/")):
        for above in reversed(Path(place).parents[:-1]):  # else a closed folder, such as /root, stays closed
            bound += ["--perms", "0755", "--dir", str(above)]
        bound += ["--ro-bind", place, place]
    for installed in {Path(sysconfig.get_path(name), "helpers") for name in ("purelib", "platlib")}:
        bound += ["--tmpfs", str(installed)] if installed.is_dir() else []
    settings = {
        "HOME": HOME,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": PROJECT,
        "TMPDIR": "/tmp",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",
        **QUIET,
    }
    return [
        "bwrap",
        *([] if root else ["--unshare-user", "--uid", "1000", "--gid", "1000"]),
        "--unshare-net",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        *(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else []),
        "--ro-bind",
        "/usr",
        "/usr",
        *(word for name in ("bin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")),
        "--ro-bind-try",
        "/etc/ld.so.cache",
        "/etc/ld.so.cache",
        "--ro-bind-try",
        "/etc/fonts",
        "/etc/fonts",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        *space("/dev/shm", limits.files // 8),
        "--remount-ro",
        "/dev",
        *space("/tmp", limits.files // 4),
        *space(HOME, limits.files),
        *bound,
        "--perms",
        "0755",
        "--dir",
        "/opt",
        "--perms",
        "0755",
        "--dir",
        PROJECT,
        "--perms",
        "0755",
        "--dir",
        f"{PROJECT}/helpers",
        *(
            word
            for name in ["__init__", *sorted(OPEN)]
            for word in ("--ro-bind", f"{HELPERS}/{name}.py", f"{PROJECT}/helpers/{name}.py")
        ),
        "--ro-bind",
        str(work),
        GIVEN,
        "--bind",
        str(sockets),
        str(sockets),
        "--remount-ro",
        "/",
        "--clearenv",
        *(word for item in settings.items() for word in ("--setenv", *item)),
        sys.executable,
        "-I",
        "-S",
        "-c",
        BEGIN,
        str(user),
        str(limits.cpu),
        str(limits.memory),
        str(limits.file),
        str(limits.processes),
        *run,
    ]


# One thread each, for the workers share the cores; TensorFlow keeps its start-up messages off stderr.
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
    "NBGRADER_EXECUTION": "autograde",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
}


class Watch(threading.Thread):
    """Ends a process with all that it started once they use too much together; `why` says so, in words.

    What no limit of a single process holds: the memory of all of them, and what they put where their sockets are.
    """

    def __init__(self, process: int, sockets: str, limits: Limits):
        super().__init__(daemon=True)
        self.process, self.sockets, self.limits = process, sockets, limits
        self.why, self._over = "", threading.Event()

    def run(self):
        while not self._over.wait(LOOK):
            with contextlib.suppress(psutil.Error, OSError):
                whole = psutil.Process(self.process)
                everyone = [whole, *whole.children(recursive=True)]
                if sum(map(_memory, everyone)) > self.limits.together:
                    self.why = f"used more than {self.limits.together / 2**30:.3g} GB of memory"
                elif sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(self.sockets)) > SOCKETS:
                    self.why = f"wrote more than {SOCKETS / 2**20:.0f} MB where only its sockets belong"
                else:
                    continue
                for one in reversed(everyone):
                    with contextlib.suppress(psutil.Error):
                        one.kill()
                return

    def stop(self):
        """Look no more."""
        self._over.set()
        self.join()


def _memory(process):
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


class Contact(AsyncKernelClient):
    """A client that is ready when the kernel answers. The base's then listens a fifth of a second more; what it would
    hear answers no request of ours, so whoever waits for an answer passes it over."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels. Raises RuntimeError if it ends, or after `timeout` s."""
        until = time.monotonic() + (math.inf if timeout is None else timeout)
        while True:
            self.kernel_info()
            with contextlib.suppress(Empty):
                await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)  # else this one is not connected yet: ask again
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel ended before it answered")
            if time.monotonic() > until:
                raise RuntimeError(f"the kernel did not answer within {timeout:.0f} seconds")


class Kernel(ThisPython):
    """A kernel of the Python that grades, confined or not, reached by sockets in a folder of its own."""

    client_factory = Type(Contact)
    confined, work, limits = Bool(), Unicode(), Instance(Limits)

    def __init__(self, **settings):
        # A short absolute path: a socket's name has at most 107 characters, and a relative one would clash.
        self.sockets = tempfile.mkdtemp(prefix="k", dir="/tmp" if os.path.isdir("/tmp") else None)
        posix = {"transport": "ipc", "ip": f"{self.sockets}/s"} if os.name == "posix" else {}
        super().__init__(**settings, **posix, connection_file=f"{self.sockets}/kernel.json")

    def format_kernel_cmd(self, extra_arguments=None):
        run = [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            self.connection_file,
            "--HistoryManager.hist_file=:memory:",
            # To import TensorFlow makes half a million objects. A collector that runs as often as Python's own goes
            # through them again and again: a tenth of the import.
            "--IPKernelApp.exec_lines=__import__('gc').set_threshold(50_000, 20, 50)",
        ]
        return command(run, self.work, self.sockets, self.limits) if self.confined else run

    async def _async_launch_kernel(self, kernel_cmd, **options):
        options["stdout"] = options["stderr"] = subprocess.DEVNULL
        if self.confined:  # bubblewrap's own would be read in /proc/1/environ
            options["env"] = {"PATH": os.environ.get("PATH", os.defpath)}
        else:
            options["env"] = {**options.get("env", os.environ), **QUIET}
        await super()._async_launch_kernel(kernel_cmd, **options)

    def remove(self):
        """Remove the sockets' folder, once the kernel has ended."""
        shutil.rmtree(self.sockets, ignore_errors=True)


assert issubclass(Kernel, AsyncKernelManager)
