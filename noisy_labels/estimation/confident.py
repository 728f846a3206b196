"""Confident learning: who is surely of another class than the given one."""

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.estimation import blocks
from noisy_labels.estimation import calibration
from noisy_labels.estimation import confident_sums
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


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
    numbers, and five `[K, K]` (2 GB for 10,000 classes).

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  others = labels, thresholds, weights
  if not all(map(inputs.is_concrete, others)):  # Numpy cannot read these.
    probs = jnp.asarray(probs)
  _check(labels, probs, weights)
  if thresholds is None:
    confidence = confident_sums.self_confidence(labels, probs, weights=weights)
    thresholds = confident_sums.thresholds_from(
      blocks.total(confidence, axis_name)
    )
  counts = confident_sums.confident_counts(
    labels, probs, thresholds, weights=weights
  )
  return confident_from_counts(blocks.total(counts, axis_name))


def confident_from_counts(
  counts: confident_sums.ConfidentCounts,
) -> estimate.Estimate:
  """The estimate that `confident_joint` describes, from the counts of all.

  Args:
    counts: `confident_counts` of all shards, added up.

  Returns:
    The estimate: `transition` `[K, K]` and `prior` `[K]`.
  """
  return estimate.from_joint(confident_matrix(counts))


def confident_matrix(
  counts: confident_sums.ConfidentCounts, *, calibrate: bool = True
) -> chex.Array:
  """The confident joint itself, C[true, given], as cleanlab's transposed.

  Args:
    counts: of all examples.
    calibrate: whether to scale columns to the given labels, and round.

  Returns:
    Integers `[K, K]`, with at least 1 on the diagonal before scaling.
  """
  xp = estimate.namespace(counts.joint)
  lacking = xp.maximum(1 - xp.diagonal(counts.joint), 0)
  if xp is np:
    floored = counts.joint.copy()
    floored.flat[:: len(lacking) + 1] += lacking
  else:
    floored = counts.joint + jnp.diag(lacking)
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
