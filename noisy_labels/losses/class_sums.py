"""Sums over all classes, of what depends on each one's probability.

For losses that look at the other classes too. As in `log_prob`, each backward
pass rebuilds p from the logits and a few numbers an example, in the form
exp(z - largest) * (g / total), and is itself differentiable, in reverse mode. A
class masked by -inf has no part in a sum, as if it did not exist.
"""

import functools
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.losses import joint_sums
from noisy_labels.losses import log_prob


def count(logits: chex.Array) -> chex.Array:
  """Return the number of classes that are not masked, float `[...]`."""
  dtype, size = log_prob.wide_dtype(logits), logits.shape[-1]

  def counted():
    # Integers as short as will do: what is summed is written out first.
    short = jnp.int16 if size < 2**15 else jnp.int32
    return jnp.sum(logits > -jnp.inf, axis=-1, dtype=short).astype(dtype)

  if logits.size < log_prob.MANY:
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
  wide = log_prob.widen(logits)
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
  return gradient.astype(logits.dtype), g * by_power


power_sum.defvjp(_power_sum_fwd, _power_sum_bwd)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def focal_sum(
  logits: chex.Array, gamma: chex.Array, is_half: bool = False
) -> chex.Array:
  """Return sum_k f(p_k), f(p) = -(1 - p)^gamma log p; `[...]` gamma.

  With f' = df / dlog p, d/dz = f'(p) - p sum_k f'(p_k). Whoever knows that
  gamma is 1/2 spares each class an exponential and a logarithm.
  """
  return _focal_sum_fwd(logits, gamma, is_half)[0]


def _focal_sum_fwd(logits, gamma, is_half):
  wide = log_prob.widen(logits)
  largest = log_prob.largest_of(wide)
  total = jnp.sum(log_prob.exp_less(wide, largest), axis=-1)
  terms = _focal_terms(wide, largest, total, gamma, is_half)
  value, slopes = joint_sums.pair(terms.value, terms.slope)
  return value, (logits, gamma, largest, total, slopes)


def _focal_sum_bwd(is_half, residuals, g):
  logits, gamma, largest, total, slopes = residuals
  terms = _focal_terms(logits, largest, total, gamma, is_half)
  exps = log_prob.exp_less(logits, largest)
  gradient = terms.slope * g[..., None] - exps * (g * slopes / total)[..., None]
  by_gamma = jnp.sum(terms.value * jnp.log(terms.rest), axis=-1)
  return gradient.astype(logits.dtype), g * by_gamma


focal_sum.defvjp(_focal_sum_fwd, _focal_sum_bwd)


class _FocalTerms(NamedTuple):
  """f(p), its derivative by log p, and 1 - p; 0, 0 and 1 where masked."""

  value: chex.Array
  slope: chex.Array
  rest: chex.Array


def _focal_terms(logits, largest, total, gamma, is_half):
  below = logits.astype(largest.dtype) - largest[..., None]
  exps, total, gamma = jnp.exp(below), total[..., None], gamma[..., None]
  # A certain class costs nothing. Its slope, 0 or for gamma = 0 it is -1, has
  # no part in a gradient, where p sum_k f'(p_k) takes it back.
  is_used = (below > -jnp.inf) & (exps < total)
  others = jnp.where(is_used, total - exps, total)
  rest = others / total
  weight = jnp.sqrt(rest) if is_half else jnp.exp(gamma * jnp.log(rest))
  log_p = jnp.where(is_used, below - jnp.log(total), 0)
  slope = weight * (gamma * (exps / others) * log_p - 1)
  return _FocalTerms(-weight * log_p, jnp.where(is_used, slope, 0), rest)


@jax.custom_vjp
def sum_above(logits: chex.Array, floor: chex.Array) -> chex.Array:
  """Return sum_k max(log p_k - floor, 0); `[..., num_classes]`, `[...]`."""
  return _sum_above_fwd(logits, floor)[0]


def _sum_above_fwd(logits, floor):
  wide = log_prob.widen(logits)
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
  return gradient.astype(logits.dtype), -g * above


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
