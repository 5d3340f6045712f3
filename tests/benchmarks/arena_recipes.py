"""What twenty seeds of each recipe of the arena do, side by side in one run: what the recipes' sentences rest on.

    python tests/benchmarks/arena_recipes.py [steps] [recipe …]

For each side, and every 250 steps, or as often as the recipe pauses: the modes held of each seed, the largest share of
samples out of sight, and the medians over the seeds of the pull on G and of D's loss, of which also the spread over
those steps.
"""

import sys

import numpy as np

from helpers import gan, metrics, training
from helpers.labs import recipes

SEEDS, EVERY = 20, 250


def side(values, steps, every):
    points = recipes.world("ring")
    model = gan.GAN(points.x, copies=SEEDS, width=values["width"], batch=64, **recipes.settings(values)[0]).restart(1)
    for _ in range(0, steps, every):
        losses = model.train(every)
        samples, (_, pull) = model.generate(2500), model.pull(60)
        held = [metrics.modes(x, points.modes, points.std)["strict"] for x in samples]
        beyond = (np.abs(samples) > recipes.REACH).any(axis=-1).mean(axis=-1).max()
        slope = np.median(np.linalg.norm(pull, axis=-1).mean(axis=-1))
        loss, spread = np.median(losses[:, 0].mean(axis=0)), np.median(losses[:, 0].std(axis=0))
        print(
            f"  step {model.step:6,}: held {' '.join(map(str, held))}; out of sight {beyond:.0%}; pull {slope:.2g}; "
            f"D's loss {loss:.2f} ± {spread:.2f}",
            flush=True,
        )


def main(steps=2000, names=()):
    training.reproducible(0)
    for name in names or recipes.RECIPES:
        for letter in "ab":
            stop = recipes.RECIPES[name].stop
            print(f"{name}, {letter.upper()} (pauses at {stop:,})")
            side(recipes.of_side(recipes.recipe(name), letter), steps, min(EVERY, stop))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), names=sys.argv[2:])
