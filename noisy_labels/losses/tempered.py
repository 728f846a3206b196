"""Exponentials with heavier or lighter tails, normalized over the classes.

  exp_t(a) = (1 + (1 - t) a)_+^(1 / (1 - t)),  exp_1 = exp

For t > 1 its tail is a power; for t < 1 it is 0 from some a on. Of classes at
gaps d_k = max_j z_j - z_k below the largest logit, the tempered softmax is

  p_k = exp_t(-(u + d_k)),  u such that sum_k p_k = 1

All is computed as log p. Derivatives are in reverse mode, of any order, and by
the temperature too, at t = 1 as elsewhere.
"""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np


@jax.custom_vjp
def log_exp(depth: chex.Array, t: chex.Array) -> chex.Array:
  """Return log exp_t(-depth), -inf where that is 0; arguments of one shape."""
  is_exp = t == 1
  curve = jnp.where(is_exp, 1, t - 1)
  # log1p(-1) is where the support ends for t < 1.
  tail = -jnp.log1p(jnp.maximum(curve * depth, -1)) / curve
  return jnp.where(is_exp, -depth, tail)


def _log_exp_fwd(depth, t):
  return log_exp(depth, t), (depth, t)


def _log_exp_bwd(residuals, g):
  depth, t = residuals
  is_inside = _is_inside(depth, t)
  inside = jnp.where(is_inside, depth, 0)  # Not inf, for t may vary.
  slope = -1 / (1 + (t - 1) * inside)
  return jnp.where(is_inside, g * slope, 0), g * _slope_by_t(depth, t)


log_exp.defvjp(_log_exp_fwd, _log_exp_bwd)


@jax.custom_vjp
def normalizer(gaps: chex.Array, t: chex.Array) -> chex.Array:
  """Return u with sum_k exp_t(-(u + gaps_k)) = 1, at least 0.

  Newton's method for Z^(1 - t) = 1, Z the sum: linear in u when the classes are
  alike, concave or convex always, so that it converges from u = 0 without
  overshooting; in one step at t = 1, where it finds log Z, in 3 to 12
  elsewhere, up to 262,144 classes.

  Its derivatives are those of the solution, by the implicit function theorem:
  du / dgaps_k = -p_k^t / sum_j p_j^t, the escort distribution.

  Args:
    gaps: from the largest logit, `[..., num_classes]`, inf for masked classes.
    t: the temperature, `[...]`.

  Returns:
    u, `[...]`.
  """
  tolerance = jnp.finfo(gaps.dtype).eps ** 0.6  # Its square is below rounding.
  # Zeros that vary with the gaps over the axes of a mesh, as the loop demands.
  start = jnp.min(gaps, axis=-1) * 0

  def is_far(carry):
    u, step, count = carry
    return (count < 32) & jnp.any(jnp.abs(step) > tolerance * (1 + u))

  def newton(carry):
    u, _, count = carry
    log_probs = _log_probs(u, gaps, t)
    total = jnp.sum(jnp.exp(log_probs), axis=-1)
    slope = jnp.sum(jnp.exp(t[..., None] * log_probs), axis=-1)
    curve = jnp.where(t == 1, 1, t - 1)
    log_total = jnp.log(total)
    excess = jnp.expm1(curve * log_total) / curve
    step = jnp.where(t == 1, log_total, excess) * total / slope
    return u + step, step, count + 1

  return lax.while_loop(is_far, newton, (start, start + jnp.inf, 0))[0]


def _normalizer_fwd(gaps, t):
  # Itself, and not its body: the backward pass may be differentiated again.
  u = normalizer(gaps, t)
  return u, (gaps, t, u)


def _normalizer_bwd(residuals, g):
  gaps, t, u = residuals
  log_probs = _log_probs(u, gaps, t)
  escort = jnp.exp(t[..., None] * log_probs)
  scale = g / jnp.sum(escort, axis=-1)
  slopes = _slope_by_t(u[..., None] + gaps, _like(t, gaps))
  by_t = jnp.sum(jnp.exp(log_probs) * slopes, axis=-1)
  return -escort * scale[..., None], by_t * scale


normalizer.defvjp(_normalizer_fwd, _normalizer_bwd)


def power_sum(
  u: chex.Array, gaps: chex.Array, t: chex.Array, power: chex.Array
) -> chex.Array:
  """Return sum_k p_k^power, `[...]`, the power positive."""

  # What the backward pass would keep of each class is made again.
  @jax.checkpoint
  def total(u, gaps, t, power):
    return jnp.sum(jnp.exp(power[..., None] * _log_probs(u, gaps, t)), axis=-1)

  return total(u, gaps, t, power)


def _log_probs(u, gaps, t):
  """Return log p_k, and where p_k is 0, what 0 may be multiplied by."""
  log_probs = log_exp(u[..., None] + gaps, _like(t, gaps))
  return jnp.maximum(log_probs, -1e30)


def _like(t, gaps):
  return jnp.broadcast_to(t[..., None], gaps.shape)


def _is_inside(depth, t):
  """Whether exp_t(-depth) is positive."""
  return (depth < jnp.inf) & ((t - 1) * depth > -1)


# (log1p(y) - y / (1 + y)) / y^2 is the sum of these times y^k.
_SERIES = [(-1) ** k * (k + 1) / (k + 2) for k in range(16)]


def _slope_by_t(depth, t):
  """Return d log_exp / dt = (log1p(y) - y / (1 + y)) / (t - 1)^2.

  With y = (t - 1) depth. The terms cancel when it is small: there, depth^2
  times a series.
  """
  is_inside = _is_inside(depth, t)
  depth = jnp.where(is_inside, depth, 0)
  y = (t - 1) * depth
  small = jnp.abs(y) < 0.1
  series = jnp.polyval(np.array(_SERIES[::-1], y.dtype), jnp.where(small, y, 0))
  far = jnp.where(small, 1, y)
  curve = jnp.where(small, 1, t - 1)
  difference = (jnp.log1p(far) - far / (1 + far)) / curve**2
  slope = jnp.where(small, depth**2 * series, difference)
  return jnp.where(is_inside, slope, 0)
