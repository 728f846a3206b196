"""Transition matrices given by a formula, for as many classes as it takes."""

from typing import NamedTuple

import chex
import numpy as np
import numpy.typing as npt

from noisy_labels.noise import class_dependent
from noisy_labels.noise import transition


class SymmetricTransition(NamedTuple):
  """What `symmetric` makes for any number of classes.

  Attributes:
    rate: The probability of replacing a label. A number, traced or not, or an
      array of one for each example.
    exclude_true: Whether the replacement is always another class.
  """

  rate: chex.Numeric
  exclude_true: bool

  def matrix(self, num_classes: int) -> npt.NDArray[np.float64]:
    """Returns `T[i, j] = P(given j | true i)`; the rate is a number."""
    return transition.symmetric(
      num_classes, float(self.rate), exclude_true=self.exclude_true
    )


class PairFlipTransition(NamedTuple):
  """A label is replaced by the next class, and the last by the first.

  `T[i, i] = 1 - r`, `T[i, (i + 1) mod K] = r`: the pair flip of Co-teaching,
  and with classes in order of likeness the hardest noise of its rate.

  Attributes:
    rate: The probability of replacing a label. A number, traced or not, or an
      array of one for each example.

  References:
    Han et al., `Co-teaching: Robust Training of Deep Neural Networks with
    Extremely Noisy Labels <https://arxiv.org/abs/1804.06872>`_, 2018
  """

  rate: chex.Numeric

  def matrix(self, num_classes: int) -> npt.NDArray[np.float64]:
    """Returns `T[i, j] = P(given j | true i)`; the rate is a number."""
    return class_dependent.pair_flip(num_classes, float(self.rate))
