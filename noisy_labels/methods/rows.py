"""The memory of a batch's examples, and what padding does to it: nothing."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob

# Counts as the logarithm of 0, of classes that a model rules out by -inf.
_LOG_ZERO = -1e6


def is_real(batch: dict[str, chex.Array]) -> chex.Array:
  """Which examples are no padding, bool `[batch]`."""
  return batch['mask'] > 0


def logits_of(
  predict: Callable[..., chex.Array],
  batch: dict[str, chex.Array],
  key: chex.PRNGKey,
) -> chex.Array:
  """Predicted logits `[..., batch, num_classes]`, 0 for padding.

  Whatever the model makes of padding, NaN included, goes no further, and no
  gradient goes back.
  """
  return without_padding(predict(batch['image'], key), batch)


def without_padding(
  logits: chex.Array, batch: dict[str, chex.Array]
) -> chex.Array:
  """Logits `[..., batch, num_classes]`, those of padding replaced by 0."""
  return jnp.where(is_real(batch)[:, None], logits, 0)


def both_views(batch: dict[str, chex.Array]) -> dict[str, chex.Array]:
  """Both views as one batch `[2 batch]`, of images and mask alone."""
  return {
    'image': jnp.concatenate([batch['image'], batch['other_image']]),
    'mask': jnp.tile(batch['mask'], 2),
  }


def cross_entropies(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Cross entropy of each network, `[..., batch]`; labels integer `[batch]`."""
  labels = jnp.broadcast_to(labels, logits.shape[:-1])
  return losses_lib.cross_entropy(logits, labels)


def negative_entropies(logits: chex.Array) -> chex.Array:
  """sum_k p_k log p_k, `[..., batch]`: what a confidence penalty adds."""
  log_probs = log_prob.log_probs(logits)
  # A class without probability adds nothing, and 0 log 0 is not a number.
  bounded = jnp.where(jnp.isneginf(log_probs), 0, log_probs)
  return jnp.sum(jnp.exp(log_probs) * bounded, axis=-1)


def imbalance(logits: chex.Array, real: chex.Array) -> chex.Array:
  """KL of the even prior to the mean prediction: -log K - mean_k log mean p_k.

  Args:
    logits: float `[..., batch, num_classes]`.
    real: which examples the mean is over, bool `[batch]`.

  Returns:
    Float `[...]`, 0 if there are no such examples. A class that all of them
    rule out counts as one of log-probability -1e6.
  """
  log_probs = jnp.maximum(log_prob.log_probs(logits), _LOG_ZERO)
  log_probs = jnp.where(real[:, None], log_probs, 2 * _LOG_ZERO)
  # In logarithms: a class that is forgotten altogether must hear of it.
  log_total = jax.nn.logsumexp(log_probs, axis=-2)
  log_mean = log_total - jnp.log(jnp.maximum(jnp.sum(real), 1))
  divergence = -jnp.log(logits.shape[-1]) - jnp.mean(log_mean, axis=-1)
  return jnp.where(jnp.any(real), divergence, 0)


def write(
  memory: chex.Array, batch: dict[str, chex.Array], values: chex.Array
) -> chex.Array:
  """Puts values `[batch, ...]` in the examples' rows of memory `[N, ...]`.

  Of an example that occurs several times, one of the values is kept.
  """
  return memory.at[_destinations(batch)].set(values, mode='drop')


def add(
  memory: chex.Array, batch: dict[str, chex.Array], values: chex.Numeric
) -> chex.Array:
  """Adds values `[batch, ...]`, or one number, to the examples' rows."""
  return memory.at[_destinations(batch)].add(values, mode='drop')


def _destinations(batch):
  # What is written out of range is dropped.
  return jnp.where(is_real(batch), batch['row'], np.iinfo(np.int32).max)
