"""The power that stands between the logarithm and the identity.

Box and Cox's log_q p = (p^q - 1) / q is log p at q = 0 and p - 1 at q = 1: the
bridge on which most robust losses walk from cross entropy to mean absolute
error. It is computed from log p, so that p itself may underflow.
"""

import math

import chex
import jax
from jax import custom_derivatives
import jax.numpy as jnp
import numpy as np


@jax.custom_jvp
def box_cox(log_p: chex.Array, q: chex.Array) -> chex.Array:
  """Return (p^q - 1) / q, and log p where q is 0, elementwise.

  Exact to rounding for any log p, -inf and positive ones included, and
  differentiable by both arguments, also at q = 0.
  """
  is_log = q == 0
  q = jnp.where(is_log, 1, q)
  return jnp.where(is_log, log_p, jnp.expm1(q * log_p) / q)


def _box_cox_jvp(primals, tangents):
  log_p, q = primals
  by_log_p, by_q = tangents
  value = box_cox(log_p, q)
  # Where p is 0, any large number does for its logarithm: p^q is 0 as well.
  log_p = jnp.maximum(log_p, -1 / jnp.sqrt(jnp.finfo(log_p.dtype).tiny))
  tangent = jnp.zeros_like(log_p + q)
  if not isinstance(by_log_p, custom_derivatives.SymbolicZero):
    tangent += jnp.exp(q * log_p) * by_log_p
  if not isinstance(by_q, custom_derivatives.SymbolicZero):
    tangent += _slope_by_q(log_p, q) * by_q
  return value, tangent


# q is a constant more often than not, and its derivative costs more than all
# the rest.
box_cox.defjvp(_box_cox_jvp, symbolic_zeros=True)

# (x e^x - e^x + 1) / x^2 is the sum of these times x^k.
_SERIES = [(k + 1) / math.factorial(k + 2) for k in range(11)]


def _slope_by_q(log_p, q):
  """Return d box_cox / dq = (log p p^q - box_cox) / q.

  The two terms cancel when q log p is small: there, log^2 p times a series.
  """
  x = q * log_p
  small = abs(x) < 0.1
  series = jnp.polyval(np.array(_SERIES[::-1], x.dtype), jnp.where(small, x, 0))
  safe = jnp.where(small, 1, q)
  power = jnp.exp(safe * log_p)
  far = (log_p * power - box_cox(log_p, safe)) / safe
  return jnp.where(small, log_p * log_p * series, far)
