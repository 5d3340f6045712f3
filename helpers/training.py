"""Training plumbing: a quiet TensorFlow, one call that makes a run repeatable, fast pipelines, restarts, progress."""

import functools
import gc
import numbers
import os
import random
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike


@contextmanager
def _quiet():
    """Keep TensorFlow's start-up messages, which its C++ code writes to file descriptor 2, off the notebook."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)


@contextmanager
def _uncollected():
    """Keep the garbage collector off what is made here, now and later: half a million objects, which stay.

    To look through them again and again takes a fifth of the import, and of a notebook another 5%.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


class _Later(SourceFileLoader):
    """Runs a module when something of it is asked for.

    So does importlib's LazyLoader, but also when `inspect` asks for the module's file, which every tf.function does.
    """

    def exec_module(self, module: ModuleType) -> None:
        def ask(name):
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            del vars(module)["__getattr__"]
            super(_Later, self).exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = ask


class _SeldomUsed(PathFinder):
    """Finds those parts of Keras that import scikit-learn, SciPy's statistics and matplotlib: a third of the time that
    all of Keras and TensorFlow take, and 85 MB. They are run when they are used."""

    PARTS = {"keras.wrappers", "keras.visualization", "keras.src.visualization"}

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = super().find_spec(fullname, path, target) if fullname in cls.PARTS else None
        if spec and spec.origin:
            spec.loader = _Later(fullname, spec.origin)
        return spec


with _uncollected():
    sys.meta_path.insert(0, _SeldomUsed)
    with _quiet():
        import tensorflow as tf

        tf.zeros(1)  # the first operation has messages of its own
    import keras

    sys.meta_path.remove(_SeldomUsed)  # its parts are found: no other import has to ask it
tf.get_logger().setLevel("ERROR")  # no advice on retracing: a new architecture is a new graph
# Keras 3 says this of every tf.data pipeline that `fit` gets; ours shuffles itself.
warnings.filterwarnings("ignore", message="`shuffle=True` was passed")


def _in_one_operation(by_keras):
    """Adam's update of a weight by TensorFlow's own kernel: Keras's formula, to the rounding, in less time.

    Keras computes it in a dozen operations, each of which goes through all the weights: for dense networks of this
    size that takes longer than the gradients do. Its own way stays for what the kernel cannot do.
    """

    @functools.wraps(by_keras)
    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices) or not isinstance(variable, tf.Variable):
            return by_keras(self, gradient, variable, learning_rate)
        # Private, as in Keras's own optimizers: there is no public way to the two moments of a weight.
        index = self._get_variable_index(variable)
        m, v = (of[index].value.handle for of in (self._momentums, self._velocities))
        numbers = _numbers_of_step(self, variable.dtype, learning_rate)
        tf.raw_ops.ResourceApplyAdam(var=variable.handle, m=m, v=v, grad=tf.cast(gradient, variable.dtype), **numbers)

    return update_step


def _numbers_of_step(adam, dtype, learning_rate):
    """Adam's numbers at this step, made once for all weights of an `apply`: they take a dozen operations."""
    made = _numbers.get(adam, {})
    key = dtype, tf.compat.v1.get_default_graph()  # a tensor belongs to one graph
    if key not in made:
        step = tf.cast(adam.iterations + 1, dtype)
        beta1, beta2, epsilon, rate = (
            tf.cast(p, dtype) for p in (adam.beta_1, adam.beta_2, adam.epsilon, learning_rate)
        )
        powers = {"beta1_power": beta1**step, "beta2_power": beta2**step}
        made[key] = {"lr": rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon} | powers
    return made[key]


def _with_shared_numbers(by_keras):
    """Adam's `apply`, during which its numbers are kept: the next step has others."""

    @functools.wraps(by_keras)
    def apply(self, *arguments, **options):
        _numbers[self] = {}
        try:
            return by_keras(self, *arguments, **options)
        finally:
            del _numbers[self]

    return apply


_numbers: weakref.WeakKeyDictionary[keras.Optimizer, dict] = weakref.WeakKeyDictionary()
keras.optimizers.Adam.update_step = _in_one_operation(keras.optimizers.Adam.update_step)
keras.optimizers.Adam.apply = _with_shared_numbers(keras.optimizers.Adam.apply)


