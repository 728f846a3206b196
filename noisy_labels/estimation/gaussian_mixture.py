"""Two normal distributions in one: small losses and large ones."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks

# Enough for the split between two groups to come to rest.
_SPLIT_STEPS = 30
# Of an example: what keeps a component defined that has none.
_TINY = 1e-30


class GaussianMixture(NamedTuple):
  """A mixture of two, that of smaller mean first.

  Attributes:
    weights: the components' shares of the values, float `[..., 2]`.
    means: `[..., 2]`.
    variances: `[..., 2]`.
  """

  weights: chex.Array
  means: chex.Array
  variances: chex.Array


def identity(tree: Any) -> Any:
  """The sum over one device."""
  return tree


def gaussian_mixture(
  values: chex.Array,
  mask: chex.Array | None = None,
  *,
  num_steps: int = 100,
  tolerance: float = 0.0,
  least_variance: float = 1e-6,
  total: Callable[[Any], Any] = identity,
) -> GaussianMixture:
  """Fit a mixture of two normal distributions by EM.

    r[n, k] = w_k N(x_n; m_k, v_k) / sum_j w_j N(x_n; m_j, v_j)
    w_k <- mean_n r[n, k],  m_k <- sum_n r[n, k] x_n / sum_n r[n, k]
    v_k <- sum_n r[n, k] (x_n - m_k)^2 / sum_n r[n, k] + least_variance

  It starts from the two halves that 2-means makes of the values, and these from
  the two sides of the mean: nothing is drawn. But for its start, the result is
  that of scikit-learn's `GaussianMixture(2)`.

  Of the losses of single examples, the component of smaller mean is that of the
  right labels, and the other's weight is an estimate of the rate of wrong ones.

  Args:
    values: floats `[..., N]`; leading axes are mixtures of their own.
    mask: 0 for values that do not count, `[N]` or `[..., N]`; None if all do.
    num_steps: how many steps to take, at least 1.
    tolerance: a step by which the mean log-likelihood changes by less is the
      last, in [0, inf).
    least_variance: added to each variance, in (0, inf): one value alone would
      else be a component. In the square of the values' unit.
    total: adds a pytree over all devices, if the values are a shard.

  Returns:
    The mixture of the values of all devices, at least float32. Values that are
    all equal are of the first component. Jit it.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Dempster et al., `Maximum Likelihood from Incomplete Data via the EM
    Algorithm <https://doi.org/10.1111/j.2517-6161.1977.tb01600.x>`_, 1977
  """
  _checks.at_least('num_steps', num_steps, 1)
  _checks.in_range('tolerance', tolerance, '[0, inf)')
  _checks.in_range('least_variance', least_variance, '(0, inf)')
  values = jnp.asarray(values)
  values = values.astype(jnp.promote_types(values.dtype, jnp.float32))
  real = jnp.ones_like(values, bool) if mask is None else mask > 0
  values = jnp.where(real, values, 0)
  real = jnp.broadcast_to(real, values.shape)
  number = jnp.maximum(total(_sum(real.astype(values.dtype))), 1)

  def fit(shares, means):
    shares = jnp.where(real[..., None, :], shares, 0)
    return _fit(values, shares, means, number, least_variance, total)

  def step(state, _):
    mixture, last, done = state
    joint = _log_joint(values, mixture)
    log_density = jax.nn.logsumexp(joint, axis=-2)
    likelihood = total(_sum(jnp.where(real, log_density, 0))) / number
    new = fit(jnp.exp(joint - log_density[..., None, :]), mixture.means)
    mixture = jax.tree.map(
      lambda old, new: jnp.where(done[..., None], old, new), mixture, new
    )
    done |= jnp.abs(likelihood - last) < tolerance
    return (mixture, likelihood, done), None

  middle = total(_sum(values)) / number
  means = jnp.stack([middle, middle], axis=-1)
  means, _ = lax.scan(
    lambda means, _: (fit(_sides(values, means), means).means, None),
    means,
    None,
    length=_SPLIT_STEPS,
  )
  start = fit(_sides(values, means), means)
  unknown = jnp.full_like(number, -jnp.inf)
  state = (start, unknown, jnp.zeros(number.shape, bool))
  (mixture, _, _), _ = lax.scan(step, state, None, length=num_steps)
  order = jnp.argsort(mixture.means, axis=-1)
  return jax.tree.map(
    lambda leaf: jnp.take_along_axis(leaf, order, axis=-1), mixture
  )


def lower_posterior(values: chex.Array, mixture: GaussianMixture) -> chex.Array:
  """The probability that a value is of the component of smaller mean.

    r[n, 1] = w_1 N(x_n; m_1, v_1) / sum_j w_j N(x_n; m_j, v_j)

  Args:
    values: floats `[..., N]`.
    mixture: of `gaussian_mixture`, with the same leading axes.

  Returns:
    Floats `[..., N]`. It need not fall with the value: far below both means,
    the component of larger variance is the more probable.

  References:
    Li et al., `DivideMix: Learning with Noisy Labels as Semi-supervised
    Learning <https://arxiv.org/abs/2002.07394>`_, 2020
  """
  joint = _log_joint(jnp.asarray(values), mixture)
  return jax.nn.softmax(joint, axis=-2)[..., 0, :]


def _log_joint(values, mixture):
  """Log w_k N(x_n; m_k, v_k), `[..., 2, N]`."""
  weights, means, variances = (leaf[..., None] for leaf in mixture)
  distance = (values[..., None, :] - means) ** 2 / variances
  return jnp.log(weights) - (jnp.log(2 * jnp.pi * variances) + distance) / 2


def _sides(values, means):
  """Which of two means is nearer; of two equal ones, the first up to it."""
  boundary = jnp.mean(means, axis=-1, keepdims=True)
  upper = values > boundary
  return jnp.stack([~upper, upper], axis=-2).astype(values.dtype)


def _fit(values, shares, means, number, least_variance, total):
  """The mixture whose components have these shares of the values."""
  sizes, sums = total((_sum(shares), _sum(shares * values[..., None, :])))
  sizes = sizes + _TINY
  means = (sums + _TINY * means) / sizes
  squares = shares * (values[..., None, :] - means[..., None]) ** 2
  variances = total(_sum(squares)) / sizes + least_variance
  weights = sizes / jnp.sum(sizes, axis=-1, keepdims=True)
  return GaussianMixture(weights, means, variances)


def _sum(values):
  return jnp.sum(values, axis=-1)
