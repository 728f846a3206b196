"""Taylor cross entropy: the first terms of the logarithm's series."""

import functools

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def taylor_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, order: int
) -> chex.Array:
  """Cross entropy's Taylor series around certainty, cut off (TCE).

    l = sum_k t_k sum_{i=1..order} (1 - p_k)^i / i,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  Trust weight w(p_y) = 1 - (1 - p_y)^order: the probability that at least one
  of `order` independent draws from the prediction is the label. Order 1 is half
  the mean absolute error, order infinity cross entropy.
  Bound: l <= 1 + 1/2 + ... + 1/order. Symmetric only for order 1.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    order: how many terms of the series, an integer of at least 1, known when
      compiling. Each costs two operations an example.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if order is not an integer of at least 1.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = taylor_cross_entropy(logits, labels, order=2)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.126', '1.269']

  References:
    Feng et al., `Can Cross Entropy Loss Be Robust to Label Noise?
    <https://www.ijcai.org/proceedings/2020/305>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.at_least('order', order, 1)
  phi = functools.partial(_taylor, int(order))
  return expectation.over_labels(phi, logits, labels)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _taylor(order, log_prob):
  # Horner's rule. All terms are positive: nothing cancels.
  missing = -jnp.expm1(log_prob)
  total = jnp.zeros_like(missing)
  for term in range(order, 0, -1):
    total = missing * (total + 1 / term)
  return total


@_taylor.defjvp
def _taylor_jvp(order, primals, tangents):
  """Differentiate without keeping every partial sum."""
  trust = _trust(order, primals[0])
  return _taylor(order, primals[0]), -trust * tangents[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _trust(order, log_prob):
  """Return 1 - (1 - p)^order, exact for small p."""
  return -jnp.expm1(order * jnp.log1p(-jnp.exp(log_prob)))


@_trust.defjvp
def _trust_jvp(order, primals, tangents):
  """Differentiate also at p = 1, where autodiff finds 0 * inf."""
  (log_prob,), (tangent,) = primals, tangents
  slope = order * (-jnp.expm1(log_prob)) ** (order - 1)
  return _trust(order, log_prob), slope * jnp.exp(log_prob) * tangent
