"""The sweep: a small notebook run with other seeds, data and budgets, here and on a cluster of two workers."""

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import records, sweep
from helpers.publish import METADATA

MEASURES = """from helpers import data, evidence
images = data.load(DATASET, seed=SEED, labels=False)
claims = evidence.Claims({"1.1": "Seeds are large"}, "01_sample", images, SEED, BUDGET)
claims.measure("1.1", SEED * BUDGET, at_least=1, control=("nothing", 0))"""
PARAMETERS = 'DATASET = "digits"\nSEED = 42\nBUDGET = 1'


def write(path, *sources):
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)
    return path


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A notebook that measures its seed, times its budget; what is swept by name is recorded in tmp_path."""
    monkeypatch.setattr(records, "FOLDER", tmp_path / "evidence")
    return write(tmp_path / "01_sample.ipynb", MEASURES)


@pytest.fixture
def executed(monkeypatch):
    """Takes the place of the kernel: notes the runs, and measures without one; seed 3 fails."""
    found = []

    def execute(run):
        found.append(run)
        if run.seed == 3:
            raise ValueError("cell 7 failed\nseed 3 is not for us")
        code = records.fingerprint(nbformat.read(run.notebook, as_version=4))
        return [
            {
                "data": run.data.rpartition("/")[2].partition(".")[0],
                "n_train": 4,
                "n_test": 1,
                "seed": run.seed,
                "budget": run.budget,
                "claim": "1.1",
                "case": "",
                "value": float(run.seed),
                "at_least": 1.0,
                "at_most": None,
                "unit": "",
                "control": 0.0,
                "positive": None,
                "code": code,
                "versions": "x 1",
            }
        ]

    monkeypatch.setattr(sweep, "_here", lambda runs, jobs: ((run, attempt(execute, run)) for run in runs))
    return found


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return error


def test_kernels_two_at_a_time_record_what_they_measure(path):
    runs = sweep.open_runs(path, ["digits"], range(1, 3), budget=2)
    assert sweep.sweep(runs, jobs=2, show=False) == []
    found = records.read("01_sample")
    assert [(s.data, s.seed, s.budget, s.value, s.n_train) for s in found] == [
        ("digits", 1, 2.0, 2.0, 1400),
        ("digits", 2, 2.0, 4.0, 1400),
    ]
    assert {s.code for s in found} == {records.fingerprint(nbformat.read(path, as_version=4))}
    assert "keras" in found[0].versions
    assert sweep.open_runs(path, ["digits"], range(1, 3), budget=2) == []


def test_cluster_of_two_workers(path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        runs = sweep.open_runs(path, ["digits"], range(1, 3), budget=1)
        assert sweep.sweep(runs, dask=cluster.scheduler_address, show=False) == []
    assert [sample.value for sample in records.read("01_sample")] == [1.0, 2.0]


def test_a_run_that_fails_is_reported_and_not_recorded(path, executed, capsys):
    assert sweep.main([str(path), "--seeds", "4", "--data", "digits"]) == 1
    said = capsys.readouterr().out
    assert "✗ DATASET = 'digits', SEED = 3, BUDGET = 1: seed 3 is not for us" in said
    assert "3 recorded, 1 failed" in said
    assert [sample.seed for sample in records.read("01_sample")] == [1, 2, 4]


def test_the_same_command_goes_on_where_it_was_interrupted(path, executed, capsys):
    sweep.main([str(path), "--seeds", "2", "--data", "digits", "mnist5k"])
    assert [(run.seed, run.data) for run in executed] == [(1, "digits"), (1, "mnist5k"), (2, "digits"), (2, "mnist5k")]
    executed.clear()
    sweep.main([str(path), "--seeds", "4", "--data", "digits", "mnist5k"])
    assert "4 of 8 runs to do" in capsys.readouterr().out and {run.seed for run in executed} == {3, 4}
    write(path, MEASURES + "\nmore = 1")  # other code: all are old
    assert len(sweep.open_runs(path, ["digits"], range(1, 5), 1)) == 4
    write(path, MEASURES)
    assert len(sweep.open_runs(path, ["digits"], range(1, 5), 5)) == 4  # another budget
    assert len(sweep.open_runs(path, ["digits"], range(1, 5), 1, again=True)) == 4


def test_ones_own_file_is_swept_into_a_folder_beside_it(path, executed, tmp_path, monkeypatch):
    (tmp_path / "hers").mkdir()
    np.savez(tmp_path / "hers" / "cats.npz", images=np.full((9, 4, 4), 200))
    monkeypatch.chdir(tmp_path / "hers")
    assert sweep.main([str(path), "--seeds", "2", "--data", "cats.npz"]) == 0
    assert [sample.data for sample in records.read("01_sample", tmp_path / "hers" / "evidence")] == ["cats", "cats"]
    assert not (tmp_path / "evidence").exists()
    assert sweep.open_runs(path, ["cats.npz"], (1, 2), 1) == []


def test_a_notebook_that_measures_nothing_and_a_cell_that_fails(path, tmp_path):
    empty = sweep.Run(str(write(tmp_path / "02_empty.ipynb", "SEED")), "digits", 1, 1.0)
    with pytest.raises(ValueError, match="02_empty.ipynb measured nothing"):
        sweep.execute(empty)
    fails = sweep.Run(str(write(tmp_path / "03_fails.ipynb", "1 / (SEED - 1)")), "digits", 1, 1.0)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        sweep.execute(fails)


@pytest.mark.parametrize(
    "arguments, said", [(["09_diffusion"], "there is no notebook"), (["nowhere/x.ipynb"], "there is no notebook")]
)
def test_unknown_notebooks(arguments, said, capsys):
    assert sweep.main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--seeds", "0"], ["--jobs", "0"], ["--budget", "0"]])
def test_numbers_must_be_above_0(path, option, capsys):
    with pytest.raises(SystemExit):
        sweep.main([str(path), *option])
    assert "must be above 0" in capsys.readouterr().err


def test_interruption_says_how_to_go_on(path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "sweep", interrupted)
    assert sweep.main([str(path), "--data", "digits"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
