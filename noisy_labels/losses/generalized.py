"""Generalized cross entropy: between cross entropy and mean absolute error."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import powers


def generalized_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, q: chex.Numeric
) -> chex.Array:
  """Generalized cross entropy, the L_q loss (GCE).

    l = sum_k t_k (1 - p_k^q) / q,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = p_y^q. It is cross entropy for q = 0 and half the mean
  absolute error for q = 1, with every degree of trust in between.
  Bound: l <= 1 / q. Symmetric only for q = 1; otherwise its sum over the K
  labels is within [(K - K^(1 - q)) / q, (K - 1) / q].

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    q: in [0, 1]; the paper and its successors use 0.7. A number or an array
      that broadcasts with the losses; differentiable, also at 0.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if q is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = generalized_cross_entropy(logits, labels, q=0.7)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.121', '1.106']

  References:
    Zhang and Sabuncu, `Generalized Cross Entropy Loss for Training Deep Neural
    Networks with Noisy Labels <https://arxiv.org/abs/1805.07836>`_, 2018
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('q', q, '[0, 1]')
  return expectation.over_labels(_generalized, logits, labels, q)


def truncated_generalized_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  q: chex.Numeric,
  k: chex.Numeric,
) -> chex.Array:
  """Generalized cross entropy that gives up on improbable labels.

    l = sum_j t_j (1 - max(p_j, k)^q) / q,  p = softmax(logits)
    dl/dz = sum_j t_j w(p_j) (p - e_j)

  Trust weight w(p_y) = p_y^q if p_y > k, otherwise 0. An example below k is
  never heard again unless others change the prediction, so training begins
  without truncation: with k = 0.5, all are below it when there are more than
  two classes.
  Bound: l <= (1 - k^q) / q. Not symmetric.

  This is the loss of the paper's equation 7. The paper minimises it by turns
  over the model and over which examples are kept: from epoch 40 on it decides,
  every 10 epochs and for the whole training set, which labels have p_y > k, and
  keeps to that in between. That schedule needs memory; here each step decides
  anew, from its own prediction. Code in use subtracts (1 - k^q) / q, which
  shifts the loss of the kept, and leaves its gradient.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    q: in [0, 1], as in `generalized_cross_entropy`; 0.7 in the paper.
    k: the probability, in (0, 1), up to which a label is ignored; 0.5 in the
      paper. Numbers or arrays that broadcast with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if q or k is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = truncated_generalized_cross_entropy(
    ...   logits, labels, q=0.7, k=0.5
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.121', '0.549']

  References:
    Zhang and Sabuncu, `Generalized Cross Entropy Loss for Training Deep Neural
    Networks with Noisy Labels <https://arxiv.org/abs/1805.07836>`_, section
    3.4, 2018
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('q', q, '[0, 1]')
  _checks.in_range('k', k, '(0, 1)')
  return expectation.over_labels(_truncated, logits, labels, q, k)


def _generalized(label_log_prob, q):
  return -powers.box_cox(label_log_prob, q)


def _truncated(label_log_prob, q, k):
  # Written so that NaN stays NaN.
  ignored = label_log_prob <= jnp.log(k)
  return _generalized(jnp.where(ignored, jnp.log(k), label_log_prob), q)
