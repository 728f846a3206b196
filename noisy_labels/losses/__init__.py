"""Losses for labels that may be wrong: `(logits, labels) -> losses`.

Every loss takes logits `[..., num_classes]` and labels that are integers
`[...]` or distributions `[..., num_classes]`, and returns one loss an example,
`[...]`. They are pure and not jitted; hyper-parameters are keyword-only and
differentiable. Each docstring says by what trust weight, or by what posterior
over the clean label, its gradient differs from cross entropy's.

Four tuples say of what kind each public name is; a new one is listed in its
tuple and in `__all__`, and the tests hold it to the contract of its kind.
"""

from noisy_labels.losses.absolute import mean_absolute_error
from noisy_labels.losses.absolute import reverse_cross_entropy
from noisy_labels.losses.absolute import symmetric_cross_entropy
from noisy_labels.losses.asymmetric import asymmetric_exponential_loss
from noisy_labels.losses.asymmetric import asymmetric_generalized_cross_entropy
from noisy_labels.losses.asymmetric import asymmetric_unhinged_loss
from noisy_labels.losses.baseline import cross_entropy
from noisy_labels.losses.clipping import clipped_cross_entropy
from noisy_labels.losses.focal import focal_loss
from noisy_labels.losses.fused import fused_linear
from noisy_labels.losses.generalized import generalized_cross_entropy
from noisy_labels.losses.generalized import truncated_generalized_cross_entropy
from noisy_labels.losses.huberised import partially_huberised_cross_entropy
from noisy_labels.losses.huberised import (
  partially_huberised_generalized_cross_entropy,
)
from noisy_labels.losses.mixture import mixture_cross_entropy
from noisy_labels.losses.smoothing import smoothed_cross_entropy
from noisy_labels.losses.taylor import taylor_cross_entropy

# (logits, labels, *, hyper_parameters) -> losses, each example by itself.
PER_EXAMPLE = (
  'asymmetric_exponential_loss',
  'asymmetric_generalized_cross_entropy',
  'asymmetric_unhinged_loss',
  'clipped_cross_entropy',
  'cross_entropy',
  'focal_loss',
  'generalized_cross_entropy',
  'mean_absolute_error',
  'mixture_cross_entropy',
  'partially_huberised_cross_entropy',
  'partially_huberised_generalized_cross_entropy',
  'reverse_cross_entropy',
  'smoothed_cross_entropy',
  'symmetric_cross_entropy',
  'taylor_cross_entropy',
  'truncated_generalized_cross_entropy',
)

# Losses that need more: a key, several views, the other examples of the batch.
OF_BATCHES: tuple[str, ...] = ()

# Losses in, loss out: each returns a function with the signature of PER_EXAMPLE
# or works on its logits.
COMBINATORS = ('fused_linear',)

# Of labels alone: they return distributions, which every loss takes.
TRANSFORMS: tuple[str, ...] = ()

__all__ = (
  'asymmetric_exponential_loss',
  'asymmetric_generalized_cross_entropy',
  'asymmetric_unhinged_loss',
  'clipped_cross_entropy',
  'cross_entropy',
  'focal_loss',
  'fused_linear',
  'generalized_cross_entropy',
  'mean_absolute_error',
  'mixture_cross_entropy',
  'partially_huberised_cross_entropy',
  'partially_huberised_generalized_cross_entropy',
  'reverse_cross_entropy',
  'smoothed_cross_entropy',
  'symmetric_cross_entropy',
  'taylor_cross_entropy',
  'truncated_generalized_cross_entropy',
)
