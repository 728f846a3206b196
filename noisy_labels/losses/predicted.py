"""The class predicted, and its log-probability beside the label's."""

import math

import chex
import jax
import jax.numpy as jnp

from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding

# So few that blocks of them save nothing.
_FEW = 64


def predicted_class(logits: chex.Array) -> chex.Array:
  """Return argmax_k logits_k, the first of equals, integer `[...]`.

  Of `[..., num_classes]`. XLA's CPU compiler compares one logit after another
  in an argmax, but several at once in a max: the maxima of blocks of classes
  say in which block to look for it.
  """
  size = logits.shape[-1]
  if size < _FEW:
    return jnp.argmax(logits, axis=-1)
  block_size = _block_size(size)
  whole = size - size % block_size
  shape = (*logits.shape[:-1], whole // block_size, block_size)
  blocks = logits[..., :whole].reshape(shape)
  which = jnp.argmax(jnp.max(blocks, axis=-1), axis=-1)
  index = which[..., None, None]
  block = jnp.take_along_axis(blocks, index, axis=-2, mode='clip')[..., 0, :]
  found = which * block_size + jnp.argmax(block, axis=-1)
  if whole == size:
    return found
  rest = logits[..., whole:]
  is_later = jnp.max(rest, axis=-1) > jnp.max(block, axis=-1)
  return jnp.where(is_later, whole + jnp.argmax(rest, axis=-1), found)


def _block_size(num_classes: int) -> int:
  """Return a size near the root, which leaves no classes over if it can be."""
  root = math.isqrt(num_classes)
  return min(
    range(root // 2, 2 * root),
    key=lambda size: (num_classes % size, abs(size - root)),
  )


@jax.custom_vjp
def label_and_predicted_log_prob(
  logits: chex.Array, labels: chex.Array
) -> tuple[chex.Array, chex.Array, chex.Array]:
  """Return log p of the label and of the class predicted, and that class.

  `[..., num_classes]`, integer `[...]` -> `[...]`, `[...]`, integer `[...]`.
  Both gradients are of one pass over the logits, and are added before they are
  rounded to the dtype of the logits. The class has no derivative.
  """
  return _fwd(logits, labels)[0]


def _fwd(logits, labels):
  largest = log_prob.largest_of(logits)
  total = log_prob.exp_sum(logits, largest)
  predicted = predicted_class(logits)
  log_total = jnp.log(total)
  of_label = log_prob.choose(logits, labels) - largest - log_total
  # Not -log_total, though it is equal: a second derivative comes through here.
  of_predicted = log_prob.choose(logits, predicted) - largest - log_total
  residuals = logits, labels, largest, total, predicted
  return (of_label, of_predicted, predicted), residuals


def _bwd(residuals, gs):
  logits, labels, largest, total, predicted = residuals
  of_label = log_prob.nan_unless_class(labels, logits, gs[0])
  of_predicted = gs[1]
  shares = log_prob.exp_less(logits, largest)
  shares *= ((of_label + of_predicted) / total)[..., None]
  gradient = (
    jnp.where(log_prob.hits(labels, logits), of_label[..., None], 0)
    + jnp.where(log_prob.hits(predicted, logits), of_predicted[..., None], 0)
    - shares
  )
  return rounding.narrow(gradient, logits.dtype), log_prob.no_tangent(labels)


label_and_predicted_log_prob.defvjp(_fwd, _bwd)
