"""Losses that compare two views of each image, as methods."""

from collections.abc import Callable

import chex
import jax.numpy as jnp

from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def of_views(loss: Callable[..., chex.Array]) -> method_lib.Method:
  """Lifts a loss of several views of each example to a method of two.

  The views are `image` and `other_image` of the batch. They are predicted as
  one batch, as in the official code of `generalized_jensen_shannon`: batch
  statistics are those of both.

  Args:
    loss: `(logits, labels) -> losses` for logits `[2, batch, num_classes]`,
      labels `[batch]` and losses `[batch]`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` that asks for two views, and whose state is empty.
  """

  def method_loss(predict, batch, state, key):
    logits = rows.logits_of(predict, rows.both_views(batch), key)
    views = jnp.reshape(logits, (2, -1, logits.shape[-1]))
    return loss(views, batch['label']), (state.memory, {})

  return method_lib.Method(method_lib.init_nothing, method_loss, two_views=True)
