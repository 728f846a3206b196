"""Labels of other examples of the batch."""

import math

import chex
import jax
import jax.numpy as jnp


def labels_of(
  labels: chex.Array, batch: tuple[int, ...], key: chex.PRNGKey
) -> chex.Array:
  """Return for each example the label of another, `labels` permuted.

  The peer of an example is its successor in a random cycle through the batch.
  So none is its own, and any other is so with the same probability, 1 / (n -
  1): prediction and label of such a pair are independent, as two examples are.

  Args:
    labels: `[*batch]` or `[*batch, num_classes]`.
    batch: the shape of the batch, of at least 2 examples.
    key: the randomness.

  Raises:
    ValueError: if there are fewer.
  """
  size = math.prod(batch)
  if size < 2:
    raise ValueError(
      f'the batch must have at least 2 examples to be peers, got {size}'
    )
  cycle = jax.random.permutation(key, size)
  flat = labels.reshape(size, *labels.shape[len(batch) :])
  permuted = jnp.zeros_like(flat).at[cycle].set(flat[jnp.roll(cycle, -1)])
  return permuted.reshape(labels.shape)
