"""Examples that are there twice, with two labels: one of them is wrong."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.detection import neighbourhood
from noisy_labels.estimation import inputs
from noisy_labels.estimation import neighbors


class Duplicates(NamedTuple):
  """Of each example the nearest one that has another label.

  Attributes:
    conflicting: whether it is a duplicate, bool `[N]`.
    partner: its place, int32 `[N]`; -1 where there is no duplicate.
    distance: to it, between features of length 1, floats `[N]` in [0, 2]; 2
      where no example has another label.
  """

  conflicting: chex.Array
  partner: chex.Array
  distance: chex.Array


def conflicting_duplicates(
  features: chex.Array,
  labels: chex.Array,
  *,
  tolerance: float = 1e-3,
  pool: chex.Array | None = None,
  pool_labels: chex.Array | None = None,
  index: chex.Array | None = None,
) -> Duplicates:
  """Find examples with the features of one that has another label.

    d_n = min over m != n with y_m != y_n of |x_n / |x_n| - x_m / |x_m||
    conflicting_n = d_n <= tolerance

  Whatever a classifier thinks of them, two labels cannot both be right. Which
  one is wrong it does not say.

  Args:
    features: floats `[N, dim]`, finite; lengths do not matter. Embeddings, or
      the pixels themselves.
    labels: given classes, integers `[N]`, not negative.
    tolerance: up to which distance two examples are the same, in [0, 2].
    pool: features to look in, `[M, dim]`, if not the same: for shards, those of
      all.
    pool_labels: their labels, integers `[M]`.
    index: the place in the pool of each row of features, integers `[N]`,
      negative for one that is not there; 0 .. N-1 if None.

  Returns:
    What was found; both of a pair are conflicting. Partners are places in the
    pool. Time in N M dim; memory: a copy of features and pool, and blocks of
    16 MB.

  Raises:
    ValueError: if an argument is not as described.
  """
  _checks.in_range('tolerance', tolerance, '[0, 2]')
  neighbourhood.check(features, pool)
  inputs.check_labels('labels', labels, len(features))
  neighbourhood.check_pool_labels(pool, pool_labels)
  features, labels = jnp.asarray(features), jnp.asarray(labels)
  found = neighbors.nearest(
    features,
    k=1,
    pool=pool,
    index=index,
    groups=labels,
    pool_groups=pool_labels,
  )
  place = found.places[:, 0]
  exists = found.cosines[:, 0] > -jnp.inf
  others = features if pool is None else jnp.asarray(pool)
  distance = neighbourhood.distances(features, others[place])
  distance = jnp.where(exists, distance, 2)
  conflicting = exists & (distance <= tolerance)
  return Duplicates(conflicting, jnp.where(conflicting, place, -1), distance)
