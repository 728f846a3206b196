"""Jensen-Shannon divergences of labels and predictions, scaled."""

from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def jensen_shannon(
  logits: chex.Array, labels: chex.Array, *, weight: chex.Numeric
) -> chex.Array:
  """Jensen-Shannon divergence of label and prediction (JS).

    l = sum_k t_k (w KL(e_k, m) + (1 - w) KL(p, m)) / Z,  p = softmax(logits)
    m = w e_k + (1 - w) p,  Z = -(1 - w) log(1 - w)

  with w = weight, that of the label. The divergence from a class depends on its
  probability alone, and Z makes it cross entropy for w to 0, and half the mean
  absolute error, 1 - p_y, for w to 1.
  A distribution of labels is a mixture of classes here, as in the other losses;
  the divergence from the distribution itself would not be linear in it.

  Trust weight w(p_y) = p_y (1 - log(m_y / p_y) / log(1 - w)).
  Bound: l <= 1 + w log w / ((1 - w) log(1 - w)), at p_y = 0. Not symmetric; the
  sum over the labels lies between those of the uniform and of a one-hot
  prediction, and the closer w is to 1, the closer are these.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    weight: w, in (0, 1); below 1e-5, float32 loses digits. Official for
      CIFAR-10: 0.7 at 20 and 40% of symmetric noise, 0.9 at 60 and 80%. A
      number or an array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if weight is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = jensen_shannon(logits, labels, weight=0.7)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.124', '1.295']

  References:
    Englesson and Azizpour, `Generalized Jensen-Shannon Divergence Loss for
    Learning with Noisy Labels <https://arxiv.org/abs/2105.04522>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('weight', weight, '(0, 1)')
  return expectation.over_labels(_divergence, logits, labels, weight)


def generalized_jensen_shannon(
  logits: chex.Array,
  labels: chex.Array,
  *,
  weights: chex.Array | Sequence[float],
) -> chex.Array:
  """Jensen-Shannon divergence of a label and of predictions for views (GJS).

    l = sum_k t_k (w_0 KL(e_k, m) + sum_v w_v KL(p_v, m)) / Z,  v = 1 .. views
    m = w_0 e_k + sum_v w_v p_v,  Z = -(1 - w_0) log(1 - w_0)

  with p_v = softmax(logits[v - 1]). It is `jensen_shannon` of the label and the
  mean prediction p' = sum_v w_v p_v / (1 - w_0), and a term that asks views of
  an example to agree, whatever its label:

    l = JS(label, p') - sum_v w_v KL(p_v, p') / ((1 - w_0) log(1 - w_0))

  Trust: that of `jensen_shannon` in p'; label noise does not touch the rest.
  Bound: that of `jensen_shannon` with weight w_0, plus the entropy of w_v / (1
  - w_0) over -log(1 - w_0). Not symmetric.

  Args:
    logits: unnormalised log-probabilities, float `[views, ...,
      num_classes]`. A class may be masked by -inf, in all views.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    weights: of the label and of each view, `[1 + views]`, in (0, 1) and with
      sum 1; differentiable. Official for CIFAR-10 and 40% of symmetric noise:
      0.9, 0.05, 0.05.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if weights are Python or numpy numbers out of range, or do not
      sum to 1.

  Examples:
    >>> logits = jnp.array([[[2.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])
    >>> labels = jnp.array([0, 1])
    >>> losses = generalized_jensen_shannon(
    ...   logits, labels, weights=(0.5, 0.25, 0.25)
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.236', '1.262']

  References:
    Englesson and Azizpour, `Generalized Jensen-Shannon Divergence Loss for
    Learning with Noisy Labels <https://arxiv.org/abs/2105.04522>`_, 2021
  """
  _checks.in_range('weights', weights, '(0, 1)')
  if not isinstance(weights, jax.Array) and abs(np.sum(weights) - 1) > 1e-5:
    raise ValueError(f'weights must sum to 1, got {weights!r}')
  logits = jnp.asarray(logits)
  if logits.ndim < 2:
    raise AssertionError(
      f'logits must have shape [views, ..., num_classes], got {logits.shape}'
    )
  _checks.logits_and_labels(logits[0], labels)
  dtype = rounding.wide_dtype(logits)
  weights = jnp.asarray(weights, dtype)
  chex.assert_shape(
    weights,
    (1 + len(logits),),
    custom_message='weights must be those of the label and of each view',
  )
  shares = weights[1:] / (1 - weights[0])
  shares = jnp.reshape(shares, (-1,) + (1,) * (logits.ndim - 1))
  log_probs = log_prob.log_probs(logits)
  # Where a class is masked, any finite number does: its p is 0.
  log_probs = jnp.maximum(log_probs, jnp.finfo(dtype).min / 4)
  mean = jax.nn.logsumexp(log_probs, axis=0, b=shares)
  spread = shares * jnp.exp(log_probs) * (log_probs - mean)
  disagreement = jnp.sum(spread, axis=(0, -1)) / -jnp.log1p(-weights[0])
  return expectation.over_labels(
    lambda label, weight, rest: _divergence(label, weight) + rest,
    mean,
    labels,
    weights[0],
    disagreement,
  )


def _divergence(log_prob, weight):
  """Return the scaled divergence of a class of this probability."""
  # Any large number does for the logarithm of p = 0.
  log_prob = jnp.maximum(log_prob, jnp.finfo(log_prob.dtype).min / 4)
  prob, log_rest = jnp.exp(log_prob), jnp.log1p(-weight)
  log_mixed = jnp.log(weight + (1 - weight) * prob)  # log m
  of_label = weight / (1 - weight) * log_mixed
  of_prediction = prob * (log_mixed - log_prob)
  return (of_label + of_prediction) / log_rest + 1 - prob
