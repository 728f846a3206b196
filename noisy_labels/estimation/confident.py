"""Confident learning: who is surely of another class than the given one."""

from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.estimation import blocks
from noisy_labels.estimation import calibration
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_host
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs

# Above every probability: nobody is confident of a class that is never given.
_NEVER = 2.0
_LOWEST_THRESHOLD = 2e-6


class SelfConfidence(NamedTuple):
  """Sums over examples, from which the thresholds are made.

  sums: of `p[n, y_n]` by given label, float `[K]`.
  given: how often each label is given, int32 `[K]`.
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


def confident_joint(
  labels: chex.Array,
  probs: chex.Array,
  *,
  thresholds: chex.Array | None = None,
  weights: chex.Array | None = None,
  axis_name: str | None = None,
) -> estimate.Estimate:
  """Count the examples of which a model is confident, by true and given class.

    t_k = mean of p[n, k] over examples with label k
    C[i, j] = how many with label j are confidently of class i

  An example is confidently of the only class with p[n, k] >= t_k - 1e-6, or,
  if there are several, of its most probable class; if there is none it is not
  counted. Each diagonal entry is at least 1. Then the columns of C are scaled
  to the numbers of given labels, and rounded by largest remainders to whole
  numbers with these sums; the estimate is that of the result.

  It needs neither the noise nor the clean classes to be known, but needs probs
  of examples that the model was not trained on (cross-validation), and labels
  that are right more often than any other way for each class.

  This is what cleanlab 2.9 computes, its matrices transposed (there [given,
  true]): `compute_confident_joint`, and `estimate_latent` with its defaults,
  whose prior is P(true), whose noise matrix is `transition.T`, and whose
  inverse noise matrix is `inverse`. Only where a class has no evidence do we
  differ: there cleanlab has a column of zeros and a prior of 1e-6, and here
  stand the identity's row and a prior of 0; and where a scaled count on the
  diagonal is rounded to 0, cleanlab's prior is 1e-6 and this one is the row
  sum. Equal remainders round up the later class, where cleanlab leaves it to
  the sort.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x), floats `[N, K]`; rows sum to 1.
    thresholds: t, floats `[K]`, instead of the means.
    weights: how often each example counts, integers `[N]`; once, if None.
    axis_name: of `jax.vmap`, `jax.pmap` or `jax.shard_map`: the examples are a
      shard, and the result is that of all.

  Returns:
    The estimate. Of numpy arrays it is made by numpy, in float64 and without a
    copy of probs; of others by jax, and should be jitted. Memory: `[N]`
    numbers, and three `[K, K]` (1.2 GB for 10,000 classes).

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  _check(labels, probs, weights)
  if thresholds is None:
    confidence = self_confidence(labels, probs, weights=weights)
    thresholds = thresholds_from(blocks.total(confidence, axis_name))
  counts = confident_counts(labels, probs, thresholds, weights=weights)
  return confident_from_counts(blocks.total(counts, axis_name))


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
  if isinstance(probs, np.ndarray):
    return SelfConfidence(*confident_host.sums(labels, probs, weights))
  num_classes = probs.shape[1]
  labels = jnp.asarray(labels)
  chosen = jnp.take_along_axis(probs, labels[:, None], axis=1)[:, 0]
  chosen = chosen.astype(estimate.float_dtype(probs))
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


def confident_from_counts(counts: ConfidentCounts) -> estimate.Estimate:
  """The estimate that `confident_joint` describes, from the counts of all."""
  return estimate.from_joint(confident_matrix(counts))


def confident_matrix(
  counts: ConfidentCounts, *, calibrate: bool = True
) -> chex.Array:
  """The confident joint itself, C[true, given], as cleanlab's transposed.

  Args:
    counts: of all examples.
    calibrate: whether to scale columns to the given labels, and round.

  Returns:
    Integers `[K, K]`, with at least 1 on the diagonal before scaling.
  """
  xp = estimate.namespace(counts.joint)
  eye = xp.eye(len(counts.given), dtype=bool)
  floored = xp.where(eye, xp.maximum(counts.joint, 1), counts.joint)
  if not calibrate:
    return floored
  return calibration.scale_columns(floored, counts.given)


def _check(labels, probs, weights):
  if not isinstance(probs, np.ndarray):
    inputs.check_probs(probs)
  else:  # Rows are checked while they are in the cache.
    inputs.check_matrix('probs', probs)
  inputs.check_labels('labels', labels, *probs.shape)
  inputs.check_weights(weights, len(probs))
