"""Examples that are there twice with two labels, and those unlike any other.

Both are found by the distance to neighbours, from features: those that were
given, or the pixels, less their mean and brought to their main components.
"""

from collections.abc import Callable
import functools
from typing import Any
from typing import NamedTuple

import jax
import numpy as np

from experiments.audit import findings
from noisy_labels import detection

# N^2 dim, with which time grows: some minutes on two cores.
_MOST = 2e12
# As much of it as a core does in a second or so.
_BLOCK_PRODUCTS = 2e10
# Copies that were stored again, as JPEG say, are as near as that.
TOLERANCE = 0.02
COMPONENTS = 64
# Images are shrunk to about so many pixels on the longer side.
_SIDE = 16
_NEIGHBOUR = 10
_LISTED = 100
_BLOCK = 4096


class Neighbours(NamedTuple):
  """What was found; places are rows.

  Attributes:
    pairs: int64 `[n, 2]`.
    distances: of these, floats `[n]`.
    outliers: int64 `[m]`, those that are listed, the strangest first.
    scores: of these, floats `[m]`.
    number: how many outliers there are, int64.
  """

  pairs: np.ndarray
  distances: np.ndarray
  outliers: np.ndarray
  scores: np.ndarray
  number: np.ndarray

  def duplicates(self) -> list[findings.Duplicate]:
    """The pairs, as an audit reports them."""
    return [
      findings.Duplicate(int(one), int(other), float(distance))
      for (one, other), distance in zip(self.pairs, self.distances, strict=True)
    ]

  def strangers(self) -> list[findings.Outlier]:
    """The outliers, as an audit reports them."""
    return [
      findings.Outlier(int(row), float(score))
      for row, score in zip(self.outliers, self.scores, strict=True)
    ]


NOTHING = Neighbours(
  np.empty((0, 2), np.int64),
  np.empty(0),
  np.empty(0, np.int64),
  np.empty(0),
  np.array(0),
)


def too_many(num_examples: int, dim: int) -> str | None:
  """Why neighbours are not looked for, in a sentence; None if they are."""
  if num_examples**2 * dim <= _MOST:
    return None
  return (
    'Duplicates and outliers were not looked for: that takes time in N^2 dim, '
    f'which is too long for N = {num_examples:,} and dim = {dim:,}.'
  )


def find(
  features: np.ndarray,
  labels: np.ndarray,
  *,
  tick: Callable[[int], None] = lambda rows: None,
) -> Neighbours:
  """Looks for both among all examples.

  Args:
    features: floats `[N, dim]`, finite, N at least 2.
    labels: given classes, integers `[N]`.
    tick: called with how many examples are done, which adds up to 2 N.

  Returns:
    What was found.
  """
  find_duplicates = jax.jit(
    functools.partial(detection.conflicting_duplicates, tolerance=TOLERANCE)
  )
  # Once on the device, for all blocks.
  pool, pool_labels = jax.device_put((features, labels))
  found = _in_blocks(
    lambda rows: find_duplicates(
      features[rows],
      labels[rows],
      pool=pool,
      pool_labels=pool_labels,
      index=rows,
    ),
    features.shape,
    tick,
  )
  rows = np.flatnonzero(found.conflicting)
  pairs = np.stack([rows, found.partner[rows]], axis=1)
  # Of two that have each other for partners, one line.
  pairs, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
  distances = found.distance[rows][first]
  order = np.argsort(distances, kind='stable')
  outliers, scores = _outliers(features, pool, tick)
  return Neighbours(
    pairs[order].astype(np.int64),
    distances[order],
    outliers[:_LISTED],
    scores[:_LISTED],
    np.array(len(outliers)),
  )


def _in_blocks(
  function: Callable[[np.ndarray], Any],
  shape: tuple[int, ...],
  tick: Callable[[int], None],
) -> Any:
  """What a function says of rows, a second's worth of them at a time."""
  num_examples, dim = shape
  size = max(1, int(_BLOCK_PRODUCTS / (num_examples * dim)))
  parts = []
  for start in range(0, num_examples, size):
    rows = np.arange(start, min(start + size, num_examples))
    parts.append(jax.device_get(function(rows)))
    tick(len(rows))
  return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _outliers(
  features: np.ndarray, pool: jax.Array, tick: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
  """The examples far from all others, beyond the whiskers of a box plot."""
  if len(features) <= _NEIGHBOUR:
    tick(len(features))
    return np.empty(0, np.int64), np.empty(0, np.float32)
  run = jax.jit(functools.partial(detection.out_of_distribution, k=_NEIGHBOUR))
  score = _in_blocks(
    lambda rows: run(features[rows], pool=pool, index=rows),
    features.shape,
    tick,
  )
  lower, upper = np.quantile(score, [0.25, 0.75])
  order = np.argsort(-score, kind='stable')
  order = order[score[order] > upper + 1.5 * (upper - lower)]
  return order.astype(np.int64), score[order]


def of_pixels(images: np.ndarray) -> np.ndarray:
  """Features of images: the main components of their pixels.

  Args:
    images: uint8 `[N, height, width, channels]`.

  Returns:
    float32 `[N, dim]` with dim at most 64, of which distances are nearly those
    of the shrunk pixels less their mean.
  """
  # In blocks, for as floats the images are four times as large.
  flat = np.concatenate(
    [_shrink(images[i : i + _BLOCK]) for i in range(0, len(images), _BLOCK)]
  )
  flat -= flat.mean(axis=0, dtype=np.float64).astype(np.float32)
  if len(flat) < flat.shape[1]:  # The smaller of two matrices says the same.
    values, vectors = np.linalg.eigh(flat @ flat.T)
    main = vectors * np.sqrt(np.maximum(values, 0))
    return np.ascontiguousarray(main[:, ::-1][:, :COMPONENTS])
  _, vectors = np.linalg.eigh(flat.T @ flat)
  return flat @ np.ascontiguousarray(vectors[:, ::-1][:, :COMPONENTS])


def _shrink(images: np.ndarray) -> np.ndarray:
  """Means of squares of pixels, flat, float32 in [0, 1]; edges may be cut."""
  number, height, width, channels = images.shape
  side = -(-max(height, width) // _SIDE)
  rows, columns = max(height // side, 1), max(width // side, 1)
  images = images[:, : rows * side, : columns * side]
  squares = images.reshape(
    number, rows, -1, columns, images.shape[2] // columns, channels
  )
  means = squares.mean(axis=(2, 4), dtype=np.float32) / 255
  return means.reshape(number, -1)
