"""What estimators check of their inputs.

Estimators run once, not in every step, so they look at the values of arrays,
unless these are traced: inside `jax.jit` only shapes and dtypes are known.
"""

from typing import Any

import jax
from jax import core
import jax.numpy as jnp
import numpy as np

# How far a sum may be from 1: as far as bfloat16 brings it, also if the
# numbers were widened since.
_TOLERANCE = 1e-2


def check_labels(
  name: str, labels: Any, num_examples: int, num_classes: int | None = None
) -> None:
  """Raise ValueError unless labels are integers `[N]` in 0 .. K - 1.

  If the number of classes is not known, unless they are not negative.
  """
  _check_array(name, labels)
  if np.shape(labels) != (num_examples,):
    raise ValueError(
      f'{name} must have shape [{num_examples}], one for each example, '
      f'got {np.shape(labels)}'
    )
  dtype = jnp.result_type(labels)
  if not jnp.issubdtype(dtype, jnp.integer):
    raise ValueError(f'{name} must be integers, got dtype {dtype}')
  if not is_concrete(labels):
    return
  labels = np.asarray(labels)
  wrong = labels < 0
  if num_classes is not None:
    wrong |= labels >= num_classes
  if wrong.any():
    place = int(np.argmax(wrong))
    last = '' if num_classes is None else num_classes - 1
    raise ValueError(
      f'{name} must be in 0..{last}, got {labels[place]} at position {place}'
    )


def check_matrix(name: str, matrix: Any) -> None:
  """Raise ValueError unless it is of floats, `[N, K]` with N > 0, K > 1."""
  _check_array(name, matrix)
  shape = np.shape(matrix)
  if len(shape) != 2 or shape[0] < 1 or shape[1] < 2:
    raise ValueError(
      f'{name} must have shape [N, K] with N > 0 and K > 1, got {shape}'
    )
  if not jnp.issubdtype(matrix.dtype, jnp.floating):
    raise ValueError(f'{name} must be floats, got dtype {matrix.dtype}')


def check_probs(probs: Any) -> None:
  """Raise ValueError unless probs are distributions, `[N, K]`."""
  check_matrix('probs', probs)
  if is_concrete(probs):
    # Also where something else is traced.
    with jax.ensure_compile_time_eval():
      sums, smallest = probs.sum(axis=1), probs.min(axis=1)
    check_rows(probs, np.asarray(sums), smallest)


def check_distributions(name: str, rows: Any) -> None:
  """Raise ValueError unless rows are distributions, `[N, K]`; a name for them.

  As `check_probs`, for what is small.
  """
  check_matrix(name, jnp.asarray(rows))
  if not is_concrete(rows):
    return
  rows = np.asarray(rows, np.float64)
  fine = (abs(rows.sum(axis=1) - 1) <= _TOLERANCE) & (rows.min(axis=1) >= 0)
  if not fine.all():
    row = int(np.argmin(fine))
    raise ValueError(
      f'{name} must have non-negative rows that sum to 1, got one with sum '
      f'{rows[row].sum():.6g} at position {row}'
    )


def check_transition(transition: Any, num_classes: int) -> None:
  """Raise ValueError unless rows are distributions, `[K, K]`."""
  shape = np.shape(transition)
  if shape != (num_classes, num_classes):
    raise ValueError(
      f'transition must have shape {(num_classes, num_classes)}, as there are '
      f'{num_classes} classes, got {shape}'
    )
  check_distributions('transition', transition)


def check_features(features: Any, least: int) -> None:
  """Raise ValueError unless features are finite, `[N, dim]` with N enough."""
  _check_array('features', features)
  shape = np.shape(features)
  if len(shape) != 2 or shape[0] < least:
    raise ValueError(
      f'features must have shape [N, dim] with N of at least {least}, got '
      f'{shape}'
    )
  if is_concrete(features):
    finite = np.isfinite(np.asarray(features).sum(axis=1))
    if not finite.all():
      place = int(np.argmin(finite))
      raise ValueError(f'features must be finite, got others at row {place}')


def check_scores(name: str, scores: Any) -> None:
  """Raise ValueError unless they are finite floats, `[N]` with N > 0."""
  _check_array(name, scores)
  shape = np.shape(scores)
  if len(shape) != 1 or shape[0] < 1:
    raise ValueError(f'{name} must have shape [N] with N > 0, got {shape}')
  dtype = jnp.result_type(scores)
  if not jnp.issubdtype(dtype, jnp.floating):
    raise ValueError(f'{name} must be floats, got dtype {dtype}')
  if is_concrete(scores) and not np.isfinite(np.asarray(scores)).all():
    place = int(np.argmin(np.isfinite(np.asarray(scores))))
    raise ValueError(f'{name} must be finite, got {scores[place]} at {place}')


def check_rows(
  probs: Any, sums: Any, smallest: Any, first_row: int = 0
) -> None:
  """Raise ValueError where a row's sum is not 1, or its smallest is below 0.

  Args:
    probs: the rows, `[N, K]`; only read for the message.
    sums: their sums, `[N]`.
    smallest: their smallest entries, `[N]`; or one number for all.
    first_row: the number of the first row in the message.
  """
  sums = np.asarray(sums, np.float64)
  # Comparisons so that NaN is wrong.
  fine = abs(sums - 1) <= _TOLERANCE
  if fine.all() and np.all(np.asarray(smallest) >= 0):
    return
  smallest = np.asarray(probs).min(axis=1)
  row = int(np.argmin(fine & (smallest >= 0)))
  raise ValueError(
    'probs must be non-negative rows that sum to 1, got a row with sum '
    f'{sums[row]:.6g} and smallest entry {float(smallest[row]):.6g} at '
    f'position {first_row + row}: are they logits?'
  )


def check_block(rows: np.ndarray, first_row: int) -> None:
  """`check_rows` of a block of numpy's, at least float32, `[block, K]`."""
  # A product with ones may wake threads, which are then kept busy waiting.
  check_rows(rows, np.einsum('ij->i', rows), rows.min(), first_row)


def check_weights(weights: Any, num_examples: int) -> None:
  """Raise ValueError unless weights are None or non-negative integers `[N]`."""
  if weights is None:
    return
  _check_array('weights', weights)
  dtype = jnp.result_type(weights)
  is_integer = jnp.issubdtype(dtype, jnp.integer)
  if np.shape(weights) != (num_examples,) or not is_integer:
    raise ValueError(
      f'weights must be integers [{num_examples}], how often each example '
      f'counts, got {dtype} {np.shape(weights)}'
    )
  if is_concrete(weights) and np.any(np.asarray(weights) < 0):
    raise ValueError('weights must not be negative')


def _check_array(name: str, value: Any) -> None:
  if not hasattr(value, 'dtype'):
    raise ValueError(
      f'{name} must be an array, got {type(value).__name__}: '
      f'numpy.asarray({name}) is one'
    )


def is_concrete(array: Any) -> bool:
  """Return whether the array's values are known."""
  return not isinstance(array, core.Tracer)
