"""T-Revision against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import learned_transition
from tests.methods import tiny_training
from tests.methods.method_cases import TRANSITION

POSITIVE = 0.8 * TRANSITION + 0.2 / 3


def reweighted(probs, labels, slack):
  """Gradients go through the weight, as in the paper."""
  given = probs @ (POSITIVE + slack)
  of_label = learned_transition.of_label
  weight = of_label(probs, labels) / of_label(given, labels)
  return -weight * np.log(of_label(probs, labels))


def test_it_is_the_paper_step_by_step():
  method = methods.transition_revision(transition=POSITIVE, learning_rate=0.01)
  state, losses = tiny_training.train(method)
  weights, slack, want = learned_transition.train(
    reweighted, np.zeros((3, 3)), 0.01, 4
  )
  tiny_training.close(losses, want, rtol=1e-6)
  tiny_training.close(state.trained['model'], weights, 1e-6, 1e-6)
  learned = method.transition(state.trained['method'])
  tiny_training.close(learned, POSITIVE + slack, 1e-5, 1e-6)
  assert abs(slack).max() > 0.01


def test_an_entry_of_zero_learns_too_and_none_becomes_negative():
  method = methods.transition_revision(transition=np.eye(3), learning_rate=0.1)
  state, losses = tiny_training.train(method)
  learned = method.transition(state.trained['method'])
  assert np.isfinite(losses).all()
  assert learned.min() >= 0
  assert learned[~np.eye(3, dtype=bool)].max() > 0.05


def test_under_the_noise_it_expects_cross_entropy_of_true_labels():
  """What the weight is for: sum_j P(given j) l(j) = sum_i P(true i) ce(i)."""
  logits = jnp.array([[1.0, -0.5, 0.3]])
  method = methods.transition_revision(transition=TRANSITION)
  state = method.init(jax.random.key(0), 1, 3)
  p = tiny_training.softmax(np.float64(logits[0]))
  losses = []
  for label in range(3):
    batch = {
      'image': logits,
      'label': jnp.array([label]),
      'row': jnp.array([0]),
      'mask': jnp.ones(1),
    }
    value, _ = method.loss(lambda x, key: x, batch, state, None)
    losses.append(value[0])
  np.testing.assert_allclose(
    (p @ TRANSITION) @ np.array(losses), -p @ np.log(p), rtol=1e-4
  )


def test_a_label_that_the_model_rules_out_costs_nothing():
  """p_y log p_y / g_y goes to 0 with p_y; noise gives such a label still."""
  method = methods.transition_revision(transition=TRANSITION)
  state = method.init(jax.random.key(0), 2, 3)
  batch = {
    'label': jnp.array([0, 1]),
    'row': jnp.arange(2),
    'mask': jnp.ones(2),
  }

  def losses(logits):
    batch['image'] = logits
    return method.loss(lambda x, key: x, batch, state, None)[0]

  logits = jnp.array([[-jnp.inf, 1.0, 0.0], [0.0, 1.0, 0.0]])
  got, back = jax.vjp(losses, logits)
  assert got[0] == 0
  assert got[1] > 0
  gradient = back(jnp.ones(2))[0]
  np.testing.assert_array_equal(gradient[0], 0)
  assert np.isfinite(gradient).all()
  near = losses(logits.at[0, 0].set(-30.0))
  np.testing.assert_allclose(near, got, atol=1e-10)


def test_what_is_no_transition_matrix_is_refused():
  with pytest.raises(ValueError, match='transition'):
    methods.transition_revision(transition=TRANSITION - 1)
  method = methods.transition_revision(transition=TRANSITION)
  with pytest.raises(ValueError, match='4 classes'):
    method.init(jax.random.key(0), 5, 4)
