"""Calls from a process with tests to another with a student's answers, so that neither sees the other's memory.

    asked = judging.request(function, inputs)       # where the tests are
    reply = answer(asked, names)                    # where the answers are
    read(reply)                                     # where the tests are: the value, or what the function raised

What is asked is pickled: a function with its inputs, which are copies there. What comes back is plain: numbers, texts,
arrays, and lists of them. Reading it runs nothing, so an answer can be wrong, but not meddle with what compares it.
"""

import base64
import builtins
import contextlib
import io
import json
import pickle
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

LARGEST = 32 << 20  # characters of a reply


class NotPlain(TypeError):
    """A value that is no number, text, array or list of them, or a reply that is none."""


class Name:
    """What a name stands for where the answers are; it can be among what is asked, and be called by `call`."""

    def __init__(self, name: str, call: Callable[..., Any] | None = None):
        self.name, self.call = name, call

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self.call is None:
            raise NotPlain(f"{self.name} cannot be called here")
        return self.call(self, *inputs, **options)


class Import:
    """A module, or something in one, that is imported when it is first used: TensorFlow takes seconds."""

    def __init__(self, module: str, name: str | None = None):
        self.place = module, name

    def found(self) -> Any:
        """What it stands for."""
        module, name = self.place
        whole = import_module(module)
        return whole if name is None else getattr(whole, name)

    def __getattr__(self, name):
        if name.startswith("__"):  # asked by whatever pickles or prints it
            raise AttributeError(name)
        return getattr(self.found(), name)

    def __call__(self, *inputs, **options):
        return self.found()(*inputs, **options)


def answer(asked: str, names: Mapping[str, Any]) -> str:
    """Make a call, and return its reply, a text without quotes. names: what Names stand for here. Never raises."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, place):
            kind, name, *rest = place
            if kind == "import":
                return Import(name, *rest).found()
            if name not in names:
                raise NameError(f"name {name!r} is not defined")
            return names[name]

    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            function, inputs, options = Unpickler(io.BytesIO(base64.b64decode(asked))).load()
            reply = {"value": _plain(function(*inputs, **options))}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too
        reply = {"error": [type(error).__name__, str(error)[:2000]]}
    text = _text(reply)
    return text if len(text) <= LARGEST else _text({"error": ["MemoryError", "what is returned is too large"]})


def read(reply: str) -> Any:
    """The value of a reply. Raises what the call has raised, and NotPlain for what is no reply.

    An exception keeps its name and its message; its class is Python's own of that name, or a new one.
    """
    try:
        if len(reply) > LARGEST:
            raise ValueError
        found = json.loads(base64.b64decode(reply, validate=True))
        if "error" not in found:
            return _value(found["value"])
        name, message = found["error"]
        name, message = re.sub(r"\W", "", str(name))[:60] or "Error", str(message)[:2000]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError):
        raise NotPlain("no answer came back that can be read") from None
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, UnicodeError):
        kind = type(name, (Exception,), {})
    raise kind(message)


def plain(value: Any) -> Any:
    """A value as it would come back from another process: arrays for tensors, lists for whatever is like one."""
    return _value(json.loads(json.dumps(_plain(value))))


def _text(reply):
    return base64.b64encode(json.dumps(reply).encode()).decode()


def _plain(value):
    """A value as JSON can write it."""
    if value is None or type(value) in (bool, float, str):
        return value
    if type(value) is int and abs(value) < 1 << 63:
        return value
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, dict):
        return {"dict": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple, range, set, frozenset)):
        return {"tuple" if isinstance(value, tuple) else "list": [_plain(item) for item in value]}
    if callable(value):
        raise NotPlain(f"a {type(value).__name__} is no number, array or tensor")
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise NotPlain(f"a {type(value).__name__} is no number, array or tensor")
    if array.nbytes > LARGEST // 2:
        raise MemoryError("what is returned is too large")
    array = array.astype(array.dtype.newbyteorder("<"))
    return {"array": base64.b64encode(array.tobytes()).decode(), "dtype": array.dtype.str, "shape": array.shape}


def _value(found):
    """The value that JSON has written; raises ValueError and its like for what nobody has."""
    if not isinstance(found, dict):
        if isinstance(found, list):
            raise ValueError
        return found
    if "array" in found:
        dtype = str(found["dtype"])
        if not re.fullmatch(r"[<|][biufc]\d{1,2}", dtype):
            raise ValueError
        array = np.frombuffer(base64.b64decode(found["array"]), np.dtype(dtype)).reshape(found["shape"])
        return array.copy() if array.ndim else array[()]
    if "dict" in found:
        return {_value(key): _value(item) for key, item in found["dict"]}
    if "ellipsis" in found:
        return Ellipsis
    kind = tuple if "tuple" in found else list
    return kind(_value(item) for item in found[kind.__name__])
