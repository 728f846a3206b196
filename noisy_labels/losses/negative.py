"""Negative losses: what a label does not cost, as a share of all labels'."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import class_sums
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob


def normalized_negative_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, min_prob: chex.Numeric = 1e-7
) -> chex.Array:
  """The passive part of active negative losses (NNCE).

    l = sum_k t_k (1 - a_k / sum_j a_j),  a_k = max(log p_k - log min_prob, 0)

  with p = softmax(logits): by how much cross entropy stays below its largest
  value A = -log min_prob, normalized. With `normalized_cross_entropy`, and a
  penalty of the L1 norm of the model's parameters, it is the loss of ANL-CE.

  Trust: the gradient for a class y of p_y > min_prob is (p - e_y) / sum_j a_j,
  plus (1 - l) times the mean of e_j - p over the n classes above min_prob,
  times n / sum_j a_j. Classes of smaller probability have no part in the loss,
  as the formula says; it is not an approximation here. Bound: 0 <= l <= 1.
  Symmetric: the losses of the K labels sum to K - 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    min_prob: p_min, in (0, 1 / num_classes). 1e-7 in the paper and in the
      official code. A number or an array that broadcasts with the losses;
      differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if min_prob is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = normalized_negative_cross_entropy(logits, labels)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.467', '0.533']

  References:
    Ye et al., `Active Negative Loss Functions for Learning with Noisy Labels
    <https://papers.nips.cc/paper_files/paper/2023/hash/
    15f4cefb0e143c7ad9d40e879b0a9d0c-Abstract-Conference.html>`_, 2023
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('min_prob', min_prob, f'(0, {1 / logits.shape[-1]})')
  logits = log_prob.widen(jnp.asarray(logits))
  min_prob = jnp.asarray(min_prob, logits.dtype)
  floor = jnp.log(jnp.broadcast_to(min_prob, logits.shape[:-1]))
  total = class_sums.sum_above(logits, floor)
  return expectation.over_labels(
    lambda label, floor, total: 1 - jnp.maximum(label - floor, 0) / total,
    logits,
    labels,
    floor,
    total,
  )
