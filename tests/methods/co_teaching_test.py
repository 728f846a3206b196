"""Co-teaching against the paper's algorithm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import selection_transcription
from tests.methods import tiny_training

NOISE_RATE, RAMP_EPOCHS = 0.4, 3.0


def choose(p, y, forget_rate, epoch):
  """The mean over the kept; the official code divides by their number twice."""
  del epoch
  candidates = range(len(y))
  return selection_transcription.exchange(p, y, candidates, forget_rate)


def test_it_is_the_paper_step_by_step():
  method = methods.co_teaching(noise_rate=NOISE_RATE, ramp_epochs=RAMP_EPOCHS)
  state, losses = tiny_training.train(method, num_epochs=6)
  weights, want, kept = selection_transcription.train(
    choose, 6, NOISE_RATE, RAMP_EPOCHS
  )
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.memory.kept, kept)
  said = method.opinion(state.memory, None)
  tiny_training.close(said['kept'], kept / 6, 1e-6)
  np.testing.assert_array_equal(state.memory.visits, 6)
  assert 0 < kept.min() < kept.max() == 6


def two_logits(first, second):
  """Of binary predictions, with these losses' order for label 0."""
  return jnp.stack(
    [
      jnp.stack([jnp.asarray(each), jnp.zeros(len(each))], axis=-1)
      for each in (first, second)
    ]
  )


def test_a_network_does_not_learn_from_its_own_choice():
  method = methods.co_teaching(noise_rate=0.5, ramp_epochs=0)
  logits = two_logits([4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0])
  batch = {
    'image': logits,
    'label': jnp.zeros(4, int),
    'row': jnp.arange(4),
    'mask': jnp.ones(4),
  }
  state = method.init(jax.random.key(0), 4, 2)

  def total(logits):
    return jnp.sum(
      method.loss(lambda images, key: logits, batch, state, None)[0]
    )

  hears = np.any(jax.grad(total)(logits) != 0, axis=-1)
  np.testing.assert_array_equal(
    hears, [[False, False, True, True], [True, True, False, False]]
  )


def test_padding_is_never_chosen_and_not_counted():
  """7 of 10 with noise rate 0.4 are 4, though padding has the least loss."""
  method = methods.co_teaching(noise_rate=0.4, ramp_epochs=0)
  scores = np.linspace(1, 3, 10)
  mask = np.array([1, 1, 1, 1, 1, 1, 1, 0, 0, 0.0])
  batch = {
    'image': two_logits(scores, scores),
    'label': jnp.zeros(10, int),
    'row': jnp.arange(10),
    'mask': jnp.asarray(mask),
  }
  state = method.init(jax.random.key(0), 10, 2)
  losses, (memory, metrics) = method.loss(lambda x, key: x, batch, state, None)
  want = [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
  np.testing.assert_array_equal(metrics['kept'], want)
  np.testing.assert_array_equal(memory.kept, want)
  np.testing.assert_array_equal(memory.visits, mask)
  # Twice the mean over the kept, 7 times.
  own = np.log1p(np.exp(-scores))[3:7]
  np.testing.assert_allclose(losses.sum(), 7 * 2 * own.mean(), rtol=1e-6)


def test_a_label_that_was_never_seen_is_not_doubted():
  method = methods.co_teaching(noise_rate=0.4)
  memory = method.init(jax.random.key(0), 3, 2).memory
  memory = memory._replace(
    visits=jnp.array([0, 4, 4]), kept=jnp.array([0.0, 0.0, 3.0])
  )
  np.testing.assert_array_equal(
    method.opinion(memory, jnp.zeros(3, int))['kept'], [1, 0, 0.75]
  )


@pytest.mark.parametrize(
  ('name', 'value'), [('noise_rate', 1.0), ('ramp_epochs', -1.0)]
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.co_teaching(**{'noise_rate': 0.5, name: value})
