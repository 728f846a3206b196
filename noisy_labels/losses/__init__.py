"""Losses for labels that may be wrong: `(logits, labels) -> losses`.

Every loss takes logits `[..., num_classes]` and labels that are integers
`[...]` or distributions `[..., num_classes]`, and returns one loss an example,
`[...]`. They are pure and not jitted; hyper-parameters are keyword-only and
differentiable. Each docstring says by what trust weight, or by what posterior
over the clean label, its gradient differs from cross entropy's.
"""

from noisy_labels.losses.baseline import cross_entropy
from noisy_labels.losses.clipping import clipped_cross_entropy
from noisy_labels.losses.mixture import mixture_cross_entropy
from noisy_labels.losses.smoothing import smoothed_cross_entropy

__all__ = (
  'clipped_cross_entropy',
  'cross_entropy',
  'mixture_cross_entropy',
  'smoothed_cross_entropy',
)
