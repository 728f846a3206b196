"""The noise adaptation layer against the paper's equations."""

import jax
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import learned_transition
from tests.methods import tiny_training
from tests.methods.method_cases import TRANSITION


def softmax_layer(probs, labels, w):
  transition = tiny_training.softmax(w)
  return -np.log(learned_transition.of_label(probs @ transition, labels))


def test_it_is_the_paper_step_by_step():
  method = methods.noise_adaptation_layer(
    transition=TRANSITION, learning_rate=0.1
  )
  state, losses = tiny_training.train(method)
  # The official code's start: it adds 1e-8 to the confusion matrix.
  w = np.log(TRANSITION + 1e-8)
  weights, w, want = learned_transition.train(softmax_layer, w, 0.1, 4)
  tiny_training.close(losses, want, rtol=1e-6)
  tiny_training.close(state.trained['model'], weights, 1e-6, 1e-6)
  learned = method.transition(state.trained['method'])
  tiny_training.close(learned, tiny_training.softmax(w), 1e-5, 1e-6)
  assert abs(learned - TRANSITION).max() > 0.01


def test_it_begins_with_the_estimate():
  method = methods.noise_adaptation_layer(transition=TRANSITION)
  params = method.init(jax.random.key(0), 5, 3).params
  np.testing.assert_allclose(method.transition(params), TRANSITION, atol=1e-6)


def test_what_is_no_transition_matrix_is_refused():
  with pytest.raises(ValueError, match='transition'):
    methods.noise_adaptation_layer(transition=2 * TRANSITION)
  method = methods.noise_adaptation_layer(transition=TRANSITION)
  with pytest.raises(ValueError, match='4 classes'):
    method.init(jax.random.key(0), 5, 4)
