"""Logarithms of weighted sums, with weights that may be 0 and are learnt."""

import chex
import jax
from jax import lax
import jax.numpy as jnp


def log_mix(
  logs: chex.Array, weights: chex.Array, shift: chex.Array | None = None
) -> chex.Array:
  """Return log sum_k weights_k exp(logs_k - shift), `[..., n]` -> `[...]`.

  Weights are not negative. With the shares q_k = weights_k exp(logs_k - shift)
  / sum, the derivatives are q_k by logs_k, and exp(logs_k - shift) / sum by
  weights_k, which is finite at 0. (It saturates at the root of the dtype's
  largest number, so that its square, in the second derivative, is finite too.)

  Derivatives are in reverse mode, of any order.

  Args:
    logs: `[..., n]`.
    weights: of the same shape.
    shift: `[...]`, the largest of logs or near it; 0 if None.
  """
  if shift is None:
    shift = jnp.zeros_like(logs[..., 0])
  return _log_mix(logs, weights, shift)


@jax.custom_vjp
def _log_mix(logs, weights, shift):
  total = jnp.sum(weights * jnp.exp(logs - shift[..., None]), axis=-1)

  def careful():
    terms = logs - shift[..., None] + jnp.log(weights)
    largest = jnp.max(terms, axis=-1)
    # Where all is 0, infinity less itself would be NaN.
    largest = jnp.where(jnp.isneginf(largest), 0, largest)
    total = jnp.sum(jnp.exp(terms - largest[..., None]), axis=-1)
    return largest + jnp.log(total)

  # Unless terms underflow, or overflow, one pass less does.
  limits = jnp.finfo(total.dtype)
  is_plain = (total > limits.tiny**0.5) & (total < limits.max**0.5)
  return lax.cond(jnp.all(is_plain), lambda: jnp.log(total), careful)


def _log_mix_fwd(logs, weights, shift):
  # Itself, and not its body: the backward pass may be differentiated again, and
  # log has no derivative at 0.
  log_sum = _log_mix(logs, weights, shift)
  return log_sum, (logs, weights, shift, log_sum)


def _log_mix_bwd(residuals, g):
  logs, weights, shift, log_sum = residuals
  # Where all is 0, any large number does for its logarithm.
  log_sum = jnp.maximum(log_sum, jnp.finfo(log_sum.dtype).min / 4)
  log_odds = logs - shift[..., None] - log_sum[..., None]
  by_logs = g[..., None] * _share(log_odds, weights)
  return by_logs, g[..., None] * _odds(log_odds), -g


_log_mix.defvjp(_log_mix_fwd, _log_mix_bwd)


@jax.custom_jvp
def _share(log_odds, weight):
  """Return weight exp(log_odds), at most 1, though either may overflow."""
  # A weight so small that the limit matters is 0.
  limit = jnp.log(jnp.finfo(log_odds.dtype).max) - 1
  return weight * jnp.exp(jnp.minimum(log_odds, limit))


@_share.defjvp
def _share_jvp(primals, tangents):
  log_odds, weight = primals
  share = _share(log_odds, weight)
  return share, share * tangents[0] + _odds(log_odds) * tangents[1]


def _odds(log_odds):
  limit = jnp.log(jnp.finfo(log_odds.dtype).max) / 2
  return jnp.exp(jnp.minimum(log_odds, limit))
