"""Sums over all classes, of what depends on each one's probability.

For losses that look at the other classes too. As in `log_prob`, each backward
pass rebuilds p from the logits and a few numbers an example, in the form
exp(z - largest) * (g / total), and is itself differentiable, in reverse mode. A
class masked by -inf has no part in a sum, as if it did not exist.
"""

import functools

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.losses import log_prob
from noisy_labels.losses import masked_mean


@functools.singledispatch
def count(logits: chex.Array) -> chex.Array:
  """Return the number of classes that are not masked, float `[...]`."""
  size = logits.shape[-1]
  dtype = log_prob.wide_dtype(logits)
  # Where none is, a plain sum finds out at once; it is -inf if an entry is.
  plain = jnp.sum(logits.astype(dtype), axis=-1)
  return lax.cond(
    jnp.all(plain > -jnp.inf),
    lambda: jnp.full_like(plain, size),
    lambda: jnp.sum(logits > -jnp.inf, axis=-1, dtype=dtype),
  )


@jax.custom_vjp
def power_sum(logits: chex.Array, power: chex.Array) -> chex.Array:
  """Return sum_k p_k^power, `[..., num_classes]`, `[...]` -> `[...]`.

  The power is positive. d/dz = power (p^power - p sum_k p_k^power).
  """
  return _power_sum_fwd(logits, power)[0]


def _power_sum_fwd(logits, power):
  wide = logits.astype(log_prob.wide_dtype(logits))
  largest = log_prob.largest_of(wide)
  total = jnp.sum(log_prob.exp_less(wide, largest), axis=-1)
  value = jnp.sum(_powers(wide, largest, power), axis=-1)
  value *= jnp.exp(-power * jnp.log(total))
  return value, (logits, power, largest, total, value)


def _power_sum_bwd(residuals, g):
  logits, power, largest, total, value = residuals
  scale = jnp.exp(-power * jnp.log(total))
  powers = _powers(logits, largest, power)
  exps = log_prob.exp_less(logits, largest)
  gradient = powers * (g * power * scale)[..., None]
  gradient -= exps * (g * power * value / total)[..., None]
  below = jnp.sum(powers * _below(logits, largest), axis=-1)
  by_power = below * scale - value * jnp.log(total)
  return gradient.astype(logits.dtype), g * by_power


power_sum.defvjp(_power_sum_fwd, _power_sum_bwd)


@jax.custom_vjp
def entropy(logits: chex.Array) -> chex.Array:
  """Return H = -sum_k p_k log p_k, `[..., num_classes]` -> `[...]`.

  dH/dz = -p (log p + H).
  """
  return _entropy_fwd(logits)[0]


def _entropy_fwd(logits):
  wide = logits.astype(log_prob.wide_dtype(logits))
  largest = log_prob.largest_of(wide)
  exps = log_prob.exp_less(wide, largest)
  total = jnp.sum(exps, axis=-1)
  below = jnp.sum(exps * _below(wide, largest), axis=-1) / total
  return jnp.log(total) - below, (logits, largest, total, below)


def _entropy_bwd(residuals, g):
  logits, largest, total, below = residuals
  # log p + H, for log total is in both.
  surprise = below[..., None] - _below(logits, largest)
  exps = log_prob.exp_less(logits, largest)
  gradient = exps * surprise * (g / total)[..., None]
  return (gradient.astype(logits.dtype),)


entropy.defvjp(_entropy_fwd, _entropy_bwd)


@jax.custom_vjp
def sum_above(logits: chex.Array, floor: chex.Array) -> chex.Array:
  """Return sum_k max(log p_k - floor, 0); `[..., num_classes]`, `[...]`."""
  return _sum_above_fwd(logits, floor)[0]


def _sum_above_fwd(logits, floor):
  wide = logits.astype(log_prob.wide_dtype(logits))
  largest = log_prob.largest_of(wide)
  total = jnp.sum(log_prob.exp_less(wide, largest), axis=-1)
  # log p = floor where logits - largest are this.
  threshold = floor + jnp.log(total)
  value, above = _sum_and_count_above(wide, largest, threshold)
  return value, (logits, largest, total, threshold, above)


def _sum_above_bwd(residuals, g):
  logits, largest, total, threshold, above = residuals
  is_above = logits - largest[..., None] > threshold[..., None]
  exps = log_prob.exp_less(logits, largest)
  gradient = jnp.where(is_above, g[..., None], 0)
  gradient -= exps * (g * above / total)[..., None]
  return gradient.astype(logits.dtype), -g * above


sum_above.defvjp(_sum_above_fwd, _sum_above_bwd)


@jax.custom_jvp
def _sum_and_count_above(logits, largest, threshold):
  """Return sum_k max(logits - largest - threshold, 0), and how many are > 0."""
  size = logits.shape[-1]
  total = jnp.sum(logits, axis=-1)

  def plain():
    # All are, as when training begins: nearly free.
    value = total - size * (largest + threshold)
    return value, jnp.full_like(value, size)

  def careful():
    above = logits - largest[..., None] - threshold[..., None]
    return masked_mean.sum_and_count(above, above > 0)

  are_all = jnp.all(jnp.min(logits, axis=-1) - largest > threshold)
  is_plain = are_all & masked_mean.is_plain(total, largest)
  return lax.cond(is_plain, plain, careful)


@_sum_and_count_above.defjvp
def _sum_and_count_above_jvp(primals, tangents):
  logits, largest, threshold = primals
  by_logits, _, by_threshold = tangents  # The largest is a constant.
  value, count = _sum_and_count_above(*primals)
  is_above = logits - largest[..., None] > threshold[..., None]
  tangent = jnp.sum(jnp.where(is_above, by_logits, 0), axis=-1)
  return (value, count), (tangent - count * by_threshold, jnp.zeros_like(count))


def _powers(logits, largest, power):
  """Return exp(logits - largest) to the power, 0 where masked."""
  return jnp.exp(power[..., None] * _below(logits, largest))


def _below(logits, largest):
  """Return logits - largest, not less than what 0 may be multiplied by."""
  below = logits.astype(largest.dtype) - largest[..., None]
  return jnp.maximum(below, jnp.finfo(below.dtype).min / 4)
