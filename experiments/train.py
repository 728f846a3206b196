"""The state of a run and the step that changes it."""

from collections.abc import Callable
import functools
from typing import Any
from typing import NamedTuple

import chex
from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import optax

from experiments import devices
from experiments import folds
from experiments import step_inputs
from experiments.data import augment
from experiments.data import augment_strong
from experiments.data import dataset
from noisy_labels import methods


class TrainState(NamedTuple):
  """What is the same on every device.

  Attributes:
    step: how many steps were taken, int32.
    params: trained by gradient: the `model`'s and the `method`'s.
    model_state: what the model carries without gradient: batch statistics.
    opt_state: the optimiser's.
    ema: running averages of the model's parameters and state; empty if off.
    key: the seed of everything random in a step, as raw key data.
  """

  step: chex.ArrayTree
  params: dict[str, chex.ArrayTree]
  model_state: chex.ArrayTree
  opt_state: optax.OptState
  ema: chex.ArrayTree
  key: chex.ArrayTree


class Parts(NamedTuple):
  """What a step is made of: nothing here changes during a run.

  Attributes:
    model: the network, or a stack of them.
    method: how it is trained.
    optimizer: of all parameters.
    normalize: from bytes to what the model sees.
    augmentation: arguments of `augment.augment`.
    ema_decay: of the running averages; 0 is off.
    strong: arguments of `augment_strong.strong`, for the second view of methods
      that ask for two; None if it is like the first.
    select: from the model's logits and the examples' indices to the logits to
      measure, one row an example.
  """

  model: nn.Module | folds.Stack
  method: methods.Method
  optimizer: optax.GradientTransformation
  normalize: Callable[[jax.Array], jax.Array]
  augmentation: dict[str, Any]
  ema_decay: float
  strong: dict[str, Any] | None = None
  select: Callable[[jax.Array, jax.Array], jax.Array] = lambda logits, index: (
    logits
  )

  def view(self, keys: jax.Array, images: jax.Array) -> jax.Array:
    """From keys, one an example, and bytes to what the model sees."""
    return augment.augment(keys, self.normalize(images), **self.augmentation)

  def other_view(self, keys: jax.Array, images: jax.Array) -> jax.Array:
    """The same for the second view, which may be a stronger one."""
    if self.strong:
      others = jax.vmap(jax.random.fold_in, (0, None))(keys, 1)
      images = augment_strong.strong(others, images, **self.strong)
    return self.view(keys, images)


def create_train_state(
  parts: Parts,
  *,
  image_shape: tuple[int, ...],
  num_rows: int,
  num_classes: int,
  seed: int,
) -> tuple[TrainState, Any]:
  """The state before the first step, and the memory of one device.

  Args:
    parts: what the step is made of.
    image_shape: height, width, channels.
    num_rows: how many examples a device has room for.
    num_classes: how many classes there are.
    seed: a non-negative integer.

  Returns:
    State and memory as host arrays, to be put on the devices.
  """

  def create(key):
    model_key, method_key, run_key = jax.random.split(key, 3)
    images = jnp.zeros((1, *image_shape))
    variables = parts.model.init(model_key, images, train=True)
    model_state = {k: v for k, v in variables.items() if k != 'params'}
    method_state = parts.method.init(method_key, num_rows, num_classes)
    params = {'model': variables['params'], 'method': method_state.params}
    state = TrainState(
      step=jnp.int32(0),
      params=params,
      model_state=model_state,
      opt_state=parts.optimizer.init(params),
      ema=(params['model'], model_state) if parts.ema_decay else (),
      key=jax.random.key_data(run_key),
    )
    return state, method_state.memory

  state, memory = jax.jit(create)(jax.random.key(seed))
  return jax.tree.map(np.asarray, (state, memory))


