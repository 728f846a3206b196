"""The nearest neighbours of every example, exactly."""

from typing import NamedTuple

import chex
from jax import lax
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks
from noisy_labels.estimation import blocks

_ELEMENTS = 2**22


class Neighbors(NamedTuple):
  """The nearest first.

  Attributes:
    places: in the pool, int32 `[N, k]`.
    cosines: of the angles to them, floats `[N, k]`.
  """

  places: chex.Array
  cosines: chex.Array


def nearest(
  features: chex.Array,
  *,
  k: int,
  pool: chex.Array | None = None,
  index: chex.Array | None = None,
  groups: chex.Array | None = None,
  pool_groups: chex.Array | None = None,
) -> Neighbors:
  """The k other examples whose features have the smallest angle.

    cos(x_n, x_m) = <x_n, x_m> / (|x_n| |x_m|), the k largest over m != n

  Args:
    features: floats `[N, dim]`. One of zeros is as far from all as a right
      angle.
    k: how many, at least 1.
    pool: floats `[M, dim]`, where to look; features, if None. For shards: the
      features of all.
    index: the place in the pool of each row of features, integers `[N]`: no
      example is its own neighbour. 0 .. N-1, if None; negative for a row that
      is not in the pool.
    groups: integers `[N]`; if they are given, only examples of other groups
      are neighbours.
    pool_groups: those of the pool, `[M]`; groups, if None.

  Returns:
    The neighbours; of equally near ones the first. Cosines are -inf where
    there are less than k of other groups. Time in N M dim; memory: a
    copy of features and pool, and blocks of 16 MB, or of one row.

  Raises:
    ValueError: if the shapes do not fit, or the pool has no k others.
  """
  _checks.at_least('k', k, 1)
  features = jnp.asarray(features)
  pool = features if pool is None else jnp.asarray(pool)
  if features.ndim != 2 or pool.ndim != 2 or features.shape[1] != pool.shape[1]:
    raise ValueError(
      'features must have shape [N, dim], and pool [M, dim], got '
      f'{features.shape} and {pool.shape}'
    )
  if len(pool) <= k:
    raise ValueError(f'{k} neighbours need {k + 1} examples, got {len(pool)}')
  if index is None:
    index = jnp.arange(len(features))
  if pool_groups is None:
    pool_groups = groups
  for name, values, number in (
    ('index', index, len(features)),
    ('groups', groups, len(features)),
    ('pool_groups', pool_groups, len(pool)),
  ):
    if values is not None and np.shape(values) != (number,):
      raise ValueError(
        f'{name} must have shape [{number}], got {np.shape(values)}'
      )
  pool = normalize(pool)

  def of_block(carry, block, fresh):
    del fresh
    rows, own, group = block
    cosines = jnp.matmul(normalize(rows), pool.T, precision='highest')
    places = lax.broadcasted_iota(jnp.int32, cosines.shape, 1)
    excluded = places == own[:, None]
    if group is not None:
      excluded |= jnp.asarray(pool_groups) == group[:, None]
    cosines = jnp.where(excluded, -jnp.inf, cosines)
    cosines, places = lax.top_k(cosines, k)
    return carry, Neighbors(places.astype(jnp.int32), cosines)

  block_size = max(1, _ELEMENTS // len(pool))
  groups = None if groups is None else jnp.asarray(groups)
  arrays = (features, jnp.asarray(index), groups)
  return blocks.scan(of_block, (), arrays, block_size)[1]


def two_nearest(
  features: chex.Array,
  *,
  pool: chex.Array | None = None,
  index: chex.Array | None = None,
) -> chex.Array:
  """The places of the two nearest others by the angle, as `hoc` takes them.

  Args:
    features: floats `[N, dim]`.
    pool: where to look, as for `nearest`.
    index: of each row in the pool, as for `nearest`.

  Returns:
    int32 `[N, 2]`, the nearest first.

  Raises:
    ValueError: if the shapes do not fit, or the pool has no two others.
  """
  return nearest(features, k=2, pool=pool, index=index).places


def normalize(features: chex.Array) -> chex.Array:
  """Rows of length 1, at least float32; those of zeros stay."""
  wide = features.astype(jnp.promote_types(features.dtype, jnp.float32))
  # First by the largest entry, whose square is a number of the dtype.
  largest = jnp.max(jnp.abs(wide), axis=1, keepdims=True)
  wide = wide / jnp.where(largest > 0, largest, 1)
  length = jnp.sqrt(jnp.sum(wide**2, axis=1, keepdims=True))
  return wide / jnp.where(length > 0, length, 1)
