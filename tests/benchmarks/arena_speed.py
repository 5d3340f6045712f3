"""How fast the arena trains while a browser shows it, in frames and steps a second, and without being shown.

    python tests/benchmarks/arena_speed.py [minutes]

JupyterLab in headless Chromium, two sides, the first recipe. Shown and not shown take turns, so that both meet the same
machine; processor time is the kernel's, which a busy machine stretches less than the clock. After that it trains on for
so many minutes, by default none, and says of each what memory it took.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from jupyter_driver import Notebook, Server, chromium, write_notebook  # noqa: E402

TURNS, SECONDS, STEPS = 5, 5, 1500
CELL = """
import time
from helpers import labs, training
from helpers.labs import arena
training.reproducible(1)
made = arena.Arena("Arena", stop=0)
made
"""
BARE = f"""
t, c = time.perf_counter(), time.process_time()
for side in made._sides:
    side.train({STEPS})
print({2 * STEPS} / (time.perf_counter() - t), {2 * STEPS} / (time.process_time() - c))
"""
NOW = "print(made.steps_done, time.perf_counter(), time.process_time())"
MEMORY = "print(int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20)"  # MB of the kernel, where it is Linux
HEAP = "() => performance.memory.usedJSHeapSize / 2**20"


def numbers(text):
    return np.array(text.split(), float)


def main(minutes=0):
    print(f"{os.cpu_count()} cores; load at the start {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        write_notebook(Path(folder) / "arena.ipynb", CELL)
        with Server(folder, "lab") as server, chromium() as page:
            notebook = Notebook(page, server, "arena.ipynb")
            notebook.run_all()
            lab = notebook.lab("Arena")
            page.wait_for_function("() => document.querySelector('.lab')?.dataset.frames > 0", timeout=90_000)
            rows = []
            for _ in range(TURNS):
                notebook.button("Arena", "Start").click()
                time.sleep(2)
                before, frames = numbers(notebook.execute(NOW)), int(lab.get_attribute("data-frames"))
                time.sleep(SECONDS)
                frames = int(lab.get_attribute("data-frames")) - frames
                steps, wall, cpu = numbers(notebook.execute(NOW)) - before
                notebook.button("Arena", "Pause").click()
                time.sleep(1)
                rows.append([frames / wall, steps / wall, steps / cpu, *numbers(notebook.execute(BARE))])
            report(np.array(rows))
            if minutes:
                notebook.button("Arena", "Start").click()
            for minute in range(minutes):
                before, frames = numbers(notebook.execute(NOW)), int(lab.get_attribute("data-frames"))
                time.sleep(60)
                frames = int(lab.get_attribute("data-frames")) - frames
                wall = (numbers(notebook.execute(NOW)) - before)[1]
                kernel = numbers(notebook.execute(MEMORY))[0]
                said = lab.locator(".said").all_inner_texts()
                print(
                    f"minute {minute + 1}: {frames / wall:.1f} frames a second, "
                    f"kernel {kernel:.0f} MB, page {page.evaluate(HEAP):.0f} MB; {'; '.join(said)}",
                    flush=True,
                )


def report(rows):
    print(f"frames a second: {np.median(rows[:, 0]):.1f} ({rows[:, 0].min():.1f} to {rows[:, 0].max():.1f})")
    for k, what in ((1, "steps a second"), (2, "steps a second of the kernel's processor time")):
        shown, bare = rows[:, k], rows[:, k + 2]
        print(f"{what}: {np.median(shown):.0f} shown, {np.median(bare):.0f} not shown, {np.median(shown / bare):.0%}")


if __name__ == "__main__":
    main(int((sys.argv[1:] or [0])[0]))
