"""Cross entropy: the loss that trusts every label."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def cross_entropy(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Cross entropy of labels and predictions.

    l = -sum_k t_k log p_k,  p = softmax(logits)
    dl/dz = p - t            (t a distribution; p - e_y for a class y)

  Trust weight w(p_y) = 1: a wrong label weighs as much as a right one.
  Posterior over the clean label: the given label itself.

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
    >>> logits = jnp.array([[2.0, 0.0, -jnp.inf], [0.0, 0.0, 0.0]])
    >>> losses = cross_entropy(logits, jnp.array([0, 1]))
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.127', '1.099']
    >>> distributions = jnp.array([[0.9, 0.1, 0.0], [0.5, 0.3, 0.2]])
    >>> losses = cross_entropy(logits, distributions)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.327', '1.099']

  References:
    Goodfellow, Bengio and Courville, `Deep Learning
    <https://www.deeplearningbook.org/contents/mlp.html>`_, section 6.2, 2016
  """
  _checks.logits_and_labels(logits, labels)
  return expectation.over_labels(jnp.negative, logits, labels)
