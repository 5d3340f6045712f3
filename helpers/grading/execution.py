"""Run a rebuilt submission cell by cell: a cell that hangs or kills its kernel costs the student that cell only.

The student's cells run in the kernel, the tests in this process (see judging.py).
"""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync
from nbformat import NotebookNode
from nbgrader.utils import determine_grade, is_grade, is_locked

from . import showing
from .judging import Judge, error
from .sandbox import Kernel, Limits, Watch

PICTURES, WHOLE = 500_000, 5_000_000  # characters: of a cell's pictures and tables, and of a whole run's output
RESTARTS = 6  # of the kernel; each cell that ends one is left out in the next run


class NotStarted(Exception):
    """The kernel or the assignment's own first cells failed, before any of the student's code: not their fault."""


class Client(NotebookClient):
    """A client that keeps no more of a cell's and of all output than is read, and turns stderr into ordinary output.

    nbgrader gives no points to a cell that wrote to stderr, be it a library's warning: an error is told by its own
    message, so nothing is lost.
    """

    def process_message(self, msg, cell, cell_index):
        content = msg["content"]
        if "data" in content and "metadata" in content:  # every way to show something, first and later
            content["data"], content["metadata"] = showing.data(content["data"]), {}
        if msg["msg_type"] == "update_display_data" and not self._fits(len(str(content["data"])), PICTURES):
            return None
        if msg["msg_type"] == "error":
            content["ename"], content["evalue"] = content["ename"][:100], content["evalue"][: self.most]
            content["traceback"] = [f"{content['ename']}: {content['evalue']}"]
        return super().process_message(msg, cell, cell_index)

    def output(self, outs, msg, display_id, cell_index):
        room = self.most - sum(len(str(out.get("text", out.get("data", "")))) for out in outs)
        content = msg["content"]
        if msg["msg_type"] == "stream":
            content["name"], whole = "stdout", len(content["text"])
            content["text"] = content["text"][: max(room, 0)]
            if not content["text"] or not self._fits(len(content["text"]), room):
                return None
            content["text"] += "\n… the rest was cut …\n" if whole > room else ""
        elif msg["msg_type"] == "execute_result":  # never dropped, nor is an error: without one a test has passed
            if not self._fits(len(str(content["data"])), room + PICTURES):
                content["data"] = {"text/plain": content["data"].get("text/plain", "")[:1000]}
        elif msg["msg_type"] != "error" and not self._fits(len(str(content.get("data", ""))), room + PICTURES):
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _fits(self, size, room):
        """Whether so many characters fit into a cell's room and into what is left of the notebook's."""
        fits = size <= min(room, self.left)
        self.left -= size if fits else 0
        return fits

    def ask(self, request: str, seconds: float) -> str:
        """Send a request to the kernel, and return its reply (see helpers.remote). Raises Ended."""
        return run_sync(self._ask)(request, seconds)

    async def _ask(self, request, seconds):
        answer = f"__import__('helpers.remote', fromlist=['answer']).answer('{request}', globals())"
        asked = self.kc.execute("pass", silent=True, allow_stdin=False, user_expressions={"reply": answer})
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = await ensure_async(self.kc.shell_channel.get_msg(timeout=min(left, 1)))
            except Empty:
                if not await ensure_async(self.km.is_alive()):
                    raise Ended("ended the kernel") from None
                continue
            if message["parent_header"].get("msg_id") == asked:
                try:
                    return str(message["content"]["user_expressions"]["reply"]["data"]["text/plain"]).strip("'")
                except (KeyError, TypeError):
                    return ""
        raise Ended(f"ran longer than {seconds:.0f} s")


class Ended(BaseException):
    """A test whose answer took too long, or ended the kernel; no Exception, for tests may catch those."""


def run(
    notebook: NotebookNode, source: NotebookNode, files: Mapping[str, bytes], limits: Limits, confined: bool
) -> list[str]:
    """Run a notebook in place.

    source: the teacher's notebook; files: what lies beside the student's, the same in each run. Returns what was
    noticed, in words: cells that took too long or ended the kernel.
    """
    left_out: dict[int, str] = {}
    for _ in range(RESTARTS + 1):
        with tempfile.TemporaryDirectory(prefix="work-", ignore_cleanup_errors=True) as work:
            for name, data in files.items():
                Path(work, Path(name).name).write_bytes(data)
            ended = _once(notebook, source, left_out, limits, work, confined)
        if ended is None:
            break
        index, reason = ended
        left_out[index] = reason
    else:
        for i, cell in enumerate(notebook.cells):  # one cell after another ends the kernel: none of them counts
            if is_grade(cell) and cell.cell_type == "code" and i not in left_out:
                cell.outputs = [error("NotRun", f"the kernel ended {RESTARTS + 1} times before this test")]
    noticed = []
    for index, reason in sorted(left_out.items()):
        name = notebook.cells[index].metadata.get("nbgrader", {}).get("grade_id", f"the student's cell {index + 1}")
        noticed.append(f"{name} {reason}")
    return noticed


def _once(notebook, source, left_out, limits, work, confined):
    """One run in one kernel. Returns (index, why) of the cell that ended it, or None."""
    kernel = Kernel(confined=confined, work=str(work), limits=limits)
    first = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and not is_locked(cell)), 0)
    client = Client(
        notebook,
        km=kernel,
        allow_errors=True,
        interrupt_on_timeout=False,
        iopub_timeout=120,
        startup_timeout=180,
        record_timing=False,
        shutdown_kernel="immediate",
        on_cell_executed=_note_error,
    )
    client.most, client.left = limits.output, WHOLE
    watch = None
    judge = Judge(source, lambda request: client.ask(request, limits.cell))
    i = -1
    try:
        with client.setup_kernel(cwd=str(work)):
            watch = Watch(kernel.provisioner.pid, kernel.sockets, limits)
            watch.start()
            for i, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                if i in left_out:
                    cell.outputs = [error("NotRun", f"this cell {left_out[i]}, and was left out")]
                    continue
                client.timeout = limits.setup if i < first else limits.cell
                if is_grade(cell) and is_locked(cell):
                    judge.test(cell)
                    continue
                client.execute_cell(cell, i)
                if is_locked(cell):
                    judge.prepare(cell.source)
                if i < first and any(out.output_type == "error" for out in cell.outputs):
                    raise NotStarted(f"the first cells fail: {cell.outputs[-1].evalue}")
            return None
    except Ended as reason:
        return i, (watch and watch.why) or str(reason)
    except CellTimeoutError:
        if i < first:
            raise NotStarted(f"the first cells took longer than {limits.setup:.0f} s") from None
        return i, f"ran longer than {client.timeout:.0f} s"
    except (DeadKernelError, RuntimeError) as problem:
        if i < first:
            raise NotStarted(f"no kernel started: {problem}") from problem
        return i, (watch and watch.why) or "ended the kernel"
    finally:
        if watch:
            watch.stop()
        kernel.remove()


def points(cell):
    """The points of a test cell that has run, as nbgrader gives them."""
    return determine_grade(cell)[0]


def _note_error(cell, cell_index, execute_reply):
    """Record an error that the kernel reports but did not show, because student code has switched that off."""
    content = execute_reply["content"]
    if content["status"] == "error" and not any(out.output_type == "error" for out in cell.outputs):
        cell.outputs.append(error(content.get("ename", "Error")[:100], content.get("evalue", "")[:20_000]))
