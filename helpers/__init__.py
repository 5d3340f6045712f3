"""Plumbing of the notebooks: data, training, models, metrics, plots, labs and evidence.

What a notebook teaches (the model, the loss, the training call) stands in the notebook itself.
"""
