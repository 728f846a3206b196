"""One pass over predictions, in blocks of rows, with what a score needs."""

from collections.abc import Callable
from typing import Any

import chex
import jax.numpy as jnp

from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_sums
from noisy_labels.estimation import inputs


def check(labels: chex.Array, probs: chex.Array) -> None:
  """Raise ValueError unless probs are distributions, and labels their classes.

  Args:
    labels: given classes, integers `[N]`.
    probs: floats `[N, K]`.
  """
  inputs.check_probs(probs)
  inputs.check_labels('labels', labels, *probs.shape)


def scores(
  function: Callable[[chex.Array, chex.Array, chex.Array], Any],
  labels: chex.Array,
  probs: chex.Array,
) -> Any:
  """Numbers for each example, of its own row alone.

  Args:
    function: `(labels, probs, own)` of a block of rows, with probs and own =
      p_y at least float32, to one array `[block]` or several.
    labels: integers `[N]`.
    probs: floats `[N, K]`.

  Returns:
    The same `[N]`, without anything of the size of probs.
  """
  dtype = jnp.promote_types(probs.dtype, jnp.float32)

  def of_block(carry, block, fresh):
    del fresh
    labels, rows = block
    rows = rows.astype(dtype)
    return carry, function(labels, rows, own(labels, rows))

  size = blocks.rows_in_cache(probs.shape[1])
  return blocks.scan(of_block, (), (labels, probs), size)[1]


def own(labels: chex.Array, rows: chex.Array) -> chex.Array:
  """What each row has for its label, `[N]`."""
  return jnp.take_along_axis(rows, labels[:, None], axis=1)[:, 0]


def largest_other(labels: chex.Array, rows: chex.Array) -> chex.Array:
  """The largest that each row has for another class than its label, `[N]`."""
  is_own = labels[:, None] == jnp.arange(rows.shape[1])
  return jnp.max(jnp.where(is_own, -jnp.inf, rows), axis=1)


def thresholds(
  labels: chex.Array, probs: chex.Array, axis_name: str | None = None
) -> chex.Array:
  """The mean self-confidence of each class over all shards, `[K]`."""
  confidence = confident_sums.self_confidence(labels, probs)
  return confident_sums.thresholds_from(blocks.total(confidence, axis_name))
