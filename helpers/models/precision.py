"""Mixed precision: what must not be computed in half."""

from helpers.training import keras


class FullPrecision(keras.layers.Layer):
    """A layer that computes in the precision of its weights: float32 under `mixed_float16`, too.

    A float16 ends at 65,504 and tells no number from 1 that is nearer than 0.0005: too little for exponentials, for
    logarithms near 0, for sums over pixels. Inputs are cast, and the output stays in full precision.
    """

    def __init__(self, dtype=None, **options):
        super().__init__(dtype=keras.dtype_policies.get(dtype).variable_dtype, **options)
