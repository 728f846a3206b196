"""Mixing the examples of a batch with one another."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from noisy_labels.methods import rows


class Mixture(NamedTuple):
  """How the examples of a batch are mixed; called with whatever they have.

  Attributes:
    ratio: how much each keeps of its own, in [0, 1].
    partners: the place in the batch of what the rest is of, int32 `[batch]`.
  """

  ratio: chex.Numeric
  partners: chex.Array

  def __call__(self, values: chex.Array) -> chex.Array:
    """Values `[batch, ...]`, mixed."""
    mixed = self.ratio * values + (1 - self.ratio) * values[self.partners]
    return mixed.astype(values.dtype)


def draw_mixture(
  batch: dict[str, chex.Array], key: chex.PRNGKey, *, alpha: float
) -> Mixture:
  """A mixture in which no example keeps less than half of its own.

  Args:
    batch: of one device.
    key: draws the ratio, from Beta(alpha, alpha), and the partners.
    alpha: in (0, inf).

  Returns:
    One ratio, and partners by a random permutation of the batch.
  """
  ratio_key, order_key = jax.random.split(key)
  ratio = jax.random.beta(ratio_key, alpha, alpha)
  return Mixture(jnp.maximum(ratio, 1 - ratio), partners(batch, order_key))


def partners(batch: dict[str, chex.Array], key: chex.PRNGKey) -> chex.Array:
  """Another example for each, or itself where that would be padding.

  Args:
    batch: of one device.
    key: draws a permutation of the batch.

  Returns:
    Places in the batch, int32 `[batch]`.
  """
  own = jnp.arange(len(batch['mask']))
  others = jax.random.permutation(key, own)
  return jnp.where(rows.is_real(batch)[others], others, own)
