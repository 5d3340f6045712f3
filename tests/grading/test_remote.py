"""Calls between two processes: what is asked is pickled, what comes back is plain and can do nothing."""

import base64
import json
import pickle

import numpy as np
import pytest

from helpers import remote
from helpers.grading.judging import request


def asked(function, *inputs, **names):
    """What a function returns by way of a request and its reply."""
    return remote.read(remote.answer(request(function, inputs), names))


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -1.5, float("inf"), "é", (1, [2, "x"]), {"a": 1, 2: (None,)}, ..., np.float32(0.25), np.int64(-7)],
)
def test_plain_values_stay_as_they_are(value):
    found = asked(lambda: value)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "int8", "uint64", "bool", "complex64"])
def test_arrays(dtype):
    value = np.arange(6).reshape(2, 3).astype(dtype)
    found = asked(lambda: value[:, ::2])
    assert found.shape == (2, 2) and found.dtype.kind == value.dtype.kind and (found == value[:, ::2]).all()
    found[0] = 1  # a copy of its own
    assert asked(lambda: np.zeros((0, 3))).shape == (0, 3)


def test_what_is_like_an_array_or_a_list():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.ones(2)

    assert asked(lambda: Tensor()).tolist() == [1, 1]
    assert asked(lambda: (range(2), {3}, np.matrix([[1]]))) == ([0, 1], [3], np.array([[1]]))


@pytest.mark.parametrize("value", [print, object(), np.array(["a"]), np.array([None]), 1 << 70, (i for i in "ab")])
def test_what_is_not_plain_is_said(value):
    with pytest.raises(Exception, match="no number, array or tensor") as raised:
        remote.read(remote.answer(request(remote.Name("f")), {"f": lambda: value}))
    assert raised.typename == "NotPlain"


def test_inputs_are_copies_and_names_are_looked_up_there():
    x = np.zeros(2)
    there = remote.Name("change")

    def change(array):
        array += 1
        return array.sum()

    assert asked(there, x, change=change) == 2 and (x == 0).all()
    assert asked(lambda: there(x) + there(np.ones(1)), change=change) == 4
    with pytest.raises(NameError, match="'change' is not defined"):
        asked(there, x)
    with pytest.raises(remote.NotPlain):
        there(x)


def test_imports_wait_until_they_are_used():
    import sys

    sys.modules.pop("this_is_slow", None)
    slow = remote.Import("this_is_slow", "name")
    with pytest.raises(ModuleNotFoundError):
        slow.something  # noqa: B018
    maths = remote.Import("math")
    assert maths.sqrt(4) == 2 and asked(lambda: maths.sqrt(9)) == 3
    assert remote.Import("math", "sqrt")(4) == 2


@pytest.mark.parametrize(
    "error, kind",
    [
        (ValueError("bad"), ValueError),
        (SystemExit("bad"), Exception),
        (UnicodeDecodeError("a", b"", 0, 1, "bad"), Exception),
    ],
)
def test_errors_come_back(error, kind):
    def fails():
        raise error

    with pytest.raises(kind, match="bad") as raised:
        asked(remote.Name("fails"), fails=fails)
    assert raised.typename == type(error).__name__


def test_too_much_is_an_error():
    with pytest.raises(MemoryError, match="too large"):
        asked(lambda: np.zeros(10**8, "int8"))
    with pytest.raises(MemoryError, match="too large"):
        asked(lambda: "x" * 40_000_000)
    with pytest.raises(RecursionError):
        asked(remote.Name("deep"), deep=lambda: [found := [], found.append(found)][0])


def reply(value):
    return base64.b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "?",
        reply(b"no json"),
        reply([1]),
        reply({}),
        reply({"value": [1]}),
        reply({"value": {"list": 3}}),
        reply({"value": {"array": "", "dtype": "O", "shape": [1]}}),
        reply({"value": {"array": "AAAA", "dtype": "<f8", "shape": [10**12]}}),
        reply({"value": {"array": "", "dtype": "<f8", "shape": [10**12]}}),
        reply({"error": "x"}),
        reply(b"[" * 100_000),
        reply(pickle.dumps(print)),
        reply({"value": {"dict": [[{"list": []}, 1]]}}),
    ],
)
def test_a_forged_reply_is_none(forged):
    with pytest.raises(remote.NotPlain):
        remote.read(forged)


def test_a_forged_error_has_a_plain_name():
    with pytest.raises(Exception, match="text") as raised:
        remote.read(reply({"error": ["KeyboardInterrupt<script>", "text"]}))
    assert isinstance(raised.value, Exception) and raised.typename == "KeyboardInterruptscript"
    with pytest.raises(Exception, match="text") as raised:
        remote.read(reply({"error": ["KeyboardInterrupt", "text"]}))
    assert isinstance(raised.value, Exception)
