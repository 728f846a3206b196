"""The two nearest neighbours of every example, exactly."""

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.estimation import blocks

_ELEMENTS = 2**22


def two_nearest(
  features: chex.Array,
  *,
  pool: chex.Array | None = None,
  index: chex.Array | None = None,
) -> chex.Array:
  """The two other examples whose features have the smallest angle.

  Args:
    features: floats `[N, dim]`. One of zeros is as far from all as a right
      angle.
    pool: floats `[M, dim]`, where to look; features, if None. For shards: the
      features of all.
    index: the place in the pool of each row of features, integers `[N]`: no
      example is its own neighbour. 0 .. N-1, if None; negative for a row that
      is not in the pool.

  Returns:
    Places in the pool, the nearest first, int32 `[N, 2]`; of equally near ones
    the first. Time in N M dim; memory: a copy of features and pool, and blocks
    of 16 MB, or of one row.

  Raises:
    ValueError: if the shapes do not fit, or the pool has less than 3 examples.
  """
  features = jnp.asarray(features)
  pool = features if pool is None else jnp.asarray(pool)
  if features.ndim != 2 or pool.ndim != 2 or features.shape[1] != pool.shape[1]:
    raise ValueError(
      'features must have shape [N, dim], and pool [M, dim], got '
      f'{features.shape} and {pool.shape}'
    )
  if len(pool) < 3:
    raise ValueError(f'two neighbours need 3 examples, got {len(pool)}')
  if index is None:
    index = jnp.arange(len(features))
  pool = _normalize(pool)

  def of_block(carry, block, fresh):
    del fresh
    rows, own = block
    cosines = jnp.matmul(_normalize(rows), pool.T, precision='highest')
    places = lax.broadcasted_iota(jnp.int32, cosines.shape, 1)
    cosines = jnp.where(places == own[:, None], -jnp.inf, cosines)
    first = jnp.argmax(cosines, axis=1)
    cosines = jnp.where(places == first[:, None], -jnp.inf, cosines)
    second = jnp.argmax(cosines, axis=1)
    return carry, jnp.stack([first, second], axis=1).astype(jnp.int32)

  block_size = max(1, _ELEMENTS // len(pool))
  arrays = (features, jnp.asarray(index))
  return blocks.scan(of_block, (), arrays, block_size)[1]


def _normalize(features):
  wide = features.astype(jnp.promote_types(features.dtype, jnp.float32))
  # First by the largest entry, whose square is a number of the dtype.
  largest = jnp.max(jnp.abs(wide), axis=1, keepdims=True)
  wide = wide / jnp.where(largest > 0, largest, 1)
  length = jnp.sqrt(jnp.sum(wide**2, axis=1, keepdims=True))
  return wide / jnp.where(length > 0, length, 1)
