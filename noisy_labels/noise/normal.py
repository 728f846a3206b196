"""Normal numbers that are a function of (seed, stream, index) alone.

The distribution function is inverted by Python's own `statistics`, in plain
arithmetic: numpy has no inverse, and those of other libraries need not stay
the same to the last bit.
"""

import statistics

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import counter

_STANDARD = statistics.NormalDist()
_SMALLEST = 2.0**-54  # Below every uniform number but 0.


def normal(
  seed: int, index: npt.ArrayLike, *, stream: int
) -> npt.NDArray[np.float64]:
  """One standard normal number per index, float64 `[...]`.

  Args:
    seed: An integer in [0, 2**32).
    index: Non-negative integers `[...]`.
    stream: An integer in [0, 2**32).

  Returns:
    float64 `[...]`.

  Raises:
    ValueError: If an argument is negative, too large or not an integer.
  """
  return _quantiles(counter.uniform(seed, index, stream=stream))


def truncated_normal(
  seed: int,
  index: npt.ArrayLike,
  *,
  stream: int,
  mean: float,
  std: float,
) -> npt.NDArray[np.float64]:
  """One normal number per index, of those that lie in [0, 1].

  Args:
    seed: An integer in [0, 2**32).
    index: Non-negative integers `[...]`.
    stream: An integer in [0, 2**32).
    mean: The mean before truncation, in [0, 1].
    std: The standard deviation before truncation, positive.

  Returns:
    float64 `[...]` in [0, 1].

  Raises:
    ValueError: If seed, index or stream is not as described.
  """
  below = _STANDARD.cdf((0 - mean) / std)
  upto = _STANDARD.cdf((1 - mean) / std)
  uniforms = counter.uniform(seed, index, stream=stream)
  numbers = mean + std * _quantiles(below + uniforms * (upto - below))
  return np.clip(numbers, 0, 1)  # The inverse is rounded, too.


def _quantiles(
  probabilities: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
  inside = np.clip(probabilities, _SMALLEST, 1 - 2.0**-53)
  values = map(_STANDARD.inv_cdf, inside.reshape(-1).tolist())
  return np.fromiter(values, np.float64, inside.size).reshape(inside.shape)
