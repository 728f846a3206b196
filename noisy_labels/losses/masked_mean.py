"""The mean of logits over the classes that are not masked."""

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.losses import joint_sums

# Beyond, the sum of logits rounds off what tells the classes apart.
_LARGE = 64


@jax.custom_jvp
def mean_and_count(
  logits: chex.Array, largest: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return the mean of logits - largest, and of how many, `[...]`.

  In the dtype of the largest, which may be wider than that of the logits. Of
  the finite entries of the last axis. Where none is masked, and the largest
  logits are of common size, a plain sum of the logits does, and costs a CPU far
  less than one that looks at every entry.
  """
  size = logits.shape[-1]
  total = joint_sums.total(logits, largest.dtype)

  def plain():
    return total - size * largest, jnp.full_like(total, size)

  def careful():
    finite = logits > -jnp.inf
    wide = logits.astype(largest.dtype)
    return joint_sums.total_and_count(wide - largest[..., None], finite)

  total, count = lax.cond(is_plain(total, largest), plain, careful)
  return total / count, count


def is_plain(total: chex.Array, largest: chex.Array) -> chex.Array:
  """Whether a plain sum of logits, of this total, will do."""
  return jnp.all((total > -jnp.inf) & (jnp.abs(largest) <= _LARGE))


@mean_and_count.defjvp
def _mean_and_count_jvp(primals, tangents):
  logits, largest = primals
  tangent, _ = tangents  # The largest is a constant.
  mean, count = mean_and_count(*primals)
  tangent = jnp.where(logits > -jnp.inf, tangent.astype(largest.dtype), 0)
  tangent = jnp.sum(tangent, axis=-1) / count
  return (mean, count), (tangent, jnp.zeros_like(count))
