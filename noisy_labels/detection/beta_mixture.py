"""Two beta distributions in one: for losses, which have a skew."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
from jax.scipy import special

# Of a value: no component knows less of it. As in the official code.
_LEAST_DENSITY = 1e-12
_LEAST_VARIANCE = 1e-8
_TINY = 1e-30
# Of a mean, where a component has no values.
_EDGE = 1e-4
# Where a posterior is looked at to find its peak. As in the official code.
_GRID = 100


class BetaMixture(NamedTuple):
  """A mixture of two, that of smaller mean first.

  Attributes:
    weights: the components' shares of the values, float `[2]`.
    alphas: of x^(alpha - 1) (1 - x)^(beta - 1), `[2]`.
    betas: `[2]`.
  """

  weights: chex.Array
  alphas: chex.Array
  betas: chex.Array


def fit(
  values: chex.Array,
  mask: chex.Array,
  *,
  num_steps: int,
  total: Callable[[Any], Any],
) -> BetaMixture:
  """Fit a mixture of two beta distributions by EM with weighted moments.

    r[n, k] = w_k B(x_n; a_k, b_k) / sum_j w_j B(x_n; a_j, b_j)
    w_k <- mean_n r[n, k],  m and v the mean and variance under r[n, k]
    a_k <- m (m (1 - m) / v - 1),  b_k <- a_k (1 - m) / m

  from B(1, 2) and B(2, 1) with even weights. With moments in place of the
  maximum it is no EM, and the likelihood may decrease.

  Args:
    values: floats `[N]`, at least float32, in (0, 1).
    mask: which count, bool `[N]`.
    num_steps: how many steps to take.
    total: adds a pytree over all devices.

  Returns:
    The mixture.
  """
  dtype = values.dtype

  def step(mixture, _):
    joint = jnp.maximum(_log_joint(values, mixture), jnp.log(_LEAST_DENSITY))
    shares = jnp.where(mask, jax.nn.softmax(joint, axis=0), 0)
    sizes, sums = total((shares.sum(1), (shares * values).sum(1)))
    sizes = sizes + _TINY
    means = jnp.clip(sums / sizes, _EDGE, 1 - _EDGE)
    squares = total((shares * (values - means[:, None]) ** 2).sum(1))
    variances = jnp.maximum(squares / sizes, _LEAST_VARIANCE)
    alphas = means * (means * (1 - means) / variances - 1)
    betas = alphas * (1 - means) / means
    return BetaMixture(sizes / jnp.sum(sizes), alphas, betas), None

  start = BetaMixture(
    jnp.array([0.5, 0.5], dtype),
    jnp.array([1, 2], dtype),
    jnp.array([2, 1], dtype),
  )
  mixture, _ = lax.scan(step, start, None, length=num_steps)
  order = jnp.argsort(mixture.alphas / (mixture.alphas + mixture.betas))
  return jax.tree.map(lambda leaf: leaf[order], mixture)


def upper_posterior(values: chex.Array, mixture: BetaMixture) -> chex.Array:
  """The probability of the component of larger mean, `[N]`.

  Beyond its largest value it does not fall again, as it else would where that
  component ends before the other does.
  """

  def posterior(values):
    return jax.nn.softmax(_log_joint(values, mixture), axis=0)[1]

  grid = (jnp.arange(_GRID, dtype=values.dtype) + 0.5) / _GRID
  on_grid = posterior(grid)
  peak = jnp.argmax(on_grid)
  late = values >= grid[peak]
  return jnp.where(late, jnp.max(on_grid), posterior(values))


def _log_joint(values, mixture):
  """Log w_k B(x_n; a_k, b_k), `[2, N]`."""
  weights, alphas, betas = (leaf[:, None] for leaf in mixture)
  density = (alphas - 1) * jnp.log(values) + (betas - 1) * jnp.log1p(-values)
  return jnp.log(weights) + density - special.betaln(alphas, betas)
