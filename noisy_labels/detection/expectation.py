"""How many labels are wrong, and between which numbers that probably lies."""

import statistics
from typing import NamedTuple

import chex
import jax
import numpy as np

from noisy_labels import _checks
from noisy_labels.detection import passes
from noisy_labels.detection import threshold_slopes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import estimate


class ErrorCount(NamedTuple):
  """The expected number of wrong labels, and the ends of its interval."""

  number: chex.Array
  lower: chex.Array
  upper: chex.Array


def expected_errors(
  labels: chex.Array, probs: chex.Array, *, level: float = 0.95
) -> ErrorCount:
  """The expected number of wrong labels, with an interval.

    E = sum_j n_j w_j,  w_j = 1 - C[j, j] / c_j,  c_j = sum_i C[i, j]

  C being the confident joint before it is calibrated, and n_j the number of
  labels j: N times the rate of `estimation.confident_joint`, but that nothing
  is rounded. It is calibrated in that the examples of which nobody is confident
  count as much as the others of their label, and not for right.

  The interval, E -+ z s within [0, N], is what other examples of the same kind
  would change; it knows nothing of what the model gets wrong. s is what the
  standard deviation of a bootstrap tends to, the infinitesimal jackknife's:

    s^2 = sum_n (w_y + v_y(g_n) - E / N + D_y (p_y - t_y) / n_y)^2
    v_y(g) = n_y / c_y ((1 - w_y) [g is a class] - [g = y])

  g_n being the class of which example n is confident, or none, v what one more
  such guess adds to E, and D_k the slope of E in the threshold t_k, from the
  examples whose p_k is within n_k^(-1/3) standard deviations of it.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    level: the probability that the interval should cover, in (0, 1).

  Returns:
    The number and its interval, floats in [0, N]. Memory: a few `[N]`, no
    `[K, K]`; time: two passes over probs. Numpy arrays are read by numpy.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021

    Jaeckel, The Infinitesimal Jackknife, Bell Laboratories, 1972; Efron, `The
    Jackknife, the Bootstrap and Other Resampling Plans
    <https://doi.org/10.1137/1.9781611970319>`_, 1982
  """
  labels, probs = passes.prepare(labels, probs)
  confident = passes.confident(labels, probs)
  return jax.device_put(count(labels, probs, confident, level))


def count(
  labels: chex.Array,
  probs: chex.Array,
  confident: passes.Confident,
  level: float,
) -> ErrorCount:
  """`expected_errors` of what `passes` made: numpy's numbers, or jax's."""
  _checks.in_range('level', level, '(0, 1)')
  on_host = isinstance(probs, np.ndarray)
  moments = (_moments if on_host else _compiled)(labels, probs, confident)
  number, deviation = moments
  margin = statistics.NormalDist().inv_cdf((1 + level) / 2) * deviation
  ends = (number - margin).clip(0), (number + margin).clip(max=len(labels))
  return ErrorCount(number, *ends)


def _moments(labels, probs, confident):
  """The number and its standard deviation."""
  xp = estimate.namespace(probs)
  given, thresholds, guesses, own = confident

  def sums(numbers):
    return _by_class(labels, numbers, probs.shape[1])

  counted, right = sums(guesses >= 0), sums(guesses == labels)
  lacking = xp.maximum(1 - right, 0)  # As the diagonal of C is at least 1.
  wrong = (counted - right) / (counted + lacking)
  number = xp.sum(given * wrong)

  one = given / (counted + lacking)
  values = threshold_slopes.Values((1 - wrong) * one, -one)
  given = xp.maximum(given, 1)
  away = own - thresholds[labels]
  spread = xp.sqrt(sums(away**2) / given)
  widths = spread * given ** (-1 / 3)
  slopes = threshold_slopes.slopes(
    labels, probs, own, thresholds, widths, values
  )
  influence = (
    (wrong - number / len(labels))[labels]
    + xp.where(guesses >= 0, values.any[labels], 0)
    + xp.where(guesses == labels, values.right[labels], 0)
    + (slopes / given)[labels] * away
  )
  return number, xp.sqrt(xp.sum(influence**2))


# Once, and not in each call that nobody jitted.
_compiled = jax.jit(_moments)


def _by_class(labels, numbers, num_classes):
  """Sums of numbers by label, or how often they are true."""
  if isinstance(numbers, np.ndarray):
    return np.bincount(labels, numbers, num_classes)
  if numbers.dtype == bool:
    return blocks.class_counts(labels, num_classes, numbers)
  return blocks.class_sums(labels, numbers, num_classes)
