"""One pass over predictions, in blocks of rows, with what a score needs.

Numpy arrays are read by numpy, where they are: jax would copy them first, and
compile the loop. All others are read by jax.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_host
from noisy_labels.estimation import confident_sums
from noisy_labels.estimation import inputs

# Rows that numpy reduces faster one column after the other.
_SHORT = 64


def prepare(
  labels: chex.Array, probs: chex.Array, *others: Any
) -> tuple[chex.Array, chex.Array]:
  """Raise ValueError unless probs are distributions, and labels their classes.

  Args:
    labels: given classes, integers `[N]`.
    probs: floats `[N, K]`.
    *others: what else takes part.

  Returns:
    Both as numpy arrays if probs are and nothing is traced, else as jax's. Of
    numpy arrays the rows are not looked at yet: `scores` does, while they are
    in the cache.
  """
  on_host = isinstance(probs, np.ndarray) and all(
    inputs.is_concrete(array) for array in (labels, *others)
  )
  if on_host:
    inputs.check_matrix('probs', probs)
  else:
    inputs.check_probs(probs)
  inputs.check_labels('labels', labels, *probs.shape)
  if on_host:
    # By which numpy counts; it would refuse uint64.
    return np.asarray(labels).astype(np.int64, copy=False), probs
  return jnp.asarray(labels), jnp.asarray(probs)


def scores(
  function: Callable[[chex.Array, chex.Array, chex.Array], Any],
  labels: chex.Array,
  probs: chex.Array,
) -> Any:
  """Numbers for each example, of its own row alone.

  Args:
    function: `(labels, probs, own)` of a block of rows, with probs and own =
      p_y at least float32, to one array `[block]` or several. It is given what
      `prepare` made, numpy's arrays or jax's.
    labels: integers `[N]`, from `prepare`.
    probs: floats `[N, K]`.

  Returns:
    The same `[N]`, without anything of the size of probs.

  Raises:
    ValueError: if rows of numpy arrays are no distributions.
  """
  size = blocks.rows_in_cache(probs.shape[1])
  if isinstance(probs, np.ndarray):
    return _scores_on_host(function, labels, probs, size)
  dtype = jnp.promote_types(probs.dtype, jnp.float32)

  def of_block(carry, block, fresh):
    del fresh
    labels, rows = block
    rows = rows.astype(dtype)
    return carry, function(labels, rows, own(labels, rows))

  return blocks.scan(of_block, (), (labels, probs), size)[1]


def _scores_on_host(function, labels, probs, size):
  # Larger temporaries are given back to the system, and cleared, each time.
  size = max(1, size // 2)
  dtype = np.promote_types(probs.dtype, np.float32)
  outs = []
  for start in range(0, len(probs), size):
    rows = probs[start : start + size].astype(dtype, copy=False)
    inputs.check_block(rows, start)
    classes = labels[start : start + size]
    outs.append(function(classes, rows, own(classes, rows)))
  return jax.tree.map(lambda *parts: np.concatenate(parts), *outs)


def own(labels: chex.Array, rows: chex.Array) -> chex.Array:
  """What each row has for its label, `[N]`."""
  if isinstance(rows, np.ndarray):
    return confident_host.own(labels, rows)
  return jnp.take_along_axis(rows, labels[:, None], axis=1)[:, 0]


def largest(rows: chex.Array) -> chex.Array:
  """The largest of each row, `[N]`."""
  if isinstance(rows, np.ndarray) and rows.shape[1] < _SHORT:
    return rows.T.copy().max(axis=0)
  return rows.max(axis=1)


def most_probable(probs: chex.Array) -> tuple[chex.Array, chex.Array]:
  """The first of the most probable classes, int32, and its probability, `[N]`.

  Args:
    probs: floats `[N, K]`, which have been looked at.
  """
  dtype = np.promote_types(probs.dtype, np.float32)
  if isinstance(probs, np.ndarray):
    size = blocks.rows_of_numpy(probs.shape[1])
    starts = range(0, len(probs), size)
    parts = [_most_probable(probs[start : start + size]) for start in starts]
    classes, found = map(np.concatenate, zip(*parts, strict=True))
    return classes, found.astype(dtype, copy=False)

  def of_block(carry, rows, fresh):
    del fresh
    classes = rows.argmax(axis=1).astype(np.int32)
    return carry, (classes, own(classes, rows).astype(dtype))

  size = blocks.rows_in_cache(probs.shape[1])
  return blocks.scan(of_block, (), probs, size)[1]


def _most_probable(rows):
  num_classes = rows.shape[1]
  if num_classes >= _SHORT:
    classes = rows.argmax(axis=1).astype(np.int32)
    return classes, own(classes, rows)
  columns = rows.T.copy()
  found = columns.max(axis=0)
  # Bytes, of which numpy takes the largest faster than the place of a float.
  from_last = np.arange(num_classes, 0, -1, dtype=np.uint8)[:, None]
  first = (from_last * (columns == found)).max(axis=0)
  return np.int32(num_classes) - first, found


def largest_other(labels: chex.Array, rows: chex.Array) -> chex.Array:
  """The largest that each row has for another class than its label, `[N]`."""
  if isinstance(rows, np.ndarray):
    rows = rows.copy()
    rows[np.arange(len(rows)), labels] = -np.inf
    return largest(rows)
  is_own = labels[:, None] == jnp.arange(rows.shape[1])
  return jnp.max(jnp.where(is_own, -jnp.inf, rows), axis=1)


def thresholds(
  labels: chex.Array, probs: chex.Array, axis_name: str | None = None
) -> chex.Array:
  """The mean self-confidence of each class over all shards, `[K]`."""
  confidence = confident_sums.self_confidence(labels, probs)
  return confident_sums.thresholds_from(blocks.total(confidence, axis_name))


class Confident(NamedTuple):
  """What confident learning counts.

  given: how often each label is given, over all shards, integers `[K]`.
  thresholds: of the classes, floats `[K]`.
  guesses: the class of which each row is confident, -1 for none, `[N]`.
  own: what each row has for its label, at least float32, `[N]`.
  """

  given: chex.Array
  thresholds: chex.Array
  guesses: chex.Array
  own: chex.Array


def confident(
  labels: chex.Array, probs: chex.Array, axis_name: str | None = None
) -> Confident:
  """One pass over probs, of which numpy's are checked."""
  on_host = isinstance(probs, np.ndarray)
  return (_confident if on_host else _compiled)(labels, probs, axis_name)


def _confident(labels, probs, axis_name):
  dtype = np.promote_types(probs.dtype, np.float32)
  chosen = own(labels, probs).astype(dtype)
  confidence = confident_sums.sums_of(labels, chosen, probs.shape[1])
  confidence = blocks.total(confidence, axis_name)
  bounds = confident_sums.thresholds_from(confidence)
  guess = confident_guess.guess
  if isinstance(probs, np.ndarray):
    guess = confident_host.guess
  return Confident(confidence.given, bounds, guess(probs, bounds), chosen)


# Once, and not in each call that nobody jitted.
_compiled = jax.jit(_confident, static_argnames='axis_name')