def _optimizer_built_first(by_keras):
    """The function that `fit` runs, made after the optimizer's own variables.

    Keras leaves them to the first step, and a graph in which variables are made is traced twice: of a small model's
    first `fit` that is the longest part.
    """

    @functools.wraps(by_keras)
    def make_train_function(self, force=False):
        optimizer = getattr(self, "optimizer", None)
        if optimizer is not None and not optimizer.built and self.built:
            optimizer.build(self.trainable_variables)
        return by_keras(self, force)

    return make_train_function


keras.Model.make_train_function = _optimizer_built_first(keras.Model.make_train_function)


Item = TypeVar("Item")
Model = TypeVar("Model", bound=keras.Model)


def reproducible(seed: int) -> None:
    """Seed Python, NumPy, TensorFlow and Keras, and make TensorFlow's operations deterministic.

    Run twice on one machine, a notebook then gives the same figures to the last digit. Not guaranteed: the same
    digits on another processor, another number of threads, or other versions of TensorFlow.
    """
    keras.utils.set_random_seed(int(seed) % 2**32)
    tf.config.experimental.enable_op_determinism()


def pipeline(
    x: np.ndarray,
    y: np.ndarray | None = None,
    *,
    batch_size: int | None = None,
    passes: int = 30,
    corrupt: Callable[[tf.Tensor], tf.Tensor] | None = None,
    seed: int = 0,
) -> tf.data.Dataset:
    """Batches for Keras's `fit`, shuffled anew in each pass.

    One epoch of `fit` makes `passes` passes over the data, and `compile(steps_per_execution=len(batches))` runs them
    without a return to Python: several times faster for small models.

    x: (n, ...) float32. y: the targets (n, ...); without it the batches are (x, x) pairs, as an autoencoder needs.
    batch_size: by default about forty batches a pass, of 32 to 128 images, so that small and large data sets take
    the same number of steps. corrupt: a function from a batch to a damaged batch; the pairs are then (corrupt(x), y).
    It is drawn anew for each batch if its noise comes from one `keras.random.SeedGenerator`, made outside of it; that
    of `tf.random` repeats in every epoch. Returns a `tf.data.Dataset` with a length. ValueError for no images, for
    passes that are no whole number from 1 on, and for another number of targets.

        batches = pipeline(x, passes=100, seed=seed)
        model.compile("adam", "mse", steps_per_execution=len(batches))
        restart(model, seed).fit(batches, verbose=0)
    """
    x = np.asarray(x, np.float32)
    if not len(x):
        raise ValueError("there are no images to train on: x is empty")
    if not isinstance(passes, numbers.Integral) or passes < 1:
        raise ValueError(f"{passes} passes over the data: give a whole number, say max(1, round(BUDGET * 30))")
    if y is not None and len(y) != len(x):
        raise ValueError(f"{len(x)} inputs but {len(y)} targets: give one target for each input")
    size = min(len(x), batch_size or min(128, max(32, len(x) // 40)))
    arrays = [tf.constant(a) for a in ([x] if y is None else [x, np.asarray(y)])]
    with tf.device("CPU"):
        epoch = tf.Variable(-1, trainable=False, dtype=tf.int64)
    whole = len(x) // size  # whole batches only: one shape, one graph; what a pass leaves out is in the next

    def one_pass(i):
        begun = epoch.assign_add(tf.cast(i == 0, tf.int64))  # each use of the batches counts one on
        key = tf.stack([tf.constant(int(seed) % 2**32, tf.int64), begun * passes + i])
        order = tf.random.experimental.stateless_shuffle(tf.range(len(x)), key)[: whole * size]
        shuffled = [tf.reshape(tf.gather(a, order), (whole, size, *a.shape[1:])) for a in arrays]
        return tf.data.Dataset.from_tensor_slices((shuffled[0], shuffled[-1]))

    # A pass is shuffled in one go, by its key: faster than tf.data's own shuffle, which handles image by image, and
    # the process's seed, which a lab's thread may set, has no part in it. One function, for each costs milliseconds.
    batches = tf.data.Dataset.range(passes).flat_map(one_pass)
    if corrupt:
        batches = batches.map(lambda inputs, targets: (corrupt(inputs), targets))
    batches = batches.prefetch(8)
    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune, and its thread takes 70 ms to end after each use
    options.experimental_optimization.apply_default_optimizations = False  # nor anything to gain in so few steps
    return batches.apply(tf.data.experimental.assert_cardinality(whole * passes)).with_options(options)


_seeding = threading.Lock()  # initial weights follow from the process's seed, and labs train in a second thread


def restart(model: Model, seed: int) -> Model:
    """Give a compiled model new initial weights, a fresh optimizer and fresh noise: as new, but nothing is recompiled.

    A sweep over seeds then pays for tracing once. The learning rate stays. Returns the model. ValueError for a model
    with weights that belong to no layer, for what they began as is not known.

        for seed in seeds:
            restart(model, seed).fit(batches, verbose=0)
    """
    # Private, for want of a public way: `model.layers` goes one level deep, and not into layers that own layers.
    leaves = [layer for layer in model._flatten_layers() if not getattr(layer, "layers", None)]
    renewed = {id(weight) for layer in leaves for weight in layer.weights}
    if old := [weight.path for weight in model.weights if id(weight) not in renewed]:
        raise ValueError(f"cannot restart {model.name}: {', '.join(old)} belong to no layer. Put them into one.")
    with _seeding:
        # Initializers take their seeds from Python's generator. Keras's set_random_seed would seed TensorFlow, too,
        # which forgets its prepared graphs then: the next fit of a small model would take three times as long.
        random.seed(int(seed) % 2**32)
        np.random.seed(int(seed) % 2**32)
        for layer in leaves:
            _reinitialise(layer)
    for i, layer in enumerate(leaves):
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign([int(seed) % 2**32, i])
    if getattr(model, "optimizer", None) is not None and model.built:
        _reset(model.optimizer, model.trainable_variables)
    return model


def _reset(optimizer, trained):
    """The optimizer as it began, but for its learning rate. Most begin with zeros, Nadam and Adagrad do not."""
    if not optimizer.built:
        optimizer.build(trained)  # so that what it begins with is known
    if len(_began.get(optimizer, ())) != len(optimizer.variables):  # not seen before, or built since
        fresh = type(optimizer).from_config(optimizer.get_config())
        fresh.build(trained)
        _began[optimizer] = [variable.numpy() for variable in fresh.variables[: len(optimizer.variables)]]
    rate = optimizer.learning_rate
    for variable, initial in zip(optimizer.variables, _began[optimizer]):
        if variable is not rate:
            variable.assign(initial)


# What each optimizer's variables were at the beginning; they take long to make.
_began: weakref.WeakKeyDictionary[keras.Optimizer, list[np.ndarray]] = weakref.WeakKeyDictionary()


def _reinitialise(layer):
    """New initial weights for one layer, from its own initializers, or else from a new layer like it."""
    own = {name: getattr(layer, f"{name}_initializer", None) for name in ("kernel", "bias")}
    if layer.weights and all(w.name in own and own[w.name] for w in layer.weights):
        for w in layer.weights:
            w.assign(own[w.name].clone()(w.shape, w.dtype))  # a clone: an initializer repeats its own values
    elif layer.weights:
        fresh = type(layer).from_config(layer.get_config())
        fresh.build_from_config(layer.get_build_config())
        layer.set_weights(fresh.get_weights())


def function(model: keras.Model) -> Callable[[ArrayLike], np.ndarray]:
    """A compiled call of a model, arrays in, array out: under a millisecond for small models, so fit for labs.

    It uses the weights as they are at each call. Example: `decode = function(decoder); images = decode(codes)`.
    """
    graph = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
    return lambda x: graph(tf.convert_to_tensor(x, tf.float32)).numpy()


def progress(items: Iterable[Item], what: str = "training") -> Iterable[Item]:
    """Iterate over items with a progress bar, once they take more than two seconds; the bar goes when they end.

    Example: `for size in progress(sizes, "code sizes"): …`.
    """
    from tqdm import tqdm

    return tqdm(items, desc=what, delay=2, leave=False, file=sys.stdout, ncols=80)
