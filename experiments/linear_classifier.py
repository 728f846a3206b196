"""A classifier of images that is a formula: linear discriminant analysis.

For margin-dependent noise, which needs a classifier before there are labels to
train on. Nothing is drawn and nothing is trained in steps, so that the noise is
the same on every machine.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Images are averaged down to at most so many pixels a side.
_SIDE = 8
# How much of the covariance is that of independent, equal pixels.
_SHRINKAGE = 0.1
_BLOCK = 4096
# How many examples say how sure the classifier may be, and how exactly.
_CALIBRATED_BY = 4096
_BISECTIONS = 30


class Classifier(NamedTuple):
  """P(class | x) = softmax(x W + b), x the pixels after averaging.

  Attributes:
    weights: W, float64 `[features, K]`.
    bias: b, float64 `[K]`; -inf for a class that had no example.
  """

  weights: npt.NDArray[np.float64]
  bias: npt.NDArray[np.float64]


def fit(
  images: npt.NDArray, labels: npt.NDArray, num_classes: int
) -> Classifier:
  r"""Classes as normal distributions with means of their own, one covariance.

  .. math::

    W &= c\, S^{-1} M, \quad
    b_k = c\, (\log \pi_k - \tfrac12 \mu_k^\top S^{-1} \mu_k), \quad
    S = (1 - \lambda) \Sigma + \lambda \tfrac{\text{tr} \Sigma}{D} I

  where the columns of `M` are the means `mu` of the classes, `pi` their
  frequencies, `Sigma` the covariance within classes, and lambda is 0.1. Pixels
  are not normal, and the posterior of that is too sure of itself: the scale `c`
  is the one at which the labels are most likely (of 4,096 examples).

  Args:
    images: uint8 `[N, height, width, channels]`, N > 0.
    labels: true classes, integers `[N]`.
    num_classes: K.

  Returns:
    The classifier. Memory: a few `[D, D]`, with D at most 64 times the number
    of channels, and blocks of 4,096 images.

  References:
    Fisher, `The Use of Multiple Measurements in Taxonomic Problems
    <https://doi.org/10.1111/j.1469-1809.1936.tb02137.x>`_, 1936
  """
  counts = np.bincount(labels, minlength=num_classes)
  squares, sums = 0.0, 0.0
  for x, y in _blocks(images, labels):
    squares = squares + x.T @ x
    sums = sums + (np.arange(num_classes)[:, None] == y).astype(float) @ x
  means = sums / np.maximum(counts, 1)[:, None]
  within = (squares - means.T @ (counts[:, None] * means)) / len(labels)
  even = max(np.trace(within) / len(within), np.finfo(np.float32).tiny)
  shrunk = (1 - _SHRINKAGE) * within + _SHRINKAGE * even * np.eye(len(within))
  weights = np.linalg.solve(shrunk, means.T)
  prior = np.log(np.maximum(counts, 1) / len(labels))
  bias = prior - np.sum(means.T * weights, axis=0) / 2
  bias = np.where(counts > 0, bias, -np.inf)
  step = -(-len(labels) // _CALIBRATED_BY)
  logits = _pixels(images[::step]) @ weights + bias
  scale = _most_likely_scale(logits, labels[::step])
  return Classifier(scale * weights, scale * bias)


def probabilities(
  classifier: Classifier, images: npt.NDArray
) -> npt.NDArray[np.float64]:
  """P(class | x) of each image, float64 `[N, K]`."""
  unused = np.zeros(len(images), np.int64)
  return np.concatenate(
    [
      _softmax(x @ classifier.weights + classifier.bias)
      for x, _ in _blocks(images, unused)
    ]
  )


def _most_likely_scale(logits, labels):
  """The c in (0, 1] with the likeliest labels; log-likelihood is concave."""
  finite = np.where(np.isfinite(logits), logits, 0)
  own = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
  low, high = 0.0, 1.0
  for _ in range(_BISECTIONS):
    scale = (low + high) / 2
    expected = np.sum(_softmax(scale * logits) * finite, axis=1)
    too_small = np.mean(own - expected) > 0
    low, high = (scale, high) if too_small else (low, scale)
  return high


def _softmax(logits):
  powers = np.exp(logits - logits.max(axis=1, keepdims=True))
  return powers / powers.sum(axis=1, keepdims=True)


def _blocks(images, labels):
  for start in range(0, len(images), _BLOCK):
    block = slice(start, start + _BLOCK)
    yield _pixels(images[block]), labels[block]


def _pixels(images):
  """Means over rectangles of pixels, in [0, 1], `[N, features]`."""
  sums, area = np.asarray(images), np.array(255.0)
  for axis in (1, 2):
    size = sums.shape[axis]
    side = min(size, _SIDE)
    starts = np.arange(side) * size // side
    sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.int64)
    widths = np.diff([*starts, size])
    area = area * widths.reshape([-1 if i == axis else 1 for i in range(4)])
  return (sums / area).reshape(len(sums), -1)
