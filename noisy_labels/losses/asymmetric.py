"""Asymmetric losses: robust if the true label is the most frequent one.

A symmetric loss asks that its sum over all labels be constant. These ask less:
that moving probability to the label given most often always pays. How much more
often it must be given than any other is the inverse of the asymmetry ratio

  r = inf (phi(u) - phi(u + v)) / (phi(0) - phi(v)),  u, v > 0,  u + v <= 1

of a loss phi(p_y): if the true class is given more than 1 / r times as often as
each other one, the minimiser of the noisy risk is that of the clean one. r >= 1
where the slope of phi never falls: 'completely asymmetric'.
"""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import powers


def asymmetric_generalized_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  a: chex.Numeric,
  q: chex.Numeric,
) -> chex.Array:
  """Generalized cross entropy of p_y + a (AGCE).

    l = sum_k t_k ((a + 1)^q - (a + p_k)^q) / q,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = p_y (a + p_y)^(q - 1). Generalized cross entropy for a
  to 0, half the mean absolute error for q = 1.
  Bound: l <= ((a + 1)^q - a^q) / q. Symmetric only for q = 1. Asymmetry ratio
  (a / (a + 1))^(1 - q) for q < 1; completely asymmetric for q >= 1.

  Official (a, q): MNIST 4, 0.2; CIFAR-10 and CIFAR-100 0.6, 0.6; WebVision
  1e-5, 0.5.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    a: in (0, inf); in float32, at least 1e-15.
    q: in [0, inf); 0 is log(a + 1) - log(a + p_y). Numbers or arrays that
      broadcast with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if a or q is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = asymmetric_generalized_cross_entropy(
    ...   logits, labels, a=0.6, q=0.6
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.100', '0.842']

  References:
    Zhou et al., `Asymmetric Loss Functions for Learning with Noisy Labels
    <https://arxiv.org/abs/2106.03110>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('a', a, '(0, inf)')
  _checks.in_range('q', q, '[0, inf)')
  return expectation.over_labels(_generalized, logits, labels, a, q)


def asymmetric_unhinged_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  a: chex.Numeric,
  q: chex.Numeric,
) -> chex.Array:
  """A power of a - p_y (AUL).

    l = sum_k t_k ((a - p_k)^q - (a - 1)^q) / q,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = p_y (a - p_y)^(q - 1). Half the mean absolute error for
  q = 1, the unhinged loss.
  Bound: l <= (a^q - (a - 1)^q) / q. Symmetric only for q = 1. Asymmetry ratio
  ((a - 1) / a)^(q - 1) for q > 1; completely asymmetric for q <= 1.

  Official (a, q): MNIST 3, 0.1; CIFAR-10 and CIFAR-100 5.5, 3. The code calls
  it AUE.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    a: in (1, inf); in float32, at least 1 + 1e-6.
    q: in [0, inf); 0 is log(a - p_y) - log(a - 1). Numbers or arrays that
      broadcast with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if a or q is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = asymmetric_unhinged_loss(logits, labels, a=5.5, q=3.0)
    >>> [f'{loss:.2f}' for loss in losses]
    ['2.48', '21.56']

  References:
    Zhou et al., `Asymmetric Loss Functions for Learning with Noisy Labels
    <https://arxiv.org/abs/2106.03110>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('a', a, '(1, inf)')
  _checks.in_range('q', q, '[0, inf)')
  return expectation.over_labels(_unhinged, logits, labels, a, q)


def asymmetric_exponential_loss(
  logits: chex.Array, labels: chex.Array, *, a: chex.Numeric
) -> chex.Array:
  """The exponential of -p_y / a (AEL).

    l = sum_k t_k exp(-p_k / a),  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = (p_y / a) exp(-p_y / a). For a to infinity, a (l -
  exp(-1 / a)) is half the mean absolute error.
  Bounds: exp(-1 / a) <= l <= 1; it is not 0 for a perfect prediction. Not
  symmetric. Asymmetry ratio exp(-1 / a).

  Official a: MNIST 3.5; CIFAR-10 and CIFAR-100 2.5.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    a: in (0, inf). A number or an array that broadcasts with the losses;
      differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if a is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = asymmetric_exponential_loss(logits, labels, a=2.5)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.703', '0.953']

  References:
    Zhou et al., `Asymmetric Loss Functions for Learning with Noisy Labels
    <https://arxiv.org/abs/2106.03110>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('a', a, '(0, inf)')
  return expectation.over_labels(_exponential, logits, labels, a)


def _generalized(label_log_prob, a, q):
  # ((a + 1)^q - (a + p)^q) / q = -(a + 1)^q log_q((a + p) / (a + 1))
  share = (a + jnp.exp(label_log_prob)) / (a + 1)
  return -((a + 1) ** q) * powers.box_cox(jnp.log(share), q)


def _unhinged(label_log_prob, a, q):
  odds = -jnp.expm1(label_log_prob) / (a - 1)
  return (a - 1) ** q * powers.box_cox(jnp.log1p(odds), q)


def _exponential(label_log_prob, a):
  return jnp.exp(-jnp.exp(label_log_prob) / a)
