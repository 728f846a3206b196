"""Log-probabilities under a linear layer, by blocks of classes.

What `log_prob.label_and_mean_log_prob` finds from logits, found from features
and weights, without an array `[batch, num_classes]`: the forward pass makes the
logits of one block of classes at a time and keeps a running maximum and sum;
the backward pass makes them again. That is one product of matrices more than
the three that kept logits need.

Derivatives are in reverse mode, of any order. What the second order would keep
of every block is made again too: the blocks are checkpointed.
"""

from collections.abc import Callable
import functools
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def label_and_mean_log_prob(
  features: chex.Array,
  weights: chex.Array,
  bias: chex.Array,
  labels: chex.Array,
  block_size: int,
) -> tuple[chex.Array, chex.Array]:
  """Return log p_label, and the mean of log p over the classes not masked.

  Args:
    features: float `[batch, dim]`.
    weights: float `[dim, num_classes]`.
    bias: float `[num_classes]`; -inf masks a class.
    labels: integer `[batch]`. One outside 0 .. num_classes - 1 makes values and
      gradients NaN.
    block_size: number of classes whose logits exist at a time, at most
      num_classes.

  Returns:
    Two arrays `[batch]`, float32 if features and weights are narrower.
  """
  return _forward(features, weights, bias, labels, block_size)[0]


def _forward(features, weights, bias, labels, block_size):
  dtype = _wide_dtype(features, weights)
  count = jnp.sum(bias > -jnp.inf, dtype=dtype)

  def add_block(sums, start):
    before, total, label, mean, seen = sums
    block = _make_block(features, weights, bias, labels, start, block_size)
    # It cancels out of every result, and so is a constant.
    largest = jnp.maximum(before, jnp.max(block.logits, axis=-1))
    largest = lax.stop_gradient(largest)
    total *= jnp.exp(before - largest)
    total += jnp.sum(jnp.exp(block.logits - largest[:, None]), axis=-1)
    chosen = jnp.sum(jnp.where(block.hits, block.logits, 0), axis=-1)
    label = jnp.where(jnp.any(block.hits, axis=-1), chosen, label)
    # Of logits - largest: they themselves would be rounded off if large.
    below = jnp.where(block.used, block.logits - largest[:, None], 0)
    mean += (jnp.sum(below, axis=-1) + seen * (before - largest)) / count
    seen += jnp.sum(block.used, dtype=dtype)
    return largest, total, label, mean, seen

  # Not -inf, because infinity less itself is NaN. A label never met stays NaN.
  nothing = (jnp.finfo(dtype).min, 0, jnp.nan, 0)
  start = [jnp.full_like(labels, number, dtype) for number in nothing]
  largest, total, label, mean, _ = _each_block(
    add_block,
    (*start, jnp.zeros_like(count)),
    weights.shape[-1],
    block_size,
  )
  values = label - largest - jnp.log(total), mean - jnp.log(total)
  no_class = jnp.isnan(label)
  residuals = (features, weights, bias, labels)
  return values, (*residuals, no_class, largest, total, count)


def _backward(block_size, residuals, gs):
  features, weights, bias, labels, no_class, largest, total, count = residuals
  of_label = jnp.where(no_class, jnp.nan, gs[0])[:, None]
  each = (gs[1] / count)[:, None]
  scale = ((of_label[:, 0] + gs[1]) / total)[:, None]

  def add_block(gradients, start):
    by_features, by_weights, by_bias = gradients
    block = _make_block(features, weights, bias, labels, start, block_size)
    exps = jnp.exp(block.logits - largest[:, None])
    wide = jnp.where(block.hits, of_label + each, each) - exps * scale
    wide = jnp.where(block.used, wide, 0)
    # As narrow as the gradient of logits that are kept would be.
    g = wide.astype(jnp.result_type(features, weights))
    by_features += _matmul(g, block.weights.T)
    by_weights = _add_to(by_weights, block.first, _matmul(features.T, g))
    by_bias = _add_to(by_bias, block.first, jnp.sum(wide, axis=0))
    return by_features, by_weights, by_bias

  by_features, by_weights, by_bias = _each_block(
    add_block,
    (
      jnp.zeros_like(features, total.dtype),  # The one sum over blocks.
      jnp.zeros_like(weights),
      jnp.zeros_like(bias),
    ),
    weights.shape[-1],
    block_size,
  )
  no_tangent = np.zeros(labels.shape, jax.dtypes.float0)  # Integers have none.
  return by_features.astype(features.dtype), by_weights, by_bias, no_tangent


label_and_mean_log_prob.defvjp(_forward, _backward)


class _Block(NamedTuple):
  """Some consecutive classes, the first of them number `first`.

  used: which of them count, `[block]`; the others' logits are -inf.
  hits: which of them is the label, `[batch, block]`.
  """

  first: chex.Array
  weights: chex.Array
  logits: chex.Array
  used: chex.Array
  hits: chex.Array


def _make_block(features, weights, bias, labels, start, block_size) -> _Block:
  """Return the block of the classes from start on.

  Where fewer are left than block_size, it begins earlier, with classes that
  another block has had and this one does not use.
  """
  first = jnp.minimum(start, weights.shape[-1] - block_size)
  classes = first + jnp.arange(block_size)
  weights = lax.dynamic_slice_in_dim(weights, first, block_size, axis=-1)
  bias = lax.dynamic_slice_in_dim(bias, first, block_size)
  fresh = classes >= start
  used = fresh & (bias > -jnp.inf)
  logits = jnp.where(used, _matmul(features, weights) + bias, -jnp.inf)
  hits = fresh & (labels[:, None] == classes)
  return _Block(first, weights, logits, used, hits)


def _each_block(
  add_block: Callable[[Any, chex.Array], Any],
  carry: Any,
  num_classes: int,
  block_size: int,
) -> Any:
  """Return the carry after it went through the blocks of all classes."""
  # scan moves nothing out of its body, so that no barrier is needed.
  add_block = jax.checkpoint(add_block, prevent_cse=False)
  starts = jnp.arange(0, num_classes, block_size)
  return lax.scan(lambda *args: (add_block(*args), None), carry, starts)[0]


def _add_to(array, first, update):
  """Add the update to the entries of the last axis from `first` on."""
  size = update.shape[-1]
  update = update.astype(array.dtype)
  update += lax.dynamic_slice_in_dim(array, first, size, axis=-1)
  return lax.dynamic_update_slice_in_dim(array, update, first, axis=-1)


def _matmul(left, right):
  dtype = _wide_dtype(left, right)
  return jnp.matmul(left, right, preferred_element_type=dtype)


def _wide_dtype(*arrays):
  """Return the dtype to accumulate in: at least float32."""
  return jnp.promote_types(jnp.result_type(*arrays), jnp.float32)
