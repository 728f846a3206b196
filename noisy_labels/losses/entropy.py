"""The entropy of the prediction, alone and beside the label's log-probability.

As in `log_prob`, each backward pass rebuilds p from the logits and a few
numbers an example, and is itself differentiable, in reverse mode. A class
masked by -inf has no part in it.
"""

import chex
import jax
import jax.numpy as jnp

from noisy_labels.losses import hidden_sums
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


@jax.custom_vjp
def entropy(logits: chex.Array) -> chex.Array:
  """Return H = -sum_k p_k log p_k, `[..., num_classes]` -> `[...]`.

  dH/dz = -p (log p + H).
  """
  return _entropy_fwd(logits)[0]


def _entropy_fwd(logits):
  largest = log_prob.largest_of(logits)
  total, below = _total_and_below(logits, largest)
  return jnp.log(total) - below, (logits, largest, total, below)


def _entropy_bwd(residuals, g):
  logits, largest, total, below = residuals
  # log p + H, for log total is in both.
  surprise = below[..., None] - log_prob.below(logits, largest)
  exps = log_prob.exp_less(logits, largest)
  gradient = exps * surprise * (g / total)[..., None]
  return (rounding.narrow(gradient, logits.dtype),)


entropy.defvjp(_entropy_fwd, _entropy_bwd)


@jax.custom_vjp
def label_log_prob_and_entropy(
  logits: chex.Array, labels: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return log p_label and H: `[..., num_classes]`, integer `[...]` -> `[...]`.

  Both gradients are of one pass over the logits, and are added before they are
  rounded to the dtype of the logits.
  """
  return _joint_fwd(logits, labels)[0]


def _joint_fwd(logits, labels):
  value, (_, largest, total, below) = _entropy_fwd(logits)
  label = log_prob.choose(logits, labels) - largest - jnp.log(total)
  return (label, value), (logits, labels, largest, total, below)


def _joint_bwd(residuals, gs):
  logits, labels, largest, total, below = residuals
  of_label = log_prob.nan_unless_class(labels, logits, gs[0])
  surprise = below[..., None] - log_prob.below(logits, largest)
  slope = surprise * (gs[1] / total)[..., None] - (of_label / total)[..., None]
  gradient = jnp.where(
    log_prob.hits(labels, logits), of_label[..., None], 0
  ) + (log_prob.exp_less(logits, largest) * slope)
  return rounding.narrow(gradient, logits.dtype), log_prob.no_tangent(labels)


label_log_prob_and_entropy.defvjp(_joint_fwd, _joint_bwd)


def _total_and_below(logits, largest):
  """Return sum_k exp(z_k - largest), and the mean of z - largest under p."""
  if logits.size < hidden_sums.MANY:
    exps = log_prob.exp_less(logits, largest)
    total = jnp.sum(exps, axis=-1)
    below = jnp.sum(exps * log_prob.below(logits, largest), axis=-1)
    return total, below / total
  hidden_sum = hidden_sums.hidden_sum
  total = hidden_sum(log_prob.exp_less, logits, largest)
  # An argument, since a constant would be written out for every class.
  least = log_prob.least_below(largest)
  below = hidden_sum(_weighted, logits, largest, least, after=(total,))
  return total, below / total


def _weighted(logits, largest, least):
  # As `log_prob.below`, with the least as an argument.
  below = logits.astype(largest.dtype) - largest[..., None]
  below = jnp.maximum(below, least[..., None])
  return jnp.exp(below) * below
