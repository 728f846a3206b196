"""What the noise models check: labels, indices, rates and rows of numbers."""

import operator

import numpy as np
import numpy.typing as npt

# A row that passed through float32 still sums to 1 within this; one typed in
# from a table with two or three digits does not.
_TOLERANCE = 1e-5


def rate(name: str, value: float) -> float:
  """Returns the number if it is in [0, 1]."""
  if not 0 <= value <= 1:
    raise ValueError(f'{name} must be in [0, 1], got {value}')
  return float(value)


def num_classes(value: int) -> int:
  """Returns the number of classes if there are two."""
  try:
    number = operator.index(value)
  except TypeError:
    raise ValueError(f'num_classes must be an integer, got {value!r}') from None
  if number < 2:
    raise ValueError(f'num_classes must be at least 2, got {value}')
  return number


def labels(
  name: str, values: npt.ArrayLike, num_classes: int, *, missing: bool = False
) -> npt.NDArray[np.int32]:
  """Returns integers `[N]` in 0..K-1; also -1 if some may be missing."""
  array = np.asarray(values)
  if array.ndim != 1:
    raise ValueError(f'{name} must have shape [N], got {array.shape}')
  if array.size and array.dtype.kind not in 'iu':
    raise ValueError(f'{name} must be integers, got dtype {array.dtype}')
  wrong = (array < (-1 if missing else 0)) | (array >= num_classes)
  if wrong.any():
    place = int(np.argmax(wrong))
    others = ', or -1 where it is missing' if missing else ''
    raise ValueError(
      f'{name} must be in 0..{num_classes - 1}{others}, '
      f'got {array[place]} at position {place}'
    )
  return array.astype(np.int32)


def index(
  values: npt.ArrayLike | None, labels: npt.NDArray
) -> npt.NDArray[np.int64] | npt.NDArray:
  """Returns the index of each label: 0..N-1 if none is given."""
  if values is None:
    return np.arange(len(labels))
  array = np.asarray(values)
  if array.shape != labels.shape[:1]:
    raise ValueError(
      f'index must have the shape of labels {labels.shape[:1]}, '
      f'got {array.shape}'
    )
  return array


def rows(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
  """Returns `[N, K]` as float64 if its rows are distributions."""
  matrix = non_negative(name, values)
  sums = matrix.sum(axis=1)
  wrong = np.abs(sums - 1) > _TOLERANCE
  if wrong.any():
    row = int(np.argmax(wrong))
    raise ValueError(
      f'rows of {name} must sum to 1, got {sums[row]:.6g} in row {row}'
    )
  return matrix


def non_negative(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
  """Returns a matrix as float64 if it holds neither NaN, inf nor negatives."""
  matrix = np.asarray(values, np.float64)
  _entries(name, matrix, ~np.isfinite(matrix), 'be finite')
  _entries(name, matrix, matrix < 0, 'not be negative')
  return matrix


def square(name: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
  """Returns the matrix as float64 if it is one `[K, K]`."""
  matrix = np.asarray(values, np.float64)
  if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
    raise ValueError(
      f'{name} must be a square matrix [K, K], got shape {matrix.shape}'
    )
  return matrix


def _entries(
  name: str, matrix: npt.NDArray, wrong: npt.NDArray[np.bool_], rule: str
) -> None:
  if wrong.any():
    i, j = np.argwhere(wrong)[0]
    raise ValueError(f'{name} must {rule}, got {matrix[i, j]} at [{i}, {j}]')
