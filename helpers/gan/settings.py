"""What can be chosen for a GAN: its loss, rates and cures; and the cures that the arena offers."""

from __future__ import annotations

import difflib
import numbers
from dataclasses import dataclass, fields
from typing import Any

from helpers.training import tf

softplus = tf.nn.softplus
# {name: (the discriminator's loss, the generator's)}, of the values that the discriminator gives before any sigmoid.
# Its first argument is the target for real samples, 1 without label smoothing.
LOSSES = {
    # Goodfellow et al., 2014: cross-entropy; the generator minimises log(1 − D), or maximises log D.
    "minimax": (
        lambda t, real, fake: t * softplus(-real) + (1 - t) * softplus(real) + softplus(fake),
        lambda fake: -softplus(fake),
    ),
    "non-saturating": (
        lambda t, real, fake: t * softplus(-real) + (1 - t) * softplus(real) + softplus(fake),
        lambda fake: softplus(-fake),
    ),
    # Mao et al., 2017, with targets 0 and 1
    "least squares": (lambda t, real, fake: ((real - t) ** 2 + fake**2) / 2, lambda fake: (fake - 1) ** 2 / 2),
    # Lim and Ye, 2017
    "hinge": (lambda t, real, fake: tf.nn.relu(1 - real) + tf.nn.relu(1 + fake), lambda fake: -fake),
    # Arjovsky et al., 2017; means something only with a bound on the discriminator's slope, such as `penalty`
    "Wasserstein": (lambda t, real, fake: fake - real, lambda fake: -fake),
}
WITH_LABELS = ("minimax", "non-saturating", "least squares")

# {name: the settings that make it}, one strength each, for a ring as the arena's. Notebook 8 tries the same cures on a
# collapsed GAN, at strengths that were swept for it (data/cures.csv).
CURES: dict[str, dict[str, Any]] = {
    "β₁ = 0": {"beta1": 0.0},
    "two time scales": {"generator_rate": 1e-3},
    "unrolling": {"unrolling": 4},
    "packing": {"packing": 4},
    "minibatch deviation": {"deviation": True},
    "label smoothing": {"smoothing": 0.1},
    "instance noise": {"noise": 0.5, "noise_steps": 1000},
    "replay": {"replay": 2048},
    "spectral normalisation": {"spectral": True},
    "R1": {"r1": 0.1},
    "WGAN-GP": {"loss": "Wasserstein", "penalty": 1.0},
    "weight averaging": {"average": 0.99},
}


@dataclass(frozen=True)
class Settings:
    """How a GAN trains. Everything after `batch` is a cure, and off by default.

    loss: one of LOSSES. generator_rate, discriminator_rate, beta1: Adam's. d_steps: steps of the discriminator for
    each of the generator. batch: samples a step.
    smoothing: real samples are labelled 1 − smoothing (Salimans et al., 2016). noise: standard deviation of Gaussian
    noise on all that the discriminator sees (Sønderby et al., 2017); it falls to 0 over noise_steps, if they are given.
    replay: how many old samples are kept, of which half the discriminator's fakes are drawn (Shrivastava et al., 2017).
    deviation: the discriminator sees how much a batch varies (Karras et al., 2018). packing: it sees so many samples
    together (Lin et al., 2018). unrolling: the generator looks so many steps of the discriminator ahead (Metz et al.,
    2017). spectral: the discriminator's kernels have norm 1 (Miyato et al., 2018). r1: γ of γ/2 ‖∇D‖² at real samples
    (Mescheder et al., 2018). penalty: λ of λ (‖∇D‖ − 1)², between real samples and fakes (Gulrajani et al., 2017).
    average: decay of the generator's averaged weights, which then make the samples (Yazıcı et al., 2019).

    Raises ValueError for an unknown loss, a number out of BOUNDS, or two settings that contradict each other.
    """

    loss: str = "non-saturating"
    generator_rate: float = 1e-3
    discriminator_rate: float = 1e-3
    beta1: float = 0.9
    d_steps: int = 1
    batch: int = 128
    smoothing: float = 0.0
    noise: float = 0.0
    noise_steps: int = 0
    replay: int = 0
    deviation: bool = False
    packing: int = 1
    unrolling: int = 0
    spectral: bool = False
    r1: float = 0.0
    penalty: float = 0.0
    average: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}: choose one of {', '.join(LOSSES)}")
        for name, (least, most) in BOUNDS.items():
            value, whole = getattr(self, name), isinstance(getattr(Settings, name), int)
            if not least <= value <= most or whole and not isinstance(value, numbers.Integral):
                raise ValueError(f"{name} must be {'a whole number ' * whole}from {least} to {most}, got {value}")
        if self.batch % self.packing:
            raise ValueError(
                f"a batch of {self.batch} cannot be packed by {self.packing}: choose a batch that "
                f"{self.packing} divides, such as {-(-self.batch // self.packing) * self.packing}"
            )
        if 0 < self.replay < self.batch // 2:
            raise ValueError(
                f"a store of {self.replay} is too small to replay half of a batch of {self.batch}: keep "
                f"at least {self.batch // 2}"
            )
        if self.smoothing and self.loss not in WITH_LABELS:
            raise ValueError(
                f"the {self.loss} loss has no labels to smooth: leave smoothing at 0, or choose one of "
                f"{', '.join(WITH_LABELS)}"
            )

    @property
    def graph(self) -> dict[str, Any]:
        """What decides which graph is built; the other settings are fed into it."""
        on = {name: bool(getattr(self, name)) for name in ("smoothing", "noise", "r1", "penalty", "average")}
        return on | {
            name: getattr(self, name)
            for name in ("loss", "batch", "replay", "deviation", "packing", "unrolling", "spectral")
        }

    @property
    def fed(self) -> dict[str, float]:
        """What a graph that is built takes anew with each run."""
        return {name: getattr(self, name) for name in FED}

    @classmethod
    def of(cls, **settings: Any) -> Settings:
        """Settings from their names, or an error that says which name is unknown, and what was perhaps meant."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                raise ValueError(
                    f"a GAN has no setting or cure {name!r}; "
                    + (f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}")
                )
        return cls(**settings)


BOUNDS = {
    "generator_rate": (0, 1),
    "discriminator_rate": (0, 1),
    "beta1": (0, 0.999),
    "d_steps": (0, 100),
    "batch": (2, 10_000),
    "smoothing": (0, 0.5),
    "noise": (0, 100),
    "noise_steps": (0, 10**9),
    "replay": (0, 10**6),
    "packing": (1, 100),
    "unrolling": (0, 20),
    "r1": (0, 10**6),
    "penalty": (0, 10**6),
    "average": (0, 0.99999),
}
FED = ("generator_rate", "discriminator_rate", "beta1", "smoothing", "noise", "noise_steps", "r1", "penalty", "average")
