"""Partially Huberised losses: the slope of the loss by p_y has an upper bound.

What gradient clipping does to a linear model one example at a time, made a
loss: where the loss is steeper in p_y than tau, its tangent takes its place.
"""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import powers


def partially_huberised_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, tau: chex.Numeric
) -> chex.Array:
  """Cross entropy, linear in p_y below 1 / tau (PHuber-CE).

    l = sum_k t_k phi(p_k),  p = softmax(logits)
    phi(p) = -log p                if p > 1 / tau
             log tau + 1 - tau p   otherwise
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = min(1, tau p_y): full trust in labels that are at least
  so probable, and below that as much as mean absolute error has. It is the
  principled form of `clipped_cross_entropy`, with a gradient everywhere.
  Bound: l <= log tau + 1. Symmetric only for tau = 1, where it is half the mean
  absolute error; cross entropy for tau to infinity.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    tau: the largest slope, in [1, inf). Official: 10 for MNIST and CIFAR-100,
      2 for CIFAR-10. A number or an array that broadcasts with the losses;
      differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if tau is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = partially_huberised_cross_entropy(logits, labels, tau=2.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.127', '1.455']

  References:
    Menon et al., `Can Gradient Clipping Mitigate Label Noise?
    <https://openreview.net/forum?id=rklB76EKPr>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('tau', tau, '[1, inf)')
  return expectation.over_labels(_huberised, logits, labels, 0.0, tau)


def partially_huberised_generalized_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  q: chex.Numeric,
  tau: chex.Numeric,
) -> chex.Array:
  """Generalized cross entropy, linear in p_y where it is steep (PHuber-GCE).

    l = sum_k t_k phi(p_k),  p = softmax(logits),  c = tau^(1 / (q - 1))
    phi(p) = (1 - p^q) / q                    if p > c
             (1 - c^q) / q + tau (c - p)      otherwise
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = min(p_y^q, tau p_y).
  Bound: l <= (1 - c^q) / q + c^q. Symmetric only for tau = 1, where it is half
  the mean absolute error; generalized cross entropy for tau to infinity.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    q: of `generalized_cross_entropy`, in [0, 1): at 1 no slope exceeds 1, and
      there is nothing to clip. Official: 0.7.
    tau: the largest slope, in [1, inf). Official: 10. Numbers or arrays that
      broadcast with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if q or tau is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = partially_huberised_generalized_cross_entropy(
    ...   logits, labels, q=0.7, tau=1.5
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.121', '1.083']

  References:
    Menon et al., `Can Gradient Clipping Mitigate Label Noise?
    <https://openreview.net/forum?id=rklB76EKPr>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('q', q, '[0, 1)')
  _checks.in_range('tau', tau, '[1, inf)')
  return expectation.over_labels(_huberised, logits, labels, q, tau)


def _huberised(label_log_prob, q, tau):
  # By how much log p exceeds that of the point of contact, c.
  log_contact = jnp.log(tau) / (q - 1)
  beyond = label_log_prob - log_contact
  is_linear = beyond <= 0
  curve = -powers.box_cox(jnp.where(is_linear, log_contact, label_log_prob), q)
  # tau (c - p) = c^q (1 - p / c)
  line = jnp.exp(q * log_contact) * jnp.expm1(jnp.where(is_linear, beyond, 0))
  return jnp.where(is_linear, curve - line, curve)
