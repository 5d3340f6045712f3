"""Publish notebooks: run each in a fresh kernel, and store it as readers without a kernel need it.

python -m helpers.publish notebooks/01_tasks.ipynb            run, clean, store
python -m helpers.publish --check notebooks/*.ipynb           only say all that is wrong (helpers.rules)
python -m helpers.publish --renew notebooks/01_tasks.ipynb    run nothing, only show all runs that are recorded by now
python -m helpers.publish --live notebooks/01_tasks.ipynb     run, and store only what its labs leave for the site
python -m helpers.publish --colab notebooks/*.ipynb           run nothing, only write Colab's badge and cell anew
"""

import argparse
import base64
import copy
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from PIL import Image, UnidentifiedImageError
from traitlets import default

from helpers import colab, rules
from helpers.renew import renew
from helpers.rules import TWINS, WIDGET, numbered, problems, unfit

KEPT = ("tags", "jupyter", "slideshow")  # of a cell's metadata; the rest is a tool's, or a moment's
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


class PublishError(Exception):
    """A notebook that cannot be published; the message names the cell, or says what is wrong."""


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs this, whatever else is installed on the machine as `python3`."""

    @default("kernel_spec_manager")
    def _only_its_own(self):
        return KernelSpecManager(kernel_dirs=[])


def run(notebook: NotebookNode, folder: Path, timeout: int = 600, left: str = "") -> list[tuple[str, float]]:
    """Run all cells of a notebook in place, in a fresh kernel whose working directory is `folder`.

    timeout: seconds for a cell. left: a folder for what the labs leave to the site (`labs.states`), once all cells have
    run. Returns [(cell's name, seconds)]. Raises PublishError at an error.
    """
    names, began, ended = [name for name, _ in numbered(notebook)], [], []
    leaving = [new_code_cell(f"from helpers.labs import states\nstates.leave({left!r})")] if left else []
    notebook.cells, cells = [*notebook.cells, *leaving], notebook.cells
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPython,
        timeout=timeout,
        record_timing=False,
        on_cell_execute=lambda **_: began.append(time.perf_counter()),
        on_cell_executed=lambda **_: ended.append(time.perf_counter()),
    )
    try:
        client.execute(cwd=str(folder))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise PublishError(f"{[*names, 'leaving labs'][len(began) - 1]} failed: {error}") from None
    finally:
        notebook.cells = cells
    return [(name, end - start) for name, start, end in zip(names, began, ended)]


def clean(notebook: NotebookNode) -> None:
    """Leave what a reader needs, in place: no times, no widget beside its static twin, no erased bars."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in KEPT if key in cell.metadata})
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
            output.text = "\n".join(
                line.rstrip("\r").rpartition("\r")[2].rstrip() if "\r" in line else line
                for line in output.text.split("\n")
            )
            if not output.text.strip():
                continue
        if TWINS & set(output.get("data", {})):
            output.data.pop(WIDGET, None)
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = _smaller(output.data["image/png"])
        yield output


def _smaller(png):
    """The same pixels in fewer bytes, base64: labs write their pictures fast, a file is downloaded by many."""
    buffer = io.BytesIO()
    try:
        Image.open(io.BytesIO(base64.b64decode(png))).save(buffer, "png", optimize=True)
    except (UnidentifiedImageError, ValueError):
        return png  # whatever it is, it stays as the notebook made it
    return min(png.replace("\n", ""), base64.b64encode(buffer.getvalue()).decode(), key=len)


def publish(path: Path, timeout: int = 600) -> list[tuple[str, float]]:
    """Run the notebook at `path`, clean it, and put it in its place; on any failure the old file stays.

    timeout: seconds for a cell. Returns [(cell's name, seconds)]. Raises PublishError for a cell that fails, and for
    what makes a notebook unfit to be stored; where it has a BUDGET, for every rule that it breaks, most before it runs.
    """
    path = Path(path)
    notebook = nbformat.read(path, as_version=4)
    colab.prepare(notebook, path)
    ruled = any("BUDGET" in cell.source for cell in rules.tagged(notebook.cells, "parameters"))
    if ruled:
        _refuse(rules.written(notebook, path))
    with tempfile.TemporaryDirectory() as left:
        times = run(notebook, path.parent, timeout, left)
        ran = copy.deepcopy(notebook)
        clean(notebook)
        _refuse(rules.everything(notebook, path) if ruled else unfit(notebook))
        store(notebook, path)
        _store_labs(Path(left), ran, path)
    return times


def _store_labs(left, ran, path):
    """Store what the labs of a notebook left when it ran, for pages without a kernel."""
    from helpers.labs import states

    for file in states.store(left, ran, path):
        print(f"    {file}: {file.stat().st_size / 1e3:.0f} kB")


def _refuse(found):
    if sentences := "; ".join(found):
        raise PublishError(sentences)


def store(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook so that a change of it is a small difference of files: sorted keys, one line a line."""
    aside = path.with_name(path.name + ".part")
    try:
        aside.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _publish(path):
    times = publish(path)
    slowest, seconds = max(times, key=lambda cell: cell[1], default=("no cell", 0))
    print(
        f"{path}: {sum(s for _, s in times):.1f} s, slowest {seconds:.1f} s in {slowest}, "
        f"{path.stat().st_size / 1e3:.0f} kB"
    )
    return problems(nbformat.read(path, as_version=4))


def _check(path):
    from helpers.labs import states

    notebook = nbformat.read(path, as_version=4)
    return [*rules.everything(notebook, path), *states.outdated(notebook, path)]


def _colab(path):
    notebook = nbformat.read(path, as_version=4)
    colab.prepare(notebook, path)
    store(notebook, path)
    return []


def _renew(path):
    notebook = nbformat.read(path, as_version=4)
    try:
        renew(notebook, path)
    except ValueError as error:
        raise PublishError(str(error)) from None
    clean(notebook)
    store(notebook, path)
    return rules.everything(notebook, path)


def _live(path):
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as left:
        run(notebook, path.parent, left=left)
        _store_labs(Path(left), notebook, path)
    return []


# What can be done instead of publishing: the option's name, the work, its past tense, and what the option says.
INSTEAD = {
    "check": (_check, "read", "run and store nothing, only say all that is wrong"),
    "renew": (_renew, "renewed", "run nothing, only show all runs that are recorded by now"),
    "live": (_live, "run", "run, and store only what its labs leave for the site, not the notebook"),
    "colab": (_colab, "stored", "run nothing, only write Colab's badge and cell anew"),
}


def main(arguments: list[str] | None = None) -> int:
    """Publish or check notebooks; returns the exit status: 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m helpers.publish", description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    only = parser.add_mutually_exclusive_group()
    for name, (_, _, words) in INSTEAD.items():
        only.add_argument(f"--{name}", dest="instead", action="store_const", const=name, help=words)
    options, failed = parser.parse_args(arguments), False
    work, done = INSTEAD[options.instead][:2] if options.instead else (_publish, "published")
    for path in options.notebooks:
        try:
            found = work(path)
            failed |= options.instead == "check" and bool(found)
        except (PublishError, OSError, nbformat.reader.NotJSONError) as error:
            found, failed = [f"not {done}: {error}"], True
        for problem in found:
            print(f"{path}: {problem}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
