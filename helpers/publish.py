"""Publish notebooks: run each in a fresh kernel, and store it as readers without a kernel need it.

    python -m helpers.publish notebooks/01_tasks.ipynb            run, clean, store
    python -m helpers.publish --check notebooks/*.ipynb           only say what a reader would trip over
"""
import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

WIDGET = "application/vnd.jupyter.widget-view+json"
TWINS = {"image/png", "text/markdown"}      # what a widget shows to readers without a kernel
LARGEST = 1_000_000          # bytes
ABSOLUTE = re.compile(r"(?<!\w)/(?:root|home|Users|tmp|work|opt|usr|var|mnt)/[\w.\-/]*|\b[A-Z]:\\+Users")
PIXELS = re.compile(r'"image/png": (?:"[^"]*"|\[[^\]]*\])')
SHOWS = re.compile(r"^(?:\w+\.)*(?:show|display|print|table|verdicts)\w*\(", re.MULTILINE)
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python",
                              "pygments_lexer": "ipython3"}}


class PublishError(Exception):
    """A notebook that cannot be published; the message names the cell, or says what is wrong."""


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs this, whatever else is installed on the machine as `python3`."""

    def _kernel_spec_manager_default(self):
        return KernelSpecManager(kernel_dirs=[])


def run(notebook, folder, timeout=600):
    """Run all cells of a notebook in place, in a fresh kernel whose working directory is `folder`.

    timeout: seconds for a cell. Returns [(cell's name, seconds)]. Raises PublishError at an error.
    """
    names, began, ended = [name for name, _ in numbered(notebook)], [], []
    client = NotebookClient(notebook, kernel_name="python3", kernel_manager_class=ThisPython, timeout=timeout,
                            record_timing=False,
                            on_cell_execute=lambda **_: began.append(time.perf_counter()),
                            on_cell_executed=lambda **_: ended.append(time.perf_counter()))
    try:
        client.execute(cwd=str(folder))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise PublishError(f"{names[len(began) - 1]} failed: {error}") from None
    return [(name, end - start) for name, start, end in zip(names, began, ended)]


def clean(notebook):
    """Leave what a reader needs, in place: no times, no widget beside its static twin, no erased bars."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = list(_clean_outputs(cell.outputs))


def _clean_outputs(outputs):
    joined = []
    for output in outputs:
        if joined and "name" in output and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    for output in joined:
        if output.output_type == "stream":
            # A carriage return goes back to the start of its line: what follows the last one stays visible.
            output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2].rstrip() if "\r" in line else line
                                    for line in output.text.split("\n"))
            if not output.text.strip():
                continue
        if TWINS & set(output.get("data", {})):
            output.data.pop(WIDGET, None)
        yield output


def publish(path, timeout=600):
    """Run the notebook at `path`, clean it, and put it in its place; on any failure the old file stays.

    Returns [(cell's name, seconds)]. Raises PublishError for a cell that fails, and for what `unfit` finds.
    """
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    times = run(notebook, path.parent, timeout)
    clean(notebook)
    if found := list(unfit(notebook)):
        raise PublishError("; ".join(found))
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    return times


def problems(notebook):
    """All that is wrong with what a notebook stores, a sentence each."""
    return [*unfit(notebook), *_outputs(notebook)]


def numbered(notebook):
    """(name, cell) for each cell that has code; its name holds the execution count that a reader sees."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return [(f"cell [{i}] `{cell.source.strip().splitlines()[0]}`", cell) for i, cell in enumerate(code, 1)]


def unfit(notebook):
    """What keeps a notebook from being stored at all: errors, noise, this machine's paths, its size."""
    for name, cell in numbered(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name}: an error in the output, {output.ename}: {output.evalue}"
            if output.get("name") == "stderr":
                yield f"{name}: text on stderr: {output.text.strip()[:200]}"
    stored = nbformat.writes(notebook)
    text = PIXELS.sub("", stored)
    yield from (f"a path of one machine: {path}" for path in sorted(set(ABSOLUTE.findall(text))))
    if (size := len(stored.encode())) > LARGEST:
        yield f"{size / 1e6:.1f} MB: at most {LARGEST / 1e6:.0f} MB"


def _outputs(notebook):
    cells = numbered(notebook)
    if [cell.execution_count for _, cell in cells] != list(range(1, len(cells) + 1)):
        yield "not run from top to bottom in one go"
    if "widgets" in notebook.metadata:
        yield "widget state in the notebook's metadata"
    for name, cell in cells:
        if SHOWS.search(cell.source) and not cell.outputs:
            yield f"{name}: shows something, and has no output"
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data and not output.metadata.get("image/png", {}).get("alt"):
                yield f"{name}: a picture without alternative text"
            if WIDGET in data:
                yield f"{name}: a widget {'beside its' if TWINS & set(data) else 'without a'} static twin"


def main(arguments=None):
    """Publish or check notebooks; returns the exit status: 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m helpers.publish", description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="run and store nothing, only report problems")
    options, failed = parser.parse_args(arguments), False
    for path in options.notebooks:
        try:
            if not options.check:
                times = publish(path)
                slowest, seconds = max(times, key=lambda cell: cell[1], default=("no cell", 0))
                print(f"{path}: {sum(s for _, s in times):.1f} s, slowest {seconds:.1f} s in {slowest}, "
                      f"{path.stat().st_size / 1e3:.0f} kB")
            found = problems(nbformat.read(path, as_version=4))
        except (PublishError, OSError, nbformat.reader.NotJSONError) as error:
            found, failed = [f"not {'read' if options.check else 'published'}: {error}"], True
        for problem in found:
            print(f"{path}: {problem}", file=sys.stderr)
        failed |= options.check and bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
