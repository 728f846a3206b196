"""A training loop as small as can be, in JAX and, for the truth, in numpy."""

import functools
from typing import Any
from typing import NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import optax

from noisy_labels import methods

NUM_EXAMPLES, NUM_FEATURES, NUM_CLASSES = 12, 4, 3
RATE = 0.5
RULED_OUT = -1e30


class State(NamedTuple):
  """What is trained and its average, the optimiser's state, and the memory."""

  trained: dict[str, Any]
  opt_state: Any
  memory: Any
  averaged: Any


def examples(seed=0):
  """Images and labels of the data set, a third of them off by one."""
  rng = np.random.default_rng(seed)
  images = rng.normal(size=(NUM_EXAMPLES, NUM_FEATURES))
  labels = images[:, :NUM_CLASSES].argmax(1)
  labels[::3] = (labels[::3] + 1) % NUM_CLASSES
  return images, labels


def batch_of(rows, **changes):
  """The batch of some rows; an example's index is its row."""
  images, labels = examples()
  rows = np.asarray(rows)
  trusted = np.arange(0, NUM_EXAMPLES, 3)
  batch = {
    'image': images[rows],
    'other_image': images[rows] + 0.1 * images[rows][:, ::-1],
    'trusted_image': images[trusted],
    'trusted_label': images[trusted, :NUM_CLASSES].argmax(1),
    'label': labels[rows],
    'index': rows,
    'row': rows,
    'mask': np.ones(len(rows)),
  }
  batch = {**batch, **changes}
  return {
    name: jnp.asarray(value, int if value.dtype.kind == 'i' else float)
    for name, value in batch.items()
  }


def schedule(num_epochs, size=6):
  """The rows of each step, all examples once an epoch, in another order."""
  rng = np.random.default_rng(7)
  orders = [rng.permutation(NUM_EXAMPLES) for _ in range(num_epochs)]
  return np.concatenate(orders).reshape(-1, size)


def initial_weights(num_networks=1, scale=1.0):
  rng = np.random.default_rng(3)
  shape = (num_networks, NUM_FEATURES, NUM_CLASSES)
  weights = scale * rng.normal(size=shape)
  return weights if num_networks > 1 else weights[0]


def optimizer_of(method):
  plain = optax.sgd(RATE)
  groups = {
    'model': method.wrap_optimizer(plain) if method.wrap_optimizer else plain,
    'method': method.optimizer or plain,
  }
  return optax.multi_transform(groups, {name: name for name in groups})


def start(method, scale=1.0, ruled_out=()):
  init = jax.jit(method.init, static_argnums=(1, 2))
  params, memory = init(jax.random.key(5), NUM_EXAMPLES, NUM_CLASSES)
  weights = jnp.asarray(initial_weights(method.num_networks, scale), float)
  weights = weights.at[..., np.array(ruled_out, int)].set(RULED_OUT)
  trained = {'model': weights, 'method': params}
  return State(trained, optimizer_of(method).init(trained), memory, weights)


def apply(weights, images, key):
  """A linear model, for images and weights of all sorts.

  An image that is not a number has logits that are not either, but whatever
  gradient comes back for them arrives at the weights. A class of `RULED_OUT`
  weights has logits of -inf.
  """
  del key
  is_out = weights <= RULED_OUT / 2
  logits = jnp.where(jnp.isnan(images), 1, images) @ jnp.where(
    is_out, 0, weights
  )
  logits += jnp.where(jnp.isnan(images).any(-1, keepdims=True), jnp.nan, 0)
  return jnp.where(is_out.any(-2, keepdims=True), -jnp.inf, logits)


def predictor(state):
  # Weights and images of several networks are multiplied pair by pair.
  is_one = jnp.ndim(state.trained['model']) == 2
  return methods.Predict(
    apply,
    state.trained['model'],
    state.averaged,
    None if is_one else apply,
  )


@functools.partial(jax.jit, static_argnums=0, static_argnames='axis_name')
def step(method, state, batch, key, axis_name=None):
  """One step on one device; losses and metrics beside the new state."""

  def objective(trained):
    losses, (memory, metrics) = method.loss(
      predictor(state._replace(trained=trained)),
      batch,
      methods.MethodState(trained['method'], state.memory),
      key,
    )
    total = jnp.sum(jnp.where(batch['mask'] > 0, losses, 0))
    return total, (memory, losses, metrics)

  gradient, (memory, losses, metrics) = jax.grad(objective, has_aux=True)(
    state.trained
  )
  count = jnp.sum(batch['mask'])
  if axis_name:
    gradient, count = lax.psum((gradient, count), axis_name)
  gradient = jax.tree.map(lambda leaf: leaf / count, gradient)
  updates, opt_state = optimizer_of(method).update(
    gradient, state.opt_state, state.trained
  )
  trained = optax.apply_updates(state.trained, updates)
  averaged = optax.incremental_update(
    trained['model'], state.averaged, 1 - method.ema_decay
  )
  return State(trained, opt_state, memory, averaged), losses, metrics


@functools.partial(jax.jit, static_argnums=0, static_argnames='axis_name')
def end_epoch(method, state, batch, axis_name=None):
  """The state after `on_epoch`; the batch has all examples of the memory."""
  batch = {**batch}
  logits = batch.pop('image') @ state.trained['model']

  def total(tree):
    return lax.psum(tree, axis_name) if axis_name else tree

  method_state = methods.MethodState(state.trained['method'], state.memory)
  memory = method.on_epoch(logits, batch, method_state, total)
  return state._replace(memory=memory)


def train(method, num_epochs=4, scale=1.0):
  """In float64: the state after the last step, and the losses of each."""
  with jax.enable_x64(True):
    state, history = start(method, scale), []
    for number, rows in enumerate(schedule(num_epochs)):
      key = jax.random.fold_in(jax.random.key(9), number)
      state, losses, _ = step(method, state, batch_of(rows), key)
      history.append(np.asarray(losses))
      if method.on_epoch and (number + 1) * len(rows) % NUM_EXAMPLES == 0:
        everything = batch_of(np.arange(NUM_EXAMPLES))
        state = end_epoch(method, state, everything)
    return jax.tree.map(np.asarray, state), np.array(history)


def softmax(logits):
  exps = np.exp(logits - logits.max(-1, keepdims=True))
  return exps / exps.sum(-1, keepdims=True)


def descend(weights, images, by_logits):
  """Numpy's step: gradients of each example's loss by its logits."""
  return weights - RATE * images.T @ by_logits / len(images)


def close(got, want, rtol=1e-9, atol=1e-11):
  np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)
