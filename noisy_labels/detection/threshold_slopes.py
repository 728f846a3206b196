"""How the expected number of wrong labels changes with the thresholds.

Thresholds are means over examples, and others would have others. The guesses of
examples near a threshold would then be different ones.
"""

from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess


class Values(NamedTuple):
  """What the guess of an example with label j adds to the expected number.

  any: if it is any class, floats `[K]` by j.
  right: if it is j itself, floats `[K]`; added to `any`.
  """

  any: chex.Array
  right: chex.Array


def slopes(
  labels: chex.Array,
  probs: chex.Array,
  own: chex.Array,
  thresholds: chex.Array,
  widths: chex.Array,
  values: Values,
) -> chex.Array:
  """The change of the summed values of all guesses, by threshold.

    D_k = (V(t_k + h_k) - V(t_k - h_k)) / 2 h_k

  V being the sum of the values, and all thresholds but t_k as they are.

  Args:
    labels: integers `[N]`, from `passes.prepare`, as are probs.
    probs: floats `[N, K]`, numpy's or jax's.
    own: what each row has for its label, at least float32, `[N]`.
    thresholds: t, floats `[K]`.
    widths: h, floats `[K]`, not negative; where it is 0, so is the slope.
    values: of guesses.

  Returns:
    Floats `[K]`. One pass over probs, of which nothing of their size is made.
  """
  dtype = np.promote_types(probs.dtype, np.float32)
  lowest = (thresholds - confident_guess.MARGIN).astype(dtype)
  arrays = lowest - widths.astype(dtype), lowest, lowest + widths.astype(dtype)
  num_classes = probs.shape[1]
  on_host = isinstance(probs, np.ndarray)

  def add(changes, block, fresh):
    labels, rows, own = block
    found = _of_block(labels, rows, own, *arrays, values)
    return changes + jnp.where(fresh[:, None], found, 0).sum(axis=0), None

  if on_host:
    size = blocks.rows_of_numpy(num_classes)
    changes = np.zeros(num_classes)
    for start in range(0, len(probs), size):
      part = slice(start, start + size)
      block = labels[part], probs[part], own[part]
      changes += _of_block_on_host(*block, *arrays, values)
  else:
    size = blocks.rows_in_cache(num_classes)
    zeros = jnp.zeros(num_classes, dtype)
    changes, _ = blocks.scan(add, zeros, (labels, probs, own), size)
  width = (np if on_host else jnp).where(widths > 0, 2 * widths, 1)
  return changes / width


def _change(is_own, others, is_sole, is_top, labels, values):
  """Of the value, when a row is no longer confident of a class, by that class.

  Without it the guess is the only other such class, or none if there is none;
  with it the most probable of all, or itself. Of two others nothing changes.

  Args:
    is_own: whether the class is the label.
    others: of how many other classes the row is confident.
    is_sole: whether the label is the only other one.
    is_top: whether the label is the most probable class.
    labels: of the rows.
    values: of guesses.
  """
  xp = np if isinstance(labels, np.ndarray) else jnp
  right = values.right[labels]
  alone = -values.any[labels] - xp.where(is_own, right, 0)
  second = xp.where(is_sole, right, 0) - xp.where(is_top, right, 0)
  return xp.where(others == 0, alone, xp.where(others == 1, second, 0))


def _of_block(labels, rows, own, low, threshold, high, values):
  rows = rows.astype(low.dtype)
  classes = jnp.arange(rows.shape[1])
  confident = rows >= threshold
  named = jnp.where(confident, classes, 0)
  is_top = own >= passes.largest(rows)
  labels = labels[:, None]
  change = _change(
    classes == labels,
    confident.sum(axis=1, keepdims=True) - confident,
    named.sum(axis=1, keepdims=True) - named == labels,
    is_top[:, None],
    labels,
    values,
  )
  return jnp.where((rows >= low) & (rows < high), change, 0)


def _of_block_on_host(labels, rows, own, low, threshold, high, values):
  """Looks at no pairs of row and class but those that are near or confident."""
  size, num_classes = rows.shape
  rows = rows.astype(low.dtype, copy=False)
  row, column = np.divmod(np.flatnonzero(rows >= low), num_classes)
  probs = rows[row, column]
  confident = probs >= threshold[column]
  count = np.bincount(row, confident, size)
  named = np.bincount(row, confident * column, size)
  near = np.flatnonzero(probs < high[column])
  row, column, confident = row[near], column[near], confident[near]
  others = count[row] - confident
  # Of other rows it makes no difference which class is the most probable.
  two = np.zeros(size, bool)
  two[row[others == 1]] = True
  is_top = np.zeros(size, bool)
  is_top[two] = own[two] >= passes.largest(rows[two])
  change = _change(
    column == labels[row],
    others,
    named[row] - confident * column == labels[row],
    is_top[row],
    labels[row],
    values,
  )
  return np.bincount(column, change, num_classes)
