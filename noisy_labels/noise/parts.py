"""Noise that depends on the parts of an example: on its features."""

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks
from noisy_labels.noise import normal
from noisy_labels.noise import streams


def part_dependent(
  features: npt.ArrayLike,
  labels: npt.ArrayLike,
  *,
  rate: float,
  num_classes: int,
  seed: int,
  index: npt.ArrayLike | None = None,
  std: float = 0.1,
) -> npt.NDArray[np.float64]:
  r"""Part-dependent noise: a random projection says what is mistaken for what.

  .. math::

    T_{y y}(x) &= 1 - q, \quad q \sim N(r, \sigma^2) \text{ within } [0, 1] \\
    T_{y j}(x) &= q\, \frac{\exp (x^\top W_y)_j}
      {\textstyle\sum_{k \ne y} \exp (x^\top W_y)_k} \quad (j \ne y)

  where `W_y`, `[features, K]` for each true class `y`, has standard normal
  entries. Follows the paper's official code. There `x` are the pixels of the
  image from 0 to 255: the softmax is then as good as one-hot, and an example
  that is mislabelled can only be so in one way. Features of a smaller scale
  spread the wrong labels; this function takes them as they come.

  `q` depends on the seed and the example's index alone, and `W` on the seed;
  a shard's rows are those of the whole, but for rounding in the last digits.
  The realised rate is the mean of the truncated normal distribution, which is
  near `r` and a little towards 1/2. Drawing `W` takes about a microsecond for
  each of its `K * features * K` numbers.

  Args:
    features: What the noise looks at, finite numbers `[N, ...]`.
    labels: True labels, integers `[N]` in 0..K-1.
    rate: The mean `r` of `q` before truncation, in [0, 1].
    num_classes: The number of classes `K`, at least 2.
    seed: An integer in [0, 2**32). Labels may be drawn with the same one.
    index: The identity of each example in its data set, non-negative integers
      `[N]`; 0..N-1 if it is left out.
    std: The standard deviation of `q` before truncation, positive.

  Returns:
    `P(given j | true label n, x_n)` in row n, float64 `[N, K]`: of the matrix
    `T(x_n)` the row that draws labels, see `corrupt_by_row`. Another row of it
    is had by giving another label.

  Raises:
    ValueError: If an argument is not as described; the message says where.

  References:
    Xia et al., `Part-dependent Label Noise: Towards Instance-dependent Label
    Noise <https://arxiv.org/abs/2006.07836>`_, 2020
  """
  K = _checks.num_classes(num_classes)
  labels = _checks.labels('labels', labels, K)
  index = _checks.index(index, labels)
  flat = _check_features(features, len(labels))
  rate = _checks.rate('rate', rate)
  if not 0 < std < np.inf:
    raise ValueError(f'std must be positive and finite, got {std}')
  flip_rates = normal.truncated_normal(
    seed, index, stream=streams.FLIP_RATES, mean=rate, std=std
  )
  rows = np.zeros((len(labels), K))
  for label in np.unique(labels):
    places = np.flatnonzero(labels == label)
    logits = flat[places].astype(np.float64) @ _projection(
      seed, int(label), flat.shape[1], K
    )
    logits[:, label] = -np.inf
    flips = flip_rates[places, None]
    rows[places] = flips * _softmax(logits)
    rows[places, label] = 1 - flips[:, 0]
  return rows


def _projection(
  seed: int, label: int, num_features: int, num_classes: int
) -> npt.NDArray[np.float64]:
  size = num_features * num_classes
  places = label * size + np.arange(size)
  entries = normal.normal(seed, places, stream=streams.PROJECTIONS)
  return entries.reshape(num_features, num_classes)


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
  powers = np.exp(logits - logits.max(axis=1, keepdims=True))
  return powers / powers.sum(axis=1, keepdims=True)


def _check_features(features: npt.ArrayLike, num_examples: int) -> npt.NDArray:
  array = np.asarray(features)
  if array.ndim < 2 or len(array) != num_examples:
    raise ValueError(
      f'features must have shape [N, ...] with N = {num_examples} labels, '
      f'got {array.shape}'
    )
  if not np.all(np.isfinite(array)):
    raise ValueError('features must be finite, got NaN or infinity')
  return array.reshape(num_examples, int(np.prod(array.shape[1:])))
