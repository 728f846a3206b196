"""The class of which a prediction is confident."""

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.estimation import blocks

# So that a class whose members are all equally confident keeps them.
MARGIN = 1e-6


def guess(probs: chex.Array, thresholds: chex.Array) -> chex.Array:
  """The only class above its threshold, or of several the most probable class.

  The most probable of all, as in cleanlab, not of the confident ones, as in the
  paper: they differ if a class that is more probable has a threshold that is
  higher still. Of equally probable classes it is the first.

  Args:
    probs: floats `[N, K]`, not negative.
    thresholds: floats `[K]`, positive.

  Returns:
    int32 `[N]`; -1 where no class reaches its threshold less 1e-6. Memory: a
    few MB, whatever N.
  """
  dtype = jnp.promote_types(probs.dtype, jnp.float32)
  lowest = _bits(thresholds.astype(dtype) - jnp.asarray(MARGIN, dtype))

  def of_block(carry, block, fresh):
    del fresh
    return carry, _guess(_bits(block.astype(dtype)), lowest)

  block_size = blocks.rows_in_cache(probs.shape[1])
  return blocks.scan(of_block, (), probs, block_size)[1]


def _guess(bits, lowest):
  """Three sums in one pass; integers, since their order is free to choose."""
  num_classes = bits.shape[1]
  confident = bits >= lowest
  classes = lax.broadcasted_iota(jnp.int32, bits.shape, 1)

  def combine(one, other):
    return (
      one[0] + other[0],
      jnp.minimum(one[1], other[1]),
      jnp.maximum(one[2], other[2]),
    )

  count, first, largest = lax.reduce(
    (
      confident.astype(jnp.int32),
      jnp.where(confident, classes, num_classes),
      bits,
    ),
    (jnp.int32(0), jnp.int32(num_classes), jnp.zeros((), bits.dtype)),
    combine,
    (1,),
  )
  top = jnp.where(bits == largest[:, None], classes, num_classes).min(axis=1)
  return jnp.where(count == 0, -1, jnp.where(count == 1, first, top))


def _bits(numbers):
  """Integers in the order of floats that are not negative."""
  integer = jnp.int64 if numbers.dtype == jnp.float64 else jnp.int32
  return lax.bitcast_convert_type(numbers, integer)
