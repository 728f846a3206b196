"""What the first screen of the report says: of classes, and of their pairs."""

from typing import NamedTuple

import numpy as np

from experiments.audit import findings as findings_lib

# A cell of the heat map is as dark as its share of the darkest, in so many
# steps; below half a percent it is empty, as its number is.
_LEVELS = 8
_VISIBLE = 0.005


class ClassQuality(NamedTuple):
  """What is thought of the labels of one given class.

  Attributes:
    number: of the class.
    labels: how many examples are given it.
    issues: how many of these are to be looked at.
    wrong: the estimated share of wrong ones; None if it cannot be said.
    mostly: the class that most of the wrong ones really are; None if none is.
    mostly_share: of all labels of the given class.
  """

  number: int
  labels: int
  issues: int
  wrong: float | None
  mostly: int | None
  mostly_share: float


class Pair(NamedTuple):
  """Two classes, one of which is taken for the other.

  Attributes:
    true: the number of the true class.
    given: the number of the class that is given.
    share: of the true class that is given the other, T[true, given].
    expected: how many labels that is.
  """

  true: int
  given: int
  share: float
  expected: float


class Cell(NamedTuple):
  """One number of the heat map, in percent, with its shade."""

  true: int
  given: int
  percent: str
  level: int


def class_quality(
  findings: findings_lib.Findings, *, most: int
) -> list[ClassQuality]:
  """The classes with the most wrong labels first.

  Of given class j, 1 - prior[j] T[j, j] / sum_i prior[i] T[i, j] are wrong.

  Args:
    findings: of K classes.
    most: how many classes are described.

  Returns:
    min(K, most) descriptions. Memory: `[K, most]`.
  """
  size = len(findings.class_names)
  counts = np.bincount(findings.label, minlength=size)
  issues = np.bincount(findings.label[findings.is_issue], minlength=size)
  given = findings.prior @ findings.transition
  known = (given > 0) & (counts > 0)
  right = findings.prior * np.diagonal(findings.transition)
  wrong = np.clip(1 - right / np.where(known, given, 1), 0, 1)
  order = np.lexsort((-issues, -np.where(known, wrong * counts, 0)))[:most]
  joint = findings.prior[:, None] * findings.transition[:, order]
  joint[order, np.arange(len(order))] = 0
  mostly = joint.argmax(axis=0)
  return [
    ClassQuality(
      number=int(number),
      labels=int(counts[number]),
      issues=int(issues[number]),
      wrong=float(wrong[number]) if known[number] else None,
      mostly=int(other) if known[number] and share > 0 else None,
      mostly_share=float(share / given[number]) if known[number] else 0.0,
    )
    for number, other, share in zip(
      order, mostly, joint.max(axis=0), strict=True
    )
  ]


def confused_pairs(findings: findings_lib.Findings, *, most: int) -> list[Pair]:
  """The pairs of classes with the most wrong labels.

  Args:
    findings: of K classes.
    most: how many pairs are returned.

  Returns:
    At most so many; fewer if fewer have half a wrong label. Memory:
    `[K, most]`.
  """
  found = []
  total = len(findings.label)
  for true, row in enumerate(findings.transition):
    expected = total * findings.prior[true] * row
    expected[true] = 0
    first = np.argsort(-expected, kind='stable')[:most]
    found += [
      Pair(true, int(given), float(row[given]), float(expected[given]))
      for given in first
      if expected[given] >= 0.5
    ]
  return sorted(found, key=lambda pair: -pair.expected)[:most]


def heat_map(transition: np.ndarray, prior: np.ndarray) -> list[list[Cell]]:
  """The transition matrix in percent, shaded by how many labels are so wrong.

  A class of few images, whose row says little, is pale.
  """
  shares = np.nan_to_num(transition, nan=0.0)
  off = np.nan_to_num(prior)[:, None] * shares
  np.fill_diagonal(off, 0)
  darkest = max(float(off.max(initial=0)), _VISIBLE / len(shares))
  levels = np.ceil(_LEVELS * off / darkest).astype(int)
  return [
    [
      Cell(
        true,
        given,
        f'{100 * share:.0f}' if share >= _VISIBLE else '',
        int(levels[true, given]) if share >= _VISIBLE else 0,
      )
      for given, share in enumerate(row)
    ]
    for true, row in enumerate(shares)
  ]
