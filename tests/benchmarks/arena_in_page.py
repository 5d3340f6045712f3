"""How fast the arena trains in a page of the site, and in a kernel, in the same minutes.

    python tests/benchmarks/arena_in_page.py [folder of a site]

First the GAN alone, in the page and in this process by turns; then the arena in the page, both sides at full speed,
with the frames that it shows. arena_speed.py measures the arena in JupyterLab. A kernel's processor time is stretched
less by a busy machine than the clock; a page has the clock alone.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from jupyter_driver import chromium  # noqa: E402

from helpers import gan  # noqa: E402
from helpers.labs import recipes  # noqa: E402
from helpers.site.build import build  # noqa: E402

TURNS, SECONDS = 3, 4
PAGE = """async ([points, width, batch, seconds]) => {
  const { GAN } = await import(answers.urlOf("gan.js"));
  const gan = new GAN(Float64Array.from(points), { width, batch, beta1: 0 }), now = () => performance.now() / 1000;
  gan.train(50);
  const began = now();
  let steps = 0;
  for (; now() - began < seconds; steps += 10) gan.train(10);
  return steps / (now() - began);
}"""
ARENA = """place => [place.model.steps, Number(place.querySelector(".lab").dataset.frames), performance.now() / 1000]"""


def in_kernel(model):
    model.train(50)
    began, spent, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < SECONDS:
        model.train(50)
        steps += 50
    return steps / (time.perf_counter() - began), steps / (time.process_time() - spent)


def main(folder="site"):
    site = Path(folder).resolve()
    if not (site / "index.html").exists():
        build(site)
    points = recipes.world("ring").x
    print(f"{os.cpu_count()} cores; load at the start {os.getloadavg()[0]:.1f}; the best of {TURNS} turns")
    with chromium() as page:
        page.context.set_offline(True)
        page.goto(f"{site.as_uri()}/notebooks/08_gan_difficulties.html")
        for width, batch in ((32, 64), (64, 128)):
            model, rows = gan.GAN(points, width=width, batch=batch, beta1=0.0), []
            for _ in range(TURNS):
                rows.append((page.evaluate(PAGE, [points.ravel().tolist(), width, batch, SECONDS]), *in_kernel(model)))
            here, kernel, spent = map(max, zip(*rows))
            print(f"width {width}, batch {batch}: page {here:.0f} steps a second, kernel {kernel:.0f}", end="")
            print(f" ({spent:.0f} a second of its processor time)")
        place = page.locator("[data-lab$=arena]")
        place.scroll_into_view_if_needed()
        page.wait_for_function("place => place.model", arg=place.element_handle())
        place.get_by_label("pause at step").fill("0")
        place.get_by_label("pause at step").press("Enter")
        for width in ("32", "64"):
            for letter in "AB":
                place.get_by_label(f"{letter}: width").select_option(width)
            place.get_by_role("button", name="Start", exact=True).click()
            rows = []
            for _ in range(TURNS):
                before = place.evaluate(ARENA)
                time.sleep(SECONDS)
                steps, frames, seconds = (now - then for now, then in zip(place.evaluate(ARENA), before))
                rows.append((frames / seconds, steps / seconds))
            place.get_by_role("button", name="Pause", exact=True).click()
            frames, steps = max(rows)
            print(
                f"the arena, width {width}: {frames:.0f} frames and {steps:.0f} steps a second, of both sides together"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
