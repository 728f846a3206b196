"""The noise from a few examples whose true labels are known."""

import chex
import jax.numpy as jnp

from noisy_labels.estimation import blocks
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


def trusted_transition(
  trusted_labels: chex.Array,
  probs: chex.Array,
  *,
  weights: chex.Array | None = None,
  axis_name: str | None = None,
) -> estimate.Estimate:
  """The mean prediction of the noisy label on each trusted class.

    T[i, j] = mean of p[n, j] over trusted examples n of true class i

  the estimator of gold loss correction (GLC). It assumes that the model, which
  learnt from the noisy labels, predicts them well on the trusted examples, and
  that given x the true label says nothing more of the given one.

  Args:
    trusted_labels: true classes of the trusted examples, integers `[N]`.
    probs: predicted P(given | x) of these examples, floats `[N, K]`.
    weights: how often each example counts, integers `[N]`; once, if None.
    axis_name: the examples are a shard of this axis, the result is that of all.

  Returns:
    The estimate. Its prior is that of the trusted examples: if they are no
    sample of all data (as many of each class, say), take
    `from_transition(transition, given)` with the given labels' frequencies. A
    class without a trusted example has the identity's row. Memory: five
    `[K, K]`; sums are in two levels and accurate for millions of examples.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Hendrycks et al., `Using Trusted Data to Train Deep Networks on Labels
    Corrupted by Severe Noise <https://arxiv.org/abs/1802.05300>`_, 2018
  """
  inputs.check_probs(probs)
  inputs.check_labels('trusted_labels', trusted_labels, *probs.shape)
  inputs.check_weights(weights, len(probs))
  sums = trusted_sums(trusted_labels, probs, weights=weights)
  return estimate.from_joint(blocks.total(sums, axis_name))


def trusted_sums(
  trusted_labels: chex.Array,
  probs: chex.Array,
  *,
  weights: chex.Array | None = None,
) -> chex.Array:
  """The sums of a shard; all shards' together are for `from_joint`.

  Args:
    trusted_labels: as for `trusted_transition`, as are the others.
    probs: `[N, K]`.
    weights: `[N]` or None.

  Returns:
    Sums of probs by true class, float `[K, K]`.
  """
  labels, probs = jnp.asarray(trusted_labels), jnp.asarray(probs)
  num_classes = probs.shape[1]
  if weights is not None:
    probs = probs * jnp.asarray(weights)[:, None]
  return blocks.class_sums(labels, probs, num_classes)
