"""What MixMatch and the methods built on it do to labels and images."""

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


def ratio(key: chex.PRNGKey, alpha: float) -> chex.Array:
  """max(r, 1 - r), r ~ Beta(alpha, alpha): what is mixed in is the less."""
  drawn = jax.random.beta(key, alpha, alpha)
  return jnp.maximum(drawn, 1 - drawn)


def partners(key: chex.PRNGKey, among: chex.Array) -> chex.Array:
  """A random permutation of some of the examples.

  Args:
    key: draws it.
    among: which, bool `[batch]`.

  Returns:
    The partner of each example, integer `[batch]`; the others have themselves.
  """
  number = len(among)
  shuffled = jnp.where(among, jax.random.permutation(key, number), number)
  places = jnp.argsort(~among)
  return jnp.zeros_like(places).at[places].set(jnp.argsort(shuffled))


def mix(
  values: chex.Array, partners: chex.Array, ratio: chex.Numeric
) -> chex.Array:
  """Ratio x_a + (1 - ratio) x_b, b the partner of a; values `[batch, ...]`."""
  mixed = ratio * values + (1 - ratio) * values[partners]
  return mixed.astype(values.dtype)
