"""Normalized losses: what a label costs, as a share of what all of them would.

Any loss l divided by its sum over the labels is symmetric: its sum over the
labels is 1 whatever the prediction, and so symmetric noise moves its
expectation by a factor and a constant, and not its minimiser. With r = l_y /
sum_j l_j,

  dr/dz = (dl_y/dz - r sum_j dl_j/dz) / sum_j l_j

so the gradient of a label is that of l, less the share r of the gradient of all
labels, and smaller the more these cost. The price is underfitting, for which
the literature adds a second loss (`active_passive`).
"""

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import class_sums
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob
from noisy_labels.losses import powers


def normalized_cross_entropy(
  logits: chex.Array, labels: chex.Array
) -> chex.Array:
  """Cross entropy over its sum for all labels (NCE).

    l = sum_k t_k log p_k / S,  S = sum_j log p_j,  p = softmax(logits)
    dl/dz = ((K l - sum_k t_k) p + t - l) / S

  Trust: for a class y it is cross entropy's gradient, p - e_y, less l K times
  that of the uniform distribution, p - 1 / K; both over -S >= K log K.
  Bound: 0 <= l <= 1. Symmetric: the losses of the K labels sum to 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf: K is the number of the others, two at least.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = normalized_cross_entropy(logits, labels)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.056', '0.944']

  References:
    Ma et al., `Normalized Loss Functions for Deep Learning with Noisy Labels
    <https://arxiv.org/abs/2006.13554>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label, mean, count = log_prob.label_and_mean_log_prob(logits, labels)
    return label / (count * mean)
  logits = log_prob.widen(logits)
  log_probs = log_prob.log_probs(logits)
  total = jnp.sum(jnp.where(log_probs > -jnp.inf, log_probs, 0), axis=-1)
  return expectation.over_labels(jnp.divide, logits, labels, total)


def normalized_generalized_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, q: chex.Numeric
) -> chex.Array:
  """Generalized cross entropy over its sum for all labels (NGCE).

    l = sum_k t_k (1 - p_k^q) / (K - sum_j p_j^q),  p = softmax(logits)

  Between `normalized_cross_entropy`, for q to 0, and mean absolute error over
  2 (K - 1), at q = 1.

  Trust: for a class y it is generalized cross entropy's gradient, trust weight
  p_y^q, less l times that of all labels; both over (K - sum_j p_j^q) / q.
  Bound: 0 <= l <= 1. Symmetric: the losses of the K labels sum to 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf: K is the number of the others, two at least.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    q: in (0, 1]; below 1e-5, float32 loses digits. Official: 0.7. A number or
      an array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if q is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = normalized_generalized_cross_entropy(logits, labels, q=0.7)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.099', '0.901']

  References:
    Ma et al., `Normalized Loss Functions for Deep Learning with Noisy Labels
    <https://arxiv.org/abs/2006.13554>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('q', q, '(0, 1]')
  logits = log_prob.widen(jnp.asarray(logits))
  q = jnp.asarray(q, logits.dtype)
  each = jnp.broadcast_to(q, logits.shape[:-1])
  total = class_sums.count(logits) - class_sums.power_sum(logits, each)
  return expectation.over_labels(
    lambda label, q, total: -q * powers.box_cox(label, q) / total,
    logits,
    labels,
    q,
    total,
  )
