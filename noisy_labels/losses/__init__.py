"""Losses for labels that may be wrong: `(logits, labels) -> losses`.

Every loss takes logits `[..., num_classes]` and labels that are integers
`[...]` or distributions `[..., num_classes]`, and returns one loss an example,
`[...]`. They are pure and not jitted; hyper-parameters are keyword-only and
differentiable. Each docstring says by what trust weight, or by what posterior
over the clean label, its gradient differs from cross entropy's.

Four tuples say of what kind each public name is; a new one is listed in its
tuple and in `__all__`, and the tests hold it to the contract of its kind.
"""

from noisy_labels.losses.baseline import cross_entropy
from noisy_labels.losses.clipping import clipped_cross_entropy
from noisy_labels.losses.mixture import mixture_cross_entropy
from noisy_labels.losses.smoothing import smoothed_cross_entropy

# (logits, labels, *, hyper_parameters) -> losses, each example by itself.
PER_EXAMPLE = (
  'clipped_cross_entropy',
  'cross_entropy',
  'mixture_cross_entropy',
  'smoothed_cross_entropy',
)

# Losses that need more: a key, several views, the other examples of the batch.
OF_BATCHES: tuple[str, ...] = ()

# Losses in, loss out: each returns a function with the signature of PER_EXAMPLE
# or works on its logits.
COMBINATORS: tuple[str, ...] = ()

# Of labels alone: they return distributions, which every loss takes.
TRANSFORMS: tuple[str, ...] = ()

__all__ = (
  'clipped_cross_entropy',
  'cross_entropy',
  'mixture_cross_entropy',
  'smoothed_cross_entropy',
)
