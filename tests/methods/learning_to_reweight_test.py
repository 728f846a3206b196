"""L2RW against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses as losses_lib
from noisy_labels import methods
from tests.methods import tiny_training

L2RW = methods.learning_to_reweight(num_trusted=4)
TRUSTED = np.arange(0, tiny_training.NUM_EXAMPLES, 3)


def gradients(images, labels, weights):
  """Of each example's cross entropy by the weights, `[batch, ...]`."""
  residual = tiny_training.softmax(images @ weights)
  residual[np.arange(len(labels)), labels] -= 1
  return images[:, :, None] * residual[:, None, :]


def transcription(num_epochs):
  """Algorithm 1 of the paper, with equations 12 and 13 for the weights."""
  images, labels = tiny_training.examples()
  truth = images[:, : tiny_training.NUM_CLASSES].argmax(1)
  theta = tiny_training.initial_weights()
  history, kept = [], np.zeros(tiny_training.NUM_EXAMPLES)
  for rows in tiny_training.schedule(num_epochs):
    each = gradients(images[rows], labels[rows], theta)
    trusted = gradients(images[TRUSTED], truth[TRUSTED], theta).mean(0)
    u = (each * trusted).sum((1, 2))
    w = np.maximum(u, 0)
    w /= w.sum() + (w.sum() == 0)
    p = tiny_training.softmax(images[rows] @ theta)
    history.append(-len(rows) * w * np.log(p[np.arange(6), labels[rows]]))
    kept[rows] += w > 0
    theta = theta - tiny_training.RATE * (w[:, None, None] * each).sum(0)
  return theta, kept, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, losses = tiny_training.train(L2RW, num_epochs=5)
  theta, kept, want = transcription(5)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], theta)
  np.testing.assert_array_equal(state.memory.kept, kept)
  np.testing.assert_array_equal(state.memory.visits, 5)


def test_the_rate_of_the_step_ahead_changes_nothing():
  _, want = tiny_training.train(L2RW)
  for rate in (1e-3, 1e3):
    method = methods.learning_to_reweight(learning_rate=rate, num_trusted=4)
    tiny_training.close(tiny_training.train(method)[1], want)


def test_it_wants_as_many_trusted_examples_as_it_is_told():
  assert L2RW.num_trusted == 4
  assert methods.learning_to_reweight().num_trusted == 100


def one(**changes):
  state = tiny_training.start(L2RW)
  batch = tiny_training.batch_of(np.arange(6), **changes)
  return tiny_training.step(L2RW, state, batch, jax.random.key(0))


def test_examples_that_are_trusted_themselves_all_count():
  """Of one class and image, all gradients point the same way."""
  image = np.ones((6, tiny_training.NUM_FEATURES))
  label = np.zeros(6, int)
  same = {'image': image, 'label': label}
  trusted = {'trusted_image': image, 'trusted_label': label}
  state, losses, metrics = one(**same, **trusted)
  np.testing.assert_array_equal(metrics['kept'], 1)
  method = methods.stateless(losses_lib.cross_entropy)
  plain, want, _ = tiny_training.step(
    method,
    tiny_training.start(method),
    tiny_training.batch_of(np.arange(6), **same),
    jax.random.key(0),
  )
  np.testing.assert_allclose(losses, want, rtol=1e-5)
  np.testing.assert_allclose(
    state.trained['model'], plain.trained['model'], rtol=1e-5
  )


def test_what_only_harms_is_not_learnt_at_all():
  image = np.ones((6, tiny_training.NUM_FEATURES))
  before = tiny_training.start(L2RW)
  # Two classes with p < 1/2 each: a step towards one is one from the other.
  weights = jnp.zeros_like(before.trained['model']).at[:, 2].set(-10.0)
  state = before._replace(trained={**before.trained, 'model': weights})
  batch = tiny_training.batch_of(
    np.arange(6),
    image=image,
    label=np.zeros(6, int),
    trusted_image=image,
    trusted_label=np.ones(6, int),
  )
  after, losses, metrics = tiny_training.step(
    L2RW, state, batch, jax.random.key(0)
  )
  np.testing.assert_array_equal(losses, 0)
  np.testing.assert_array_equal(metrics['kept'], 0)
  np.testing.assert_array_equal(after.trained['model'], weights)


@pytest.mark.parametrize(
  ('name', 'value'),
  [('learning_rate', 0.0), ('num_trusted', 0), ('num_trusted', 1.5)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.learning_to_reweight(**{name: value})
