"""VolMinNet against the paper's equations."""

import jax
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import learned_transition
from tests.methods import tiny_training


def matrix(w):
  off = 1 - np.eye(len(w))
  flips = np.eye(len(w)) + off / (1 + np.exp(-w))
  return flips / flips.sum(1, keepdims=True)


def volume(weight):
  def loss(probs, labels, w):
    transition = matrix(w)
    given = learned_transition.of_label(probs @ transition, labels)
    return -np.log(given) + weight * np.log(abs(np.linalg.det(transition)))

  return loss


@pytest.mark.parametrize('weight', [1e-4, 0.5])
def test_it_is_the_paper_step_by_step(weight):
  method = methods.volume_minimization(
    weight=weight, initial_logit=-1.0, learning_rate=0.1
  )
  state, losses = tiny_training.train(method)
  weights, w, want = learned_transition.train(
    volume(weight), np.full((3, 3), -1.0), 0.1, 4
  )
  tiny_training.close(losses, want, rtol=1e-6)
  tiny_training.close(state.trained['model'], weights, 1e-6, 1e-6)
  learned = method.transition(state.trained['method'])
  tiny_training.close(learned, matrix(w), 1e-5, 1e-6)
  assert abs(learned - matrix(np.full((3, 3), -1.0))).max() > 0.01


def test_rows_sum_to_one_and_the_diagonal_is_the_largest():
  method = methods.volume_minimization()
  w = 10 * jax.random.normal(jax.random.key(0), (6, 6))
  transition = method.transition({'flip_logits': w})
  np.testing.assert_allclose(transition.sum(1), 1, rtol=1e-6)
  np.testing.assert_array_equal(transition.argmax(1), np.arange(6))


def test_official_start():
  params = methods.volume_minimization().init(jax.random.key(0), 5, 10).params
  flip = 1 / (1 + np.exp(2.0))
  want = np.full((10, 10), flip) + (1 - flip) * np.eye(10)
  np.testing.assert_allclose(
    methods.volume_minimization().transition(params),
    want / want.sum(1),
    rtol=1e-5,
  )


@pytest.mark.parametrize(
  ('name', 'value'), [('weight', -1.0), ('initial_logit', float('inf'))]
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.volume_minimization(**{name: value})
