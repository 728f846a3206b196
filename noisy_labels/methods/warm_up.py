"""Cross entropy first: for losses that cannot begin from nothing."""

from typing import Any
from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


class Memory(NamedTuple):
  """Attributes: how often each example was seen, and the method's memory."""

  visits: chex.Array
  inner: Any


def warm_up(
  method: method_lib.Method, *, epochs: float, ramp_epochs: float = 0.0
) -> method_lib.Method:
  """Trains with cross entropy first, then goes over to a method.

    l = (1 - r) cross_entropy + r l_method

  with r = 0 for the first `epochs`, and then rising to 1 over `ramp_epochs`.
  Some losses have no gradient, or no minimum, where training begins; and the
  weight of a term that a loss adds to cross entropy, as `peer_loss` and
  `confidence_regularized_cross_entropy` do, is ramped up from 0 so.

  An example's epoch is the number of times it was seen: no clock is needed.
  Of several networks, each has its own cross entropy, and they are summed.

  Args:
    method: what to go over to, of one view, that predicts its batch as it is
      first. It is followed from the beginning, so that what it remembers is up
      to date.
    epochs: how many to begin with, in [0, inf).
    ramp_epochs: over how many to go over, in [0, inf).

  Returns:
    A `Method` whose memory has the visits beside the other method's.

  Raises:
    ValueError: if an argument is out of range, or the method has two views, or
      mixes images, as `mixup` and `early_learning_regularization_plus` do.
  """
  method_lib.check_one_view('warm_up', method)
  if method.mixes_images:
    raise ValueError(
      'warm_up takes a method that predicts its batch as it is, and this one '
      'mixes images: put mixup around warm_up, and train ELR+ without it'
    )
  _checks.in_range('epochs', epochs, '[0, inf)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')

  def init(key, num_examples, num_classes):
    params, memory = method.init(key, num_examples, num_classes)
    visits = jnp.zeros(num_examples, jnp.int32)
    return method_lib.MethodState(params, Memory(visits, memory))

  def loss(predict, batch, state, key):
    watched, predicted = method_lib.watch(predict)
    visits, memory = state.memory
    late, (memory, metrics) = method.loss(
      watched, batch, method_lib.MethodState(state.params, memory), key
    )
    logits = rows.without_padding(predicted[0], batch)
    early = rows.cross_entropies(logits, batch['label'])
    early = jnp.sum(early.reshape(-1, early.shape[-1]), axis=0)
    since = visits[batch['row']] - epochs
    if ramp_epochs:
      ratio = jnp.clip(since / ramp_epochs, 0, 1)
    else:
      ratio = (since >= 0).astype(early.dtype)
    visits = rows.add(visits, batch, 1)
    # What does not count may be infinite.
    losses = jnp.where(ratio < 1, (1 - ratio) * early, 0)
    losses += jnp.where(ratio > 0, ratio * late, 0)
    return losses, (Memory(visits, memory), metrics)

  return method._replace(
    init=init,
    loss=loss,
    on_epoch=method_lib.epoch_of_inner(method),
    opinion=_of_inner(method.opinion),
  )


def _of_inner(opinion):
  if opinion is None:
    return None
  return lambda memory, labels: opinion(memory.inner, labels)
