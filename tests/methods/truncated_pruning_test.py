"""Truncated Lq with pruning against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

Q, K = 0.6, 0.4


def transcription(num_epochs, start_epochs, every):
  """Decided at each example's own visit; the paper decides between epochs."""
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(), []
  w = np.ones(tiny_training.NUM_EXAMPLES)
  visits = np.zeros(tiny_training.NUM_EXAMPLES, int)
  for rows in tiny_training.schedule(num_epochs):
    p = tiny_training.softmax(images[rows] @ weights)
    p_y = p[np.arange(len(rows)), labels[rows]]
    for n, row in enumerate(rows):
      if (
        visits[row] >= start_epochs
        and (visits[row] - start_epochs) % every == 0
      ):
        w[row] = (1 - p_y[n] ** Q) / Q < (1 - K**Q) / Q
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    history.append(w[rows] * (1 - p_y**Q) / Q + (1 - w[rows]) * (1 - K**Q) / Q)
    by_logits = (w[rows] * p_y**Q)[:, None] * (p - y)
    weights = tiny_training.descend(weights, images[rows], by_logits)
    visits[rows] += 1
  return weights, w, np.array(history)


@pytest.mark.parametrize(('start_epochs', 'every'), [(0, 1), (2, 3), (9, 1)])
def test_it_is_the_paper_step_by_step(start_epochs, every):
  method = methods.truncated_pruning(
    q=Q, k=K, start_epochs=start_epochs, every=every
  )
  state, losses = tiny_training.train(method, num_epochs=7)
  weights, w, want = transcription(7, start_epochs, every)
  tiny_training.close(losses, want)
  np.testing.assert_array_equal(state.memory.kept, w)
  np.testing.assert_array_equal(state.memory.visits, 7)
  np.testing.assert_array_equal(method.opinion(state.memory, None)['kept'], w)
  tiny_training.close(state.trained['model'], weights)
  assert w.all() == (start_epochs == 9)


def test_a_label_that_was_given_up_stays_so_until_it_is_asked_again():
  method = methods.truncated_pruning(start_epochs=1, every=2)
  state = method.init(jax.random.key(0), 1, 2)
  kept = []
  for logit in (-3.0, -3.0, 3.0, 3.0):
    batch = {
      'image': jnp.array([[logit, 0.0]]),
      'label': jnp.array([0]),
      'row': jnp.array([0]),
      'mask': jnp.ones(1),
    }
    _, (memory, metrics) = method.loss(lambda x, key: x, batch, state, None)
    state = state._replace(memory=memory)
    kept.append(float(metrics['kept'][0]))
  assert kept == [1, 0, 0, 1]


@pytest.mark.parametrize(
  ('name', 'value'),
  [('q', 2.0), ('k', 1.0), ('start_epochs', -1), ('every', 0)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.truncated_pruning(**{name: value})
