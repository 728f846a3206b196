"""Labels into distributions, which every loss takes in their place."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import distributions


def smooth_labels(
  labels: chex.Array, num_classes: int, *, smoothing: chex.Numeric
) -> chex.Array:
  """Mix labels with the uniform distribution.

    t~ = (1 - s) t + (s / K) sum_k t_k

  with s = smoothing and K = num_classes. With cross entropy it is
  `smoothed_cross_entropy`, which costs less and knows of masked classes; here
  it is for any other loss.

  Args:
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. An integer that is no class becomes NaN.
    num_classes: K.
    smoothing: s, in (-inf, 1]; negative smoothing takes probability from the
      other classes. A number or an array that broadcasts with `[...]`;
      differentiable.

  Returns:
    Distributions `[..., num_classes]`, float32 for labels of fewer bits.

  Raises:
    AssertionError: if labels do not fit.
    ValueError: if smoothing is a Python or numpy number out of range.

  Examples:
    >>> smoothed = smooth_labels(jnp.array([2]), 4, smoothing=0.2)
    >>> [f'{share:.2f}' for share in smoothed[0]]
    ['0.05', '0.05', '0.85', '0.05']

  References:
    Szegedy et al., `Rethinking the Inception Architecture for Computer Vision
    <https://arxiv.org/abs/1512.00567>`_, section 7, 2016
  """
  _checks.in_range('smoothing', smoothing, '(-inf, 1]')
  labels = distributions.of_labels(labels, num_classes)
  smoothing = jnp.asarray(smoothing, labels.dtype)[..., None]
  mass = jnp.sum(labels, axis=-1, keepdims=True)
  return (1 - smoothing) * labels + smoothing * mass / num_classes


def mix_labels(
  labels: chex.Array,
  others: chex.Array,
  num_classes: int,
  *,
  weight: chex.Numeric,
) -> chex.Array:
  """Mix the labels of two examples, as mixup mixes their images.

    t~ = weight t + (1 - weight) t_other

  For a loss that is linear in the distribution, the loss of the mixture is the
  mixture of the losses.

  Args:
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. An integer that is no class becomes NaN.
    others: labels of the examples mixed in, of either kind.
    num_classes: the number of classes.
    weight: of the first labels, in [0, 1]: mixup's lambda. A number or an array
      that broadcasts with `[...]`; differentiable.

  Returns:
    Distributions `[..., num_classes]`, float32 for labels of fewer bits.

  Raises:
    AssertionError: if labels do not fit.
    ValueError: if weight is a Python or numpy number out of range.

  Examples:
    >>> mixed = mix_labels(jnp.array([2]), jnp.array([0]), 3, weight=0.75)
    >>> [f'{share:.2f}' for share in mixed[0]]
    ['0.25', '0.00', '0.75']

  References:
    Zhang et al., `mixup: Beyond Empirical Risk Minimization
    <https://arxiv.org/abs/1710.09412>`_, 2018
  """
  _checks.in_range('weight', weight, '[0, 1]')
  labels, others = (
    distributions.of_labels(given, num_classes) for given in (labels, others)
  )
  weight = jnp.asarray(weight, jnp.result_type(labels, others))[..., None]
  return weight * labels + (1 - weight) * others
