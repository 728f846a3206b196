"""The counts of confident learning from numpy arrays, without a copy of them.

The same numbers as in `confident.py`. A numpy array of predictions would have
to be copied before jax could read it: here it is read where it is, in blocks
that fit a processor's cache. (Threads were no faster.)
"""

import numpy as np
import numpy.typing as npt

from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import inputs


def sums(
  labels: npt.ArrayLike,
  own: np.ndarray,
  num_classes: int,
  weights: npt.ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray]:
  """Sums of `p[n, y_n]` by given label, float64, and the numbers of labels."""
  labels = np.asarray(labels)
  chosen = own.astype(np.float64)
  if weights is not None:
    chosen *= np.asarray(weights)
  return (
    np.bincount(labels, chosen, num_classes),
    _bincount(labels, weights, num_classes),
  )


def own(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
  """`p[n, y_n]`, `[N]`."""
  if not probs.flags.c_contiguous:
    return probs[np.arange(len(probs)), labels]
  # The quickest way to look up single numbers.
  places = np.arange(0, probs.size, probs.shape[1]) + labels
  return probs.reshape(-1).take(places)


def counts(
  labels: npt.ArrayLike,
  probs: np.ndarray,
  thresholds: np.ndarray,
  weights: npt.ArrayLike | None,
) -> tuple[np.ndarray, np.ndarray]:
  """Counts of confident (true, given) pairs, and of given labels; int64."""
  num_classes = probs.shape[1]
  # The first row is for those of whom no class is confident.
  pairs = (guess(probs, thresholds) + 1) * num_classes + np.asarray(labels)
  joint = _bincount(pairs, weights, (num_classes + 1) * num_classes)
  joint = joint.reshape(num_classes + 1, num_classes)
  return joint[1:], joint.sum(axis=0)


def guess(probs: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
  """`confident_guess.guess`, int64; rows that are no distributions raise."""
  wide = np.promote_types(probs.dtype, np.float32)
  lowest = (thresholds - confident_guess.MARGIN).astype(wide)
  guesses = np.empty(len(probs), np.int64)
  size = min(len(probs), blocks.rows_of_numpy(probs.shape[1]))
  # Repeated, so that a block is compared in one run and not row by row.
  repeated = np.tile(lowest, (size, 1))
  for start in range(0, len(probs), size):
    block = probs[start : start + size].astype(wide, copy=False)
    inputs.check_block(block, start)
    guesses[start : start + size] = _guess_block(block, repeated)
  return guesses


def _guess_block(block, lowest):
  guesses = np.full(len(block), -1)
  places = np.flatnonzero(block >= lowest[: len(block)])
  rows, classes = np.divmod(places, block.shape[1])
  guesses[rows] = classes
  # Each row once, though it may have thousands of such classes.
  several = np.zeros(len(block), bool)
  several[rows[1:][rows[1:] == rows[:-1]]] = True
  guesses[several] = block[several].argmax(axis=1)
  return guesses


def _bincount(classes, weights, length):
  """Exact for sums of weights below 2^53, of which float64 knows every one."""
  found = np.bincount(
    classes, None if weights is None else np.asarray(weights), length
  )
  return found.astype(np.int64, copy=False)
