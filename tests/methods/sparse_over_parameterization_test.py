"""SOP against the paper's equations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

U_RATE, V_RATE, BATCH_SIZE = 3.0, 5.0, 6


def make(**changes):
  return methods.sparse_over_parameterization(
    **{
      'u_learning_rate': U_RATE,
      'v_learning_rate': V_RATE,
      'batch_size': BATCH_SIZE,
      **changes,
    }
  )


def transcription(u, v, num_epochs, epsilon=1e-4):
  """Gradients by hand; u learns from cross entropy, v from square error.

  The paper's update. The newer official code adds the square error's gradient
  to u's; the first one detaches it there, as the paper does.
  """
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(), []
  for rows in tiny_training.schedule(num_epochs):
    logits = images[rows] @ weights
    p = tiny_training.softmax(logits)
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    hard = np.eye(tiny_training.NUM_CLASSES)[logits.argmax(1)]
    noise = u[rows] ** 2 * y - v[rows] ** 2 * (1 - y)
    explained = np.maximum(p + noise, epsilon)
    total = explained.sum(1, keepdims=True)
    history.append(-np.log((explained / total * y).sum(1)))
    passes = p + noise > epsilon
    by_explained = passes * (1 / total - y / explained)
    by_p = by_explained * p
    by_logits = by_p - p * by_p.sum(1, keepdims=True)
    by_u = (by_explained * 2 * u[rows] * y).sum(1, keepdims=True)
    by_v = 2 * (hard + noise - y) * -2 * v[rows] * (1 - y)
    u[rows] = np.clip(u[rows] - U_RATE / BATCH_SIZE * by_u, -1, 1)
    v[rows] = np.clip(v[rows] - V_RATE / BATCH_SIZE * by_v, -1, 1)
    weights = tiny_training.descend(weights, images[rows], by_logits)
  return weights, u, v, np.array(history)


def test_it_is_the_paper_step_by_step():
  # From 1e-8, a few steps would be far from any bound.
  rng = np.random.default_rng(1)
  u = 0.3 * rng.normal(size=(tiny_training.NUM_EXAMPLES, 1))
  v = 0.3 * rng.normal(size=(tiny_training.NUM_EXAMPLES, 3))

  def init(key, num_examples, num_classes):
    return methods.MethodState(
      {}, type(memory)(jnp.asarray(u, float), jnp.asarray(v, float))
    )

  memory = make().init(jax.random.key(0), 2, 3).memory
  method = make()._replace(init=init)
  state, losses = tiny_training.train(method, num_epochs=6)
  weights, want_u, want_v, want = transcription(u.copy(), v.copy(), 6)
  tiny_training.close(losses, want)
  tiny_training.close(state.memory.u, want_u)
  tiny_training.close(state.memory.v, want_v)
  tiny_training.close(state.trained['model'], weights)
  assert (abs(want_v) == 1).any()
  assert (abs(want_u) < 1).any()


def test_it_begins_with_almost_nothing():
  state = make().init(jax.random.key(0), 2000, 5)
  assert state.memory.u.shape == (2000, 1)
  assert state.memory.v.shape == (2000, 5)
  for values in state.memory:
    np.testing.assert_allclose(np.std(values), 1e-8, rtol=0.1)
  losses, _ = loss_of(
    make(),
    jnp.zeros((2, 3)),
    state._replace(
      memory=jax.tree.map(lambda leaf: leaf[:2, :3], state.memory)
    ),
  )
  np.testing.assert_allclose(losses, np.log(3), rtol=1e-6)


@functools.partial(jax.jit, static_argnums=0)
def loss_of(method, logits, state):
  batch = {
    'image': logits,
    'label': jnp.zeros(len(logits), int),
    'row': jnp.arange(len(logits)),
    'mask': jnp.ones(len(logits)),
  }
  return method.loss(lambda images, key: images, batch, state, None)


def test_u_and_v_grow_where_the_model_disagrees_and_not_where_it_agrees():
  logits = jnp.array([[0.0, 4.0, 0.0], [4.0, 0.0, 0.0]])
  method = make()
  state = method.init(jax.random.key(0), 2, 3)
  for _ in range(200):
    losses, (memory, metrics) = loss_of(method, logits, state)
    state = state._replace(memory=memory)
  u, v = state.memory
  np.testing.assert_allclose(metrics['noise'], u[:, 0] ** 2, atol=1e-2)
  assert u[0, 0] ** 2 > 0.9
  assert v[0, 1] ** 2 > 0.9
  assert losses[0] < 0.1
  assert abs(v[0, 2]) < 1e-6
  assert abs(v[1]).max() < 1e-6
  said = method.opinion(memory, jnp.zeros(2, int))
  np.testing.assert_array_equal(said['noise'], u[:, 0] ** 2)
  np.testing.assert_array_equal(said['guess'], [1, 0])


def test_at_the_beginning_it_guesses_the_label_given():
  memory = make().init(jax.random.key(0), 50, 5).memory
  labels = jnp.arange(50) % 5
  said = make().opinion(memory, labels)
  np.testing.assert_allclose(said['noise'], 0, atol=1e-12)
  np.testing.assert_array_equal(said['guess'], labels)


def difference(after, before):
  return np.asarray(after) - np.asarray(before)


def test_an_example_that_occurs_often_makes_every_step():
  """Rates are for the mean over batch_size, whatever is in the batch."""
  # Small steps, or they would end at the bound.
  method = make(u_learning_rate=0.1, v_learning_rate=0.1)
  repeats, rows = 3, np.array([2] * 3)
  with jax.enable_x64(True):
    state = tiny_training.start(method)
    state = state._replace(memory=jax.tree.map(lambda x: x + 0.2, state.memory))
    after, _, _ = tiny_training.step(
      method, state, tiny_training.batch_of(rows), None
    )
    moved = jax.tree.map(difference, after.memory, state.memory)
    alone, _, _ = tiny_training.step(
      method, state, tiny_training.batch_of(rows[:1]), None
    )
    once = jax.tree.map(difference, alone.memory, state.memory)
  tiny_training.close(moved.u, repeats * once.u)
  tiny_training.close(moved.v, repeats * once.v)
  assert abs(once.u[2]) > 0


@pytest.mark.parametrize(
  ('name', 'value'),
  [('u_learning_rate', -1.0), ('v_learning_rate', -1.0), ('batch_size', 0)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})
