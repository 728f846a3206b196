"""The focal loss summed over the classes, alone and beside the label's log p.

As in `log_prob`, each backward pass rebuilds p from the logits and a few
numbers an example, and is itself differentiable, in reverse mode. A class
masked by -inf has no part in it.
"""

import functools
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.losses import joint_sums
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


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
  largest = log_prob.largest_of(logits)
  total = log_prob.exp_sum(logits, largest)
  value, slopes = _sums(logits, largest, total, gamma, is_half)
  return value, (logits, gamma, largest, total, slopes)


def _focal_sum_bwd(is_half, residuals, g):
  logits, gamma, largest, total, slopes = residuals
  terms = _terms(logits, largest, total, gamma, is_half)
  exps = log_prob.exp_less(logits, largest)
  gradient = terms.slope * g[..., None] - exps * (g * slopes / total)[..., None]
  return rounding.narrow(gradient, logits.dtype), g * _by_gamma(terms)


focal_sum.defvjp(_focal_sum_fwd, _focal_sum_bwd)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def label_log_prob_and_focal_sum(
  logits: chex.Array,
  labels: chex.Array,
  gamma: chex.Array,
  is_half: bool = False,
) -> tuple[chex.Array, chex.Array]:
  """Return log p_label, of integer labels, and `focal_sum`.

  Both gradients are of one pass over the logits, and are added before they are
  rounded to the dtype of the logits.
  """
  return _joint_fwd(logits, labels, gamma, is_half)[0]


def _joint_fwd(logits, labels, gamma, is_half):
  value, residuals = _focal_sum_fwd(logits, gamma, is_half)
  _, _, largest, total, _ = residuals
  label = log_prob.choose(logits, labels) - largest - jnp.log(total)
  return (label, value), (labels, *residuals)


def _joint_bwd(is_half, residuals, gs):
  labels, logits, gamma, largest, total, slopes = residuals
  of_label = log_prob.nan_unless_class(labels, logits, gs[0])
  terms = _terms(logits, largest, total, gamma, is_half)
  exps = log_prob.exp_less(logits, largest)
  gradient = jnp.where(log_prob.hits(labels, logits), of_label[..., None], 0)
  gradient += terms.slope * gs[1][..., None]
  gradient -= exps * ((gs[1] * slopes + of_label) / total)[..., None]
  gradient = rounding.narrow(gradient, logits.dtype)
  return gradient, log_prob.no_tangent(labels), gs[1] * _by_gamma(terms)


label_log_prob_and_focal_sum.defvjp(_joint_fwd, _joint_bwd)


def _sums(logits, largest, total, gamma, is_half):
  """Return the sums of f(p_k) and of its slopes."""
  args = logits, largest, total, gamma
  if logits.dtype != largest.dtype:
    # As in `hidden_sums`; both sums are of one loop.
    args = lax.optimization_barrier(args)
  terms = _terms(*args, is_half)
  return joint_sums.pair(terms.value, terms.slope)


class _Terms(NamedTuple):
  """f(p), its derivative by log p, and 1 - p; 0, 0 and 1 where masked."""

  value: chex.Array
  slope: chex.Array
  rest: chex.Array


def _terms(logits, largest, total, gamma, is_half):
  below = logits.astype(largest.dtype) - largest[..., None]
  exps, total, gamma = jnp.exp(below), total[..., None], gamma[..., None]
  # A certain class costs nothing. Its slope, 0 or with gamma = 0 it is -1,
  # cancels in f'(p) - p sum_k f'(p_k). Both are left out.
  is_used = (below > -jnp.inf) & (exps < total)
  others = jnp.where(is_used, total - exps, total)
  rest = others / total
  weight = jnp.sqrt(rest) if is_half else jnp.exp(gamma * jnp.log(rest))
  log_p = jnp.where(is_used, below - jnp.log(total), 0)
  slope = weight * (gamma * (exps / others) * log_p - 1)
  return _Terms(-weight * log_p, jnp.where(is_used, slope, 0), rest)


def _by_gamma(terms):
  return jnp.sum(terms.value * jnp.log(terms.rest), axis=-1)
