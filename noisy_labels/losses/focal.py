"""Focal loss: trusts what the model does not believe yet."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def focal_loss(
  logits: chex.Array, labels: chex.Array, *, gamma: chex.Numeric
) -> chex.Array:
  """Focal loss: cross entropy with less weight on labels learnt already (FL).

    l = -sum_k t_k (1 - p_k)^gamma log p_k,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = (1 - p_y)^gamma - gamma p_y (1 - p_y)^(gamma - 1)
  log p_y: the opposite of robust, for the improbable label weighs the most. It
  is here as the numerator of the normalized focal loss, and to compare with.
  Unbounded; not symmetric.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    gamma: in [0, inf); 0 is cross entropy. The paper recommends 2, the
      literature of noisy labels uses 0.5. A number or an array that broadcasts
      with the losses; differentiable. The code of that literature holds
      (1 - p_y)^gamma constant in the backward pass, and so has another
      gradient than this, the true one.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if gamma is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = focal_loss(logits, labels, gamma=2.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.002', '1.650']

  References:
    Lin et al., `Focal Loss for Dense Object Detection
    <https://arxiv.org/abs/1708.02002>`_, 2017
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('gamma', gamma, '[0, inf)')
  return expectation.over_labels(_focal, logits, labels, gamma)


def _focal(label_log_prob, gamma):
  # At p = 1 the power's derivative is infinite for gamma < 1, but the loss's is
  # not: 0, or -1 for gamma = 0.
  certain = label_log_prob == 0
  log_prob = jnp.where(certain, -1, label_log_prob)
  loss = -((-jnp.expm1(log_prob)) ** gamma) * log_prob
  return jnp.where(certain, -label_log_prob * (gamma == 0), loss)
