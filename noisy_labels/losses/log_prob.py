"""Log-probabilities of labels: the custom derivatives that losses stand on.

d log p_k / dz = e_k - p, with p = softmax(z). Each backward pass rebuilds p
from the logits and two numbers an example, their largest and the sum of
exp(z - largest): nothing of shape `[..., num_classes]` is kept for it but the
logits themselves. It does so in the form

  p * g = exp(z - largest) * (g / total)

because the left factor is then the very expression of the forward pass, which
lets XLA compute it once, in the buffer of the gradient. With the one subtrahend
log(total) + largest instead, [4096, 1000] takes 1.7 times as long on a CPU. For
logits of 16 bits there is no such buffer: see `exp_sum`.

Derivatives are in reverse mode, of any order: `jax.grad` of `jax.grad`,
`jax.jacrev` of `jax.jacrev`. The backward passes are plain JAX on residuals
that are themselves differentiable, so none is silently zero.

What most losses ask for is generic: `fused` answers it for logits never made.
"""

from collections.abc import Callable
import functools

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from noisy_labels.losses import hidden_sums
from noisy_labels.losses import masked_mean
from noisy_labels.losses import rounding


@functools.singledispatch
def label_log_prob(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Return log p_label: `[..., num_classes]`, integer `[...]` -> `[...]`.

  A label outside 0 .. num_classes - 1 makes value and gradient NaN.
  """
  return _label_log_prob(logits, labels)


@jax.custom_vjp
def _label_log_prob(logits, labels):
  return _label_log_prob_fwd(logits, labels)[0]


def _label_log_prob_fwd(logits, labels):
  largest = largest_of(logits)
  total = exp_sum(logits, largest)
  log_prob = choose(logits, labels) - largest - jnp.log(total)
  return log_prob, (logits, labels, largest, total)


def _label_log_prob_bwd(residuals, g):
  logits, labels, largest, total = residuals
  g = nan_unless_class(labels, logits, g)
  shares = exp_less(logits, largest) * (g / total)[..., None]
  gradient = jnp.where(hits(labels, logits), g[..., None], 0) - shares
  return rounding.narrow(gradient, logits.dtype), no_tangent(labels)


_label_log_prob.defvjp(_label_log_prob_fwd, _label_log_prob_bwd)


@jax.custom_vjp
def log_probs(logits: chex.Array) -> chex.Array:
  """Return log p of every class, `[..., num_classes]`."""
  return _log_probs_fwd(logits)[0]


def _log_probs_fwd(logits):
  wide = logits.astype(rounding.wide_dtype(logits))
  largest = largest_of(wide)
  total = jnp.sum(exp_less(wide, largest), axis=-1)
  log_prob = wide - largest[..., None] - jnp.log(total)[..., None]
  return log_prob, (logits, largest, total)


def _log_probs_bwd(residuals, g):
  logits, largest, total = residuals
  scale = jnp.sum(g, axis=-1) / total
  gradient = g - exp_less(logits, largest) * scale[..., None]
  return (rounding.narrow(gradient, logits.dtype),)


log_probs.defvjp(_log_probs_fwd, _log_probs_bwd)


@functools.singledispatch
def label_and_mean_log_prob(
  logits: chex.Array, labels: chex.Array
) -> tuple[chex.Array, chex.Array, chex.Array]:
  """Return `label_log_prob`, the mean of log p over the classes, their number.

  The mean is over the classes that are not masked: one whose logit is -inf has
  no part in it, as if it did not exist, and is not counted. Together they cost
  one more sum over the logits than the label's alone; apart, a CPU would take
  another pass.
  """
  return _label_and_mean(logits, labels)


@jax.custom_vjp
def _label_and_mean(logits, labels):
  return _label_and_mean_fwd(logits, labels)[0]


def _label_and_mean_fwd(logits, labels):
  largest = largest_of(logits)
  total = exp_sum(logits, largest, _marked_exp)
  mean, count = masked_mean.mean_and_count(logits, largest)
  label = choose(logits, labels) - largest - jnp.log(total)
  mean -= jnp.log(total)
  return (label, mean, count), (logits, labels, largest, total, count)


def _label_and_mean_bwd(residuals, gs):
  logits, labels, largest, total, count = residuals
  # The count is a constant: its cotangent, gs[2], goes nowhere.
  of_label, of_mean = nan_unless_class(labels, logits, gs[0]), gs[1]
  each = (of_mean / count)[..., None]
  gradient = jnp.where(hits(labels, logits), of_label[..., None] + each, each)
  exps = _marked_exp(logits, largest)
  gradient -= exps * ((of_label + of_mean) / total)[..., None]
  gradient = jnp.where(exps < 0, 0, gradient)
  return rounding.narrow(gradient, logits.dtype), no_tangent(labels)


_label_and_mean.defvjp(_label_and_mean_fwd, _label_and_mean_bwd)


def _marked_exp(logits, largest):
  """Return exp(logits - largest), and a negative number for masked classes.

  One so small that it is lost in the sum, which is at least 1. It spares the
  backward pass to read the logits again to see which are masked.
  """
  exps = exp_less(logits, largest)
  return jnp.where(logits > -jnp.inf, exps, -1e-30)


def largest_of(logits: chex.Array) -> chex.Array:
  """Return the largest logit of each example, as a constant, widened."""
  # It cancels out of every result, and so is a constant. It and the logarithm
  # of the sum are kept apart: added, they would round off what tells the
  # classes apart when the logits are large.
  largest = jnp.max(logits, axis=-1).astype(rounding.wide_dtype(logits))
  return lax.stop_gradient(largest)


def exp_less(logits: chex.Array, largest: chex.Array) -> chex.Array:
  """Return exp(logits - largest), in the dtype of the latter."""
  return jnp.exp(logits.astype(largest.dtype) - largest[..., None])


def below(logits: chex.Array, largest: chex.Array) -> chex.Array:
  """Return logits - largest, not less than what 0 may be multiplied by.

  Its square too, which the second derivative meets.
  """
  difference = logits.astype(largest.dtype) - largest[..., None]
  return jnp.maximum(difference, least_below(largest)[..., None])


def least_below(largest: chex.Array) -> chex.Array:
  """Return the least that `below` returns, for each example."""
  return jnp.full_like(largest, -np.sqrt(jnp.finfo(largest.dtype).max) / 4)


def exp_sum(
  logits: chex.Array,
  largest: chex.Array,
  exp: Callable[[chex.Array, chex.Array], chex.Array] = exp_less,
) -> chex.Array:
  """Return the sum of exp(logits - largest), in the dtype of the latter.

  exp is what the backward pass makes the exponentials with.
  """
  if logits.dtype == largest.dtype:
    return jnp.sum(exp(logits, largest), axis=-1)
  return hidden_sums.hidden_sum(exp_less, logits, largest)


def choose(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Return the logit of the label, widened, NaN where there is none."""
  chosen = jnp.take_along_axis(logits, labels[..., None], axis=-1, mode='clip')
  return nan_unless_class(
    labels, logits, chosen[..., 0].astype(rounding.wide_dtype(logits))
  )


def nan_unless_class(
  labels: chex.Array, logits: chex.Array, values: chex.Array
) -> chex.Array:
  """Return the values `[...]`, NaN where the label is no class."""
  # Indexing alone would count negative labels from the end.
  labels = _comparable(labels)
  is_class = (labels >= 0) & (labels < logits.shape[-1])
  return jnp.where(is_class, values, jnp.nan)


def one_if_class(labels: chex.Array, logits: chex.Array) -> chex.Array:
  """Return 1 `[...]`, NaN where the label is no class.

  A factor that makes the gradient NaN as well, for losses that do not find the
  label's probability by `label_log_prob`.
  """
  ones = jnp.ones(labels.shape, rounding.wide_dtype(logits))
  return nan_unless_class(labels, logits, ones)


def hits(labels: chex.Array, logits: chex.Array) -> chex.Array:
  """Return which class is the label's, bool `[..., num_classes]`."""
  labels = _comparable(labels)
  return labels[..., None] == jnp.arange(logits.shape[-1], dtype=labels.dtype)


def _comparable(labels):
  """Widen integers too narrow to be compared with the number of classes."""
  return labels.astype(jnp.int32) if labels.dtype.itemsize < 4 else labels


def no_tangent(labels: chex.Array) -> np.ndarray:
  """Return the cotangent of integers, which have none."""
  return np.zeros(labels.shape, jax.dtypes.float0)


@functools.singledispatch
def widen(logits: chex.Array) -> chex.Array:
  """Return the logits in the dtype to compute in.

  For losses that ask for several things of the logits: the gradients of all are
  then added in that dtype, and what is added is rounded once.
  """
  return rounding.widen(logits)
