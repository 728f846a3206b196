"""What a training method is, and how a plain loss becomes one."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex
import optax


class MethodState(NamedTuple):
  """What a method carries from step to step.

  Attributes:
    params: a pytree trained by gradient beside the model's parameters. It is
      the same on every device: nothing in it belongs to single examples.
    memory: a pytree that the loss updates and no gradient reaches. The leading
      axis of every leaf counts the examples, so that memory can be sharded
      with its examples. A number trained for each example is memory too: the
      loss knows its gradient, which no other example has a part in.
  """

  params: Any
  memory: Any


class Method(NamedTuple):
  """Pure functions, in the manner of `optax.GradientTransformation`.

  A method knows nothing of devices: it sees one batch and the memory of the
  examples that may occur in it.

  What training minimises is the sum of `losses` over the examples with mask 1,
  divided by how many there are, on all devices together. Padding may be given
  any image and prediction, NaN included; its label must be some class. It
  changes neither the memory nor the losses of others.

  Attributes:
    init: `(key, num_examples, num_classes) -> MethodState`.
    loss: `(predict, batch, state, key) -> (losses, (memory, metrics))`, where
      `predict(images, key)` gives logits `[batch, num_classes]`; `batch` is a
      dictionary with `image`, `label` (the given one), `index` (the example's
      identity), `row` (its place in the memory) and `mask`; `losses` and each
      of the metrics are `[batch]`, one number an example.
    optimizer: what `MethodState.params` are trained with; None for the model's
      own.
    transition: from `MethodState.params` to the transition matrix
      T[i, j] = P(given j | true i) that they stand for, `[num_classes,
      num_classes]`; None if the method learns none.
    num_networks: how many networks it trains. If more than one, logits are
      `[num_networks, batch, num_classes]`.
  """

  init: Callable[[chex.PRNGKey, int, int], MethodState]
  loss: Callable[..., tuple[chex.Array, tuple[Any, dict[str, chex.Array]]]]
  optimizer: optax.GradientTransformation | None = None
  transition: Callable[[Any], chex.Array] | None = None
  num_networks: int = 1


def stateless(loss: Callable[..., chex.Array]) -> Method:
  """Lifts a plain loss to a method that remembers nothing.

  Args:
    loss: `(logits, labels) -> losses`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` whose state is empty.
  """

  def method_loss(predict, batch, state, key):
    losses = loss(predict(batch['image'], key), batch['label'])
    return losses, (state.memory, {})

  return Method(init_nothing, method_loss)


def init_nothing(
  key: chex.PRNGKey, num_examples: int, num_classes: int
) -> MethodState:
  """The state of a method without one."""
  del key, num_examples, num_classes
  return MethodState(params={}, memory={})
