"""How far an estimate would move with other examples of the same kind."""

from collections.abc import Callable
import math
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks


class Interval(NamedTuple):
  """Ends of an interval, each of the structure of what was estimated."""

  lower: Any
  upper: Any


def bootstrap(
  function: Callable[[chex.Array], Any],
  num_examples: int,
  *,
  key: chex.PRNGKey,
  num_resamples: int = 200,
  level: float = 0.95,
) -> Interval:
  """Percentile interval of any estimate, by resampling examples.

  In each resample every example counts w times, w drawn from the Poisson
  distribution of mean 1: drawing N of N examples with replacement, but for the
  number that comes out, and each example for itself. So nothing is copied but
  the weights, and a shard can draw those of its own examples: give every shard
  a key of its own, and add up in `function`.

  It tells of the chance in the examples, not of what an estimator assumes in
  vain, nor of the chance in training the model; `widen` by the bias of
  `simulated_bias` adds what the model's errors do. Anchor points are extremes,
  of which resampling tells nothing.

  Args:
    function: from weights, int32 `[num_examples]`, to any structure of
      arrays, for example
      `lambda weights: confident_joint(labels, probs, weights=weights)`.
    num_examples: N.
    key: a key of `jax.random`.
    num_resamples: R, at least 2.
    level: the probability that the interval should cover, in (0, 1).

  Returns:
    The interval of each entry; for an `Estimate`, of transition, prior and
    rate. Memory: R times what function returns; let it return the rate alone
    where `[K, K]` is large.

  Raises:
    ValueError: if a number is out of range.

  Examples:
    >>> wrong = jnp.arange(1000) < 300
    >>> interval = bootstrap(
    ...   lambda weights: jnp.sum(weights * wrong) / jnp.sum(weights),
    ...   1000,
    ...   key=jax.random.key(0),
    ... )
    >>> bool(interval.lower < 0.3 < interval.upper)
    True

  References:
    Efron, `Bootstrap Methods: Another Look at the Jackknife
    <https://doi.org/10.1214/aos/1176344552>`_, 1979
  """
  _checks.at_least('num_examples', num_examples, 1)
  _checks.at_least('num_resamples', num_resamples, 2)
  _checks.in_range('level', level, '(0, 1)')

  def resample(key):
    return function(poisson_weights(key, num_examples))

  resampled = lax.map(resample, jax.random.split(key, num_resamples))

  def end(quantile):
    return jax.tree.map(
      lambda values: jnp.quantile(values, quantile, axis=0), resampled
    )

  return Interval(end((1 - level) / 2), end((1 + level) / 2))


def widen(interval: Interval, bias: Any) -> Interval:
  """Moves both ends outwards by the absolute value of a bias.

    [lower - |b|, upper + |b|]

  which covers where the error of an estimate is chance, and a bias that is
  about as large as b; not moved by b, as the sign of a bias is less certain
  than its size.

  Args:
    interval: ends of any structure.
    bias: b, of the same structure.

  Returns:
    The interval.
  """
  size = jax.tree.map(jnp.abs, bias)
  return Interval(
    jax.tree.map(jnp.subtract, interval.lower, size),
    jax.tree.map(jnp.add, interval.upper, size),
  )


def poisson_weights(key: chex.PRNGKey, num_examples: int) -> chex.Array:
  """Numbers from the Poisson distribution of mean 1, int32 `[num_examples]`."""
  terms = [math.exp(-1) / math.factorial(k) for k in range(12)]
  cumulative = jnp.asarray(np.cumsum(terms), jnp.float32)
  uniform = jax.random.uniform(key, (num_examples,))
  return jnp.searchsorted(cumulative, uniform, side='right').astype(jnp.int32)
