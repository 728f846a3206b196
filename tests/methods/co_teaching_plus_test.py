"""Co-teaching+ against the paper's algorithm."""

import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import selection_transcription
from tests.methods import tiny_training

NOISE_RATE, RAMP_EPOCHS, WARM_UP_EPOCHS = 0.4, 3.0, 2


def choose(p, y, forget_rate, epoch):
  """One softmax, as in the paper; the official code takes two."""
  candidates = np.arange(len(y))
  if epoch >= WARM_UP_EPOCHS:
    first, second = p.argmax(-1)
    candidates = np.flatnonzero(first != second)
  if not len(candidates):
    # The paper learns nothing; in its first steps, the official code from all.
    loss, gradient = np.zeros(len(y)), np.zeros_like(p)
  else:
    loss, gradient, _ = selection_transcription.exchange(
      p, y, candidates, forget_rate
    )
  # What is remembered is of all: right labels are those on which both agree.
  *_, small = selection_transcription.exchange(
    p, y, np.arange(len(y)), forget_rate
  )
  return loss, gradient, small


def test_it_is_the_paper_step_by_step():
  method = methods.co_teaching_plus(
    noise_rate=NOISE_RATE,
    warm_up_epochs=WARM_UP_EPOCHS,
    ramp_epochs=RAMP_EPOCHS,
  )
  state, losses = tiny_training.train(method, num_epochs=8)
  weights, want, kept = selection_transcription.train(
    choose, 8, NOISE_RATE, RAMP_EPOCHS
  )
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.memory.kept, kept)
  said = method.opinion(state.memory, None)
  tiny_training.close(said['kept'], kept / 8, 1e-6)
  assert (want[2 * WARM_UP_EPOCHS :] != 0).any()
  assert (want[2 * WARM_UP_EPOCHS :] == 0).any()


def test_networks_that_agree_learn_nothing():
  method = methods.co_teaching_plus(noise_rate=0.4, warm_up_epochs=0)
  state = tiny_training.start(method)
  same = state.trained['model'].at[1].set(state.trained['model'][0])
  state = state._replace(trained={**state.trained, 'model': same})
  batch = tiny_training.batch_of(np.arange(6))
  after, losses, metrics = tiny_training.step(method, state, batch, None)
  np.testing.assert_array_equal(losses, 0)
  np.testing.assert_array_equal(metrics['disagreement'], 0)
  np.testing.assert_array_equal(after.trained['model'], same)


@pytest.mark.parametrize(
  ('name', 'value'),
  [('noise_rate', 1.0), ('warm_up_epochs', -1.0), ('ramp_epochs', -1.0)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.co_teaching_plus(
      **{'noise_rate': 0.5, 'warm_up_epochs': 1.0, name: value}
    )
