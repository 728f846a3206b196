"""Transition matrices in which classes differ from each other."""

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks
from noisy_labels.noise import counter
from noisy_labels.noise import streams


def pair_flip(num_classes: int, rate: float) -> npt.NDArray[np.float64]:
  r"""A label is replaced by the next class, and the last by the first.

  .. math::

    T_{ii} = 1 - r, \quad T_{i, (i + 1) \bmod K} = r

  The pair flip of Co-teaching. A fraction `r` of the labels is wrong, in any
  data. Above `r = 1/2` most labels of a class are the next one's.

  Args:
    num_classes: The number of classes `K`, at least 2.
    rate: The probability `r` of replacing a label, in [0, 1].

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If `num_classes` or `rate` is out of range.

  References:
    Han et al., `Co-teaching: Robust Training of Deep Neural Networks with
    Extremely Noisy Labels <https://arxiv.org/abs/1804.06872>`_, 2018
  """
  classes = np.arange(_checks.num_classes(num_classes))
  return asymmetric(np.roll(classes, -1), rate)


def asymmetric(
  class_map: npt.ArrayLike, rate: float
) -> npt.NDArray[np.float64]:
  r"""Asymmetric noise: classes flip to the one that each is mistaken for.

  .. math::

    T = (1 - r) I + r M, \quad M_{ij} = 1[j = \text{class\_map}_i]

  Classes that are mapped to themselves keep their labels, so a fraction `r`
  of the *other* classes' labels is wrong: with `class_maps.CIFAR10`, where
  five classes of ten flip, `r = 0.4` makes 20% of all labels wrong.

  Args:
    class_map: The class that each class flips to, integers `[K]`. See
      `class_maps` for those that papers use.
    rate: The probability `r` of replacing a label of a class that flips, in
      [0, 1].

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If `class_map` or `rate` is not as described.

  Examples:
    >>> asymmetric([0, 2, 1], 0.25).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.75, 0.25], [0.0, 0.25, 0.75]]

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  class_map = _check_class_map(class_map)
  rate = _checks.rate('rate', rate)
  identity = np.eye(len(class_map))
  return (1 - rate) * identity + rate * identity[class_map]


def asymmetric_on_mutated_array(
  class_map: npt.ArrayLike, rate: float
) -> npt.NDArray[np.float64]:
  r"""What asymmetric noise becomes when flipped labels are flipped again.

  .. math::

    T = E_0 E_1 \cdots E_{K-1}, \quad
    E_i = I + r\, e_i (e_{\text{class\_map}_i} - e_i)^\top

  The codes of ELR, GJS and APL go through the classes one by one and choose
  whom to flip among the labels *as they are by then*. Where classes flip to
  each other, some labels flip back: on CIFAR-10 with `r = 0.4`, cat goes to
  dog and then dog to cat, so that 24% of the cats are mislabelled instead of
  40%, and 18.4% of all labels instead of 20%. This is a defect, kept under a
  name that says so, for comparing with tables that were made with it;
  `asymmetric` is what the papers describe.

  Classes are taken in ascending order, as ELR and GJS do. APL takes truck,
  bird, cat, dog, deer, which on CIFAR-10 comes to the same T. Those codes also
  flip an exact number of examples of each class, drawn by numpy's global
  generator; `corrupt` draws every example by itself, so the labels are not
  theirs, only their distribution, up to the number in each class.

  Args:
    class_map: The class that each class flips to, integers `[K]`.
    rate: The probability `r` of each flip, in [0, 1].

  Returns:
    float64 `[K, K]`; its rows sum to 1. Equal to `asymmetric` if no class
    flips to one that comes later and flips, too.

  Raises:
    ValueError: If `class_map` or `rate` is not as described.

  Examples:
    >>> asymmetric_on_mutated_array([1, 0], 0.5).tolist()
    [[0.75, 0.25], [0.5, 0.5]]

  References:
    Liu et al., `Early-Learning Regularization Prevents Memorization of Noisy
    Labels <https://arxiv.org/abs/2007.00151>`_, 2020

    Ma et al., `Normalized Loss Functions for Deep Learning with Noisy Labels
    <https://arxiv.org/abs/2006.13554>`_, 2020

    Englesson and Azizpour, `Generalized Jensen-Shannon Divergence Loss for
    Learning with Noisy Labels <https://arxiv.org/abs/2105.04522>`_, 2021
  """
  class_map = _check_class_map(class_map)
  rate = _checks.rate('rate', rate)
  transition = np.eye(len(class_map))
  for source, target in enumerate(class_map):
    if source != target:
      transition[:, target] += rate * transition[:, source]
      transition[:, source] *= 1 - rate
  return transition


def random_class_dependent(
  num_classes: int, rate: float, *, seed: int
) -> npt.NDArray[np.float64]:
  r"""Every class is mistaken for the others in proportions of its own.

  .. math::

    T_{ii} = 1 - r, \quad T_{ij} = r\, P_{ij} \; (j \ne i)

  where the rows of `P` are drawn evenly from all distributions over the other
  `K - 1` classes (a Dirichlet distribution with ones). A fraction `r` of the
  labels is wrong, in any data. With `K = 2` it is the symmetric noise.

  Args:
    num_classes: The number of classes `K`, at least 2.
    rate: The probability `r` of replacing a label, in [0, 1].
    seed: An integer in [0, 2**32); it draws `P`, independently of the labels
      that `corrupt` draws with the same seed.

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If an argument is out of range.
  """
  K = _checks.num_classes(num_classes)
  rate = _checks.rate('rate', rate)
  places = np.arange(K * K).reshape(K, K)
  uniforms = counter.uniform(seed, places, stream=streams.TRANSITIONS)
  # Exponential numbers over their sum are even on the simplex. None is zero,
  # lest a row of zeros be divided by its sum.
  draws = -np.log1p(-np.maximum(uniforms, 2.0**-54))
  np.fill_diagonal(draws, 0)
  transition = rate * draws / draws.sum(axis=1, keepdims=True)
  np.fill_diagonal(transition, 1 - rate)
  return transition


def _check_class_map(class_map: npt.ArrayLike) -> npt.NDArray[np.int32]:
  array = np.asarray(class_map)
  checked = _checks.labels('class_map', array, array.size)
  _checks.num_classes(len(checked))
  return checked
