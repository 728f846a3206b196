"""Corrupting labels, and telling what was done to them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks
from noisy_labels.noise import counter
from noisy_labels.noise import streams
from noisy_labels.noise import transition as transition_lib


class Corrupted(NamedTuple):
  """Labels, and the noise that is really in them.

  Attributes:
    labels: The given labels, int32 `[N]`.
    counts: `counts[i, j]` examples of true class i were given label j; int64
      `[K, K]`.
    rate: The fraction of wrong labels; 0 of no labels.
  """

  labels: npt.NDArray[np.int32]
  counts: npt.NDArray[np.int64]
  rate: float

  @property
  def transition(self) -> npt.NDArray[np.float64]:
    """The realised T, `counts` with rows made to sum to 1; float64 `[K, K]`.

    A class without examples has nothing to say: its row is the identity's, so
    that the result is always a transition matrix.
    """
    return transition_lib.from_counts(self.counts)


def corrupt(
  labels: npt.ArrayLike,
  transition: npt.ArrayLike,
  *,
  seed: int,
  index: npt.ArrayLike | None = None,
) -> Corrupted:
  r"""Redraws every label from its row of a transition matrix.

  .. math::

    \tilde y_n = \min \{ j : \textstyle\sum_{k \le j} T_{y_n k} > u_n \},
    \quad u_n = \text{uniform}(\text{seed}, \text{index}_n)

  A flip depends on the seed, the example's index and its true label alone.
  Hence a shard is corrupted exactly as the whole is, in any order and on any
  number of hosts. A label of probability zero is never drawn.

  Args:
    labels: True labels, integers `[N]` in 0..K-1.
    transition: `T[i, j] = P(given j | true i)`, `[K, K]`.
    seed: An integer in [0, 2**32).
    index: The identity of each example in its data set, non-negative integers
      `[N]`; 0..N-1 if it is left out. The same index is the same draw.

  Returns:
    The labels, with the counts and the rate that came out.

  Raises:
    ValueError: If an argument is not as described; the message says where.
  """
  transition = transition_lib.check_transition(transition)
  labels = _checks.labels('labels', labels, len(transition))
  index = _checks.index(index, labels)
  uniforms = counter.uniform(seed, index, stream=streams.LABELS)
  given = draw(transition, labels, uniforms)
  return measure(labels, given, num_classes=len(transition))


def corrupt_by_row(
  labels: npt.ArrayLike,
  rows: npt.ArrayLike,
  *,
  seed: int,
  index: npt.ArrayLike | None = None,
) -> Corrupted:
  r"""Redraws every label from a distribution of its own.

  .. math::

    \tilde y_n = \min \{ j : \textstyle\sum_{k \le j} R_{nk} > u_n \},
    \quad u_n = \text{uniform}(\text{seed}, \text{index}_n)

  Instance-dependent noise is a transition matrix `T(x_n)` for each example, of
  which only the row of the true label draws a label: `R_n` is that row. With
  the rows of one matrix, `R_n = T[y_n]`, this is `corrupt`, label by label.

  Args:
    labels: True labels, integers `[N]` in 0..K-1. They decide nothing here but
      what is counted as wrong.
    rows: `P(given j | true label n, x_n)` in row n, `[N, K]`, as
      `part_dependent` and `margin_dependent` return.
    seed: An integer in [0, 2**32).
    index: The identity of each example in its data set, non-negative integers
      `[N]`; 0..N-1 if it is left out. The same index is the same draw.

  Returns:
    The labels, with the counts and the rate that came out.

  Raises:
    ValueError: If an argument is not as described; the message says where.
  """
  rows = np.asarray(rows, np.float64)
  if rows.ndim != 2 or not rows.shape[1]:
    raise ValueError(f'rows must have shape [N, K], got {rows.shape}')
  labels = _checks.labels('labels', labels, rows.shape[1])
  if len(rows) != len(labels):
    raise ValueError(
      f'rows must hold one for each of {len(labels)} labels, got {len(rows)}'
    )
  rows = _checks.rows('rows', rows)
  index = _checks.index(index, labels)
  uniforms = counter.uniform(seed, index, stream=streams.LABELS)
  # As many entries as are not above u come before the label.
  given = np.sum(_cumulative(rows) <= uniforms[:, None], axis=1)
  return measure(labels, given, num_classes=rows.shape[1])


def measure(
  labels: npt.ArrayLike, given: npt.ArrayLike, *, num_classes: int
) -> Corrupted:
  """Tells the noise in labels of any origin, where the truth is known.

  Args:
    labels: True labels, integers `[N]` in 0..K-1.
    given: Given labels, integers `[N]` in 0..K-1.
    num_classes: The number of classes `K`.

  Returns:
    The given labels, with their counts and rate.

  Raises:
    ValueError: If the labels are not as described; the message says where.
  """
  num_classes = _checks.num_classes(num_classes)
  labels = _checks.labels('labels', labels, num_classes)
  given = _checks.labels('given', given, num_classes)
  if labels.shape != given.shape:
    raise ValueError(
      f'given must have the shape of labels {labels.shape}, got {given.shape}'
    )
  pairs = labels.astype(np.int64) * num_classes + given
  counts = np.bincount(pairs, minlength=num_classes**2).astype(np.int64)
  rate = float(np.mean(labels != given)) if len(labels) else 0.0
  return Corrupted(given, counts.reshape(num_classes, num_classes), rate)


def draw(
  transition: npt.NDArray[np.float64],
  labels: npt.NDArray[np.int32],
  uniforms: npt.NDArray[np.float64],
) -> npt.NDArray[np.int32]:
  """Inverts each row's distribution function, one true class at a time."""
  order = np.argsort(labels, kind='stable')
  ends = np.cumsum(np.bincount(labels, minlength=len(transition)))
  given = np.empty_like(labels)
  rows = _cumulative(transition)
  for row, places in zip(rows, np.split(order, ends[:-1]), strict=True):
    given[places] = np.searchsorted(row, uniforms[places], side='right')
  return given


def _cumulative(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
  """Each row's distribution function.

  The last entry becomes exactly 1, above every uniform number, and so do the
  entries equal to it: a zero at a row's end is safe from rounding.
  """
  sums = np.cumsum(rows, axis=1)
  return sums / sums[:, -1:]
