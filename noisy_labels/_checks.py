"""What functions of this library check before they compute.

Only what is known without waiting for a device: shapes, dtypes, and the range
of Python and numpy numbers. Values of jax arrays, traced or not, are the
caller's.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np


def in_range(name: str, value: Any, interval: str) -> None:
  """Raise unless the number, or each number of the array, is in an interval.

  Args:
    name: what the argument is called, for the message.
    value: a Python number or numpy array. Jax arrays and tracers pass
      unseen: to look at them would wait for the device.
    interval: as in mathematics, for example `'[0, 1)'` or `'(0, inf]'`.

  Raises:
    ValueError: if it is not a number, is NaN, or is out of range.

  Examples:
    >>> in_range('noise_rate', 0.3, '[0, 1)')
    >>> in_range('noise_rate', 1.0, '[0, 1)')
    Traceback (most recent call last):
    ...
    ValueError: noise_rate must be in [0, 1), got 1.0
  """
  if isinstance(value, jax.Array) or hasattr(value, '__jax_array__'):
    return
  try:
    numbers = np.asarray(value, dtype=np.float64)
  except (TypeError, ValueError):
    raise ValueError(
      f'{name} must be a number in {interval}, got {value!r}'
    ) from None
  low, high = (float(bound) for bound in interval[1:-1].split(','))
  above = numbers >= low if interval[0] == '[' else numbers > low
  below = numbers <= high if interval[-1] == ']' else numbers < high
  if not np.all(above & below):
    raise ValueError(f'{name} must be in {interval}, got {value!r}')


def at_least(name: str, value: Any, lowest: int) -> None:
  """Raise unless a number known when compiling is an integer, and large enough.

  Args:
    name: what the argument is called, for the message.
    value: a Python or numpy integer.
    lowest: the smallest that is allowed.

  Raises:
    ValueError: if it is not an integer, or is smaller.

  Examples:
    >>> at_least('order', 2, 1)
    >>> at_least('order', 2.5, 1)
    Traceback (most recent call last):
    ...
    ValueError: order must be an integer of at least 1, got 2.5
  """
  is_number = isinstance(value, int | np.integer)
  if not is_number or isinstance(value, bool) or value < lowest:
    raise ValueError(
      f'{name} must be an integer of at least {lowest}, got {value!r}'
    )


def logits_and_labels(logits: Any, labels: Any) -> None:
  """Raise unless labels are classes, or distributions over them, for logits.

  Args:
    logits: float `[..., num_classes]`.
    labels: integer `[...]` or float `[..., num_classes]`.

  Raises:
    AssertionError: by chex, saying which argument is wrong and what to do.
  """
  chex.assert_type(
    logits,
    float,
    custom_message='logits must be floating-point numbers [..., num_classes]',
  )
  if jnp.ndim(logits) == 0:
    raise AssertionError(
      'logits must have a last axis of classes, got a scalar'
    )
  shape = jnp.shape(logits)
  if not hasattr(labels, 'dtype'):
    raise AssertionError(
      f'labels must be an array, got {type(labels).__name__}: '
      'numpy.asarray(labels) is one'
    )
  if jnp.issubdtype(labels.dtype, jnp.floating):
    hint = 'float labels are distributions and have the shape of logits'
    if jnp.shape(labels) == shape[:-1]:
      hint += ': cast labels to integers if they are the numbers of classes'
    chex.assert_shape(labels, shape, custom_message=hint)
  else:
    chex.assert_type(
      labels,
      int,
      custom_message='labels must be integer classes [...], or '
      'floating-point distributions [..., num_classes]',
    )
    hint = 'integer labels have the shape of logits without its last axis'
    if jnp.shape(labels) == shape:
      hint += ': cast one-hot labels to float'
    chex.assert_shape(labels, shape[:-1], custom_message=hint)
