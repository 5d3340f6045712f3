"""How long each notebook runs, and its slowest cell: python tests/benchmarks/notebook_times.py [notebook ...]

Each runs once in a fresh kernel, one after the other; nothing is stored. Name notebooks to time only those.
"""

import sys
from pathlib import Path

import nbformat

from helpers.publish import run
from helpers.rules import NOTEBOOKS


def main(paths: list[Path]) -> None:
    """Print a line for each notebook."""
    print(f"{'notebook':<26} {'cells':>5} {'all, s':>7} {'slowest, s':>10}  in")
    for path in paths:
        times = run(nbformat.read(path, as_version=4), path.parent)
        slowest, seconds = max(times, key=lambda cell: cell[1], default=("no cell", 0))
        total = sum(seconds for _, seconds in times)
        print(f"{path.stem:<26} {len(times):>5} {total:>7.1f} {seconds:>10.1f}  {slowest}", flush=True)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or NOTEBOOKS)
