"""What keeps predictions near targets, in early-learning regularisation."""

import chex
import jax
import jax.numpy as jnp

# 1 - t goes down to 0, and the loss to minus infinity with it.
_LEAST_REST = 1e-4


def log_rest(log_probs: chex.Array, targets: chex.Array) -> chex.Array:
  """log(1 - sum_k p_k t_k), finite for all p and t.

  Args:
    log_probs: log p, float `[..., num_classes]`.
    targets: t, in [0, 1], float `[..., num_classes]`. A 1 - t_k below 1e-4
      counts as 1e-4.

  Returns:
    float `[...]`, at least log 1e-4.
  """
  # sum_k p_k is 1: one less the agreement, without a difference of large
  # numbers.
  rest = jnp.maximum(1 - targets, _LEAST_REST)
  return jax.nn.logsumexp(log_probs + jnp.log(rest), axis=-1)
