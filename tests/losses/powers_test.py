"""The power between logarithm and identity, against arbitrary precision."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from noisy_labels.losses import powers

LOG_P = np.array([0.0, -1e-12, -1e-3, -0.3, -7.0, -90.0, -2e4, 1.5])
Q = (0.0, 1e-12, 1e-5, 0.1, 0.7, 1.0, 3.0)


def exact(order, log_p, q):
  """The derivative of log_q p by q, sum_k x^(k+1) q^k / (k+1)!."""
  with mpmath.workdps(60):
    x, q = mpmath.mpf(float(log_p)), mpmath.mpf(q)
    if abs(q * x) < 1e-3:
      total = mpmath.nsum(
        lambda k: x ** (k + 1) * q ** (k - order) / mpmath.factorial(k + 1)
        * mpmath.ff(k, order),
        [order, order + 12],
      )  # fmt: skip
      return float(total)
    return float(mpmath.diff(lambda q: mpmath.expm1(q * x) / q, q, order))


@pytest.mark.parametrize('q', Q)
@pytest.mark.parametrize('order', [0, 1, 2])
def test_values_and_derivatives_by_q(q, order):
  with jax.enable_x64(True):
    function = functools.reduce(
      lambda function, _: jax.grad(function, 1), range(order), powers.box_cox
    )
    got = jax.jit(jax.vmap(function, (0, None)))(
      jnp.asarray(LOG_P), jnp.asarray(q)
    )
  want = [exact(order, log_p, q) for log_p in LOG_P]
  np.testing.assert_allclose(got, want, rtol=(1e-14, 1e-12, 1e-9)[order])


@pytest.mark.parametrize('q', [1e-6, 0.01, 0.7])
def test_derivative_by_q_in_float32(q):
  log_p = jnp.asarray(LOG_P, jnp.float32)
  by_q = jax.jit(jax.vmap(jax.grad(powers.box_cox, 1), (0, None)))
  got = by_q(log_p, jnp.float32(q))
  want = [exact(1, value, float(jnp.float32(q))) for value in log_p]
  np.testing.assert_allclose(got, want, rtol=2e-5)


def test_derivatives_where_p_is_zero():
  log_p, q = jnp.float32(-jnp.inf), jnp.float32(0.5)
  assert powers.box_cox(log_p, q) == -2
  by_both = jax.jit(jax.grad(powers.box_cox, (0, 1)))
  np.testing.assert_allclose(by_both(log_p, q), (0, 4))
  second = jax.jit(jax.jacrev(by_both, (0, 1)))(log_p, q)
  np.testing.assert_allclose(second, ((0, 0), (0, -16)), rtol=1e-6)
