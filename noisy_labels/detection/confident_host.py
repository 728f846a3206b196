"""Which labels confident learning takes, from numpy arrays, by selection.

The same masks as in `confident.py`, without a copy of the predictions. Of the
confident joint only entries that are not zero are kept, of which there are no
more than examples and classes together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import calibration

# Numbers that are looked at together, of one class in several columns.
_ELEMENTS = 2**22
# Columns that are sorted together sooner than one number is selected of each.
_SHORT = 512


class Quotas(NamedTuple):
  """How many of a class to take in a column; columns of a class together.

  classes, columns, numbers: integers `[M]`, numbers positive.
  """

  classes: np.ndarray
  columns: np.ndarray
  numbers: np.ndarray


def prune(
  filter_by: str, labels: np.ndarray, probs: np.ndarray, guesses: np.ndarray
) -> np.ndarray:
  """Take as many as the confident joint has wrong ones, bool `[N]`.

  Args:
    filter_by: `prune_by_class`, `prune_by_noise_rate` or `both`.
    labels: integers `[N]`.
    probs: floats `[N, K]`.
    guesses: the class of which each row is confident, -1 for none, `[N]`.

  Returns:
    The mask, before labels that are as probable as any are left out.
  """
  num_classes = probs.shape[1]
  given = np.bincount(labels, minlength=num_classes)
  by_class, by_rate = _quotas(labels, guesses, given)
  wide = np.promote_types(probs.dtype, np.float32)
  own = passes.own(labels, probs).astype(wide)

  def margins(rows, columns):
    if 4 * len(columns) > num_classes:  # Whole rows are read faster.
      block = probs.take(rows, axis=0).T[columns]
    else:
      block = probs[np.ix_(rows, columns)].T
    return block.astype(wide, copy=False) - own[rows]

  taken = np.ones(len(labels), bool)
  if filter_by != 'prune_by_noise_rate':
    taken &= largest(lambda rows, columns: -own[rows][None], labels, by_class)
  if filter_by != 'prune_by_class':
    taken &= largest(margins, labels, by_rate)
  return taken


def _quotas(labels, guesses, given) -> tuple[Quotas, Quotas]:
  """What the calibrated joint says, by class and by noise rate."""
  num_classes = len(given)
  confident = guesses >= 0
  pairs, counts = _counts_of(
    guesses[confident] * num_classes + labels[confident], num_classes**2
  )
  # Each diagonal entry is at least 1.
  diagonal = np.arange(num_classes) * (num_classes + 1)
  lacking = diagonal[~np.isin(diagonal, pairs)]
  pairs = np.append(pairs, lacking)
  counts = np.append(counts, np.ones_like(lacking))
  true, classes = np.divmod(pairs, num_classes)
  counts = calibration.scale_entries(true, classes, counts, given)
  right = np.zeros(num_classes, np.int64)
  right[classes[true == classes]] = counts[true == classes]
  # Where nobody is right one is left, and one less of each other class taken.
  counts = counts - (right < 1)[classes]
  wrong = given - np.maximum(right, 1)
  by_class = np.flatnonzero(wrong > 0)
  # Of a class with a single example nothing is taken.
  by_rate = (true != classes) & (counts > 0) & (given[classes] > 1)
  order = np.flatnonzero(by_rate)
  order = order[np.argsort(classes[order], kind='stable')]
  return (
    Quotas(by_class, np.zeros_like(by_class), wrong[by_class]),
    Quotas(classes[order], true[order], counts[order]),
  )


def _counts_of(numbers, end):
  """The numbers that occur, in ascending order, and how often each does."""
  if end > 4 * len(numbers):
    return np.unique(numbers, return_counts=True)
  counts = np.bincount(numbers, minlength=end)
  found = np.flatnonzero(counts)
  return found, counts[found]


def largest(
  values: Callable[[np.ndarray, np.ndarray], np.ndarray],
  labels: np.ndarray,
  quotas: Quotas,
) -> np.ndarray:
  """`largest.of_each_class` of numpy arrays, for few pairs of class and column.

  Args:
    values: `(rows, columns) -> [columns, rows]`, floats.
    labels: classes, integers `[N]`.
    quotas: how many of the largest to take.

  Returns:
    Whether any column takes the example, bool `[N]`.
  """
  taken = np.zeros(len(labels), bool)
  counts = np.bincount(labels)
  # Of short integers numpy makes a radix sort.
  short = labels.astype(np.uint16) if len(counts) <= 2**16 else labels
  order = np.argsort(short, kind='stable')
  ends = np.cumsum(counts)
  classes, starts = np.unique(quotas.classes, return_index=True)
  stops = np.append(starts, len(quotas.classes))[1:]
  for k, start, stop in zip(classes, starts, stops, strict=True):
    rows = order[ends[k - 1] if k else 0 : ends[k]]
    step = max(1, _ELEMENTS // len(rows))
    for first in range(start, stop, step):
      part = slice(first, min(first + step, stop))
      block = values(rows, quotas.columns[part])
      taken[rows] |= _reached(block, quotas.numbers[part])
  return taken


def _reached(block, numbers):
  """Which columns of a block are, in any row, of its so many largest."""
  places = np.maximum(block.shape[1] - numbers, 0)
  if block.shape[1] < _SHORT:
    least = np.sort(block, axis=1)[np.arange(len(block)), places]
  else:
    pairs = zip(block, places, strict=True)
    least = np.array([np.partition(row, k)[k] for row, k in pairs])
  return (block >= least[:, None]).any(axis=0)


def highest_and_own(
  rows: np.ndarray, labels: np.ndarray, probs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """The largest probability of some examples, and that of their labels.

  Args:
    rows: which examples, integers `[M]`.
    labels: integers `[N]`.
    probs: floats `[N, K]`.

  Returns:
    Both `[M]`, at least float32, without a copy of all their predictions.
  """
  dtype = np.promote_types(probs.dtype, np.float32)
  highest = np.empty(len(rows), dtype)
  size = blocks.rows_in_cache(probs.shape[1])
  for start in range(0, len(rows), size):
    part = slice(start, start + size)
    block = probs[rows[part]].astype(dtype, copy=False)
    highest[part] = passes.largest(block)
  return highest, probs[rows, labels[rows]].astype(dtype, copy=False)
