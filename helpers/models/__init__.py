"""Models that several notebooks use. The notebook that teaches one builds it in the open."""

from helpers.models.adjustable import Adjustable, Bottleneck, Regularisers
from helpers.models.sparsity import KLSparsity
from helpers.models.tied import DenseTranspose
from helpers.models.vae import VAE, Beta, Likelihood, Sampling, kl_divergence

__all__ = [
    "Adjustable",
    "Beta",
    "Bottleneck",
    "DenseTranspose",
    "KLSparsity",
    "Likelihood",
    "Regularisers",
    "Sampling",
    "VAE",
    "kl_divergence",
]
