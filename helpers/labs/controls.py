"""Controls of a lab: what a reader may set, within which limits. The browser draws them, the kernel checks them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Slider:
    """A number from low to high in even steps, or one of the values; what `slider` makes, and explains."""

    label: str
    low: float
    high: float
    value: float
    step: float = 1
    unit: str = ""
    values: tuple[float, ...] = ()

    options = ()  # no value of a slider must be tried by itself

    def __post_init__(self):
        if self.values:
            if list(self.values) != sorted(set(self.values)) or self.extremes != (self.values[0], self.values[-1]):
                raise ValueError(
                    f"slider {self.label!r}: values must rise, from low {self.low} to high {self.high}, "
                    f"got {', '.join(map(str, self.values))}"
                )
        elif not 0 < self.step <= self.high - self.low:
            raise ValueError(
                f"slider {self.label!r}: low must be below high and step between 0 and their difference, "
                f"got low {self.low}, high {self.high}, step {self.step}"
            )
        self.check(self.value)

    @property
    def decimals(self) -> int | None:
        """Decimals of its values; None for whole numbers."""
        numbers = (self.low, self.high, self.value, self.step)
        if all(isinstance(number, (int, np.integer)) for number in numbers):
            return None
        return max(0, *(-int(Decimal(str(float(number))).normalize().as_tuple().exponent) for number in numbers))

    @property
    def extremes(self) -> tuple[float, float]:
        return self.low, self.high

    def check(self, value: float) -> float:
        """The value at the slider's precision, or a ValueError that says what it may be."""
        if self.values:
            return _one_of(self.label, self.values, value)
        if not isinstance(value, (int, float, np.number)) or not self.low <= value <= self.high:
            raise ValueError(f"{self.label!r} must be a number from {self.low} to {self.high}, got {value!r}")
        if self.decimals is None and value != int(value):
            raise ValueError(f"{self.label!r} must be a whole number, got {value!r}")
        return int(value) if self.decimals is None else round(float(value), self.decimals)

    def random(self, rng: np.random.Generator) -> float:
        if self.values:
            return self.values[int(rng.integers(len(self.values)))]
        steps = rng.integers(0, round((self.high - self.low) / self.step) + 1)
        return self.check(min(self.low + int(steps) * self.step, self.high))


def slider(
    label: str,
    low: float | None = None,
    high: float | None = None,
    value: float | None = None,
    step: float = 1,
    *,
    values: Iterable[float] | None = None,
    unit: str = "",
) -> Slider:
    """A slider: a number from low to high in even steps, or one of `values`, which stand at even distances.

        labs.slider("noise σ", 0, 1, 0.3, step=0.05)
        labs.slider("code size", value=8, values=[1, 2, 4, 8, 16, 32], unit="numbers")
        labs.slider("penalty", value=0, values=[0, 1e-5, 3e-5, 1e-4])

    value: where it stands at first, by default at its low end. In even steps it is a whole number if low, high, value
    and step are, else it has as many decimals as they. values: rising, the first and the last of them are low and high.
    unit: stands behind the number. Raises ValueError where low is not below high, value lies outside, step does not fit
    between, or values do not rise.
    """
    listed = tuple(v.item() if isinstance(v, np.generic) else v for v in (() if values is None else values))
    if listed:
        low, high = listed[0] if low is None else low, listed[-1] if high is None else high
    if low is None or high is None:
        raise ValueError(f"slider {label!r}: give low and high, or a list of values")
    return Slider(label, low, high, low if value is None else value, step, unit, listed)


@dataclass(frozen=True)
class Choice:
    """One of several options, texts or numbers; value is the first if it is not given.

        labs.choice("loss", ["mse", "bce"])

    Raises ValueError unless there are at least two options, all different, and value is one of them.
    """

    label: str
    options: Sequence[str | float]
    value: Any = None

    def __post_init__(self):
        object.__setattr__(self, "options", tuple(self.options))
        if len(set(self.options)) < max(2, len(self.options)):
            raise ValueError(f"choice {self.label!r}: give at least two options, all different, got {self.options}")
        object.__setattr__(self, "value", self.check(self.options[0] if self.value is None else self.value))

    @property
    def extremes(self) -> tuple:
        return self.options[0], self.options[-1]

    def check(self, value: str | float) -> str | float:
        """The option that equals the value, or a ValueError that names the options."""
        return _one_of(self.label, self.options, value)

    def random(self, rng: np.random.Generator) -> str | float:
        return self.options[int(rng.integers(len(self.options)))]


@dataclass(frozen=True)
class Several:
    """A control of which any number of options may be on; value: those that are at first."""

    label: str
    options: tuple[str, ...]
    value: tuple[str, ...] = ()

    @property
    def extremes(self) -> tuple[tuple, tuple]:
        return (), self.options[:1]

    def check(self, value: Iterable[str]) -> list[str]:
        """The options that are on, in their order, or a ValueError."""
        if unknown := set(value) - set(self.options):
            raise ValueError(f"{self.label!r} may hold {', '.join(self.options)}, not {', '.join(map(repr, unknown))}")
        return [option for option in self.options if option in value]

    def random(self, rng: np.random.Generator) -> list[str]:
        return self.check([self.options[i] for i in rng.permutation(len(self.options))[: rng.integers(3)]])


def _one_of(label, options, value):
    if value not in options:
        raise ValueError(f"{label!r} must be one of {', '.join(map(repr, options))}, got {value!r}")
    return options[options.index(value)]


Control = Slider | Choice | Several
choice = Choice  # what notebooks write
