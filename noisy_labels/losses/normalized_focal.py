"""Normalized focal loss: see `normalized` for what that means."""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import focal_sums
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def normalized_focal_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  gamma: chex.Numeric,
  constant_weights: bool = False,
) -> chex.Array:
  """Focal loss over its sum for all labels (NFL).

    l = sum_k t_k f(p_k) / sum_j f(p_j),  f(p) = -(1 - p)^gamma log p

  with p = softmax(logits). Between `normalized_cross_entropy`, at gamma = 0,
  and less trust in the labels that are learnt already.

  Trust: for a class y it is the gradient of `focal_loss`, less l times that of
  all labels; both over sum_j f(p_j).
  Bound: 0 <= l <= 1. Symmetric: the losses of the K labels sum to 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf: K is the number of the others, two at least.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    gamma: in [0, inf). The paper uses 0.5. A number or an array that broadcasts
      with the losses; differentiable.
    constant_weights: whether to hold every (1 - p)^gamma constant in the
      backward pass. The official code does, and the tables of the papers were
      made so: focal loss's trust weight is then (1 - p)^gamma. The loss is the
      same; its true gradient, by gamma too, is that of False.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if gamma is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = normalized_focal_loss(logits, labels, gamma=0.5)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.021', '0.979']

  References:
    Ma et al., `Normalized Loss Functions for Deep Learning with Noisy Labels
    <https://arxiv.org/abs/2006.13554>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('gamma', gamma, '[0, inf)')

  # The paper's, which is known unless it is traced.
  is_half = isinstance(gamma, (float, np.floating)) and gamma == 0.5
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  gamma = jnp.asarray(gamma, rounding.wide_dtype(logits))
  each = jnp.broadcast_to(gamma, logits.shape[:-1])
  if not constant_weights and jnp.issubdtype(labels.dtype, jnp.integer):
    label, total = focal_sums.label_log_prob_and_focal_sum(
      logits, labels, each, is_half
    )
    return _focal(label, gamma, constant_weights) / total
  logits = log_prob.widen(logits)
  if constant_weights:
    total = _sum_with_constant_weights(logits, gamma)
  else:
    total = focal_sums.focal_sum(logits, each, is_half)
  return expectation.over_labels(
    lambda label, gamma, total: _focal(label, gamma, constant_weights) / total,
    logits,
    labels,
    gamma,
    total,
  )


def _focal(label_log_prob, gamma, constant_weights):
  # At p = 1 the weight's derivative is infinite for gamma < 1, but that of
  # its product with log p is not.
  certain = label_log_prob == 0
  log_p = jnp.where(certain, -1, label_log_prob)
  weight = jnp.exp(gamma * jnp.log(-jnp.expm1(log_p)))  # Faster than **.
  if constant_weights:
    weight = lax.stop_gradient(weight)
  return jnp.where(certain, 0, -weight * log_p)


# What the backward pass would keep of each class is made again.
@jax.checkpoint
def _sum_with_constant_weights(logits, gamma):
  log_probs = log_prob.log_probs(logits)
  present = log_probs > -jnp.inf
  log_probs = jnp.where(present, log_probs, -1)
  losses = _focal(log_probs, gamma[..., None], constant_weights=True)
  return jnp.sum(jnp.where(present, losses, 0), axis=-1)
