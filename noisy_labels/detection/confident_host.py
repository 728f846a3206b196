"""Which labels confident learning takes, from numpy arrays, by selection.

The same masks as in `confident.py`, without a copy of the predictions. Of the
confident joint only entries that are not zero are kept, of which there are no
more than examples and classes together.
"""

import numpy as np

from noisy_labels.detection import largest_host
from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import calibration


def prune(
  filter_by: str,
  labels: np.ndarray,
  probs: np.ndarray,
  confident: passes.Confident,
) -> np.ndarray:
  """Take as many as the confident joint has wrong ones, bool `[N]`.

  Args:
    filter_by: `prune_by_class`, `prune_by_noise_rate` or `both`.
    labels: integers `[N]`.
    probs: floats `[N, K]`.
    confident: what confident learning counts of them.

  Returns:
    The mask, before labels that are as probable as any are left out.
  """
  by_class, by_rate = _quotas(labels, confident.guesses, confident.given)
  own = confident.own

  def least_own(rows, columns):
    values = -own.take(rows)
    return np.broadcast_to(values, (len(columns), rows.shape[-1])).copy()

  def margins(rows, columns):
    block = _columns(probs, rows, columns).astype(own.dtype, copy=False)
    return block - own.take(rows)

  taken = np.ones(len(labels), bool)
  if filter_by != 'prune_by_noise_rate':
    taken &= largest_host.of_each_class(least_own, labels, by_class)
  if filter_by != 'prune_by_class':
    taken &= largest_host.of_each_class(margins, labels, by_rate)
  return taken


def _columns(probs, rows, columns):
  """Some columns, of rows `[M]` or each of its own `[C, M]`, as `[C, M]`."""
  num_classes = probs.shape[1]
  if rows.ndim == 1 and 4 * len(columns) > num_classes:
    return probs.take(rows, axis=0).T[columns]  # Whole rows are read faster.
  if not probs.flags.c_contiguous:
    return probs[rows, columns[:, None]]
  return probs.reshape(-1).take(rows * num_classes + columns[:, None])


def _quotas(labels, guesses, given):
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
    largest_host.Quotas(by_class, np.zeros_like(by_class), wrong[by_class]),
    largest_host.Quotas(classes[order], true[order], counts[order]),
  )


def _counts_of(numbers, end):
  """The numbers that occur, in ascending order, and how often each does."""
  if end > 4 * len(numbers):
    return np.unique(numbers, return_counts=True)
  counts = np.bincount(numbers, minlength=end)
  found = np.flatnonzero(counts)
  return found, counts[found]


def highest(rows: np.ndarray, probs: np.ndarray) -> np.ndarray:
  """The largest probability of some examples.

  Args:
    rows: which examples, integers `[M]`.
    probs: floats `[N, K]`.

  Returns:
    `[M]`, at least float32, without a copy of all their predictions.
  """
  dtype = np.promote_types(probs.dtype, np.float32)
  found = np.empty(len(rows), dtype)
  size = blocks.rows_of_numpy(probs.shape[1])
  for start in range(0, len(rows), size):
    part = slice(start, start + size)
    block = probs[rows[part]].astype(dtype, copy=False)
    found[part] = passes.largest(block)
  return found
