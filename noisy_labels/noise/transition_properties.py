"""What can be said of a transition matrix before anything is trained."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import transition as transition_lib


class TransitionProperties(NamedTuple):
  """What `properties` says of a transition matrix.

  Attributes:
    rate: The fraction of wrong labels to expect, in [0, 1].
    invertible: Whether labels keep all information about the classes: T has
      full rank, to the precision of float64. Backward correction needs it.
    condition_number: The largest singular value of T over its smallest, in
      [1, inf]: how much inverting T may magnify an error.
    diagonally_dominant: Whether each class is given its own label more often
      than any other: T_ii > T_ij for all j != i. (Not the stronger property
      of numerical analysis, T_ii > sum of T_ij over j != i.)
    identifiable: Whether T and the prior are determined by the distribution of
      three labels of each example that were given independently by T: true if
      it is both invertible and diagonally dominant.
  """

  rate: float
  invertible: bool
  condition_number: float
  diagonally_dominant: bool
  identifiable: bool


def properties(
  transition: npt.ArrayLike, *, class_prior: npt.ArrayLike | None = None
) -> TransitionProperties:
  r"""Tells how much noise there is, and what it leaves to be learnt.

  .. math::

    \text{rate} = \textstyle\sum_i \pi_i (1 - T_{ii})

  The criterion for identifiability is Kruskal's: three independent labels
  determine T up to the order of the true classes if three times its Kruskal
  rank is at least `2K + 2`, which full rank is for all `K >= 2`. Of all orders
  at most one makes T diagonally dominant. From *one* label of each example
  nothing is determined without further assumptions, such as anchor points.

  Args:
    transition: `T[i, j] = P(given j | true i)`, `[K, K]`.
    class_prior: The fraction `pi` of true labels of each class, `[K]`; equal
      ones if it is left out.

  Returns:
    The properties.

  Raises:
    ValueError: If an argument is not as described; the message says where.

  Examples:
    >>> properties([[0.9, 0.1], [0.4, 0.6]], class_prior=[0.5, 0.5]).rate
    0.25

  References:
    Liu, Cheng and Zhang, `Identifiability of Label Noise Transition Matrix
    <https://arxiv.org/abs/2202.02016>`_, 2023
  """
  matrix = transition_lib.check_transition(transition)
  prior = _check_prior(class_prior, len(matrix))
  invertible = bool(np.linalg.matrix_rank(matrix) == len(matrix))
  diagonal = np.diag(matrix)
  # Off the diagonal, -1 is smaller than any probability.
  others = np.where(np.eye(len(matrix), dtype=bool), -1, matrix)
  dominant = bool(np.all(diagonal > others.max(axis=1)))
  return TransitionProperties(
    rate=float(np.sum(prior * (1 - diagonal))),
    invertible=invertible,
    condition_number=float(np.linalg.cond(matrix)) if invertible else np.inf,
    diagonally_dominant=dominant,
    identifiable=invertible and dominant,
  )


def _check_prior(
  class_prior: npt.ArrayLike | None, num_classes: int
) -> npt.NDArray[np.float64]:
  if class_prior is None:
    return np.full(num_classes, 1 / num_classes)
  prior = np.asarray(class_prior, np.float64)
  if prior.shape != (num_classes,):
    raise ValueError(
      f'class_prior must have shape ({num_classes},), got {prior.shape}'
    )
  # Negated, so that NaN is refused, too.
  if not (np.all(prior >= 0) and abs(prior.sum() - 1) <= 1e-5):
    raise ValueError(
      'class_prior must hold numbers of at least 0 that sum to 1, '
      f'got {prior.tolist()}'
    )
  return prior
