"""What a training method is, and how a plain loss becomes one."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex


class MethodState(NamedTuple):
  """What a method carries from step to step.

  Attributes:
    params: a pytree trained by gradient beside the model's parameters.
    memory: a pytree that the loss updates and no gradient reaches. The leading
      axis of every leaf counts the examples, so that memory can be sharded
      with its examples.
  """

  params: Any
  memory: Any


class Method(NamedTuple):
  """A pair of pure functions, in the manner of `optax.GradientTransformation`.

  A method knows nothing of devices: it sees one batch and the memory of the
  examples that may occur in it.

  Attributes:
    init: `(key, num_examples, num_classes) -> MethodState`.
    loss: `(predict, batch, state, key) -> (losses, (memory, metrics))`, where
      `predict(images, key)` gives logits `[batch, num_classes]`; `batch` is a
      dictionary with `image`, `label` (the given one), `index` (the example's
      identity), `row` (its place in the memory) and `mask`; `losses` and each
      of the metrics are `[batch]`, one number an example.
  """

  init: Callable[[chex.PRNGKey, int, int], MethodState]
  loss: Callable[..., tuple[chex.Array, tuple[Any, dict[str, chex.Array]]]]


def stateless(loss: Callable[..., chex.Array]) -> Method:
  """Lifts a plain loss to a method that remembers nothing.

  Args:
    loss: `(logits, labels) -> losses`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` whose state is empty.
  """

  def init(key, num_examples, num_classes):
    del key, num_examples, num_classes
    return MethodState(params={}, memory={})

  def method_loss(predict, batch, state, key):
    losses = loss(predict(batch['image'], key), batch['label'])
    return losses, (state.memory, {})

  return Method(init, method_loss)
