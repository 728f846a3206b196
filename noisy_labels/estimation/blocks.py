"""Going through examples in blocks: what is made of them is never whole."""

from collections.abc import Callable
from typing import Any

import chex
import jax
from jax import lax
import jax.numpy as jnp

# Of a matrix of examples: small enough for a processor's cache.
_ELEMENTS = 2**18
# Of numpy, where every block costs some calls: in the last cache.
_ELEMENTS_OF_NUMPY = 2**19


def scan(
  function: Callable[..., Any],
  init: Any,
  arrays: Any,
  block_size: int,
) -> tuple[Any, Any]:
  """Run `carry, out = function(carry, block, fresh)` over blocks of rows.

  The arrays are sliced, not padded, so nothing of their size is made. The last
  block overlaps the one before it where block_size does not divide; `fresh`,
  bool `[block_size]`, tells the rows that come for the first time.

  Args:
    function: as above; `block` has the structure of arrays.
    init: the first carry.
    arrays: arrays with a leading axis of N examples, N > 0.
    block_size: rows of a block, at most N are used.

  Returns:
    The last carry, and the outs `[N, ...]` in the order of the rows, if they
    have rows; None if out is None.
  """
  num_rows = len(jax.tree.leaves(arrays)[0])
  size = min(block_size, num_rows)
  num_blocks = -(-num_rows // size)

  def step(carry, block):
    start = jnp.minimum(block * size, num_rows - size)
    fresh = start + jnp.arange(size) >= block * size
    rows = jax.tree.map(
      lambda array: lax.dynamic_slice_in_dim(array, start, size), arrays
    )
    return function(carry, rows, fresh)

  carry, outs = lax.scan(step, init, jnp.arange(num_blocks))
  overlap = num_blocks * size - num_rows

  def join(out):
    whole, last = out[:-1], out[-1, overlap:]
    return jnp.concatenate([whole.reshape(-1, *out.shape[2:]), last])

  return carry, jax.tree.map(join, outs)


def rows_in_cache(num_columns: int) -> int:
  """Return how many rows of a matrix fit a block that is passed through."""
  return max(1, _ELEMENTS // num_columns)


def rows_of_numpy(num_columns: int) -> int:
  """The same, where numpy goes through."""
  return max(1, _ELEMENTS_OF_NUMPY // num_columns)


def class_sums(
  classes: chex.Array, rows: chex.Array, num_classes: int
) -> chex.Array:
  """Sums of rows by class: `sums[k] = sum of rows[n] with classes[n] = k`.

  Within blocks as they come, and over blocks with what rounding lost (Kahan),
  so that float32 is accurate for millions of rows. A class outside 0 ..
  num_classes - 1 is left out.

  Args:
    classes: integers `[N]`.
    rows: floats `[N, ...]`.
    num_classes: the number of sums.

  Returns:
    `[num_classes, ...]`, at least float32. It takes memory for three of
    these, and for num_classes rows, or 1024 if that is more.
  """
  # So many rows at a time that adding a block's sums costs less than its rows.
  block_size = max(1024, num_classes)
  dtype = jnp.promote_types(rows.dtype, jnp.float32)
  zeros = jnp.zeros((num_classes, *rows.shape[1:]), dtype)

  def add(carry, block, fresh):
    sums, excess = carry
    where, values = block
    where = jnp.where(fresh & (where >= 0), where, num_classes)
    new = zeros.at[where].add(values.astype(dtype), mode='drop') - excess
    total = sums + new
    return (total, (total - sums) - new), None

  return scan(add, (zeros, zeros), (classes, rows), block_size)[0][0]


def pair_counts(
  first: chex.Array,
  second: chex.Array,
  num_classes: int,
  weights: chex.Array | None = None,
) -> chex.Array:
  """Exact counts of pairs: `counts[i, j]` examples with first i, second j.

  Args:
    first: integers `[N]`; an example outside 0 .. num_classes - 1 is left out.
    second: integers `[N]`, likewise.
    num_classes: the number of classes.
    weights: how often each example counts, integers `[N]`; once, if None.

  Returns:
    int32 `[num_classes, num_classes]`, which nothing else of its size is made
    for.
  """
  valid = (first >= 0) & (second >= 0)
  ones = jnp.ones(first.shape, jnp.int32) if weights is None else weights
  counts = jnp.zeros((num_classes, num_classes), jnp.int32)
  first = jnp.where(valid, first, num_classes)
  return counts.at[first, second].add(ones.astype(jnp.int32), mode='drop')


def class_counts(
  classes: chex.Array, num_classes: int, weights: chex.Array | None = None
) -> chex.Array:
  """Exact counts of the classes, int32 `[num_classes]`; see pair_counts."""
  ones = jnp.ones(classes.shape, jnp.int32) if weights is None else weights
  where = jnp.where(classes >= 0, classes, num_classes)
  counts = jnp.zeros(num_classes, jnp.int32)
  return counts.at[where].add(ones.astype(jnp.int32), mode='drop')


def total(tree: Any, axis_name: str | None) -> Any:
  """Add over the shards of an axis, if there is one."""
  return tree if axis_name is None else lax.psum(tree, axis_name)
