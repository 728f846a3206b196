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
    return mix(values, self.partners, self.ratio)


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
  return Mixture(
    ratio(ratio_key, alpha), partners(order_key, rows.is_real(batch))
  )


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
