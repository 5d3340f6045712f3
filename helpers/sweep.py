"""Sweep a notebook: run it with other seeds, data sets and budgets, and record what each run measured.

    python -m helpers.sweep 04_under_overcomplete --seeds 10 --data mnist5k digits
    python -m helpers.sweep 04_under_overcomplete --seeds 2 --budget 5 --jobs 2
    python -m helpers.sweep 04_under_overcomplete --seeds 10 --data my_images.npz

A run that was recorded with the notebook's present code is not repeated, so the same command goes on after an
interruption. A run that fails is reported and not recorded. Samples of a data set of your own are recorded in a folder
`evidence` beside it, where the notebook finds them.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import nbformat

from . import records, rules
from .data import called, is_path

CELL = 600  # seconds that a cell may take, for each unit of the budget


@dataclass(frozen=True)
class Run:
    """One run of a notebook that is asked for. data: a name, or the absolute path of the reader's own."""

    notebook: str
    data: str
    seed: int
    budget: float

    @property
    def folder(self) -> Path:
        """Where its samples are recorded."""
        return Path(self.data).parent / "evidence" if is_path(self.data) else records.FOLDER

    def __str__(self):
        return f"DATASET = {self.data!r}, SEED = {self.seed}, BUDGET = {self.budget:g}"


def execute(run: Run) -> list[dict]:
    """Run a notebook from top to bottom in a kernel of its own. Returns its samples, each as a dictionary.

    Raises papermill's PapermillExecutionError for a cell that fails, ValueError where nothing was measured.
    """
    import papermill

    from .publish import ThisPython

    path = Path(run.notebook)
    budget = int(run.budget) if run.budget == int(run.budget) else run.budget
    done = papermill.execute_notebook(
        path,
        None,
        {"DATASET": run.data, "SEED": run.seed, "BUDGET": budget},
        kernel_name="python3",
        cwd=path.parent,
        kernel_manager_class=ThisPython,
        progress_bar=False,
        execution_timeout=round(CELL * max(1, run.budget)),
    )
    if not (samples := records.samples_of(done)):
        raise ValueError(f"{path.name} measured nothing: it holds no claims.measure(…)")
    return [asdict(sample) for sample in samples]


def open_runs(path: Path, names: Iterable[str], seeds: Iterable[int], budget: float, again: bool = False) -> list[Run]:
    """The runs that are not recorded yet, or were recorded with other code; all of them with `again`."""
    code = records.fingerprint(nbformat.read(path, as_version=4))
    asked = [
        Run(str(path), str(Path(name).resolve()) if is_path(name) else name, seed, float(budget))
        for seed in seeds
        for name in names
    ]
    done = {
        (folder, sample.seed, sample.budget, sample.data)
        for folder in {run.folder for run in asked}
        for sample in records.read(path.stem, folder)
        if sample.code == code
    }
    return (
        asked if again else [run for run in asked if (run.folder, run.seed, run.budget, called(run.data)) not in done]
    )


def sweep(runs: list[Run], jobs: int = 1, dask: str | None = None, show: bool = True) -> list[tuple[Run, str]]:
    """Execute the runs and record each as it comes. Returns those that failed, with the reason.

    jobs: how many at a time on this machine; dask: the address of a scheduler, whose workers see the same files.
    """
    from tqdm import tqdm

    failed = []
    bar = tqdm(total=len(runs), desc="sweep", unit="run", disable=not show, file=sys.stdout)
    with bar:
        for run, outcome in _on_cluster(runs, dask) if dask else _here(runs, jobs):
            if isinstance(outcome, BaseException):
                reason = str(outcome).strip().splitlines() or [type(outcome).__name__]
                failed.append((run, reason[-1][:300]))
                bar.write(f"✗ {run}: {failed[-1][1]}")
            else:
                records.add(Path(run.notebook).stem, [records.Sample(**sample) for sample in outcome], run.folder)
            bar.update()
    return failed


def _here(runs: list[Run], jobs: int) -> Iterator[tuple[Run, list[dict] | BaseException]]:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))  # share the cores
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(execute, run): run for run in runs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.exception() or future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_cluster(runs: list[Run], address: str) -> Iterator[tuple[Run, list[dict] | BaseException]]:
    from distributed import Client
    from distributed import as_completed as as_they_come

    with Client(address) as client:
        futures = {client.submit(execute, run, pure=False): run for run in runs}
        for future in as_they_come(futures):
            yield futures[future], future.exception() or future.result()


def find(name: str) -> Path:
    """The notebook of that name in notebooks/, or at that path. Raises ValueError with the names that there are."""
    path = Path(name) if name.endswith(".ipynb") else rules.FOLDER / f"{name}.ipynb"
    if not path.is_file():
        there = ", ".join(sorted(path.stem for path in rules.FOLDER.glob("0*.ipynb")))
        raise ValueError(f"there is no notebook {path}; there are {there}")
    return path.resolve()


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit status: 0: all was recorded, 1: a run failed, 2: nothing could be run."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.sweep", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", help="its name, such as 04_under_overcomplete, or its path")
    parser.add_argument("--seeds", type=int, default=10, help="how many: SEED = 1, 2, … (default: %(default)s)")
    parser.add_argument("--data", nargs="+", default=["mnist5k"], metavar="NAME", help="names, or paths of your own")
    parser.add_argument("--budget", type=float, default=1, help="multiplies the training (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time on this machine (default: %(default)s)")
    parser.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler, whose workers do the running")
    parser.add_argument("--again", action="store_true", help="also what is recorded already")
    options = parser.parse_args(arguments)
    if options.seeds < 1 or options.jobs < 1 or not options.budget > 0:
        parser.error("--seeds, --jobs and --budget must be above 0")
    try:
        path = find(options.notebook)
        runs = open_runs(path, options.data, range(1, options.seeds + 1), options.budget, options.again)
        print(f"{path.stem}: {len(runs)} of {options.seeds * len(options.data)} runs to do")
        failed = sweep(runs, options.jobs, options.dask)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    print(f"{len(runs) - len(failed)} recorded" + f", {len(failed)} failed" * bool(failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
