"""Clipped cross entropy: a label that is too surprising teaches nothing."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def clipped_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, max_loss: chex.Numeric
) -> chex.Array:
  """Cross entropy with an upper bound.

    l = sum_k t_k min(-log p_k, max_loss),  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = 1 if -log p_y <= max_loss, otherwise 0; at the bound
  itself, where no gradient exists, the example counts. With max_loss =
  log(num_classes / e) it is the hard version of `mixture_cross_entropy` with
  noise_rate e, whose weight goes from 0 to 1 gradually and whose bound is the
  same. An example beyond the bound is never heard again unless others change
  the prediction, so training is best begun with plain cross entropy when the
  bound is low: below log(num_classes) even an undecided prediction is beyond.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution: each class's
      own loss is clipped, not their sum. An integer outside
      0 .. num_classes - 1 makes loss and gradient of its example NaN: to
      ignore an example, give it any valid label and mask its loss.
    max_loss: the bound, in (0, inf]; infinity turns clipping off. A number or
      an array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if max_loss is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = clipped_cross_entropy(logits, labels, max_loss=2.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.127', '2.000']

  References:
    Cross Validated, `Is cross entropy a good cost function if many training
    labels are wrong? <https://stats.stackexchange.com/q/218656>`_, 2016
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('max_loss', max_loss, '(0, inf]')
  return expectation.over_labels(_clipped, logits, labels, max_loss)


def _clipped(label_log_prob, max_loss):
  # jnp.minimum would halve the gradient at the bound. The comparison is false
  # for NaN, which therefore stays NaN.
  loss = -label_log_prob
  return jnp.where(loss > max_loss, max_loss, loss)
