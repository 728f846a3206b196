"""Labels, probabilities and features of other programs, as .npy files."""

import pathlib
from typing import NamedTuple

import numpy as np

from experiments import errors
from noisy_labels.estimation import inputs


class Arrays(NamedTuple):
  """What was given.

  Attributes:
    labels: int32 `[N]`.
    probs: floats `[N, K]`, float32 at most; mapped from disk where they can be.
    features: floats `[N, dim]`, or None.
    files: of each flag that named a file, by what to know it again.
  """

  labels: np.ndarray
  probs: np.ndarray
  features: np.ndarray | None
  files: dict[str, str | None]


def read(
  labels: pathlib.Path, probs: pathlib.Path, features: pathlib.Path | None
) -> Arrays:
  """Reads and checks arrays.

  Args:
    labels: of integers `[N]`.
    probs: of floats `[N, K]`, rows that sum to 1.
    features: of floats `[N, dim]`, if there are any.

  Returns:
    The arrays.

  Raises:
    UsageError: a file cannot be read, or holds something else.
  """
  given = _load('labels', labels)
  if given.ndim != 1 or given.dtype.kind not in 'iu':
    raise _wrong('labels', labels, given, 'integers [N], one for each example')
  predicted = _load('probs', probs)
  if predicted.ndim != 2 or predicted.dtype.kind != 'f':
    raise _wrong('probs', probs, predicted, 'floats [N, K], of each class')
  try:
    inputs.check_probs(predicted)
  except ValueError as error:
    raise errors.UsageError(f'--probs={probs}: {error}') from None
  if len(given) != len(predicted):
    raise errors.UsageError(
      f'--labels={labels} has {len(given)} labels, and --probs={probs} '
      f'{len(predicted)} rows'
    )
  try:
    inputs.check_labels('labels', given, *predicted.shape)
  except ValueError as error:
    raise errors.UsageError(
      f'--labels={labels}: {error}; --probs has {predicted.shape[1]} columns, '
      'one for each class'
    ) from None
  described = None
  if features is not None:
    described = _load('features', features)
    if described.ndim != 2 or described.dtype.kind != 'f':
      raise _wrong('features', features, described, 'floats [N, dim]')
    if len(described) != len(given):
      raise errors.UsageError(
        f'--features={features} has {len(described)} rows, and --labels '
        f'{len(given)}'
      )
    try:
      inputs.check_features(described, 1)
    except ValueError as error:
      raise errors.UsageError(f'--features={features}: {error}') from None
    described = _narrow(described)
  named: dict[str, pathlib.Path | None] = {
    'labels': labels,
    'probs': probs,
    'features': features,
  }
  return Arrays(
    given.astype(np.int32),
    _narrow(predicted),
    described,
    {name: _fingerprint(path) for name, path in named.items()},
  )


def _load(name: str, path: pathlib.Path) -> np.ndarray:
  try:
    array = np.lib.format.open_memmap(path, mode='r')
    # Of the byte order of other machines jax takes none.
    return array.astype(array.dtype.newbyteorder('='), copy=False)
  except OSError as error:
    raise errors.UsageError(
      f'--{name}={path} cannot be read: {error.strerror or error}'
    ) from None
  except (ValueError, EOFError) as error:
    raise errors.UsageError(
      f'--{name}={path} is not a .npy file of numbers ({error}): write it with '
      'numpy.save'
    ) from None


def _wrong(
  name: str, path: pathlib.Path, array: np.ndarray, wanted: str
) -> errors.UsageError:
  return errors.UsageError(
    f'--{name}={path} holds {array.dtype} {list(array.shape)}: save {wanted}'
  )


def _narrow(array: np.ndarray) -> np.ndarray:
  """float64 as float32, with which everything is computed."""
  return array.astype(np.float32) if array.dtype.itemsize > 4 else array


def _fingerprint(path: pathlib.Path | None) -> str | None:
  if path is None:
    return None
  status = path.stat()
  return f'{status.st_size} bytes, changed at {status.st_mtime_ns} ns'
