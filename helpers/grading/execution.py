"""Run a rebuilt submission cell by cell: a cell that hangs or kills its kernel costs the student that cell only."""

import copy

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade, is_grade, is_locked

from . import showing
from .sandbox import Kernel

CHANGED = """from helpers import marks as _canary
'|'.join(_canary.tampered() + ['the name marks'] * (globals().get('marks') is not _canary))"""
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


def run(notebook, answers, limits, work, confined):
    """Run a notebook in place.

    answers: the names to spoil for the canary. work: the folder it runs in. Returns what was noticed, in words: cells
    that ended the kernel, and tests that accept a wrong answer.
    """
    left_out, noticed = {}, []
    for _ in range(RESTARTS + 1):
        ended, found = _once(notebook, left_out, answers, limits, work, confined)
        if ended is None:
            break
        index, reason = ended
        if index >= len(notebook.cells):
            found = [f"the canary {reason}"]
            break
        left_out[index] = reason
    else:
        for i, cell in enumerate(notebook.cells):  # one cell after another ends the kernel: none of them counts
            if is_grade(cell) and cell.cell_type == "code" and i not in left_out:
                cell.outputs = [_error("NotRun", f"the kernel ended {RESTARTS + 1} times before this test")]
    for index, reason in sorted(left_out.items()):
        name = notebook.cells[index].metadata.get("nbgrader", {}).get("grade_id", f"the student's cell {index + 1}")
        noticed.append(f"{name} {reason}")
    return noticed + found


def _once(notebook, left_out, answers, limits, work, confined):
    """One run in one kernel. Returns ((index, why) of the cell that ended it, or None; what the canary found)."""
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
    limit = lambda i: limits.setup if i < first else limits.cell  # noqa: E731
    i = -1
    try:
        with client.setup_kernel(cwd=str(work)):
            for i, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                if i in left_out:
                    cell.outputs = [_error("NotRun", f"this cell {left_out[i]}, and was left out")]
                    continue
                client.timeout = limit(i)
                client.execute_cell(cell, i)
                _impossible_points(cell)
                if i < first and any(out.output_type == "error" for out in cell.outputs):
                    raise NotStarted(f"the first cells fail: {cell.outputs[-1].evalue}")
            i = len(notebook.cells)
            return None, _canary(client, notebook, answers, limits)
    except CellTimeoutError:
        if i < first:
            raise NotStarted(f"the first cells took longer than {limits.setup:.0f} s") from None
        return (i, f"ran longer than {limit(i):.0f} s"), []
    except (DeadKernelError, RuntimeError) as error:
        if i < first:
            raise NotStarted(f"no kernel started: {error}") from error
        return (i, "ended the kernel"), []
    finally:
        kernel.remove()


def _canary(client, notebook, answers, limits):
    """Put wrong answers in the place of the student's: every test that gave points must now give none."""
    earned = [cell for cell in notebook.cells if is_grade(cell) and cell.cell_type == "code" and points(cell)]
    length, client.timeout, found = len(notebook.cells), limits.cell, []
    if not earned:
        return []
    spoil = [f"if {name!r} in globals(): {name} = _canary.spoil({name})" for name in answers]
    cells = [new_code_cell(CHANGED), new_code_cell("\n".join(spoil))]
    cells += [new_code_cell(cell.source, metadata=copy.deepcopy(cell.metadata)) for cell in earned]
    cells.append(new_code_cell("assert False"))
    try:
        for cell in cells:
            notebook.cells.append(cell)
            client.execute_cell(cell, len(notebook.cells) - 1)
    finally:
        del notebook.cells[length:]
    changed, spoilt, *tests, certain = cells
    said = next((out.data.get("text/plain", "") for out in changed.outputs if out.output_type == "execute_result"), "")
    if said != "''":
        said = said.strip("'\"").replace("|", ", ")
        found.append(f"changed while running: {said or 'the check itself'}")
    found += [f"{test.metadata.nbgrader.grade_id} accepts a wrong answer" for test in tests if points(test)]
    if any(out.output_type == "error" for out in spoilt.outputs) or not any(
        out.output_type == "error" for out in certain.outputs
    ):
        found.append("assert does not work as it should")
    return found


def points(cell):
    """The points of a test cell that has run, as nbgrader gives them."""
    return determine_grade(cell)[0]


def _impossible_points(cell):
    """Replace points that cannot be: above the maximum, or no plain number, which nbgrader takes for full points.

    nbgrader looks at the first result or error. A result that student code shows before an error must not count.
    """
    if not is_grade(cell):
        return
    results = [out for out in cell.outputs if out.output_type == "execute_result"]
    if any(out.output_type == "error" for out in cell.outputs):
        cell.outputs = [out for out in cell.outputs if out not in results]
    elif len(results) > 1:
        cell.outputs = [_error("ImpossiblePoints", f"the test returned {len(results)} results")]
    elif results:
        text = results[0].data.get("text/plain", "")
        try:
            possible = 0 <= float(text) <= float(cell.metadata.nbgrader.points)
        except ValueError:
            possible = False
        if not possible:
            cell.outputs = [_error("ImpossiblePoints", f"the test returned {text[:80]}")]


def _note_error(cell, cell_index, execute_reply):
    """Record an error that the kernel reports but did not show, because student code has switched that off."""
    content = execute_reply["content"]
    if content["status"] == "error" and not any(out.output_type == "error" for out in cell.outputs):
        cell.outputs.append(_error(content.get("ename", "Error")[:100], content.get("evalue", "")[:20_000]))


def _error(name, value):
    return new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])
