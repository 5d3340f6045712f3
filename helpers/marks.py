"""Marks: what the tests of an assignment call to compare an answer, name the mistake in it, and add up points.

An assignment's first cell imports this module, before any of the student's code has run: what a comparison needs
from NumPy and from Python is taken then, so that a later `np.allclose = …` changes no mark. `tampered` tells what has
been changed since, and `spoil` makes a wrong answer of a right one: a test that accepts it has been tampered with.
"""

import builtins
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.testing  # NumPy itself loads it only when it is used, which may be after it was changed

_array, _float64, _sum, _abs, _max, _zip, _all, _len = np.asarray, np.float64, sum, abs, max, zip, all, len
_float, _Wrong, _finite, _isinstance, _print = float, AssertionError, math.isfinite, isinstance, print


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
            raise _Wrong(f"{what}: {words}")
    if shape != right_shape:
        raise _Wrong(f"{what} has the shape {shape}; it should have {right_shape}")
    if not _all(_finite(number) for number in numbers):
        raise _Wrong(f"{what} has numbers that are infinite or not a number")
    top, bottom = _sum(a * b for a, b in _zip(numbers, right_numbers)), _sum(b * b for b in right_numbers)
    if bottom and top and _near(numbers, [top / bottom * b for b in right_numbers], tolerance):
        raise _Wrong(f"{what} is {top / bottom:.4g} times the right one")
    raise _Wrong(f"{what} has the right shape, but wrong numbers")


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
            _print(f"✗ {case.__name__.replace('_', ' ')}: {error or type(error).__name__}")
    return _float(_max(0.0, min(_float(points), round(_float(points) * passed / _len(cases), 2))))


def spoil(value: Any) -> Any:
    """A wrong answer of the same form: numbers and arrays changed, functions and classes that return such.

    The canary of a grading run puts spoilt answers in the place of the student's, and expects every test to fail.
    """
    if _isinstance(value, type):

        def call(self, *inputs, **options):
            return spoil(super(spoilt, self).__call__(*inputs, **options))

        spoilt = type(value)(value.__name__, (value,), {"__call__": call})
        return spoilt
    if _isinstance(value, bool):
        return not value
    if _isinstance(value, str):
        return value[::-1] + "?"
    if _isinstance(value, dict):
        return {key: spoil(item) for key, item in value.items()}
    if _isinstance(value, (tuple, list)):
        return type(value)(map(spoil, value)) if type(value) in (tuple, list) else None
    if callable(value) and not hasattr(value, "layers"):
        return lambda *inputs, **options: spoil(value(*inputs, **options))
    try:
        return value + 1 if "int" in str(getattr(value, "dtype", type(value))) else value * 1.37 + 0.11
    except Exception:
        return None


def tampered() -> list[str]:
    """What has been changed since this module was imported: a list of names such as numpy.allclose."""
    found = [
        f"{module}.{name}"
        for (module, name), was in _WAS.items()
        if getattr(sys.modules.get(module), name, None) is not was
    ]
    if shell := _shell():
        found += [
            f"IPython's {name}"
            for name in ("ast_transformers", "input_transformers_post")
            if getattr(shell, name, None)
        ]
        found += [
            f"IPython's {name}"
            for name in ("showtraceback", "run_cell", "run_code", "run_ast_nodes")
            if name in vars(shell)
        ]
    return sorted(found)


def _near(numbers, others, tolerance):
    size = _max([1e-12, *(_abs(other) for other in others)])
    return _all(_abs(a - b) <= tolerance * size for a, b in _zip(numbers, others))


def _numbers(value, what):
    """The shape of a value and its numbers as Python floats."""
    if value is None or value is Ellipsis:
        raise _Wrong(f"{what} is {value}: is there a `return`?")
    try:
        array = _array(value, _float64)
    except (TypeError, ValueError):
        raise _Wrong(f"{what} is no array of numbers, but a {type(value).__name__}") from None
    return array.shape, array.ravel().tolist()


def _shell():
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get and get()


def _callables(name):
    return (
        {
            (name, key): value
            for key, value in vars(sys.modules[name]).items()
            if callable(value) and not key.startswith("_")
        }
        if name in sys.modules
        else {}
    )


_WAS = {
    key: value
    for name in ("numpy", "numpy.linalg", "numpy.testing", "math", "builtins", "keras.ops", __name__)
    for key, value in _callables(name).items()
    if key not in {("builtins", "display"), ("builtins", "input")}
}  # ipykernel's own
_WAS |= {("builtins", "__import__"): builtins.__import__}
