"""Noise that depends on a classifier's margin: hard examples are mislabelled.

Polynomial-margin diminishing noise, of Zhang et al., 2021.
"""

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks

# How likely a flip is at a margin m in [0, 1], by the type of the paper.
_FLIP_RATES = {
  1: lambda m: (1 - m**2) / 2,
  2: lambda m: 1 - m**3,
  3: lambda m: 1 - (m**3 + m**2 + m) / 3,
}


def margin_dependent(
  labels: npt.ArrayLike, probs: npt.ArrayLike, *, kind: int, factor: float = 1.0
) -> npt.NDArray[np.float64]:
  r"""Margin-dependent noise: a label flips to the class that comes nearest.

  .. math::

    T_{y s}(x) &= \min(1, c\, \tau(m)), \quad T_{y y}(x) = 1 - T_{y s}(x), \\
    s &= \text{argmax}_{j \ne y}\, \eta_j(x), \quad
    m = \max(0, \eta_y(x) - \eta_s(x)) \\
    \tau_1 &= \tfrac12 (1 - m^2), \quad \tau_2 = 1 - m^3, \quad
    \tau_3 = 1 - \tfrac13 (m^3 + m^2 + m)

  where `eta(x)` are the probabilities that a classifier trained on clean
  labels gives. The paper's types I, II and III. The paper flips from the most
  probable class to the second, which is this wherever the classifier agrees
  with the label; where it does not, the margin counts as zero and the label
  flips to the most probable class.

  The official code of the paper does not multiply `tau` by the factor as the
  paper says, but flips with probability `1 - (1 - tau) / factor`, at any
  margin. This function follows the paper.

  Args:
    labels: True labels, integers `[N]` in 0..K-1.
    probs: `eta`, distributions over the classes `[N, K]`.
    kind: The type: 1, 2 or 3.
    factor: The number `c` that scales the noise, at least 0. `margin_factor`
      finds the one for a wanted rate.

  Returns:
    `P(given j | true label n, x_n)` in row n, float64 `[N, K]`: of the matrix
    `T(x_n)` the row that draws labels, see `corrupt_by_row`. It depends on
    example n alone.

  Raises:
    ValueError: If an argument is not as described; the message says where.

  Examples:
    >>> margin_dependent([0], [[0.75, 0.25]], kind=1).tolist()
    [[0.625, 0.375]]

  References:
    Zhang et al., `Learning with Feature-Dependent Label Noise: A Progressive
    Approach <https://arxiv.org/abs/2103.07756>`_, 2021
  """
  labels, probs = _check(labels, probs)
  if not 0 <= factor < np.inf:
    raise ValueError(f'factor must be in [0, inf), got {factor}')
  targets, flip_rates = _flips(labels, probs, kind)
  flip_rates = np.minimum(factor * flip_rates, 1)
  rows = np.zeros(probs.shape)
  examples = np.arange(len(labels))
  rows[examples, targets] = flip_rates
  rows[examples, labels] = 1 - flip_rates
  return rows


def margin_factor(
  labels: npt.ArrayLike, probs: npt.ArrayLike, *, kind: int, rate: float
) -> float:
  r"""The factor at which margin-dependent noise has a wanted rate.

  .. math::

    c: \quad \tfrac1N \textstyle\sum_n \min(1, c\, \tau(m_n)) = r

  It looks at all the examples that it is given: where a data set is corrupted
  in parts, find one factor for all of them.

  Args:
    labels: True labels, integers `[N]` in 0..K-1, at least one.
    probs: Distributions over the classes `[N, K]`; see `margin_dependent`.
    kind: The type: 1, 2 or 3.
    rate: The fraction `r` of wrong labels to expect, in [0, 1].

  Returns:
    The factor for `margin_dependent`.

  Raises:
    ValueError: If an argument is not as described, or if `rate` is more than
      the fraction of examples whose label can flip, those with `m < 1`.

  References:
    Zhang et al., `Learning with Feature-Dependent Label Noise: A Progressive
    Approach <https://arxiv.org/abs/2103.07756>`_, 2021
  """
  labels, probs = _check(labels, probs)
  rate = _checks.rate('rate', rate)
  flip_rates = np.sort(_flips(labels, probs, kind)[1])
  possible = float(np.mean(flip_rates > 0)) if len(labels) else 0.0
  if rate > possible:
    raise ValueError(
      f'rate must be at most {possible:.6g}, the fraction of examples that '
      f'the classifier is not certain of, got {rate}'
    )
  if rate == 0:
    return 0.0
  # If the smallest n flip rates are below 1 after scaling and the others at 1,
  # the factor is (r N - others) / (sum of the n); the largest n that fits.
  below = np.arange(1, len(flip_rates) + 1)
  sums = np.cumsum(flip_rates)
  missing = rate * len(flip_rates) - (len(flip_rates) - below)
  factors = missing / np.where(sums > 0, sums, 1)
  fits = (sums > 0) & (factors * flip_rates <= 1 + 1e-9)
  return float(factors[fits][-1])


def _flips(
  labels: npt.NDArray[np.int32], probs: npt.NDArray[np.float64], kind: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
  """To which class each label may flip, and how likely it is to, unscaled."""
  if kind not in _FLIP_RATES:
    raise ValueError(f'kind must be 1, 2 or 3, got {kind!r}')
  examples = np.arange(len(labels))
  others = probs.copy()
  others[examples, labels] = -1
  targets = np.argmax(others, axis=1)
  margins = probs[examples, labels] - probs[examples, targets]
  return targets, _FLIP_RATES[kind](np.clip(margins, 0, 1))


def _check(
  labels: npt.ArrayLike, probs: npt.ArrayLike
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
  distributions = np.asarray(probs, np.float64)
  if distributions.ndim != 2 or distributions.shape[1] < 2:
    raise ValueError(f'probs must have shape [N, K], got {distributions.shape}')
  labels = _checks.labels('labels', labels, distributions.shape[1])
  if len(labels) != len(distributions):
    raise ValueError(
      f'probs must have a row for each of {len(labels)} labels, '
      f'got {len(distributions)}'
    )
  return labels, _checks.rows('probs', distributions)
