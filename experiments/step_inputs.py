"""What a method sees in a step: images as the model sees them, no true label.

A view goes from keys, one an example, and bytes to what the model sees.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from experiments.data import dataset

View = Callable[[jax.Array, jax.Array], jax.Array]


def take(shards: dataset.Shards, rows: jax.Array) -> dict[str, jax.Array]:
  """Some examples of a device, their images as they are stored."""
  return {
    'image': shards.image[rows],
    'label': shards.label[rows],
    'index': shards.index[rows],
    'mask': shards.mask[rows],
    'row': rows,
  }


def augmented(
  batch: dict[str, jax.Array],
  key: jax.Array,
  view: View,
  other_view: View | None = None,
) -> dict[str, jax.Array]:
  """The batch with one view of its images, or with another one as well."""
  keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch['index'])
  images = batch['image']
  batch = {**batch, 'image': view(keys, images)}
  if other_view:
    others = jax.vmap(jax.random.fold_in, (0, None))(keys, 1)
    batch['other_image'] = other_view(others, images)
  return batch


def trusted(
  shards: dataset.Shards, key: jax.Array, view: View, *, number: int
) -> dict[str, jax.Array]:
  """Examples of a device whose labels are known, drawn with replacement."""
  draw_key, view_key = jax.random.split(key)
  known = (shards.trusted_label >= 0) & (shards.mask > 0)
  chances = jnp.where(known, 0.0, -jnp.inf)
  chosen = jax.random.categorical(draw_key, chances, shape=(number,))
  return {
    'trusted_image': view(
      jax.random.split(view_key, number), shards.image[chosen]
    ),
    'trusted_label': shards.trusted_label[chosen],
  }
