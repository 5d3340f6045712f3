"""Plumbing of the notebooks: data, training, models, metrics, plots, labs and evidence.

What a notebook teaches (the model, the loss, the training call) stands in the notebook itself.
"""

import os

import threadpoolctl

# The notebooks' matrices are small: for them, threads of BLAS and OpenMP cost more than they bring, and twenty times
# as much on a busy machine. The limit covers libraries already loaded, the environment those still to come.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
threadpoolctl.threadpool_limits(1)
