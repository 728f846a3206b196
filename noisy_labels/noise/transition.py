"""Transition matrices: T[i, j] = P(given label = j | true label = i)."""

import numpy as np
import numpy.typing as npt

# A matrix that passed through float32 still sums to 1 within this; one typed
# in from a table with two or three digits does not.
_TOLERANCE = 1e-5


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
  if num_classes < 2:
    raise ValueError(f'num_classes must be at least 2, got {num_classes}')
  if not 0 <= rate <= 1:
    raise ValueError(f'rate must be in [0, 1], got {rate}')
  if exclude_true:
    drawn = rate / (num_classes - 1)
    kept = 1 - rate
  else:
    drawn = rate / num_classes
    kept = 1 - rate + drawn
  transition = np.full((num_classes, num_classes), drawn, np.float64)
  np.fill_diagonal(transition, kept)
  return transition


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
  matrix = np.asarray(transition, np.float64)
  if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
    raise ValueError(
      f'transition must be a square matrix [K, K], got shape {matrix.shape}'
    )
  if num_classes is not None and len(matrix) != num_classes:
    raise ValueError(
      f'transition must have a row for each of {num_classes} classes, '
      f'got {len(matrix)}'
    )
  _check_entries(matrix, ~np.isfinite(matrix), 'be finite')
  _check_entries(matrix, matrix < 0, 'not be negative')
  sums = matrix.sum(axis=1)
  wrong = np.abs(sums - 1) > _TOLERANCE
  if wrong.any():
    row = int(np.argmax(wrong))
    raise ValueError(
      f'rows of transition must sum to 1, got {sums[row]:.6g} in row {row}'
    )
  return matrix


def _check_entries(
  matrix: npt.NDArray[np.float64], wrong: npt.NDArray[np.bool_], rule: str
) -> None:
  if wrong.any():
    i, j = np.argwhere(wrong)[0]
    raise ValueError(
      f'transition must {rule}, got {matrix[i, j]} at [{i}, {j}]'
    )
