"""Square errors of probabilities."""

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import class_sums
from noisy_labels.losses import expectation
from noisy_labels.losses import hidden_sums
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def asymmetric_mean_square_error(
  logits: chex.Array, labels: chex.Array, *, a: chex.Numeric
) -> chex.Array:
  """Mean square error of a times the label (AMSE), the passive part of JAL.

    l = sum_k t_k |a e_k - p|^2 / K
      = sum_k t_k (a^2 - 2 a p_k + sum_j p_j^2) / K,  p = softmax(logits)
    dl/dz = 2 sum_k t_k (a p_k (p - e_k) + p (p - sum_j p_j^2)) / K

  a = 1 is the mean square error (Brier's score, over K). Trust weight a p_y, of
  which the second term takes back little when a is large: the loss is then
  close to a multiple of mean absolute error. For labels of probabilities t_k
  its minimum is the point of the simplex that is nearest to a t: the vertex of
  the most probable label if that exceeds every other by 1 / a, so that noise
  which leaves such a margin does no harm. Bound: (a - 1)^2 <= K l <= a^2 + 1.
  Not symmetric: the sum over the labels grows with sum_j p_j^2.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf: K is the number of the others.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    a: in [1, inf). Official, with `normalized_cross_entropy` (JAL-CE): 30 for
      CIFAR-10, 20 for CIFAR-100. A number or an array that broadcasts with the
      losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if a is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = asymmetric_mean_square_error(logits, labels, a=2.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.633', '2.157']

  References:
    Wang et al., `Joint Asymmetric Loss for Learning with Noisy Labels
    <https://arxiv.org/abs/2507.17692>`_, 2025
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('a', a, '[1, inf)')
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label, squares = _label_log_prob_and_squares(logits, labels)
    a = jnp.asarray(a, label.dtype)
    return _mean_square(label, a, squares, class_sums.count(logits))
  logits = log_prob.widen(logits)
  count = class_sums.count(logits)
  squares = class_sums.power_sum(logits, jnp.full_like(count, 2))
  return expectation.over_labels(
    _mean_square, logits, labels, a, squares, count
  )


def _mean_square(label_log_prob, a, squares, count):
  return (a**2 - 2 * a * jnp.exp(label_log_prob) + squares) / count


@jax.custom_vjp
def _label_log_prob_and_squares(logits, labels):
  """Return log p_label and sum_k p_k^2, whose d/dz is 2 p (p - sum_j p_j^2).

  Both gradients are added before they are rounded to the dtype of the logits.
  """
  return _joint_fwd(logits, labels)[0]


def _joint_fwd(logits, labels):
  largest = log_prob.largest_of(logits)
  total = log_prob.exp_sum(logits, largest)
  label = log_prob.choose(logits, labels) - largest - jnp.log(total)
  squares = _square_sum(logits, largest, total)
  return (label, squares), (logits, labels, largest, total, squares)


def _joint_bwd(residuals, gs):
  logits, labels, largest, total, squares = residuals
  of_label = log_prob.nan_unless_class(labels, logits, gs[0])
  probs = log_prob.exp_less(logits, largest) / total[..., None]
  slope = 2 * gs[1][..., None] * probs
  slope -= (of_label + 2 * gs[1] * squares)[..., None]
  gradient = jnp.where(log_prob.hits(labels, logits), of_label[..., None], 0)
  gradient += probs * slope
  return rounding.narrow(gradient, logits.dtype), log_prob.no_tangent(labels)


_label_log_prob_and_squares.defvjp(_joint_fwd, _joint_bwd)


def _square_sum(logits, largest, total):
  if logits.size < hidden_sums.MANY:
    squares = jnp.sum(_square(logits, largest), axis=-1)
  else:
    squares = hidden_sums.hidden_sum(_square, logits, largest, after=(total,))
  return squares / (total * total)


def _square(logits, largest):
  exps = log_prob.exp_less(logits, largest)
  return exps * exps
