"""Choosing the examples of a batch that have the smallest losses."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


class Memory(NamedTuple):
  """What methods remember that select by small loss.

  Attributes:
    visits: how often each example was seen, int32 `[N]`.
    kept: how often it was selected, float32 `[N]`; of several networks, the
      mean. A share `kept / visits` near 0 tells of a wrong label.
  """

  visits: chex.Array
  kept: chex.Array


def init(
  key: chex.PRNGKey, num_examples: int, num_classes: int
) -> method_lib.MethodState:
  """The state of a method that only selects."""
  del key, num_classes
  memory = Memory(
    visits=jnp.zeros(num_examples, jnp.int32),
    kept=jnp.zeros(num_examples, jnp.float32),
  )
  return method_lib.MethodState(params={}, memory=memory)


def exchange(
  each: chex.Array,
  kept: chex.Array,
  batch: dict[str, chex.Array],
  memory: Memory,
  *,
  remembered: chex.Array | None = None,
) -> tuple[chex.Array, tuple[Memory, dict[str, chex.Array]]]:
  """What a method returns whose two networks learn from each other's choice.

  Args:
    each: the networks' losses, float `[2, batch]`.
    kept: what they choose, bool `[2, batch]`.
    batch: of one device.
    memory: of all examples.
    remembered: what the memory counts as kept, where that is something else,
      bool `[2, batch]`.

  Returns:
    Losses `[batch]`, the new memory, and the metric `kept`.
  """
  losses = jnp.sum(each * mean_weights(kept[::-1], batch), axis=0)
  share = jnp.mean(kept.astype(jnp.float32), axis=0)
  if remembered is None:
    remembered = kept
  counted = jnp.mean(remembered.astype(jnp.float32), axis=0)
  return losses, (remember(memory, batch, counted), {'kept': share})


def remember(
  memory: Memory, batch: dict[str, chex.Array], kept: chex.Array
) -> Memory:
  """Counts the visit of each example, and how often it was kept, `[batch]`."""
  return Memory(
    visits=rows.add(memory.visits, batch, 1),
    kept=rows.add(memory.kept, batch, kept),
  )


def opinion(memory: Memory, labels: chex.Array) -> dict[str, chex.Array]:
  """How often each example was kept, of its visits; 1 before the first."""
  del labels
  share = memory.kept / jnp.maximum(memory.visits, 1)
  return {'kept': jnp.where(memory.visits > 0, share, 1)}


def epoch_of(memory: Memory, batch: dict[str, chex.Array]) -> chex.Array:
  """How many epochs were before, as a float without fraction.

  That is how often the examples of a batch were seen, on average, rounded: an
  epoch leaves out a few, which are less than a batch.
  """
  real = rows.is_real(batch)
  visits = jnp.where(real, memory.visits[batch['row']], 0)
  return jnp.round(jnp.sum(visits) / jnp.maximum(jnp.sum(real), 1))


def ramp(
  value: float, epoch: chex.Array, ramp_epochs: float
) -> chex.Array | float:
  """A value that grows linearly from 0 to its own over the first epochs."""
  if not ramp_epochs:
    return value
  return value * jnp.clip(epoch / ramp_epochs, 0, 1)


def smallest(
  losses: chex.Array, among: chex.Array, forget_rate: chex.Numeric
) -> chex.Array:
  """Which examples have the smallest losses: a share 1 - forget_rate.

  Args:
    losses: float `[..., batch]`.
    among: which examples to choose from, bool `[batch]`.
    forget_rate: the share to leave out, in [0, 1).

  Returns:
    bool `[..., batch]`. Their number is rounded down, but is at least 1 where
    there is any. Of equal losses, the earlier in the batch is taken.
  """
  # A little more, or 1 - 0.45 of 20 is 10.9999 and not 11.
  number = jnp.floor((1 - forget_rate) * jnp.sum(among) + 1e-3)
  order = jnp.argsort(jnp.where(among, losses, jnp.inf), axis=-1)
  ranks = jnp.argsort(order, axis=-1)
  return (ranks < jnp.maximum(number, 1)) & among


def mean_weights(kept: chex.Array, batch: dict[str, chex.Array]) -> chex.Array:
  """Weights that make a mean over the batch one over the kept examples.

  n / m for each of m kept examples of n that are no padding, 0 for the others:
  the weighted sum is n times the mean over the kept. What a training loop
  divides by is n, summed over the devices, so each device's mean counts as
  often as it has examples. Without any kept example all weights are 0.

  Args:
    kept: bool `[..., batch]`, none of them padding.
    batch: of one device.

  Returns:
    float32 `[..., batch]`.
  """
  number = jnp.sum(kept, axis=-1, keepdims=True)
  share = jnp.sum(rows.is_real(batch)) / jnp.maximum(number, 1)
  return jnp.where(kept, share, 0)
