"""The largest numbers of each class, from numpy arrays, by selection.

As `largest.py`, for few pairs of class and column: the others are not read.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Numbers that are looked at together, of one class in several columns.
_ELEMENTS = 2**22
# Classes of fewer examples are looked at together: so many numbers at a time.
_SHORT = 512
_TOGETHER = 2**15

# (rows, columns) -> floats [columns, rows]: rows, integers [M], for all columns
# or [C, M] for each its own; columns, integers [C].
Values = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Quotas(NamedTuple):
  """How many of a class to take in a column; columns of a class together.

  classes, columns, numbers: integers `[M]`, numbers positive.
  """

  classes: np.ndarray
  columns: np.ndarray
  numbers: np.ndarray


def of_each_class(
  values: Values, labels: np.ndarray, quotas: Quotas
) -> np.ndarray:
  """Which examples have a number among the largest of their class.

  Args:
    values: of some examples in some columns.
    labels: classes, integers `[N]`.
    quotas: how many of the largest to take. Of equal numbers all are taken, if
      any is.

  Returns:
    Whether any column takes the example, bool `[N]`.
  """
  taken = np.zeros(len(labels), bool)
  sizes = np.bincount(labels)
  # Of short integers numpy makes a radix sort.
  short = labels.astype(np.uint16) if len(sizes) <= 2**16 else labels
  order = np.argsort(short, kind='stable')
  starts = np.cumsum(sizes) - sizes
  is_short = sizes[quotas.classes] < _SHORT
  together = _together(_where(quotas, is_short), order, starts, sizes)
  for rows, is_member, part in together:
    block = values(rows, part.columns)
    block[~is_member] = -np.inf
    places = np.maximum(block.shape[1] - part.numbers, 0)
    least = np.sort(block, axis=1)[np.arange(len(block)), places]
    reached = (block >= least[:, None]) & is_member
    taken[rows[reached]] = True
  for members, part in _alone(_where(quotas, ~is_short), starts, sizes):
    rows = order[members]
    taken[rows] |= _reached(values(rows, part.columns), part.numbers)
  return taken


def _where(quotas, mask):
  return Quotas(*(column[mask] for column in quotas))


def _together(quotas, order, starts, sizes):
  """Pairs of class and column with the rows of each, the longest first.

  Yields rows `[C, M]`, whether they are of the class, and the quotas.
  """
  by_size = np.argsort(-sizes[quotas.classes], kind='stable')
  first = 0
  while first < len(by_size):
    longest = sizes[quotas.classes[by_size[first]]]
    part = _where(quotas, by_size[first : first + _TOGETHER // longest])
    first += len(part.classes)
    within = np.arange(longest)
    is_member = within < sizes[part.classes][:, None]
    places = starts[part.classes][:, None] + within
    yield order.take(places, mode='clip'), is_member, part


def _alone(quotas, starts, sizes):
  """Classes, some columns at a time: where their rows are, and the quotas."""
  classes, firsts = np.unique(quotas.classes, return_index=True)
  lasts = np.append(firsts, len(quotas.classes))[1:]
  for k, first, last in zip(classes, firsts, lasts, strict=True):
    members = slice(starts[k], starts[k] + sizes[k])
    step = max(1, _ELEMENTS // sizes[k])
    for start in range(first, last, step):
      part = slice(start, min(start + step, last))
      yield members, _where(quotas, part)


def _reached(block, numbers):
  """Which columns of a block are, in any row, of its so many largest."""
  least = block.max(axis=1)
  places = np.maximum(block.shape[1] - numbers, 0)
  for column in np.flatnonzero(numbers > 1):
    row, place = block[column].copy(), places[column]
    row.partition(place)
    least[column] = row[place]
  return (block >= least[:, None]).any(axis=0)
