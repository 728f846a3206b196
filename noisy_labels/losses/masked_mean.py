"""The mean of logits over the classes that are not masked."""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

# Beyond, the sum of logits rounds off what tells the classes apart.
_LARGE = 64


@jax.custom_jvp
def mean_and_count(
  logits: chex.Array, largest: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return the mean of logits - largest, and of how many, `[...]`.

  Of the finite entries of the last axis. Where none is masked, and the largest
  logits are of common size, a plain sum of the logits does, and costs a CPU far
  less than one that looks at every entry.
  """
  size = logits.shape[-1]
  total = jnp.sum(logits, axis=-1)

  def plain():
    return total - size * largest, jnp.full_like(total, size)

  def careful():
    finite = logits > -jnp.inf
    return sum_and_count(logits - largest[..., None], finite)

  total, count = lax.cond(is_plain(total, largest), plain, careful)
  return total / count, count


def is_plain(total: chex.Array, largest: chex.Array) -> chex.Array:
  """Whether a plain sum of logits, of this total, will do."""
  return jnp.all((total > -jnp.inf) & (jnp.abs(largest) <= _LARGE))


@mean_and_count.defjvp
def _mean_and_count_jvp(primals, tangents):
  logits, _ = primals
  tangent, _ = tangents  # The largest is a constant.
  mean, count = mean_and_count(*primals)
  tangent = jnp.sum(jnp.where(logits > -jnp.inf, tangent, 0), axis=-1) / count
  return (mean, count), (tangent, jnp.zeros_like(count))


def sum_and_count(
  values: chex.Array, mask: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return the sum of the values where mask is true, and their number.

  Both in one pass, for XLA's CPU compiler would write out the input of either.
  The pass may be one number after the other, which in float32 would cost a sum
  over 262,144 classes half its digits: so what each addition rounds off is
  summed as well.
  """

  def add(left, right):
    total = left[0] + right[0]
    part = total - left[0]
    lost = (left[0] - (total - part)) + (right[0] - part)
    return total, left[1] + right[1] + lost, left[2] + right[2]

  values = jnp.where(mask, values, 0)
  total, lost, count = lax.reduce(
    (values, jnp.zeros_like(values), mask.astype(values.dtype)),
    (np.zeros((), values.dtype),) * 3,
    add,
    (values.ndim - 1,),
  )
  return total + lost, count
