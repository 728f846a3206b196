"""Anchor points: examples that surely are of a class show what noise does."""

import math

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.estimation import blocks
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


def anchor_points(
  probs: chex.Array,
  *,
  percentile: float | None = None,
  axis_name: str | None = None,
) -> estimate.Estimate:
  """Row i of T is the prediction at the example that is most like class i.

    T[i, j] = p[a_i, j],  a_i = argmax_n p[n, i]

  With a percentile, examples whose p[n, i] is at that percentile of the column
  or above it are taken for outliers, and a_i is the best of the rest. (The
  percentile is numpy's `higher`.) The paper takes 97 for CIFAR-10 and the plain
  maximum for all others; codes that followed take 97.

  It assumes that each class has an example with P(true i | x) = 1, and that
  the model has not learnt the wrong labels by heart.

  Args:
    probs: predicted P(given | x), floats `[N, K]`; rows sum to 1.
    percentile: in (0, 100], or None for the plain maximum. Where no entry of
      a column is below it, the maximum is taken.
    axis_name: the examples are a shard of this axis, of as many as each other
      shard; the result is that of all.

  Returns:
    The estimate; its prior is the one from which T makes the mean prediction.
    It can tell of each class, also of those that are never given; of equal
    examples it takes the first. Memory: `[N]`, and four `[K, K]`. Jit it, else
    there is a copy of probs; the percentile takes 31 passes over probs (63 in
    float64), but no sort.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  inputs.check_probs(probs)
  probs = jnp.asarray(probs)
  transition = anchor_rows(probs, percentile=percentile, axis_name=axis_name)
  return estimate.from_transition(transition, mean(probs, axis_name))


def anchor_rows(
  probs: chex.Array,
  *,
  percentile: float | None = None,
  axis_name: str | None = None,
) -> chex.Array:
  """The transition matrix of `anchor_points`; see there for the formula.

  Args:
    probs: predicted P(given | x), floats `[N, K]`.
    percentile: as for `anchor_points`.
    axis_name: the examples are a shard of this axis, the result is that of all.

  Returns:
    At least float32, `[K, K]`.

  Raises:
    ValueError: if percentile is not in (0, 100].
  """
  probs = jnp.asarray(probs)
  least = jnp.full(probs.shape[1], jnp.inf, _wide_dtype(probs))
  if percentile is not None:
    _checks.in_range('percentile', percentile, '(0, 100]')
    least = _column_percentile(probs, percentile, axis_name)
    # Where it would leave nothing, it leaves all.
    least = jnp.where(_smallest(probs, axis_name) < least, least, jnp.inf)
  best, chosen = _best_below(probs, least)
  rows = probs[chosen].astype(best.dtype)
  if axis_name is None:
    return rows
  # The first shard that has the best of all gives its row.
  shard = lax.axis_index(axis_name)
  has_best = best == lax.pmax(best, axis_name)
  last = lax.psum(1, axis_name)
  first = lax.pmin(jnp.where(has_best, shard, last), axis_name)
  return lax.psum(jnp.where((first == shard)[:, None], rows, 0), axis_name)


def mean(probs: chex.Array, axis_name: str | None = None) -> chex.Array:
  """The mean row, at least float32 `[K]`, accurate for millions of rows."""
  group = jnp.zeros(len(probs), jnp.int32)
  sums = blocks.class_sums(group, probs, 1)[0]
  return blocks.total(sums, axis_name) / blocks.total(len(probs), axis_name)


def _best_below(probs, least):
  """The largest entry of each column below `least`, and its first row."""

  def of_block(carry, block, fresh):
    best, chosen = carry
    rows, places = block
    rows = rows.astype(best.dtype)
    rows = jnp.where(fresh[:, None] & (rows < least), rows, -1)
    row = jnp.argmax(rows, axis=0)
    value = jnp.max(rows, axis=0)
    better = value > best
    chosen = jnp.where(better, places[row], chosen)
    return (jnp.where(better, value, best), chosen), None

  places = jnp.arange(len(probs))
  init = (jnp.full_like(least, -1), jnp.zeros(len(least), places.dtype))
  block_size = blocks.rows_in_cache(probs.shape[1])
  return blocks.scan(of_block, init, (probs, places), block_size)[0]


def _smallest(probs, axis_name):
  smallest = jnp.min(probs, axis=0).astype(_wide_dtype(probs))
  return smallest if axis_name is None else lax.pmin(smallest, axis_name)


def _column_percentile(probs, percentile, axis_name):
  """The entry of each column that the percentile leaves below or at it.

  It is the largest number that enough entries reach, found bit by bit, so that
  shards need to add up nothing but counts.
  """
  num_rows = blocks.total(len(probs), axis_name)
  enough = num_rows - math.ceil(percentile / 100 * (num_rows - 1))
  dtype = _wide_dtype(probs)
  integer, top = (jnp.int64, 62) if dtype == jnp.float64 else (jnp.int32, 30)
  zeros = jnp.zeros(probs.shape[1], jnp.int32)
  block_size = blocks.rows_in_cache(probs.shape[1])

  def append_bit(k, found):
    tried = found | (jnp.ones((), integer) << (top - k).astype(integer))
    number = lax.bitcast_convert_type(tried, dtype)

    def count(reached, block, fresh):
      reaches = fresh[:, None] & (block.astype(dtype) >= number)
      return reached + jnp.sum(reaches, axis=0, dtype=jnp.int32), None

    reached = blocks.scan(count, zeros, probs, block_size)[0]
    return jnp.where(blocks.total(reached, axis_name) >= enough, tried, found)

  found = jnp.zeros(probs.shape[1], integer)
  found = lax.fori_loop(0, top + 1, append_bit, found)
  return lax.bitcast_convert_type(found, dtype)


def _wide_dtype(probs):
  return jnp.promote_types(probs.dtype, jnp.float32)
