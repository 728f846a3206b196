"""What a training method is, and how a plain loss becomes one."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import chex
import optax

from noisy_labels.methods import rows


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


class Predict(NamedTuple):
  """The model of a step, called as `predict(images, key)`.

  Most methods do no more than that, and take any function of images and key.

  Attributes:
    apply: `(params, images, key) -> logits`, for parameters of one's own.
    params: the model's parameters, those of several networks stacked.
    averaged: their running averages, for methods that ask for them by
      `ema_decay`.
    apply_each: as `apply`, but of images `[num_networks, batch, ...]`, each
      network's own; None where there is one network.
  """

  apply: Callable[[Any, chex.Array, chex.PRNGKey], chex.Array]
  params: Any
  averaged: Any = None
  apply_each: Callable[[Any, chex.Array, chex.PRNGKey], chex.Array] | None = (
    None
  )

  def __call__(self, images: chex.Array, key: chex.PRNGKey) -> chex.Array:
    """Logits of the images, `[batch, num_classes]`."""
    return self.apply(self.params, images, key)

  def each(self, images: chex.Array, key: chex.PRNGKey) -> chex.Array:
    """Logits `[num_networks, batch, num_classes]` of each network's own images.

    Raises:
      ValueError: if there is one network.
    """
    if self.apply_each is None:
      raise ValueError('one network has no images of its own: call predict')
    return self.apply_each(self.params, images, key)


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
      `predict(images, key)` gives logits `[batch, num_classes]`, see `Predict`;
      `batch` is a dictionary with `image`, `label` (the given one), `index`
      (the example's identity), `row` (its place in the memory) and `mask`;
      `losses` and each of the metrics are `[batch]`, one number an example.
      What the model carries without gradient, such as batch statistics, is
      that of the first prediction in training mode, which must not be within
      a transformation of the method's own.
    optimizer: what `MethodState.params` are trained with; None for the model's
      own.
    transition: from `MethodState.params` to the transition matrix
      T[i, j] = P(given j | true i) that they stand for, `[num_classes,
      num_classes]`; None if the method learns none.
    num_networks: how many networks it trains. If more than one, logits are
      `[num_networks, batch, num_classes]`.
    on_epoch: `(logits, batch, state, total) -> memory`, called after each
      epoch; None if nothing is to be done. It sees all examples that its
      memory is of, by row: their logits `[N, num_classes]` by the model as it
      predicts, not as it trains, for images as they are; and a batch without
      images. `total` adds a pytree over all devices.
    two_views: whether the batch must have `other_image`, the same images
      augmented anew.
    mixes_images: whether what it predicts first are mixtures of images.
    ema_decay: what is kept at a step of the running averages of the model that
      the method asks for, in (0, 1); 0 for none.
    num_trusted: how many examples with labels that are known to be right it
      wants at each step, as `trusted_image` and `trusted_label` of the batch;
      0 for none.
    wrap_optimizer: from the optimiser of the model to the one to use instead;
      None for the optimiser as it is.
    opinion: `(memory, labels) -> {name: [N]}`, what the memory of N examples
      says of their labels, integers `[N]`: finite numbers, of each example by
      its own memory alone. None if it says nothing.
  """

  init: Callable[[chex.PRNGKey, int, int], MethodState]
  loss: Callable[..., tuple[chex.Array, tuple[Any, dict[str, chex.Array]]]]
  optimizer: optax.GradientTransformation | None = None
  transition: Callable[[Any], chex.Array] | None = None
  num_networks: int = 1
  on_epoch: Callable[..., Any] | None = None
  two_views: bool = False
  mixes_images: bool = False
  ema_decay: float = 0.0
  num_trusted: int = 0
  wrap_optimizer: (
    Callable[[optax.GradientTransformation], optax.GradientTransformation]
    | None
  ) = None
  opinion: Callable[[Any, chex.Array], dict[str, chex.Array]] | None = None


def stateless(loss: Callable[..., chex.Array]) -> Method:
  """Lifts a plain loss to a method that remembers nothing.

  Args:
    loss: `(logits, labels) -> losses`; bind its hyper-parameters with
      `functools.partial`.

  Returns:
    A `Method` whose state is empty.
  """

  def method_loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    return loss(logits, batch['label']), (state.memory, {})

  return Method(init_nothing, method_loss)


def init_nothing(
  key: chex.PRNGKey, num_examples: int, num_classes: int
) -> MethodState:
  """The state of a method without one."""
  del key, num_examples, num_classes
  return MethodState(params={}, memory={})


def check_one_view(wrapper: str, method: Method) -> None:
  """Raise ValueError if a method makes batches of two views of its own."""
  if method.two_views:
    raise ValueError(
      f'{wrapper} takes a method that predicts its batch as it is, and this '
      'one predicts two views of each image, or mixtures of them'
    )


def epoch_of_inner(method: Method) -> Callable[..., Any] | None:
  """`on_epoch` where the method's memory is the field `inner` of another."""
  on_epoch = method.on_epoch
  if on_epoch is None:
    return None

  def of_inner(logits, batch, state, total):
    inner = MethodState(state.params, state.memory.inner)
    inner = on_epoch(logits, batch, inner, total)
    return state.memory._replace(inner=inner)

  return of_inner


def watch(predict: Callable[..., chex.Array]) -> tuple[Any, list[chex.Array]]:
  """The same, and the list of what it will have predicted."""
  predicted: list[chex.Array] = []

  def watched(function):
    def run(*args):
      predicted.append(function(*args))
      return predicted[-1]

    return run

  if isinstance(predict, Predict):
    return predict._replace(apply=watched(predict.apply)), predicted
  return watched(predict), predicted
