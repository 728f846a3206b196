"""What annotators tell of the truth, and of each other's errors."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import annotators


class DawidSkene(NamedTuple):
  """What `dawid_skene` finds.

  Attributes:
    posterior: `P(true i | all annotations of n)`, float64 `[N, K]`.
    transitions: `T[a, i, j] = P(a gives j | true i)`, float64 `[A, K, K]`.
    prior: `P(true i)`, float64 `[K]`.
    log_likelihoods: The logarithm of the probability of all annotations after
      each step, float64 `[steps]`; it never falls, but by rounding.
    converged: Whether the last step changed it by next to nothing.
  """

  posterior: npt.NDArray[np.float64]
  transitions: npt.NDArray[np.float64]
  prior: npt.NDArray[np.float64]
  log_likelihoods: npt.NDArray[np.float64]
  converged: bool


class _Votes(NamedTuple):
  """All annotations that are not missing: which annotator gave what to what.

  Attributes:
    shape: `(N, A, K)`.
    example: int `[M]`.
    cell: `annotator * K + given label`, int `[M]`.
  """

  shape: tuple[int, int, int]
  example: npt.NDArray[np.int64]
  cell: npt.NDArray[np.int64]


def dawid_skene(
  annotations: npt.ArrayLike,
  *,
  num_classes: int,
  max_steps: int = 1000,
  tolerance: float = 1e-9,
) -> DawidSkene:
  r"""Finds the true labels and every annotator's T by maximum likelihood.

  .. math::

    \max_{\pi, T} \textstyle\sum_n \log \sum_i \pi_i
      \prod_a T^{(a)}_{i \tilde y_{na}}

  by expectation maximisation from the shares of votes. One step takes

  .. math::

    \pi_i &= \tfrac1N \textstyle\sum_n q_{ni}, \quad
    T^{(a)}_{ij} = \frac{\sum_n q_{ni} 1[\tilde y_{na} = j]}
      {\sum_n q_{ni} 1[\tilde y_{na} \text{ given}]} \\
    q_{ni} &\propto \pi_i \textstyle\prod_a T^{(a)}_{i \tilde y_{na}}

  The posterior `q` is computed from sums of logarithms. Annotators must err
  independently of each other, given the true label; with three or more of an
  example, better than chance, the truth can be told (see `properties`). With
  one annotation an example, it is taken for the truth. Where nobody has
  annotated an example, its posterior is the prior; where an annotator has seen
  no example of a class, that row of T is the identity's, as in `from_counts`.

  Args:
    annotations: Labels `[N, A]`, integers in 0..K-1; -1 where one is missing.
      At least one must be there.
    num_classes: The number of classes `K`.
    max_steps: The largest number of steps, at least 1.
    tolerance: A step that adds no more than this to the log-likelihood of an
      annotation, on average, is the last one; at least 0.

  Returns:
    Posterior, transitions, prior, and how the likelihood went.

  Raises:
    ValueError: If an argument is not as described; the message says where.

  References:
    Dawid and Skene, `Maximum Likelihood Estimation of Observer Error-Rates
    Using the EM Algorithm <https://doi.org/10.2307/2346806>`_, 1979
  """
  checked = annotators.check_annotations(annotations, num_classes)
  if max_steps < 1:
    raise ValueError(f'max_steps must be at least 1, got {max_steps}')
  if not tolerance >= 0:
    raise ValueError(f'tolerance must be at least 0, got {tolerance}')
  votes = _sparse(checked, num_classes)
  if not len(votes.cell):
    raise ValueError('annotations must hold at least one label, got none')
  posterior = _shares(checked, num_classes)
  log_likelihoods: list[float] = []
  converged = False
  while not converged and len(log_likelihoods) < max_steps:
    prior, transitions = _maximise(votes, posterior)
    posterior, log_likelihood = _expect(votes, prior, transitions)
    log_likelihoods.append(log_likelihood)
    gain = np.diff(log_likelihoods[-2:])
    converged = bool(gain.size and gain[0] <= tolerance * len(votes.cell))
  return DawidSkene(
    posterior, transitions, prior, np.array(log_likelihoods), converged
  )


def _sparse(annotations: npt.NDArray[np.int32], num_classes: int) -> _Votes:
  example, annotator = np.nonzero(annotations >= 0)
  cell = annotator * num_classes + annotations[example, annotator]
  return _Votes((*annotations.shape, num_classes), example, cell)


def _shares(
  annotations: npt.NDArray[np.int32], num_classes: int
) -> npt.NDArray[np.float64]:
  """Each label's share of an example's votes; even shares of no votes."""
  votes = annotators.count_votes(annotations, num_classes)
  total = votes.sum(axis=1, keepdims=True)
  return np.where(total > 0, votes / np.maximum(total, 1), 1 / num_classes)


def _maximise(
  votes: _Votes, posterior: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
  """The most likely prior `[K]` and transitions `[A, K, K]`."""
  _, A, K = votes.shape
  counts = np.empty((A, K, K))
  for label in range(K):
    weights = posterior[votes.example, label]
    sums = np.bincount(votes.cell, weights, minlength=A * K)
    counts[:, label] = sums.reshape(A, K)
  totals = counts.sum(axis=2, keepdims=True)
  fractions = counts / np.where(totals > 0, totals, 1)
  return posterior.mean(axis=0), np.where(totals > 0, fractions, np.eye(K))


def _expect(
  votes: _Votes,
  prior: npt.NDArray[np.float64],
  transitions: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], float]:
  """The posterior `[N, K]`, and the log-likelihood of all annotations."""
  N, _, K = votes.shape
  with np.errstate(divide='ignore'):  # The logarithm of 0 is meant.
    log_prior, log_transitions = np.log(prior), np.log(transitions)
  log_joint = np.empty((N, K))
  for label in range(K):
    terms = log_transitions[:, label].reshape(-1)[votes.cell]
    sums = np.bincount(votes.example, terms, minlength=N)
    log_joint[:, label] = log_prior[label] + sums
  # The largest is finite: what a posterior has given weight is possible.
  largest = log_joint.max(axis=1, keepdims=True)
  powers = np.exp(log_joint - largest)
  total = powers.sum(axis=1, keepdims=True)
  return powers / total, float(np.sum(largest + np.log(total)))
