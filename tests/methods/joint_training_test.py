"""JoCoR against the paper's equations."""

import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import selection_transcription
from tests.methods import tiny_training

NOISE_RATE, RAMP_EPOCHS = 0.4, 3.0


def divergence(p, q):
  return (p * (np.log(p) - np.log(q))).sum(-1)


def by_logits_of_divergences(p, q):
  """Of KL(p, q) + KL(q, p), by the logits of p."""
  by_p = np.log(p) - np.log(q) + 1 - q / p
  return p * (by_p - (p * by_p).sum(-1, keepdims=True))


def make_choose(weight):
  def choose(p, y, forget_rate, epoch):
    del epoch
    supervised = -np.log((p * y).sum(-1)).sum(0)
    both = divergence(p[0], p[1]) + divergence(p[1], p[0])
    losses = (1 - weight) * supervised + weight * both
    chosen = selection_transcription.smallest(losses, range(6), forget_rate)
    kept = np.isin(np.arange(6), chosen) * 1.0
    by_logits = (1 - weight) * (p - y)
    by_logits += weight * by_logits_of_divergences(p, p[::-1])
    share = kept / len(chosen)
    return losses * share, by_logits * share[:, None], np.stack([kept, kept])

  return choose


@pytest.mark.parametrize('weight', [0.0, 0.3, 0.85])
def test_it_is_the_paper_step_by_step(weight):
  method = methods.joint_training(
    noise_rate=NOISE_RATE, weight=weight, ramp_epochs=RAMP_EPOCHS
  )
  state, losses = tiny_training.train(method, num_epochs=6)
  weights, want, kept = selection_transcription.train(
    make_choose(weight), 6, NOISE_RATE, RAMP_EPOCHS
  )
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.memory.kept, kept)
  said = method.opinion(state.memory, None)
  tiny_training.close(said['kept'], kept / 6, 1e-6)
  assert kept.min() < 6


def test_networks_become_alike():
  images, _ = tiny_training.examples()

  def distance(weights):
    first, second = tiny_training.softmax(images @ weights)
    return abs(first - second).mean()

  method = methods.joint_training(noise_rate=0.0, weight=1.0)
  state, _ = tiny_training.train(method, num_epochs=20)
  before = distance(tiny_training.initial_weights(2))
  assert distance(state.trained['model']) < 0.1 * before


@pytest.mark.parametrize(
  ('name', 'value'),
  [('noise_rate', 1.0), ('weight', 1.1), ('ramp_epochs', -1.0)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.joint_training(**{'noise_rate': 0.5, name: value})
