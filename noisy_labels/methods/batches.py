"""Losses that compare the examples of a batch, as methods."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from noisy_labels.methods import method
from noisy_labels.methods import rows


def of_batches(loss: Callable[..., chex.Array]) -> method.Method:
  """Lifts a loss that draws other examples of its batch to a method.

  The batch is that of one device, so what is drawn comes from there. In place
  of padding, which has nothing to say, the loss is given some of the examples
  once more.

  Args:
    loss: `(logits, labels, *, key) -> losses`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` whose state is empty, and which gives the loss another key in
    every step.
  """

  def method_loss(predict, batch, state, key):
    predict_key, loss_key = jax.random.split(key)
    logits = rows.logits_of(predict, batch, predict_key)
    given = _real_examples(batch)
    losses = loss(logits[given], batch['label'][given], key=loss_key)
    return losses, (state.memory, {})

  return method.Method(method.init_nothing, method_loss)


def _real_examples(batch):
  """Places in the batch: each example's own, padding having those of others."""
  real = rows.is_real(batch)
  places = jnp.arange(len(real))
  real_first = jnp.argsort(~real)
  others = real_first[places % jnp.maximum(jnp.sum(real), 1)]
  return jnp.where(real, places, others)
