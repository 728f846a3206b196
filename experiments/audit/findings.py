"""What an audit found: all that its report is made of."""

from typing import NamedTuple

import numpy as np


class Duplicate(NamedTuple):
  """Two examples that are nearly the same and have different labels.

  Attributes:
    position: the row of one.
    partner: the row of the other.
    distance: between their features, in [0, 2].
  """

  position: int
  partner: int
  distance: float


class Outlier(NamedTuple):
  """An example that is unlike any other.

  Attributes:
    position: its row.
    score: how unlike; higher is stranger.
  """

  position: int
  score: float


class Findings(NamedTuple):
  """What was found in N examples of K classes.

  Names are untrusted text: they come from folders and files. Arrays are by row,
  not sorted; positions are rows.

  Attributes:
    title: of the data, such as a data set's or a folder's name.
    class_names: K names.
    names: N file names, relative to the folder; None if an example has no name
      but its index.
    index: identity in the split, int64 `[N]`.
    label: given classes, int32 `[N]`.
    score: floats `[N]`; higher is more suspicious.
    is_issue: whether the label is one to look at, bool `[N]`.
    suggested: the most probable classes, int32 `[N]`.
    confidence: their probabilities, floats `[N]`.
    label_probability: those of the given classes, floats `[N]`.
    rate: the estimated share of wrong labels.
    rate_interval: of the rate; None of an estimator that has none.
    expected: the expected number of wrong labels.
    expected_interval: of that number; None of an estimator that has none.
    transition: the estimated T[i, j] = P(given j | true i), `[K, K]`.
    prior: the estimated share of each true class, `[K]`.
    duplicates: near-identical examples with different labels.
    outliers: images unlike any other, the strangest of them.
    num_outliers: how many there are.
    doubts: why the numbers should not be believed, a sentence each.
    problems: what was wrong with the data, a sentence each.
    settings: what was run, by name.
    accuracy: of held-out predictions, against the given labels.
  """

  title: str
  class_names: tuple[str, ...]
  names: list[str] | None
  index: np.ndarray  # type: ignore[assignment]  # Also a method of tuples.
  label: np.ndarray
  score: np.ndarray
  is_issue: np.ndarray
  suggested: np.ndarray
  confidence: np.ndarray
  label_probability: np.ndarray
  rate: float
  rate_interval: tuple[float, float] | None
  expected: int
  expected_interval: tuple[int, int] | None
  transition: np.ndarray
  prior: np.ndarray
  duplicates: list[Duplicate]
  outliers: list[Outlier]
  num_outliers: int
  doubts: list[str]
  problems: list[str]
  settings: dict[str, str]
  accuracy: float | None
