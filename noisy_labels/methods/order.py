"""Who is before whom among all examples, on whatever devices these are."""

from collections.abc import Callable
from typing import Any

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.methods import rows


def nth_smallest(
  values: chex.Array,
  number: chex.Numeric,
  *,
  groups: chex.Array,
  num_groups: int,
  total: Callable[[Any], Any],
) -> chex.Array:
  """The value that comes as number `number` in each group, by size.

  It is the largest number that fewer than `number` values are below, found bit
  by bit, so that devices need to add up nothing but counts.

  Args:
    values: floats `[..., N]`, not negative.
    number: which one, integers from 1, one or `[num_groups]`.
    groups: where each value belongs, integers `[N]`: from 0, and num_groups
      for what belongs nowhere, as padding does.
    num_groups: how many groups there are.
    total: adds a pytree over all devices.

  Returns:
    `[..., num_groups]`; of a group with fewer values, inf.
  """
  # From 0 on, floats are in the order of their bits.
  integer, top = (
    (jnp.int64, 62) if values.dtype == jnp.float64 else (jnp.int32, 30)
  )
  values = jnp.maximum(values, 0).astype(
    jnp.promote_types(values.dtype, jnp.float32)
  )
  bits = lax.bitcast_convert_type(values, integer)
  zeros = jnp.zeros((*values.shape[:-1], num_groups), integer)

  def append_bit(k, found):
    tried = found | (jnp.ones((), integer) << (top - k).astype(integer))
    below = bits < jnp.take(tried, groups, axis=-1, mode='clip')
    counts = jnp.zeros(zeros.shape, jnp.int32)
    counts = counts.at[..., groups].add(below.astype(jnp.int32), mode='drop')
    return jnp.where(total(counts) < number, tried, found)

  found = lax.fori_loop(0, top + 1, append_bit, zeros)
  infinity = lax.bitcast_convert_type(
    jnp.asarray(jnp.inf, values.dtype), integer
  )
  return lax.bitcast_convert_type(jnp.minimum(found, infinity), values.dtype)


def from_0_to_1(
  losses: chex.Array, batch: dict[str, chex.Array], total: Callable[[Any], Any]
) -> chex.Array:
  """(l - min l) / (max l - min l), or 0 where that is 0 / 0.

  Args:
    losses: of all examples, float `[..., N]`, not negative.
    batch: of the same, with `mask`.
    total: adds a pytree over all devices.

  Returns:
    Floats `[..., N]`.
  """
  real = rows.is_real(batch)
  groups = jnp.where(real, 0, 1)

  def at(number):
    return nth_smallest(
      losses, number, groups=groups, num_groups=1, total=total
    )

  least, largest = at(1), at(total(jnp.sum(real)))
  spread = largest - least
  return (losses - least) / jnp.where(spread > 0, spread, 1)


def smallest_of_classes(
  losses: chex.Array,
  batch: dict[str, chex.Array],
  share: float,
  *,
  num_classes: int,
  total: Callable[[Any], Any],
) -> chex.Array:
  """The same number of smallest losses in each class.

  Args:
    losses: of all examples, float `[..., N]`, not negative.
    batch: of the same, with `mask` and `label`.
    share: of the even share of a class, in (0, 1]: the number is ceil(share N /
      num_classes), and of a class that has fewer, all.
    num_classes: K.
    total: adds a pytree over all devices.

  Returns:
    Which they are, bool `[..., N]`. Of equal losses all are.
  """
  real, label = rows.is_real(batch), batch['label']
  number = share * total(jnp.sum(real)) / num_classes
  bounds = nth_smallest(
    losses,
    # A little less, or 0.7 of 10 is 7.00001 and counts as 8.
    jnp.maximum(jnp.ceil(number - 1e-3), 1),
    groups=jnp.where(real, label, num_classes),
    num_groups=num_classes,
    total=total,
  )
  return losses <= bounds[..., label]
