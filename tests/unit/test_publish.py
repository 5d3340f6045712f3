"""helpers.publish: what it runs, cleans and refuses; and that a failure leaves the old file alone."""

import base64
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from sample_notebook import whole_sample

from helpers import publish
from helpers.labs import states
from helpers.rules import LARGEST, everything, problems

PROGRESS = """import sys, time
print("before")
for i in range(3):
    sys.stdout.write(f"\\r{i} of 3"); sys.stdout.flush(); time.sleep(0.05)
print("\\r      \\rafter")"""
KERNEL = """import os, sys
assert sys.executable == os.environ["EXPECTED"]
assert sorted(os.listdir()) == ["01_sample.ipynb", "02_bad.ipynb"]"""


def read(path):
    return nbformat.read(path, as_version=4)


def short(*sources):
    """A notebook without a BUDGET, which few rules are for."""
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def nothing_runs(*_):
    return []


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The command run once on a notebook that fails, a good one twice, and an absent one: what it did and said."""
    folder = tmp_path_factory.mktemp("published")
    good, bad, absent = (folder / f"{name}.ipynb" for name in ("01_sample", "02_bad", "03_absent"))
    sample = whole_sample()
    for cell in sample.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    sample.cells[6:6] = [new_code_cell(PROGRESS), new_code_cell(KERNEL)]
    sample.metadata["widgets"] = {"state": {}}
    sample.cells[2].metadata |= {"execution": {"iopub.execute_input": "2026-01-01T00:00:00"}, "lines_to_next_cell": 2}
    nbformat.write(sample, good)
    nbformat.write(short("x = 1", "y = 2", "1/0"), bad)
    result = SimpleNamespace(good=good, bad=bad, sample=sample, before=bad.read_bytes(), times=[], files=[])
    run = publish.publish

    def noted(path):
        result.times.append(run(path))
        result.files.append(path.read_bytes())
        return result.times[-1]

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        patch.setattr(publish, "publish", noted)
        patch.setenv("EXPECTED", sys.executable)
        result.status = publish.main(list(map(str, (bad, good, absent, good))))
    result.out, result.err = out.getvalue(), err.getvalue()
    return result


def test_published_sample_keeps_every_rule(published):
    notebook = read(published.good)
    assert everything(notebook, published.good) == []
    names = [name for name, _ in published.times[0]]
    assert names[:2] == ['cell [1] `DATASET = "mnist5k"`', "cell [2] `guess = SEED`"]
    assert all(seconds > 0 for _, seconds in published.times[0])
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "version" not in notebook.metadata.language_info
    assert set().union(*(cell.metadata for cell in notebook.cells)) == {"tags"}
    assert sorted(published.good.parent.iterdir()) == [published.good, published.bad]


def test_publishing_twice_gives_the_same_file(published):
    first, second = published.files
    assert first == second


def test_differences_of_files_are_small(published):
    stored, notebook = published.files[0].decode(), read(published.good)
    assert stored == json.dumps(json.loads(stored), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert json.loads(stored)["cells"][2]["source"] == ['DATASET = "mnist5k"\n', "SEED = 42\n", "BUDGET = 1"]
    assert [cell.id for cell in notebook.cells] == [cell.id for cell in published.sample.cells]


def test_fresh_kernel_of_this_python_in_the_notebooks_folder(published):
    cell = next(cell for cell in read(published.good).cells if cell.source == KERNEL)
    assert cell.execution_count and cell.outputs == []


def test_progress_bars_leave_what_they_show_at_last(published):
    cell = next(cell for cell in read(published.good).cells if cell.source == PROGRESS)
    assert [output.text for output in cell.outputs] == ["before\nafter\n"]


def test_command_reports_times_and_size(published):
    said = published.out
    assert said.startswith(f"{published.good}: ") and " s, slowest " in said and " in cell [" in said and " kB" in said


def test_command_goes_on_after_a_failure_and_then_fails(published):
    assert published.status == 1 and len(published.out.splitlines()) == 2
    assert f"{published.bad}: not published: cell [3] `1/0` failed" in published.err
    assert "ZeroDivisionError" in published.err and published.bad.read_bytes() == published.before
    assert "03_absent.ipynb: not published: " in published.err


@pytest.mark.parametrize(
    "sources, timeout, words",
    [
        (["import os\nos._exit(1)"], 60, ["cell [1] `import os`", "Kernel died"]),
        (["import time\ntime.sleep(60)"], 1, ["cell [1] `import time`", "timed out"]),
        (
            [
                "import sys\nprint('oh', file=sys.stderr)",
                "print('/home/ann')\nprint('/home/ann/notes')",
                f"print('x' * {LARGEST})",
            ],
            60,
            ["cell [1] `import sys`", "stderr", "oh", "a path of one machine", "/home/ann/notes", "1.5 MB"],
        ),
    ],
    ids=["died", "timed out", "unfit"],
)
def test_refused_notebook_stays_as_it_was(stored, sources, timeout, words):
    path = stored(short(*sources))
    before = path.read_bytes()
    with pytest.raises(publish.PublishError) as error:
        publish.publish(path, timeout)
    assert all(word in str(error.value) for word in words), error.value
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_notebook_with_a_budget_is_refused_for_a_rule_before_it_runs(sample, stored, monkeypatch):
    monkeypatch.setattr(publish, "run", None)
    path = stored(sample)  # 14 cells
    with pytest.raises(publish.PublishError, match="14 cells: at least 60"):
        publish.publish(path)


def test_notebook_with_a_budget_is_refused_for_its_results(stored, monkeypatch):
    monkeypatch.setattr(publish, "run", nothing_runs)
    sample = whole_sample()
    path = stored(sample)
    publish.publish(path)
    next(c for c in sample.cells if "nbval-check-output" in c.metadata.get("tags", ())).outputs[0].text = "1.1 maybe"
    path = stored(sample)
    before = path.read_bytes()
    with pytest.raises(publish.PublishError, match="not a verdict: '1.1 maybe'"):
        publish.publish(path)
    assert path.read_bytes() == before


def test_notebook_without_a_budget_is_stored_whatever_else_it_breaks(stored, monkeypatch):
    monkeypatch.setattr(publish, "run", nothing_runs)
    path = stored(short("x = 1"))
    publish.publish(path)
    assert everything(read(path), path) != []


def test_failed_write_keeps_the_old_file(stored, monkeypatch):
    path = stored(short("x = 1"))
    before = path.read_bytes()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(publish, "run", nothing_runs)
    monkeypatch.setattr(publish.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        publish.publish(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("arguments", [[], ["--colab"]])
def test_badge_and_cell_of_colab_come_with_it(tmp_path, monkeypatch, arguments):
    """With --colab alone nothing runs, and the outputs stay."""
    monkeypatch.setattr(publish, "run", None if arguments else nothing_runs)
    (tmp_path / "pyproject.toml").write_text("[project.urls]\nRepository = 'https://github.com/ann/answers'")
    path = tmp_path / "notebooks" / "01_sample.ipynb"
    path.parent.mkdir()
    nbformat.write(whole_sample(), path)
    assert publish.main([*arguments, str(path)]) == 0
    notebook = read(path)
    assert "Open in Colab" in notebook.cells[0].source and "google.colab" in notebook.cells[1].source
    assert everything(notebook, path) == [] and len(notebook.cells) == len(whole_sample().cells) + 1


@pytest.mark.parametrize("twin", ["image/png", "text/markdown"])
def test_clean_strips_a_widget_with_a_static_twin(twin):
    output = new_output("display_data", data={publish.WIDGET: {"model_id": "1"}, twin: "x"})
    publish.clean(new_notebook(cells=[new_code_cell("lab", outputs=[output])]))
    assert set(output.data) == {twin}


def test_clean_stores_the_same_pixels_in_fewer_bytes():
    buffer = io.BytesIO()
    picture = Image.fromarray(np.arange(60_000, dtype=np.uint8).reshape(200, 300))
    picture.save(buffer, "png", compress_level=0)
    output = new_output("display_data", data={"image/png": base64.b64encode(buffer.getvalue()).decode()})
    publish.clean(new_notebook(cells=[new_code_cell("x", outputs=[output])]))
    stored = base64.b64decode(output.data["image/png"])
    assert len(stored) < len(buffer.getvalue()) / 10
    assert np.array_equal(Image.open(io.BytesIO(stored)), picture)


def test_clean_keeps_a_widget_without_a_twin_for_the_checks_to_find():
    view = new_output("display_data", data={publish.WIDGET: {"model_id": "1"}, "text/plain": "a lab"})
    notebook = new_notebook(cells=[new_code_cell("lab", execution_count=1, outputs=[view])])
    publish.clean(notebook)
    assert problems(notebook) == ["cell [1] `lab`: a widget without a static twin"]


def test_clean_joins_streams_and_drops_blank_ones():
    texts = ["one ", "two\n", "\r 10%|#  \r", "\r 90%|## \r", "\r         \r"]
    said = [new_output("stream", text=text) for text in texts]
    figure = new_output("display_data", data={"text/plain": "figure"})
    cell = new_code_cell("x", outputs=[*said, figure, *said[2:]])
    publish.clean(new_notebook(cells=[cell]))
    assert [output.get("text", "figure") for output in cell.outputs] == ["one two\n", "figure"]


def test_check_says_all_that_is_wrong_and_runs_nothing(stored, capsys):
    good = stored(whole_sample())
    bad = stored(new_notebook(cells=[new_markdown_cell("# X"), new_code_cell("1/0")]), "02_bad.ipynb")
    before = bad.read_bytes()
    assert publish.main(["--check", str(good)]) == 0
    assert publish.main(["--check", str(good), str(bad)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [f"{bad}: {problem}" for problem in everything(read(bad), bad)]
    assert said[0] == f"{bad}: not run from top to bottom in one go" and f"{bad}: 2 cells: at least 60" in said
    assert bad.read_bytes() == before


def test_check_of_a_damaged_file(tmp_path, capsys):
    (tmp_path / "01_x.ipynb").write_text('{"cells": [')
    assert publish.main(["--check", str(tmp_path / "01_x.ipynb")]) == 1
    assert "01_x.ipynb: not read: " in capsys.readouterr().err


LAB = """from helpers import labs, plots
labs.Lab(lambda n: plots.images({"": [[[n / 3]]]}), "A lab", n=labs.slider("n", 0, 3, 1))"""


@pytest.mark.parametrize("arguments", [[], ["--live"]])
def test_what_labs_leave_is_stored_beside_the_notebook(tmp_path, arguments):
    path = tmp_path / "01_sample.ipynb"
    nbformat.write(short(LAB), path)
    before = path.read_bytes()
    assert publish.main([*arguments, str(path)]) == 0
    ((name, kept),) = states.read(read(path), path)
    assert name == "a-lab" and len(kept["pictures"]) == 4
    assert (path.read_bytes() == before) == bool(arguments)
