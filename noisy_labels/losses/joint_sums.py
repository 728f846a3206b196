"""Several sums over the classes in one pass.

XLA's CPU compiler makes a loop of each sum, and writes out what more than one
of them reads. One reduction of several arrays reads the logits once and writes
nothing.
"""

from collections.abc import Sequence

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

# The loop adds one number after the other: this many lose no more than 1e-5 of
# their sum in float32, and blocks of them are added pairwise.
_BLOCK = 1024


@jax.custom_jvp
def pair(left: chex.Array, right: chex.Array) -> tuple[chex.Array, chex.Array]:
  """Return the sums of two float arrays over their last axis."""
  total, other = _reduce((left, right))
  return total, other


@pair.defjvp
def _pair_jvp(primals, tangents):
  return pair(*primals), tuple(jnp.sum(array, axis=-1) for array in tangents)


def total_and_count(
  values: chex.Array, mask: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return the sum of the values where mask is true, and their number.

  Over the last axis, both as floats. It has no derivative of its own.
  """
  # Integers, which are added at once where floats wait for each other.
  total, count = _reduce((jnp.where(mask, values, 0), mask.astype(jnp.int32)))
  return total, count.astype(values.dtype)


def _reduce(arrays: Sequence[chex.Array]) -> tuple[chex.Array, ...]:
  size = arrays[0].shape[-1]
  whole = size - size % _BLOCK
  if not whole or size == _BLOCK:
    return _in_order(arrays)
  blocks = [array[..., :whole] for array in arrays]
  shape = (*arrays[0].shape[:-1], whole // _BLOCK, _BLOCK)
  sums = _in_order([array.reshape(shape) for array in blocks])
  sums = tuple(jnp.sum(array, axis=-1, dtype=array.dtype) for array in sums)
  if whole == size:
    return sums
  rest = _in_order([array[..., whole:] for array in arrays])
  return tuple(map(jnp.add, sums, rest))


def _in_order(arrays: Sequence[chex.Array]) -> tuple[chex.Array, ...]:
  return tuple(
    lax.reduce(
      tuple(arrays),
      tuple(np.zeros((), array.dtype) for array in arrays),
      lambda left, right: tuple(map(lax.add, left, right)),
      (arrays[0].ndim - 1,),
    )
  )
