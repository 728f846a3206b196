"""Scaling columns of counts to given sums, in whole numbers and exactly."""

import chex
from jax import lax
import jax.numpy as jnp
import numpy as np

_BITS = 31


def scale_columns(counts: chex.Array, sums: chex.Array) -> chex.Array:
  """Scale and round columns of counts, so that they have the given sums.

    x = C[i, j] n_j / s_j,  s_j = sum_i C[i, j]

  is rounded down, and the fractions that are largest are rounded up instead,
  as many as the sum n_j asks for; of equal fractions the last ones. In exact
  arithmetic this is how cleanlab rounds.

  Args:
    counts: C, integers `[K, K]`, not negative; no column is all zero.
    sums: n, integers `[K]`, not negative and below 2^31, as are the s_j.

  Returns:
    Integers `[K, K]`. Memory: of jax arrays three more `[K, K]`; of numpy
    arrays what is not zero.
  """
  if isinstance(counts, np.ndarray):
    return _scale_on_host(counts, sums)
  totals = jnp.sum(counts, axis=0)
  quotients, remainders = _multiply_divide(counts, sums, totals)
  missing = sums - jnp.sum(quotients, axis=0)
  return quotients + _largest(remainders, missing)


def _multiply_divide(counts, factors, divisors):
  """`divmod(counts * factors, divisors)` by long division.

  The products have 62 bits, and jax has 32 unless told otherwise. With counts
  <= divisors < 2^31 nothing here has more than 32.
  """
  counts, factors, divisors = (
    array.astype(jnp.uint32) for array in (counts, factors, divisors)
  )

  def reduce(quotient, remainder):
    over = remainder >= divisors
    remainder = remainder - jnp.where(over, divisors, 0)
    return quotient + over.astype(jnp.uint32), remainder

  def append_bit(k, state):
    quotient, remainder = reduce(2 * state[0], 2 * state[1])
    bit = (factors >> (_BITS - 1 - k).astype(jnp.uint32)) & 1
    return reduce(quotient, remainder + bit * counts)

  zeros = jnp.zeros_like(counts)
  start = _first_bit(factors)
  quotient, remainder = lax.fori_loop(start, _BITS, append_bit, (zeros, zeros))
  return quotient.astype(jnp.int32), remainder.astype(jnp.int32)


def _largest(numbers, how_many):
  """1 at so many of the largest numbers of each column, int32 `[K, K]`."""

  def append_bit(k, smallest):
    tried = smallest | (1 << (_BITS - 1 - k)).astype(jnp.int32)
    enough = jnp.sum(numbers >= tried, axis=0) >= how_many
    return jnp.where(enough, tried, smallest)

  smallest = jnp.zeros_like(how_many)
  start = _first_bit(numbers)
  smallest = lax.fori_loop(start, _BITS, append_bit, smallest)
  above = numbers > smallest
  equal = numbers == smallest
  left = how_many - jnp.sum(above, axis=0)
  place = lax.cumsum(equal.astype(jnp.int32), axis=0, reverse=True)
  return (above | (equal & (place <= left))).astype(jnp.int32)


def _first_bit(numbers):
  """Which of 31 bits, the highest first, is the first that any number has."""
  return lax.clz(jnp.max(numbers)).astype(jnp.int32) - 1


def scale_entries(
  rows: np.ndarray, columns: np.ndarray, counts: np.ndarray, sums: np.ndarray
) -> np.ndarray:
  """`scale_columns` of the entries that are not zero, by numpy.

  Args:
    rows: of the entries, integers `[M]`.
    columns: likewise.
    counts: the entries, integers `[M]`, positive.
    sums: of the columns, integers `[K]`.

  Returns:
    int64 `[M]`.
  """
  num_columns = len(sums)
  totals = np.bincount(columns, counts, num_columns).astype(np.int64)
  products = counts.astype(np.int64) * sums[columns]
  quotients, remainders = np.divmod(products, totals[columns])
  given = np.bincount(columns, quotients, num_columns).astype(np.int64)
  missing = sums - given
  order = np.lexsort((-rows, -remainders, columns))
  starts = np.searchsorted(columns[order], np.arange(num_columns))
  place = np.arange(len(order)) - starts[columns[order]]
  quotients[order] += place < missing[columns[order]]
  return quotients


def _scale_on_host(counts, sums):
  rows, columns = np.nonzero(counts)
  scaled = np.zeros(counts.shape, np.int64)
  scaled[rows, columns] = scale_entries(
    rows, columns, counts[rows, columns], sums
  )
  return scaled
