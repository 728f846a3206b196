"""Sums over all classes, of what depends on each one's probability.

For losses that look at the other classes too. As in `log_prob`, each backward
pass rebuilds p from the logits and a few numbers an example, in the form
exp(z - largest) * (g / total), and is itself differentiable, in reverse mode. A
class masked by -inf has no part in a sum, as if it did not exist.
"""

import math

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.losses import hidden_sums
from noisy_labels.losses import joint_sums
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def count(logits: chex.Array) -> chex.Array:
  """Return the number of classes that are not masked, float `[...]`."""
  dtype, size = rounding.wide_dtype(logits), logits.shape[-1]
  part = math.gcd(size, 64)

  def counted():
    # Integers as short as will do, part by part: what is summed is written out.
    is_class = (logits > -jnp.inf).reshape(*logits.shape[:-1], -1, part)
    some = jnp.sum(is_class, axis=-1, dtype=jnp.int8)
    short = jnp.int16 if size < 2**15 else jnp.int32
    return jnp.sum(some, axis=-1, dtype=short).astype(dtype)

  if logits.size < hidden_sums.MANY:
    return counted()
  # A plain sum writes nothing, and says whether any class is masked.
  total = lax.stop_gradient(joint_sums.total(logits, dtype))
  everything = jnp.full(logits.shape[:-1], size, dtype)
  return lax.cond(jnp.all(total > -jnp.inf), lambda: everything, counted)


@jax.custom_vjp
def power_sum(logits: chex.Array, power: chex.Array) -> chex.Array:
  """Return sum_k p_k^power, `[..., num_classes]`, `[...]` -> `[...]`.

  The power is positive. d/dz = power (p^power - p sum_k p_k^power).
  """
  return _power_sum_fwd(logits, power)[0]


def _power_sum_fwd(logits, power):
  wide = logits.astype(rounding.wide_dtype(logits))
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
  below = jnp.sum(powers * log_prob.below(logits, largest), axis=-1)
  by_power = below * scale - value * jnp.log(total)
  return rounding.narrow(gradient, logits.dtype), g * by_power


power_sum.defvjp(_power_sum_fwd, _power_sum_bwd)


@jax.custom_vjp
def sum_above(logits: chex.Array, floor: chex.Array) -> chex.Array:
  """Return sum_k max(log p_k - floor, 0); `[..., num_classes]`, `[...]`."""
  return _sum_above_fwd(logits, floor)[0]


def _sum_above_fwd(logits, floor):
  wide = logits.astype(rounding.wide_dtype(logits))
  largest = log_prob.largest_of(wide)
  total = jnp.sum(log_prob.exp_less(wide, largest), axis=-1)
  # log p = floor where logits - largest are this.
  threshold = floor + jnp.log(total)
  value, above = _sum_and_count_above(wide, largest, threshold)
  return value, (logits, largest, total, threshold, above)


def _sum_above_bwd(residuals, g):
  logits, largest, total, threshold, above = residuals
  exps = log_prob.exp_less(logits, largest)
  # Of the exponentials, which are at hand: the logits are read once less.
  is_above = exps > jnp.exp(threshold)[..., None]
  gradient = jnp.where(is_above, g[..., None], 0)
  gradient -= exps * (g * above / total)[..., None]
  return rounding.narrow(gradient, logits.dtype), -g * above


sum_above.defvjp(_sum_above_fwd, _sum_above_bwd)


@jax.custom_jvp
def _sum_and_count_above(logits, largest, threshold):
  """Return sum_k max(logits - largest - threshold, 0), and how many are > 0."""
  above = logits - largest[..., None] - threshold[..., None]
  return joint_sums.total_and_count(above, above > 0)


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
  return jnp.exp(power[..., None] * log_prob.below(logits, largest))
