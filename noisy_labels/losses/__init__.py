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
from noisy_labels.losses.bi_tempered import bi_tempered_logistic_loss
from noisy_labels.losses.bootstrapping import hard_bootstrapped_cross_entropy
from noisy_labels.losses.bootstrapping import soft_bootstrapped_cross_entropy
from noisy_labels.losses.clipping import clipped_cross_entropy
from noisy_labels.losses.combinators import active_passive
from noisy_labels.losses.combinators import clip_logits
from noisy_labels.losses.combinators import with_margin
from noisy_labels.losses.confidence import confidence_regularized_cross_entropy
from noisy_labels.losses.correction import backward_corrected
from noisy_labels.losses.epsilon_softmax import epsilon_softmax_cross_entropy
from noisy_labels.losses.f_divergence import f_divergence_loss
from noisy_labels.losses.focal import focal_loss
from noisy_labels.losses.forward import forward_corrected_cross_entropy
from noisy_labels.losses.fused import fused_linear
from noisy_labels.losses.generalized import generalized_cross_entropy
from noisy_labels.losses.generalized import truncated_generalized_cross_entropy
from noisy_labels.losses.huberised import partially_huberised_cross_entropy
from noisy_labels.losses.huberised import (
  partially_huberised_generalized_cross_entropy,
)
from noisy_labels.losses.jensen_shannon import generalized_jensen_shannon
from noisy_labels.losses.jensen_shannon import jensen_shannon
from noisy_labels.losses.mixture import mixture_cross_entropy
from noisy_labels.losses.negative import normalized_negative_cross_entropy
from noisy_labels.losses.normalized import normalized_cross_entropy
from noisy_labels.losses.normalized import normalized_generalized_cross_entropy
from noisy_labels.losses.normalized_focal import normalized_focal_loss
from noisy_labels.losses.peer import peer_loss
from noisy_labels.losses.smoothing import smoothed_cross_entropy
from noisy_labels.losses.square_error import asymmetric_mean_square_error
from noisy_labels.losses.taylor import taylor_cross_entropy
from noisy_labels.losses.transforms import mix_labels
from noisy_labels.losses.transforms import smooth_labels

# (logits, labels, *, hyper_parameters) -> losses, each example by itself.
PER_EXAMPLE = (
  'asymmetric_exponential_loss',
  'asymmetric_generalized_cross_entropy',
  'asymmetric_mean_square_error',
  'asymmetric_unhinged_loss',
  'bi_tempered_logistic_loss',
  'clipped_cross_entropy',
  'confidence_regularized_cross_entropy',
  'cross_entropy',
  'epsilon_softmax_cross_entropy',
  'focal_loss',
  'forward_corrected_cross_entropy',
  'generalized_cross_entropy',
  'hard_bootstrapped_cross_entropy',
  'jensen_shannon',
  'mean_absolute_error',
  'mixture_cross_entropy',
  'normalized_cross_entropy',
  'normalized_focal_loss',
  'normalized_generalized_cross_entropy',
  'normalized_negative_cross_entropy',
  'partially_huberised_cross_entropy',
  'partially_huberised_generalized_cross_entropy',
  'reverse_cross_entropy',
  'smoothed_cross_entropy',
  'soft_bootstrapped_cross_entropy',
  'symmetric_cross_entropy',
  'taylor_cross_entropy',
  'truncated_generalized_cross_entropy',
)

# Losses that need more: a key, several views, the other examples of the batch.
OF_BATCHES = (
  'f_divergence_loss',
  'generalized_jensen_shannon',
  'peer_loss',
)

# Losses in, loss out: each returns a function with the signature of PER_EXAMPLE
# or works on its logits.
COMBINATORS = (
  'active_passive',
  'backward_corrected',
  'clip_logits',
  'fused_linear',
  'with_margin',
)

# Of labels alone: they return distributions, which every loss takes.
TRANSFORMS = (
  'mix_labels',
  'smooth_labels',
)

__all__ = (
  'active_passive',
  'asymmetric_exponential_loss',
  'asymmetric_generalized_cross_entropy',
  'asymmetric_mean_square_error',
  'asymmetric_unhinged_loss',
  'backward_corrected',
  'bi_tempered_logistic_loss',
  'clip_logits',
  'clipped_cross_entropy',
  'confidence_regularized_cross_entropy',
  'cross_entropy',
  'epsilon_softmax_cross_entropy',
  'f_divergence_loss',
  'focal_loss',
  'forward_corrected_cross_entropy',
  'fused_linear',
  'generalized_cross_entropy',
  'generalized_jensen_shannon',
  'hard_bootstrapped_cross_entropy',
  'jensen_shannon',
  'mean_absolute_error',
  'mix_labels',
  'mixture_cross_entropy',
  'normalized_cross_entropy',
  'normalized_focal_loss',
  'normalized_generalized_cross_entropy',
  'normalized_negative_cross_entropy',
  'partially_huberised_cross_entropy',
  'partially_huberised_generalized_cross_entropy',
  'peer_loss',
  'reverse_cross_entropy',
  'smooth_labels',
  'smoothed_cross_entropy',
  'soft_bootstrapped_cross_entropy',
  'symmetric_cross_entropy',
  'taylor_cross_entropy',
  'truncated_generalized_cross_entropy',
  'with_margin',
)
