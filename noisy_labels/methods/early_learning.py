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


def opinion(targets: chex.Array, labels: chex.Array) -> dict[str, chex.Array]:
  """The target of each label, and a guess of the true one, `[N]`."""
  target = jnp.take_along_axis(targets, labels[:, None], axis=-1)[:, 0]
  # Before the first visit no class is more probable than another.
  seen = jnp.any(targets > 0, axis=-1)
  guess = jnp.where(seen, jnp.argmax(targets, axis=-1), labels)
  return {'target': target, 'guess': guess}
