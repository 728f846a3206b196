"""Logarithms of weighted sums, with weights that may be 0 and are learnt."""

import chex
import jax
import jax.numpy as jnp


@jax.custom_vjp
def log_mix(logs: chex.Array, weights: chex.Array) -> chex.Array:
  """Return log sum_k weights_k exp(logs_k), `[..., n]` -> `[...]`.

  Weights are not negative. With the shares q_k = weights_k exp(logs_k) / sum,
  the derivatives are q_k by logs_k, and exp(logs_k) / sum by weights_k, which
  is finite at 0. (It saturates at the root of the dtype's largest number, so
  that its square, in the second derivative, is finite too.)

  Derivatives are in reverse mode, of any order.
  """
  terms = logs + jnp.log(weights)
  largest = jnp.max(terms, axis=-1)
  # Where all is 0, infinity less itself would be NaN.
  largest = jnp.where(jnp.isneginf(largest), 0, largest)
  total = jnp.sum(jnp.exp(terms - largest[..., None]), axis=-1)
  return largest + jnp.log(total)


def _log_mix_fwd(logs, weights):
  # Itself, and not its body: the backward pass may be differentiated again, and
  # log has no derivative at 0.
  log_sum = log_mix(logs, weights)
  return log_sum, (logs, weights, log_sum)


def _log_mix_bwd(residuals, g):
  logs, weights, log_sum = residuals
  # Where all is 0, any large number does for its logarithm.
  log_sum = jnp.maximum(log_sum, jnp.finfo(log_sum.dtype).min / 4)
  shares = _share(logs - log_sum[..., None], weights)
  odds = _odds(logs - log_sum[..., None])
  return g[..., None] * shares, g[..., None] * odds


log_mix.defvjp(_log_mix_fwd, _log_mix_bwd)


@jax.custom_jvp
def _share(log_odds, weight):
  """Return weight exp(log_odds), at most 1, though either may overflow."""
  return jnp.exp(log_odds + jnp.log(weight))


@_share.defjvp
def _share_jvp(primals, tangents):
  log_odds, weight = primals
  share = _share(log_odds, weight)
  return share, share * tangents[0] + _odds(log_odds) * tangents[1]


def _odds(log_odds):
  limit = jnp.log(jnp.finfo(log_odds.dtype).max) / 2
  return jnp.exp(jnp.minimum(log_odds, limit))
