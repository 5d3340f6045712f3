"""helpers.publish: what it runs, cleans and refuses; and that a failure leaves the old file alone."""
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import publish
from helpers.rules import everything

PROGRESS = """import sys, time
print("before")
for i in range(3):
    sys.stdout.write(f"\\r{i} of 3"); sys.stdout.flush(); time.sleep(0.05)
print("\\r      \\rafter")"""


def read(path):
    return nbformat.read(path, as_version=4)


def with_cell(sample, source):
    sample.cells.insert(6, new_code_cell(source))
    return sample


def test_published_sample_keeps_every_rule(sample, stored):
    for cell in sample.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    sample.metadata["widgets"] = {"state": {}}
    sample.cells[2].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00"}
    path = stored(sample)
    times = publish.publish(path)
    assert everything(read(path), 1) == []
    assert [name for name, _ in times][:2] == ['cell [1] `DATASET = "digits"`', "cell [2] `guess = SEED`"]
    assert all(seconds > 0 for _, seconds in times)
    assert set(read(path).metadata) == {"kernelspec", "language_info"}
    assert "version" not in read(path).metadata.language_info
    assert not any("execution" in cell.metadata for cell in read(path).cells)
    assert list(path.parent.iterdir()) == [path]


def test_publishing_twice_gives_the_same_file(sample, stored):
    path = stored(sample)
    publish.publish(path)
    first = path.read_bytes()
    publish.publish(path)
    assert path.read_bytes() == first


def test_fresh_kernel_of_this_python_in_the_notebooks_folder(sample, stored, monkeypatch):
    monkeypatch.setenv("EXPECTED", sys.executable)
    publish.publish(stored(with_cell(sample, """import os, sys
assert sys.executable == os.environ["EXPECTED"]
assert os.listdir() == ["01_sample.ipynb"]""")))


def test_progress_bars_leave_what_they_show_at_last(sample, stored):
    path = stored(with_cell(sample, PROGRESS))
    publish.publish(path)
    assert [output.text for output in read(path).cells[6].outputs] == ["before\nafter\n"]


@pytest.mark.parametrize("source, words", [
    ("1/0", ["cell [3] `1/0`", "ZeroDivisionError"]),
    ("import os\nos._exit(1)", ["cell [3] `import os`", "Kernel died"]),
    ("import time\ntime.sleep(60)", ["cell [3] `import time`", "timed out"]),
    ("import sys\nprint('oh', file=sys.stderr)", ["cell [3] `import sys`", "stderr", "oh"]),
    ("print('/home/ann')\nprint('/home/ann/notes')", ["a path of one machine", "/home/ann/notes"]),
    ("print('x' * 1_000_000)", ["1.0 MB"]),
])
def test_refused_notebook_stays_as_it_was(sample, stored, source, words):
    path = stored(with_cell(sample, source))
    before = path.read_bytes()
    with pytest.raises(publish.PublishError) as error:
        publish.publish(path, timeout=5)
    assert all(word in str(error.value) for word in words), error.value
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_failed_write_keeps_the_old_file(sample, stored, monkeypatch):
    path = stored(sample)
    before = path.read_bytes()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(publish, "run", lambda *_: [])
    monkeypatch.setattr(publish.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        publish.publish(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("twin", ["image/png", "text/markdown"])
def test_clean_strips_a_widget_with_a_static_twin(twin):
    output = new_output("display_data", data={publish.WIDGET: {"model_id": "1"}, twin: "x"})
    publish.clean(new_notebook(cells=[new_code_cell("lab", outputs=[output])]))
    assert set(output.data) == {twin}


def test_clean_keeps_a_widget_without_a_twin_for_the_checks_to_find():
    view = new_output("display_data", data={publish.WIDGET: {"model_id": "1"}, "text/plain": "a lab"})
    notebook = new_notebook(cells=[new_code_cell("lab", execution_count=1, outputs=[view])])
    publish.clean(notebook)
    assert publish.problems(notebook) == ["cell [1] `lab`: a widget without a static twin"]


def test_clean_joins_streams_and_drops_blank_ones():
    texts = ["one ", "two\n", "\r 10%|#  \r", "\r 90%|## \r", "\r         \r"]
    said = [new_output("stream", text=text) for text in texts]
    figure = new_output("display_data", data={"text/plain": "figure"})
    cell = new_code_cell("x", outputs=[*said, figure, *said[2:]])
    publish.clean(new_notebook(cells=[cell]))
    assert [output.get("text", "figure") for output in cell.outputs] == ["one two\n", "figure"]


def test_pictures_may_contain_any_letters(sample):
    output = next(o for c in sample.cells if c.cell_type == "code" for o in c.outputs if "data" in o)
    output.data["image/png"] += "+/home/AAAA"
    assert publish.problems(sample) == []
    output.data["text/plain"] = "x/home/a: +/home/AAAA"
    assert publish.problems(sample) == ["a path of one machine: /home/AAAA"]


def test_command_reports_times_and_size(sample, stored, capsys):
    path = stored(sample)
    assert publish.main([str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{path}: ") and " s, slowest " in said and " in cell [" in said and " kB" in said


def test_command_goes_on_after_a_failure_and_then_fails(sample, stored, capsys):
    bad, good = stored(new_notebook(cells=[new_code_cell("1/0")]), "02_bad.ipynb"), stored(sample)
    assert publish.main([str(bad), str(good), str(bad.parent / "03_absent.ipynb")]) == 1
    said = capsys.readouterr()
    assert str(good) in said.out and "slowest" in said.out
    assert f"{bad}: not published: cell [1] `1/0` failed" in said.err
    assert "03_absent.ipynb: not published: " in said.err


def test_check_runs_nothing(sample, stored, capsys):
    good = stored(sample)
    bad = stored(new_notebook(cells=[new_markdown_cell("# X"), new_code_cell("1/0")]), "02_bad.ipynb")
    before = bad.read_bytes()
    assert publish.main(["--check", str(good)]) == 0
    assert publish.main(["--check", str(good), str(bad)]) == 1
    assert capsys.readouterr().err == f"{bad}: not run from top to bottom in one go\n"
    assert bad.read_bytes() == before


def test_check_of_a_damaged_file(tmp_path, capsys):
    (tmp_path / "01_x.ipynb").write_text('{"cells": [')
    assert publish.main(["--check", str(tmp_path / "01_x.ipynb")]) == 1
    assert "01_x.ipynb: not read: " in capsys.readouterr().err
