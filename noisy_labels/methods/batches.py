"""Losses that compare the examples of a batch, as methods."""

from collections.abc import Callable

import chex
import jax

from noisy_labels.methods import method


def of_batches(loss: Callable[..., chex.Array]) -> method.Method:
  """Lifts a loss that draws other examples of its batch to a method.

  The batch is that of one device, so what is drawn comes from there.

  Args:
    loss: `(logits, labels, *, key) -> losses`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` whose state is empty, and which gives the loss another key in
    every step.
  """

  def method_loss(predict, batch, state, key):
    predict_key, loss_key = jax.random.split(key)
    logits = predict(batch['image'], predict_key)
    losses = loss(logits, batch['label'], key=loss_key)
    return losses, (state.memory, {})

  return method.Method(method.init_nothing, method_loss)
