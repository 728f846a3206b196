"""Sums over the classes in a form that costs a CPU little.

XLA's CPU compiler makes a loop of each sum, and writes out what more than one
of them reads. One reduction of several arrays reads the logits once and writes
nothing. Of an array that is there already, a product with ones is the sum that
is quickest: it takes the rows of few classes several at a time.
"""

from collections.abc import Callable
from collections.abc import Sequence

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

# The loop adds one number after the other: this many lose no more than 1e-5 of
# their sum in float32, and blocks of them are added pairwise.
_BLOCK = 1024


def total(array: chex.Array, dtype: chex.ArrayDType) -> chex.Array:
  """Return the sum over the last axis, of an array that need not be made.

  In a dtype at least as wide as the array's.
  """
  if array.dtype != dtype:
    # One loop, unless others read the wide array too, which is then written.
    return jnp.sum(lax.optimization_barrier(array), axis=-1, dtype=dtype)
  (result,) = _in_blocks((array,), _by_product)
  return result


@jax.custom_jvp
def pair(left: chex.Array, right: chex.Array) -> tuple[chex.Array, chex.Array]:
  """Return the sums of two float arrays over their last axis."""
  one, other = _in_blocks((left, right), _in_order)
  return one, other


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
  masked = jnp.where(mask, values, 0)
  result, count = _in_blocks((masked, mask.astype(jnp.int32)), _in_order)
  return result, count.astype(values.dtype)


def _in_blocks(
  arrays: Sequence[chex.Array],
  reduce: Callable[[Sequence[chex.Array]], tuple[chex.Array, ...]],
) -> tuple[chex.Array, ...]:
  size = arrays[0].shape[-1]
  whole = size - size % _BLOCK
  if not whole or size == _BLOCK:
    return reduce(arrays)
  blocks = [array[..., :whole] for array in arrays]
  shape = (*arrays[0].shape[:-1], whole // _BLOCK, _BLOCK)
  sums = reduce([array.reshape(shape) for array in blocks])
  sums = tuple(jnp.sum(array, axis=-1, dtype=array.dtype) for array in sums)
  if whole == size:
    return sums
  rest = reduce([array[..., whole:] for array in arrays])
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


def _by_product(arrays: Sequence[chex.Array]) -> tuple[chex.Array, ...]:
  ones = np.ones(arrays[0].shape[-1], arrays[0].dtype)
  # Else accelerators would round the factors to 16 bits.
  precision = lax.Precision.HIGHEST
  return tuple(jnp.matmul(array, ones, precision=precision) for array in arrays)
