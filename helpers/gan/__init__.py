"""Generative adversarial networks: one model, its losses and its cures, trained inside one graph.

    model = gan.GAN(data.points("ring").x, r1=0.1, beta1=0.0)
    losses = model.restart(seed=1).train(2000)          # (2000, 2): the discriminator's and the generator's
    samples = model.generate(2500)                      # (2500, 2)

`settings` has the losses and the cures by name, `layers` what networks are made of, `steps` what a training step does,
`model` the GAN that a notebook holds.
"""

from .layers import Copies, MinibatchDeviation, networks
from .model import GAN, Diverged
from .settings import CURES, LOSSES, WITH_LABELS, Settings

__all__ = ["CURES", "Copies", "Diverged", "GAN", "LOSSES", "MinibatchDeviation", "Settings", "WITH_LABELS", "networks"]
