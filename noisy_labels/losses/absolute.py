"""Mean absolute error and reverse cross entropy: linear in the probability."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def mean_absolute_error(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Mean absolute error of labels and predictions (MAE).

    l = sum_k t_k 2 (1 - p_k),  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  For a class y it is the L1 distance of e_y and p; for a distribution t the
  expectation of that, not the distance of t and p.

  Trust weight w(p_y) = 2 p_y: a label is heard as far as it is believed
  already, hence learning is slow with many classes, see `with_margin`.
  Bound: l <= 2. Symmetric: its sum over the K labels is 2 (K - 1) whatever the
  prediction, so symmetric noise below a rate of (K - 1) / K of wrong labels
  leaves its minimiser where it is.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> losses = mean_absolute_error(logits, jnp.array([0, 1]))
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.238', '1.762']

  References:
    Ghosh, Kumar and Sastry, `Robust Loss Functions under Label Noise for Deep
    Neural Networks <https://arxiv.org/abs/1712.09482>`_, 2017
  """
  _checks.logits_and_labels(logits, labels)
  return expectation.over_labels(_absolute, logits, labels)


def reverse_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, log_zero: chex.Numeric
) -> chex.Array:
  """Cross entropy with the label and the prediction exchanged (RCE).

    l = sum_k t_k (-A) (1 - p_k),  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  with A = log_zero, which stands for the log 0 in -sum_i p_i log [i = k].

  Trust weight w(p_y) = -A p_y: mean absolute error times -A / 2.
  Bound: l <= -A. Symmetric: its sum over the K labels is -A (K - 1).

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution: the expected
      loss of a class drawn from it, which never meets another log 0. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    log_zero: A, in (-inf, 0). The paper explains the loss with A = -4; its
      official code, and those after it, clip labels at 1e-4, and so have A =
      log 1e-4 = -9.21. Published weights of the loss belong to the latter. A
      number or an array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if log_zero is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = reverse_cross_entropy(logits, labels, log_zero=-4.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.477', '3.523']

  References:
    Wang et al., `Symmetric Cross Entropy for Robust Learning with Noisy Labels
    <https://arxiv.org/abs/1908.06112>`_, 2019
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('log_zero', log_zero, '(-inf, 0)')
  return expectation.over_labels(_reverse, logits, labels, log_zero)


def symmetric_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  alpha: chex.Numeric,
  beta: chex.Numeric,
  log_zero: chex.Numeric,
) -> chex.Array:
  """Cross entropy and reverse cross entropy, weighted (SCE, SL).

    l = sum_k t_k (-alpha log p_k - beta A (1 - p_k)),  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  with A = log_zero. Cross entropy makes it learn, its reverse makes it robust.

  Trust weight w(p_y) = alpha - beta A p_y: it distrusts an improbable label,
  but never below alpha. Unbounded, and in spite of its name not symmetric in
  the sense of a constant sum over the labels, unless alpha = 0.

  Official weights (alpha, beta), with log_zero = log 1e-4: MNIST 0.01, 1;
  CIFAR-10 0.1, 1; CIFAR-100 6, 0.1; WebVision and Clothing1M 10, 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    alpha: the weight of cross entropy, in [0, inf).
    beta: the weight of reverse cross entropy, in [0, inf).
    log_zero: A, in (-inf, 0), as in `reverse_cross_entropy`: -4 in the paper's
      text, log 1e-4 in its code. Numbers or arrays that broadcast with the
      losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if a hyper-parameter is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = symmetric_cross_entropy(
    ...   logits, labels, alpha=0.1, beta=1.0, log_zero=-4.0
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.490', '3.736']

  References:
    Wang et al., `Symmetric Cross Entropy for Robust Learning with Noisy Labels
    <https://arxiv.org/abs/1908.06112>`_, 2019
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('alpha', alpha, '[0, inf)')
  _checks.in_range('beta', beta, '[0, inf)')
  _checks.in_range('log_zero', log_zero, '(-inf, 0)')
  parameters = alpha, beta, log_zero
  return expectation.over_labels(_symmetric, logits, labels, *parameters)


def _absolute(label_log_prob):
  return -2 * jnp.expm1(label_log_prob)


def _reverse(label_log_prob, log_zero):
  return log_zero * jnp.expm1(label_log_prob)


def _symmetric(label_log_prob, alpha, beta, log_zero):
  return beta * _reverse(label_log_prob, log_zero) - alpha * label_log_prob
