"""Every cure of a collapsed GAN, swept over strength, the discriminator's steps and β₁: what notebook 8's table shows.

    python tests/benchmarks/gan_cures.py data/cures.csv

Three GANs side by side for each row, from a seed that the notebook's runs do not use, so that a strength chosen here is
not chosen on them. A row that is in the file is not run again.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from helpers import data, gan, metrics, training

SEED, COPIES, STEPS = 101, 3, 1500
COLLAPSED = {"loss": "minimax", "generator_rate": 5e-4, "discriminator_rate": 1e-2, "d_steps": 2, "beta1": 0.5}
CURES = {
    "none": [("", {})],
    "non-saturating loss": [("", {"loss": "non-saturating"})],
    "R1": [(f"γ = {g:g}", {"r1": g}) for g in (0.1, 1, 10)],
    "WGAN-GP": [(f"λ = {p:g}", {"loss": "Wasserstein", "penalty": p}) for p in (0.1, 1, 10)],
    "spectral normalisation": [("", {"spectral": True})],
    "equal rates": [(f"D's rate {r:g}", {"discriminator_rate": r}) for r in (5e-3, 2e-3, 5e-4)],
    "label smoothing": [(f"{s:g}", {"smoothing": s}) for s in (0.1, 0.2, 0.3)],
    "instance noise": [(f"σ = {n:g}", {"noise": n, "noise_steps": 750}) for n in (0.2, 0.5, 1)],
    "weight averaging": [(f"{a:g}", {"average": a}) for a in (0.9, 0.99, 0.999)],
    "minibatch deviation": [("", {"deviation": True})],
    "replay": [(f"{n:,} fakes", {"replay": n}) for n in (512, 2048, 8192)],
    "packing": [(f"by {m}", {"packing": m}) for m in (2, 4, 8)],
    "unrolling": [(f"{k} step{'s' * (k > 1)}", {"unrolling": k}) for k in (1, 4, 8)],
}
COLUMNS = ("cure", "strength", "beta1", "d_steps", "copy", "strict", "captured", "quality")


def main(path):
    training.reproducible(0)
    ring, path, built = data.points("ring", n=4000, seed=SEED, std=0.1), Path(path), {}
    done = set()
    if path.exists():
        with path.open() as file:
            done = {tuple(row[name] for name in COLUMNS[:4]) for row in csv.DictReader(file)}
    else:
        path.write_text(",".join(COLUMNS) + "\n")
    for d_steps in (2, 1, 5):
        for cure, strengths in CURES.items():
            for strength, settings in strengths:
                for beta1 in (0.5, 0.0):
                    row = (cure, strength, f"{beta1:g}", str(d_steps))
                    if row in done:
                        continue
                    chosen = COLLAPSED | {"beta1": beta1, "d_steps": d_steps} | settings
                    key = str(gan.Settings.of(batch=64, **chosen).graph)
                    if key not in built:
                        built[key] = gan.GAN(ring.x, copies=COPIES, width=32, batch=64, **chosen)
                    model = built[key].set(**chosen).restart(SEED)
                    try:
                        model.train(STEPS)
                    except gan.Diverged as end:
                        print(*row, end, flush=True)
                    found = [metrics.modes(x, ring.modes, ring.std) for x in model.generate(2500)]
                    quality = np.mean([f["quality"] for f in found])
                    print(*row, [f["strict"] for f in found], f"{quality:.2f}", flush=True)
                    with path.open("a", newline="") as file:
                        csv.writer(file, lineterminator="\n").writerows(
                            (*row, i, f["strict"], f["captured"], f"{f['quality']:.4f}") for i, f in enumerate(found)
                        )


if __name__ == "__main__":
    main(sys.argv[1])
