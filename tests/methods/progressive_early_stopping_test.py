"""PES against the paper's algorithm: its stages, and its confident examples."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

STEPS, LATE_RATE = 2, 2.0
N, K = tiny_training.NUM_EXAMPLES, tiny_training.NUM_CLASSES


def make(**changes):
  return methods.progressive_early_stopping(
    **{
      'steps_per_epoch': STEPS,
      'part_of': lambda path: 2,
      'first_epochs': 2,
      'second_epochs': 2,
      'third_epochs': 1,
      'late_learning_rate': LATE_RATE,
      **changes,
    }
  )


class Adam:
  """Kingma and Ba's algorithm 1."""

  def __init__(self):
    self.m, self.v, self.t = 0.0, 0.0, 0

  def step(self, g):
    self.t += 1
    self.m = 0.9 * self.m + 0.1 * g
    self.v = 0.999 * self.v + 0.001 * g**2
    m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
    return -LATE_RATE * m / (np.sqrt(v) + 1e-8)


def confident_weights(weights, images, labels):
  """The class weights of the official code, for the examples it keeps."""
  confident = (images @ weights).argmax(1) == labels
  counts = np.array([(labels[confident] == k).sum() for k in range(K)])
  mean = counts[counts > 0].mean()
  return np.array(
    [
      mean / counts[y] if kept else 0.0
      for kept, y in zip(confident, labels, strict=True)
    ]
  )


def transcription(num_epochs):
  """All layers are in the last part, and so begin anew twice."""
  images, labels = tiny_training.examples()
  initial = tiny_training.initial_weights()
  weights, counts, history = initial, np.ones(N), []
  for number, rows in enumerate(tiny_training.schedule(num_epochs)):
    p = tiny_training.softmax(images[rows] @ weights)
    y = np.eye(K)[labels[rows]]
    # A batch without any confident example teaches nothing.
    share = counts[rows] / (counts[rows].sum() or 1)
    history.append(-len(rows) * share * np.log((p * y).sum(1)))
    gradient = images[rows].T @ (share[:, None] * (p - y))
    if number in (2 * STEPS, 4 * STEPS):
      weights, adam = initial, Adam()
    elif 2 * STEPS < number < 5 * STEPS:
      weights = weights + adam.step(gradient)
    else:
      weights = weights - tiny_training.RATE * gradient
    if number % STEPS == STEPS - 1 and number + 1 >= 5 * STEPS:
      counts = confident_weights(weights, images, labels)
  return weights, counts, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, losses = tiny_training.train(make(), num_epochs=9)
  weights, counts, want = transcription(9)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.memory.weight, counts)
  np.testing.assert_array_equal(state.memory.epochs, 9)
  assert 0 == counts.min() < counts.max()
  assert len(np.unique(counts)) > 2


def moves(first, second, third, num_updates=9):
  """How three parts move, and where to, when their gradients are all 1."""
  method = make(
    steps_per_epoch=1,
    part_of=lambda path: 'abc'.index(path.split('/')[-1]),
    first_epochs=first,
    second_epochs=second,
    third_epochs=third,
  )
  optimizer = method.wrap_optimizer(optax.sgd(1.0, momentum=0.5))
  model = {name: jnp.float32(100) for name in 'abc'}
  params = {'model': model, 'method': optax.MaskedNode()}
  state, history = optimizer.init(params), [[100.0] * 3]
  update = jax.jit(optimizer.update)
  for _ in range(num_updates):
    gradients = jax.tree.map(jnp.ones_like, params)
    updates, state = update(gradients, state, params)
    params = optax.apply_updates(params, updates)
    history.append([float(params['model'][name]) for name in 'abc'])
  return np.diff(np.array(history), axis=0), np.array(history)


def test_parts_begin_anew_and_are_frozen_in_turn():
  moved, values = moves(2, 3, 2)
  np.testing.assert_allclose(moved[:2], [[-1] * 3, [-1.5] * 3])
  # Frozen, and the optimiser goes on with the momentum that it had.
  np.testing.assert_array_equal(moved[2:7, 0], 0)
  np.testing.assert_allclose(moved[7:, 0], [-1.75, -1.875])
  # Each stage begins with its parts as at first, and Adam's first steps.
  np.testing.assert_allclose(values[3, 1:], 100)
  np.testing.assert_allclose(moved[3:5, 1:], -LATE_RATE, rtol=1e-3)
  np.testing.assert_array_equal(moved[5:7, 1], 0)
  np.testing.assert_allclose(values[6, 2], 100)
  np.testing.assert_allclose(moved[6, 2], -LATE_RATE, rtol=1e-3)
  np.testing.assert_allclose(moved[7:, 1:], [[-1.75] * 2, [-1.875] * 2])


def test_a_stage_of_no_epochs_is_left_out():
  moved, values = moves(2, 0, 3)
  np.testing.assert_array_equal(moved[2:5, :2], 0)
  np.testing.assert_allclose(values[3, 2], 100)
  moved, values = moves(2, 3, 0)
  np.testing.assert_array_equal(moved[2:5, 0], 0)
  np.testing.assert_allclose(values[3, 1:], 100)
  np.testing.assert_allclose(moved[5:, 1], moved[5:, 0])


def test_labels_are_all_heard_until_the_third_stage_ends():
  state, _ = tiny_training.train(make(), num_epochs=4)
  np.testing.assert_array_equal(state.memory.weight, 1)


def test_classes_count_alike_however_many_of_each_are_confident():
  labels = np.array([0, 0, 0, 0, 1, 1, 2])
  predicted = np.array([0, 0, 0, 1, 1, 0, 0])
  method = make(first_epochs=0, second_epochs=0, third_epochs=0)
  batch = {
    'label': jnp.asarray(labels),
    'row': jnp.arange(7),
    'mask': jnp.ones(7),
  }
  state = method.init(jax.random.key(0), 7, 3)
  logits = jax.nn.one_hot(predicted, 3)
  weight = method.on_epoch(logits, batch, state, lambda tree: tree).weight
  np.testing.assert_allclose(
    weight, [2 / 3, 2 / 3, 2 / 3, 0, 2, 0, 0], rtol=1e-6
  )


def test_a_part_is_one_of_three():
  optimizer = make(part_of=lambda path: 3).wrap_optimizer(optax.sgd(0.1))
  with pytest.raises(ValueError, match=r"part_of\('head/bias'\) must be 0"):
    optimizer.init({'head': {'bias': jnp.ones(2)}})


def test_parameters_must_be_given():
  optimizer = make().wrap_optimizer(optax.sgd(0.1))
  with pytest.raises(ValueError, match='params'):
    optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('steps_per_epoch', 0),
    ('first_epochs', -1),
    ('second_epochs', 0.5),
    ('third_epochs', -1),
    ('late_learning_rate', 0.0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})


def test_stages_end_with_their_epochs_whatever_those_leave_out():
  method = make()  # Five epochs.
  state = method.init(jax.random.key(0), N, K)
  batch = tiny_training.batch_of(range(N))
  wrong = jax.nn.one_hot((batch['label'] + 1) % K, K)
  for epoch in range(1, 7):
    # No example is seen: a mean of visits would never come to five.
    memory = method.on_epoch(wrong, batch, state, lambda number: number)
    state = state._replace(memory=memory)
    np.testing.assert_array_equal(memory.weight, 0 if epoch >= 5 else 1)
