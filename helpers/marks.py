"""Marks: what the tests of an assignment call to compare an answer, name the mistake in it, and add up points.

A student runs the tests beside the answers. Where they are graded they run in a process of their own, and call the
answers from there (see helpers.grading.judging): so a test calls them with plain inputs, and does in a `probe` what it
can only do beside them.
"""

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import remote

_elsewhere: Callable[..., Any] | None = None  # calls a function in the process with the answers


def close(
    found: Any, right: Any, mistakes: dict[str, Any] | None = None, what: str = "your answer", tolerance: float = 1e-3
) -> None:
    """Assert that an answer is right, and say what is wrong with it if it is not.

    found, right: numbers or arrays of one shape, compared relative to the largest number in `right`. mistakes:
    {what went wrong, in words: what the answer then is}. Raises AssertionError, which names the first mistake whose
    answer was found; else the shapes, or by which factor the answer is off.
    """
    right_shape, right_numbers = _numbers(right, "the right answer")
    shape, numbers = _numbers(found, what)
    if shape == right_shape and _near(numbers, right_numbers, tolerance):
        return
    for words, wrong in (mistakes or {}).items():
        wrong_shape, wrong_numbers = _numbers(wrong, words)
        if shape == wrong_shape and _near(numbers, wrong_numbers, tolerance):
            raise AssertionError(f"{what}: {words}")
    if shape != right_shape:
        raise AssertionError(f"{what} has the shape {shape}; it should have {right_shape}")
    if not all(math.isfinite(number) for number in numbers):
        raise AssertionError(f"{what} has numbers that are infinite or not a number")
    top, bottom = sum(a * b for a, b in zip(numbers, right_numbers)), sum(b * b for b in right_numbers)
    if bottom and top and _near(numbers, [top / bottom * b for b in right_numbers], tolerance):
        raise AssertionError(f"{what} is {top / bottom:.4g} times the right one")
    raise AssertionError(f"{what} has the right shape, but wrong numbers")


def score(points: float, *cases: Callable[[], Any]) -> float:
    """Run cases, functions that assert, and return the points in the share that passes, as a plain float.

    What a failing case says is printed. nbgrader takes the last value of a cell as its points, but gives full points
    for anything that does not read as a number: hence never a NumPy number.
    """
    passed = 0
    for case in cases:
        try:
            case()
            passed += 1
        except Exception as error:
            print(f"✗ {case.__name__.replace('_', ' ')}: {error or type(error).__name__}")
    return float(max(0.0, min(float(points), round(float(points) * passed / len(cases), 2))))


class probe:
    """A decorator for a function of a test that needs more of an answer than its value, such as its gradient.

    It runs beside the answers. Its inputs are copies; it returns plain values, tensors as arrays.

        @marks.probe
        def slope(x):
            with tf.GradientTape() as tape:
                value = loss(x := tf.Variable(x))
            return tape.gradient(value, x)
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if _elsewhere is None:
            return remote.plain(self.function(*inputs, **options))
        return _elsewhere(self.function, *inputs, **options)

    def __reduce__(self):
        return probe, (self.function,)


@contextmanager
def judged_by(call: Callable[..., Any]) -> Generator[None]:
    """While it lasts, probes are called by `call(function, *inputs, **options)`, in another process."""
    global _elsewhere
    _elsewhere, before = call, _elsewhere
    try:
        yield
    finally:
        _elsewhere = before


def _near(numbers, others, tolerance):
    size = max([1e-12, *(abs(other) for other in others)])
    return all(abs(a - b) <= tolerance * size for a, b in zip(numbers, others))


def _numbers(value, what):
    """The shape of a value and its numbers as Python floats."""
    if value is None or value is Ellipsis:
        raise AssertionError(f"{what} is {value}: is there a `return`?")
    try:
        array = np.asarray(value)
        array = np.real_if_close(array) if array.dtype.kind == "c" else array
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise AssertionError(f"{what} is no array of numbers, but a {type(value).__name__}") from None
    return array.shape, array.astype(np.float64).ravel().tolist()
