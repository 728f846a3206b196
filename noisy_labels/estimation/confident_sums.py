"""The sums over examples that confident learning needs, by numpy or jax."""

from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_host
from noisy_labels.estimation import estimate

# Above every probability: nobody is confident of a class that is never given.
_NEVER = 2.0
_LOWEST_THRESHOLD = 2e-6


class SelfConfidence(NamedTuple):
  """Sums over examples, from which the thresholds are made.

  sums: of `p[n, y_n]` by given label, float `[K]`.
  given: how often each label is given, integers `[K]`.
  """

  sums: chex.Array
  given: chex.Array


class ConfidentCounts(NamedTuple):
  """Counts of examples, from which everything else is made.

  joint: `joint[i, j]` are confidently of class i and were given j; integers
    `[K, K]`, exact.
  given: how often each label is given, integers `[K]`.
  """

  joint: chex.Array
  given: chex.Array


def self_confidence(
  labels: chex.Array, probs: chex.Array, *, weights: chex.Array | None = None
) -> SelfConfidence:
  """The sums of a shard that `thresholds_from` takes, once added up.

  Args:
    labels: as for `confident_joint`, as are probs and weights.
    probs: `[N, K]`.
    weights: `[N]` or None.

  Returns:
    Sums, of at least float32 and accurate for millions of examples. Memory: a
    few `[N]`.
  """
  own: chex.Array
  if isinstance(probs, np.ndarray):
    own = confident_host.own(np.asarray(labels), probs)
  else:
    own = jnp.take_along_axis(probs, jnp.asarray(labels)[:, None], axis=1)[:, 0]
  return sums_of(labels, own, probs.shape[1], weights)


def sums_of(
  labels: chex.Array,
  own: chex.Array,
  num_classes: int,
  weights: chex.Array | None = None,
) -> SelfConfidence:
  """`self_confidence` of what each example has for its label, `[N]`."""
  if isinstance(own, np.ndarray):
    return SelfConfidence(
      *confident_host.sums(labels, own, num_classes, weights)
    )
  labels = jnp.asarray(labels)
  chosen = own.astype(estimate.float_dtype(own))
  if weights is not None:
    chosen = chosen * jnp.asarray(weights)
  return SelfConfidence(
    blocks.class_sums(labels, chosen, num_classes),
    blocks.class_counts(labels, num_classes, weights),
  )


def thresholds_from(confidence: SelfConfidence) -> chex.Array:
  """The mean self-confidence of each given class; 2 if it is never given.

  Args:
    confidence: the sums of all examples.

  Returns:
    float `[K]`, at least 2e-6.
  """
  xp = estimate.namespace(confidence.sums)
  absent = confidence.given == 0
  means = confidence.sums / xp.where(absent, 1, confidence.given)
  means = xp.maximum(means, _LOWEST_THRESHOLD)
  return xp.where(absent, _NEVER, means)


def confident_counts(
  labels: chex.Array,
  probs: chex.Array,
  thresholds: chex.Array,
  *,
  weights: chex.Array | None = None,
) -> ConfidentCounts:
  """The counts of a shard that `confident_from_counts` takes, once added up.

  Args:
    labels: as for `confident_joint`, as are probs and weights.
    probs: `[N, K]`.
    thresholds: float `[K]`, of all examples.
    weights: `[N]` or None.

  Returns:
    Exact counts, below 2^31. Memory: `[N]` and one `[K, K]`.

  Raises:
    ValueError: if thresholds do not have shape `[K]`.
  """
  num_classes = probs.shape[1]
  if np.shape(thresholds) != (num_classes,):
    raise ValueError(
      f'thresholds must have shape [{num_classes}], one for each class, got '
      f'{np.shape(thresholds)}'
    )
  if isinstance(probs, np.ndarray):
    return ConfidentCounts(
      *confident_host.counts(labels, probs, np.asarray(thresholds), weights)
    )
  labels = jnp.asarray(labels)
  guesses = confident_guess.guess(probs, jnp.asarray(thresholds))
  return ConfidentCounts(
    blocks.pair_counts(guesses, labels, num_classes, weights),
    blocks.class_counts(labels, num_classes, weights),
  )
