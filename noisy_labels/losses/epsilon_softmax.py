"""Cross entropy of predictions that are nearly one-hot."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob
from noisy_labels.losses import predicted
from noisy_labels.losses import rounding


def epsilon_softmax_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  m: chex.Numeric,
  max_loss: chex.Numeric = jnp.inf,
) -> chex.Array:
  """Cross entropy of predictions moved toward their largest entry (CE_eps).

    l = sum_k t_k min(-log p'_k, max_loss)
    p' = (p + m e_c) / (1 + m),  p = softmax(logits),  c = argmax_k p_k

  p' is a one-hot vector up to an L1 error of 2 / (1 + m).

  Trust weight w(p_y) = p_y / (p_y + m) if the label is the class predicted,
  else 1 while -log p'_y <= max_loss: labels the model agrees with teach it
  hardly more, for which the paper adds mean absolute error (`active_passive`).
  The jump of log((p_c + m) / p_c) where the prediction changes has no gradient.
  Bound: max_loss. Not symmetric, but for large m nearly: the sum over the
  labels is near (K - 1) max_loss where that is reached.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    m: in [0, inf); 0 is cross entropy. Official: 1e5 for symmetric noise, 1e4
      for CIFAR-N. A number or an array that broadcasts with the losses;
      differentiable.
    max_loss: the bound, in (0, inf], likewise. The paper has none, its official
      code one: it clips p' at 1e-8, which is max_loss = 18.42. With m = 1e5
      that silences every label with p_y < 1e-3 that is not the prediction, and
      the tables of the paper were made so.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if m or max_loss is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = epsilon_softmax_cross_entropy(logits, labels, m=1.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.061', '2.820']

  References:
    Wang et al., `Epsilon-Softmax: Approximating One-Hot Vectors for Mitigating
    Label Noise <https://arxiv.org/abs/2508.02387>`_, 2024
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('m', m, '[0, inf)')
  _checks.in_range('max_loss', max_loss, '(0, inf]')
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  dtype = rounding.wide_dtype(logits)
  m, max_loss = jnp.asarray(m, dtype), jnp.asarray(max_loss, dtype)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label, largest, guess = predicted.label_and_predicted_log_prob(
      logits, labels
    )
    if_predicted = _of_predicted(largest, m, max_loss)
    return jnp.where(
      labels == guess, if_predicted, _of_others(label, m, max_loss)
    )
  logits = log_prob.widen(logits)
  guess = predicted.predicted_class(logits)
  largest = log_prob.label_log_prob(logits, guess)
  hits = log_prob.hits(guess, logits)
  others = expectation.over_labels(
    _of_others, logits, jnp.where(hits, 0, labels), m, max_loss
  )
  if_predicted = _of_predicted(largest, m, max_loss)
  return others + jnp.sum(jnp.where(hits, labels, 0), axis=-1) * if_predicted


def _of_others(log_p, m, max_loss):
  return _clip(jnp.log1p(m) - log_p, max_loss)


def _of_predicted(log_p, m, max_loss):
  """Return log((1 + m) / (p + m)), at most max_loss."""
  return _clip(jnp.log1p(-jnp.expm1(log_p) / (jnp.exp(log_p) + m)), max_loss)


def _clip(loss, max_loss):
  return jnp.where(loss > max_loss, max_loss, loss)
