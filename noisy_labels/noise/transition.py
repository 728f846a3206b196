"""Transition matrices: T[i, j] = P(given label = j | true label = i)."""

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks


def symmetric(
  num_classes: int, rate: float, *, exclude_true: bool
) -> npt.NDArray[np.float64]:
  r"""Symmetric noise: a label is replaced by one drawn evenly.

  .. math::

    T &= (1 - r) I + \frac{r}{K - 1} (J - I)
    && \text{(exclude\_true)} \\
    T &= (1 - r) I + \frac{r}{K} J
    && \text{(otherwise)}

  where `J` is all ones. The literature calls both of them "symmetric noise at
  rate r", hence no default:

  - `exclude_true=True` draws from the other `K - 1` classes. A fraction `r` of
    the labels is wrong. Used by Patrini et al. (forward correction),
    Co-teaching, APL and PHuber.
  - `exclude_true=False` draws from all `K` classes, and may draw the true one
    again. Only `r (1 - 1/K)` of the labels are wrong. Used by DivideMix, ELR
    and GJS.

  The first at rate `r (1 - 1/K)` is the second at rate `r`.

  Args:
    num_classes: The number of classes `K`, at least 2.
    rate: The probability `r` of replacing a label, in [0, 1].
    exclude_true: Whether the replacement is always another class.

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If `num_classes` or `rate` is out of range.

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017

    Li et al., `DivideMix: Learning with Noisy Labels as Semi-supervised
    Learning <https://arxiv.org/abs/2002.07394>`_, 2020
  """
  num_classes = _checks.num_classes(num_classes)
  rate = _checks.rate('rate', rate)
  if exclude_true:
    drawn = rate / (num_classes - 1)
    kept = 1 - rate
  else:
    drawn = rate / num_classes
    kept = 1 - rate + drawn
  transition = np.full((num_classes, num_classes), drawn, np.float64)
  np.fill_diagonal(transition, kept)
  return transition


def from_matrix(matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
  """A transition matrix of numbers that somebody else has found.

  Args:
    matrix: `P(given j | true i)` in row i and column j, `[K, K]`: rows sum to
      1, up to the rounding of float32.

  Returns:
    float64 `[K, K]`, a copy whose rows sum to 1 as nearly as float64 can.

  Raises:
    ValueError: If it is not such a matrix; the message says where.
  """
  transition = check_transition(matrix)
  return transition / transition.sum(axis=1, keepdims=True)


def from_counts(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
  r"""The transition matrix that counts of true and given labels show.

  .. math::

    T_{ij} = C_{ij} / \textstyle\sum_k C_{ik}

  A class without examples has nothing to say: its row is the identity's, so
  that the result is always a transition matrix.

  Args:
    counts: `counts[i, j]` examples of true class i were given label j; numbers
      of at least 0, or sums of weights, `[K, K]`.

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If a count is negative or not finite, or the matrix not square.
  """
  counts = _checks.non_negative('counts', _checks.square('counts', counts))
  totals = counts.sum(axis=1, keepdims=True)
  fractions = counts / np.where(totals > 0, totals, 1)
  return np.where(totals > 0, fractions, np.eye(len(counts)))


def compose(
  first: npt.ArrayLike, second: npt.ArrayLike
) -> npt.NDArray[np.float64]:
  r"""The noise of labels that were corrupted twice.

  .. math::

    T_{ij} = \textstyle\sum_k T^{(1)}_{ik} T^{(2)}_{kj}

  since what the second noise takes for true is what the first has given.

  Args:
    first: `P(given j | true i)` of what happened first, `[K, K]`.
    second: The same of what happened to the labels that came out, `[K, K]`.

  Returns:
    float64 `[K, K]`; its rows sum to 1.

  Raises:
    ValueError: If they are not transition matrices of one size.
  """
  first = _checks.rows('first', _checks.square('first', first))
  second = _checks.rows('second', _checks.square('second', second))
  if first.shape != second.shape:
    raise ValueError(
      f'second must have the shape of first {first.shape}, got {second.shape}'
    )
  return first @ second


def check_transition(
  transition: npt.ArrayLike, num_classes: int | None = None
) -> npt.NDArray[np.float64]:
  """Checks a transition matrix, and returns it as float64.

  Args:
    transition: Non-negative numbers `[K, K]` whose rows sum to 1, up to the
      rounding of float32.
    num_classes: The `K` that is expected, if it is known from elsewhere.

  Returns:
    float64 `[K, K]`.

  Raises:
    ValueError: If it is not such a matrix; the message says where.
  """
  matrix = _checks.square('transition', transition)
  if num_classes is not None and len(matrix) != num_classes:
    raise ValueError(
      f'transition must have a row for each of {num_classes} classes, '
      f'got {len(matrix)}'
    )
  return _checks.rows('transition', matrix)
