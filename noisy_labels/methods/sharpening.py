"""Guesses, made more certain than they are."""

import chex
import jax
import jax.numpy as jnp


def sharpen(probs: chex.Array, temperature: float) -> chex.Array:
  """p_k^(1 / T) / sum_j p_j^(1 / T): nearer to certainty, the smaller T is.

  Args:
    probs: distributions, float `[..., num_classes]`.
    temperature: T, in (0, 1]; 1 leaves them as they are.

  Returns:
    Distributions of the same shape.
  """
  return jax.nn.softmax(jnp.log(probs) / temperature, axis=-1)
