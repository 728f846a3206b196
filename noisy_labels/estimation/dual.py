"""Dual-T: two easy transitions in the place of one that is hard to estimate."""

import chex
import jax.numpy as jnp

from noisy_labels.estimation import anchors
from noisy_labels.estimation import blocks
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


def dual_transition(
  labels: chex.Array,
  probs: chex.Array,
  *,
  percentile: float | None = 97.0,
  weights: chex.Array | None = None,
  axis_name: str | None = None,
) -> estimate.Estimate:
  """Transition through an intermediate class, the one that the model predicts.

    T = A B
    A[i, l] = P(predicted l | true i), by anchor points
    B[l, j] = P(given j | predicted l), by counting: the fraction of labels j
      among the examples with argmax_k p[n, k] = l

  A needs no more than that the intermediate class is what the model says it
  is, and B no probabilities at all; where the estimate of P(given | x) is off,
  the error of T is often less than that of anchor points. It assumes that,
  given the predicted class, the true one says nothing more of the given one.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x), floats `[N, K]`; rows sum to 1.
    percentile: of the anchor points, as for `anchor_points`; the authors' code
      takes 97.
    weights: how often each example counts in B, integers `[N]`; once, if None.
      Anchor points are those of all examples.
    axis_name: the examples are a shard of this axis, of as many as each other
      shard; the result is that of all.

  Returns:
    The estimate; its prior is the one from which T makes the given labels. A
    class that is never predicted has the identity's row in B, where the
    authors' code has a row of zeros. Memory: `[N]`, and five `[K, K]`; jit it.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Yao et al., `Dual T: Reducing Estimation Error for Transition Matrix in
    Label-noise Learning <https://arxiv.org/abs/2006.07805>`_, 2020
  """
  inputs.check_probs(probs)
  inputs.check_labels('labels', labels, *probs.shape)
  inputs.check_weights(weights, len(probs))
  labels, probs = jnp.asarray(labels), jnp.asarray(probs)
  counts = predicted_counts(labels, probs, weights=weights)
  counts = blocks.total(counts, axis_name)
  rows = anchors.anchor_rows(probs, percentile=percentile, axis_name=axis_name)
  return dual_from_counts(rows, counts)


def predicted_counts(
  labels: chex.Array, probs: chex.Array, *, weights: chex.Array | None = None
) -> chex.Array:
  """Exact counts of (predicted, given) pairs of a shard, int32 `[K, K]`.

  Args:
    labels: as for `dual_transition`, as are the others.
    probs: `[N, K]`.
    weights: `[N]` or None.

  Returns:
    Counts to be added over shards.
  """
  predicted = jnp.argmax(probs, axis=1)
  return blocks.pair_counts(predicted, labels, probs.shape[1], weights)


def dual_from_counts(
  anchor_rows: chex.Array, counts: chex.Array
) -> estimate.Estimate:
  """The estimate A B, B being the counts with rows made to sum to 1.

  Args:
    anchor_rows: A of all shards, floats `[K, K]`, see `anchor_rows`.
    counts: how many examples are predicted i and labelled j, of all shards,
      added up, integers `[K, K]`.

  Returns:
    The estimate.
  """
  second = estimate.from_joint(counts).transition
  transition = jnp.matmul(
    anchor_rows.astype(second.dtype), second, precision='highest'
  )
  given = jnp.sum(counts, axis=0)
  total = jnp.maximum(jnp.sum(given), 1)
  return estimate.from_transition(transition, given / total)
