"""Bootstrapping: the target is in part what the model itself predicts."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import entropy
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob
from noisy_labels.losses import predicted


def soft_bootstrapped_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, beta: chex.Numeric
) -> chex.Array:
  """Cross entropy of labels mixed with the prediction.

    l = -sum_k (beta t_k + (1 - beta) p_k sum_j t_j) log p_k
      = beta CE + (1 - beta) H(p) sum_j t_j,  p = softmax(logits)
    dl/dz = beta (p sum_j t_j - t) - (1 - beta) p (log p + H(p)) sum_j t_j

  The prediction in the target is differentiated too, as in the paper (which
  notes that it makes the second term an entropy that is minimised) and in the
  code of Patrini et al.; without that, its term would have no gradient at all.

  Trust: beta, everywhere; the entropy pulls toward the class predicted, and the
  more the less sure it is. Unbounded; not symmetric.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    beta: in [0, 1]; 1 is cross entropy. The paper uses 0.95. A number or an
      array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if beta is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = soft_bootstrapped_cross_entropy(logits, labels, beta=0.95)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.139', '2.039']

  References:
    Reed et al., `Training Deep Neural Networks on Noisy Labels with
    Bootstrapping <https://arxiv.org/abs/1412.6596>`_, 2014
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('beta', beta, '[0, 1]')
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label, spread = entropy.label_log_prob_and_entropy(logits, labels)
    return _mixed(label, jnp.asarray(beta, label.dtype), spread)
  logits = log_prob.widen(logits)
  spread = entropy.entropy(logits)
  return expectation.over_labels(_mixed, logits, labels, beta, spread)


def hard_bootstrapped_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, beta: chex.Numeric
) -> chex.Array:
  """Cross entropy of labels mixed with the class predicted.

    l = -sum_k (beta t_k + (1 - beta) 1[k = c] sum_j t_j) log p_k
    dl/dz = p sum_j t_j - (beta t + (1 - beta) e_c sum_j t_j)

  with p = softmax(logits), c = argmax_k p_k, the first where several are.

  The place of the posterior over the clean label is taken by beta t + (1 -
  beta) e_c: that the label is right has probability beta, else the prediction
  is. Unbounded; not symmetric.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    beta: in [0, 1]; 1 is cross entropy. The paper uses 0.8. A number or an
      array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if beta is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = hard_bootstrapped_cross_entropy(logits, labels, beta=0.8)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.127', '1.727']

  References:
    Reed et al., `Training Deep Neural Networks on Noisy Labels with
    Bootstrapping <https://arxiv.org/abs/1412.6596>`_, 2014
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('beta', beta, '[0, 1]')
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label, guess, _ = predicted.label_and_predicted_log_prob(logits, labels)
    return _mixed(label, jnp.asarray(beta, label.dtype), -guess)
  logits = log_prob.widen(logits)
  guess = log_prob.label_log_prob(logits, predicted.predicted_class(logits))
  return expectation.over_labels(_mixed, logits, labels, beta, -guess)


def _mixed(label_log_prob, beta, cost_of_prediction):
  return (1 - beta) * cost_of_prediction - beta * label_log_prob
