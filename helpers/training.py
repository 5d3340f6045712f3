"""Training plumbing: a quiet TensorFlow, one call that makes a run repeatable, fast pipelines, restarts, progress."""
import os
import sys
import warnings
from contextlib import contextmanager

import numpy as np


@contextmanager
def _quiet():
    """Keep TensorFlow's start-up messages, which its C++ code writes to file descriptor 2, off the notebook."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")       # its results differ in the last digits
    sys.stderr.flush()
    saved, devnull = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)


with _quiet():
    import tensorflow as tf
    tf.zeros(1)                                               # the first operation has messages of its own
import keras  # noqa: E402

# Keras 3 says this of every tf.data pipeline that `fit` gets; ours shuffles itself.
warnings.filterwarnings("ignore", message="`shuffle=True` was passed")


def reproducible(seed):
    """Seed Python, NumPy, TensorFlow and Keras, and make TensorFlow's operations deterministic.

    Run twice on one machine, a notebook then gives the same figures to the last digit. Not guaranteed: the same
    digits on another processor, another number of threads, or other versions of TensorFlow.
    """
    keras.utils.set_random_seed(int(seed) % 2**32)
    tf.config.experimental.enable_op_determinism()


def pipeline(x, y=None, *, batch_size=None, passes=10, corrupt=None, seed=0):
    """Batches for Keras's `fit`, cached, and shuffled anew in each pass.

    One epoch of `fit` makes `passes` passes over the data, and `compile(steps_per_execution=len(batches))` runs them
    without a return to Python: several times faster for small models.

    x: (n, ...) float32. y: the targets (n, ...); without it the batches are (x, x) pairs, as an autoencoder needs.
    batch_size: by default about forty batches a pass, of 32 to 128 images, so that small and large data sets take
    the same number of steps. corrupt: a function from a batch to a damaged batch, drawn anew for each batch; the
    pairs are then (corrupt(x), y). Returns a `tf.data.Dataset` with a length.
    """
    x = np.asarray(x, np.float32)
    if not len(x):
        raise ValueError("there are no images to train on: x is empty")
    if y is not None and len(y) != len(x):
        raise ValueError(f"{len(x)} inputs but {len(y)} targets: give one target for each input")
    size = batch_size or min(128, max(32, len(x) // 40))
    batches = tf.data.Dataset.from_tensor_slices(x if y is None else (x, np.asarray(y)))
    # Whole batches only: one shape, one graph; what is left out of a pass is in the next, since each is shuffled anew.
    batches = batches.cache().shuffle(len(x), seed=seed).batch(min(size, len(x)), drop_remainder=True)
    pair = (lambda a: (corrupt(a) if corrupt else a, a)) if y is None else (lambda a, b: (corrupt(a) if corrupt else a, b))
    return batches.map(pair).repeat(passes).prefetch(2)


def restart(model, seed):
    """Give a compiled model new initial weights, a fresh optimizer and fresh noise: as new, but nothing is recompiled.

    A sweep over seeds then pays for tracing once. Returns the model.
    """
    keras.utils.set_random_seed(int(seed) % 2**32)
    parts = list(model._flatten_layers())
    with keras.saving.custom_object_scope({type(layer).__name__: type(layer) for layer in parts}):
        model.set_weights(keras.models.clone_model(model).get_weights())
    generators = [layer.seed_generator for layer in parts if hasattr(layer, "seed_generator")]
    for i, generator in enumerate(generators):
        generator.state.assign([int(seed) % 2**32, i])
    if getattr(model, "optimizer", None) is not None:
        rate = model.optimizer._learning_rate
        for variable in model.optimizer.variables:
            if variable is not rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))
    return model


def progress(items, what="training"):
    """Iterate over items with a progress bar, once they take more than two seconds; the bar goes when they end."""
    from tqdm import tqdm

    return tqdm(items, desc=what, delay=2, leave=False, file=sys.stdout, ncols=80)