def train_step(
  parts: Parts,
  state: TrainState,
  memory: Any,
  shards: dataset.Shards,
  rows: jax.Array,
) -> tuple[TrainState, Any, dict[str, jax.Array]]:
  """One step on one device; the gradient is the mean over all devices.

  Args:
    parts: what the step is made of.
    state: the same on every device.
    memory: of this device's examples.
    shards: this device's examples.
    rows: which of them to take, `[per_device]`.

  Returns:
    State, memory, and masked sums over all devices of the loss, of the method's
    metrics, and the count.
  """
  key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
  augment_key, method_key = jax.random.split(key)
  device_key = jax.random.fold_in(method_key, lax.axis_index(devices.AXIS))
  batch = step_inputs.augmented(
    step_inputs.take(shards, rows),
    augment_key,
    parts.view,
    parts.other_view if parts.method.two_views else None,
  )
  number = parts.method.num_trusted
  if number:
    trusted_key, device_key = jax.random.split(device_key)
    batch |= step_inputs.trusted(shards, trusted_key, parts.view, number=number)

  def objective(params):
    predict, model_states = _predictor(parts, state, params['model'])
    method_state = methods.MethodState(params['method'], memory)
    losses, (remembered, metrics) = parts.method.loss(
      predict, batch, method_state, device_key
    )
    sums = masked_sums(batch['mask'], loss=losses, **metrics)
    # The first is for the batch as it is.
    return sums['loss'], (remembered, model_states[0], sums)

  def mean_gradients(params):
    gradients, found = jax.grad(objective, has_aux=True)(params)
    *found, sums = found
    gradients, sums = lax.psum((gradients, sums), devices.AXIS)
    return jax.tree.map(lambda x: x / sums['count'], gradients), (*found, sums)

  gradients, (new_memory, model_state, sums) = mean_gradients(state.params)
  # Sharpness-aware minimisation asks for gradients elsewhere too.
  optimizer = optax.with_extra_args_support(parts.optimizer)
  updates, opt_state = optimizer.update(
    gradients,
    state.opt_state,
    state.params,
    grad_fn=lambda params, _: mean_gradients(params)[0],
  )
  params = optax.apply_updates(state.params, updates)
  ema = state.ema
  if parts.ema_decay:
    ema = optax.incremental_update(
      (params['model'], model_state), ema, 1 - parts.ema_decay
    )
  state = TrainState(
    step=state.step + 1,
    params=params,
    model_state=model_state,
    opt_state=opt_state,
    ema=ema,
    key=state.key,
  )
  return state, new_memory, sums


def _predictor(parts, state, params):
  """What predicts in a step, and the list of the model states that it makes."""
  model_states = []

  def apply(params, images, key, **options):
    del key  # No model here draws random numbers.
    logits, model_state = parts.model.apply(
      {'params': params, **state.model_state},
      images,
      train=True,
      mutable=list(state.model_state),
      **options,
    )
    model_states.append(dict(model_state))
    return logits

  averaged = state.ema[0] if parts.ema_decay else None
  each = None
  if parts.method.num_networks > 1:
    each = functools.partial(apply, own_images=True)
  return methods.Predict(apply, params, averaged, each), model_states


def epoch_step(
  parts: Parts,
  state: TrainState,
  memory: Any,
  shards: dataset.Shards,
  logits: list[jax.Array],
) -> Any:
  """What the method does between epochs, on one device.

  Args:
    parts: what the step is made of.
    state: the same on every device.
    memory: of this device's examples.
    shards: this device's examples.
    logits: of these examples, in order, in parts `[..., batch, num_classes]`.

  Returns:
    The memory.
  """
  rows = jnp.arange(len(shards.mask))
  batch = step_inputs.take(shards, rows)
  del batch['image']
  method_state = methods.MethodState(state.params['method'], memory)
  whole = jnp.concatenate(logits, axis=-2)[..., : len(rows), :]
  total = functools.partial(lax.psum, axis_name=devices.AXIS)
  on_epoch = parts.method.on_epoch
  assert on_epoch is not None
  return on_epoch(whole, batch, method_state, total)


def masked_sums(mask: jax.Array, **values: jax.Array) -> dict[str, jax.Array]:
  """Sums over the examples that the mask keeps, and their `count`.

  A masked value may be anything, not a number included.
  """
  sums = {
    name: jnp.sum(jnp.where(mask > 0, value, 0).astype(jnp.float32))
    for name, value in values.items()
  }
  return {**sums, 'count': jnp.sum(mask)}
