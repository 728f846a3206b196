"""Label smoothing: the label, not the prediction, is mixed with the uniform."""

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob


def smoothed_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, smoothing: chex.Numeric
) -> chex.Array:
  """Cross entropy with labels mixed with the uniform distribution.

    l = -sum_k t~_k log p_k,  t~ = (1 - s) t + s u sum_k t_k,  p = softmax(z)
    dl/dz = p sum_k t_k - t~

  with s = smoothing and u = 1 / K for each of the K classes. Of the two
  readings it is the one with a target: the place of the posterior over the
  clean label is taken by t~, whatever the prediction. The loss is unbounded.

  Negative smoothing removes probability from the other classes. It is
  `backward correction` of cross entropy under T = (1 - e) I + (e / K) J with
  s = -e / (1 - e): its expectation over such noise is cross entropy of the
  clean label. It is unbounded below, so begin training with plain cross entropy
  when the noise is high.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf: smoothing then spreads over the other classes only
      (K is their number), as if it did not exist.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    smoothing: s, in (-inf, 1]; 0 is cross entropy, 1 forgets the label. A
      number or an array that broadcasts with the losses; differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if smoothing is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = smoothed_cross_entropy(logits, labels, smoothing=0.1)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.227', '2.027']

  References:
    Szegedy et al., `Rethinking the Inception Architecture for Computer Vision
    <https://arxiv.org/abs/1512.00567>`_, section 7, 2016

    Wei et al., `To Smooth or Not? When Label Smoothing Meets Noisy Labels
    <https://arxiv.org/abs/2106.04149>`_, 2022 (negative smoothing)
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('smoothing', smoothing, '(-inf, 1]')
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  if jnp.issubdtype(labels.dtype, jnp.floating):
    target = _smooth(logits, labels, smoothing)
    return expectation.over_labels(jnp.negative, logits, target)
  label, mean, _ = log_prob.label_and_mean_log_prob(logits, labels)
  smoothing = jnp.asarray(smoothing, label.dtype)
  return (smoothing - 1) * label - smoothing * mean


def _smooth(logits, labels, smoothing):
  """Return the distribution t~, spread over the classes that are not masked."""
  dtype = jnp.promote_types(logits.dtype, jnp.float32)
  labels = labels.astype(dtype)
  smoothing = jnp.asarray(smoothing, dtype)[..., None]
  finite = logits > -jnp.inf
  uniform = finite / jnp.sum(finite, axis=-1, keepdims=True, dtype=dtype)
  mass = jnp.sum(labels, axis=-1, keepdims=True)
  return (1 - smoothing) * labels + smoothing * mass * uniform
