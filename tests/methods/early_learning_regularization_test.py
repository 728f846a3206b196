"""ELR against the paper's equations, and against the official code's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

BETA, WEIGHT = 0.6, 2.0
ELR = methods.early_learning_regularization(beta=BETA, weight=WEIGHT)


def transcription(num_epochs, scale):
  """Equations 6 and 9 and lemma 2 of the paper, where nothing is clipped."""
  images, labels = tiny_training.examples()
  weights = tiny_training.initial_weights(scale=scale)
  targets = np.zeros((tiny_training.NUM_EXAMPLES, tiny_training.NUM_CLASSES))
  history = []
  for rows in tiny_training.schedule(num_epochs):
    p = tiny_training.softmax(images[rows] @ weights)
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    targets[rows] = BETA * targets[rows] + (1 - BETA) * p
    t = targets[rows]
    rest = 1 - (p * t).sum(1)
    history.append(-np.log((p * y).sum(1)) + WEIGHT * np.log(rest))
    # g_k = p_k / (1 - <p, t>) sum_l (t_l - t_k) p_l
    g = p * ((t[:, None, :] - t[:, :, None]) * p[:, None, :]).sum(2)
    by_logits = p - y + WEIGHT * g / rest[:, None]
    weights = tiny_training.descend(weights, images[rows], by_logits)
  return weights, targets, np.array(history)


@pytest.mark.parametrize('scale', [0.1, 1.0])
def test_it_is_the_paper_step_by_step(scale):
  state, losses = tiny_training.train(ELR, num_epochs=5, scale=scale)
  weights, targets, want = transcription(5, scale)
  tiny_training.close(losses, want)
  tiny_training.close(state.memory, targets)
  tiny_training.close(state.trained['model'], weights)


@jax.jit
def loss_of(logits, memory):
  batch = {
    'image': jnp.asarray(logits),
    'label': jnp.arange(len(logits)) % logits.shape[-1],
    'row': jnp.arange(len(logits)),
    'mask': jnp.ones(len(logits)),
  }
  state = methods.MethodState({}, jnp.asarray(memory))
  return ELR.loss(lambda images, key: images, batch, state, None)


def test_official_code_agrees_where_it_does_not_clip():
  rng = np.random.default_rng(0)
  logits, memory = rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), 6)
  p = np.clip(tiny_training.softmax(logits), 1e-4, 1 - 1e-4)
  target = BETA * memory + (1 - BETA) * p / p.sum(1, keepdims=True)
  cross_entropy = -np.log(p[np.arange(6), np.arange(6) % 4])
  want = cross_entropy + WEIGHT * np.log(1 - (target * p).sum(1))
  with jax.enable_x64(True):
    losses, (memory, _) = loss_of(logits, memory)
  tiny_training.close(losses, want)
  tiny_training.close(memory, target)


def test_beyond_it_the_regulariser_still_has_a_gradient():
  """The official clip at 1e-4 takes it away; here it is as the paper says."""
  logits = np.array([[12.0, 0.0, 0.0]])
  memory = np.array([[0.5, 0.5, 0.0]])
  with jax.enable_x64(True):
    gradient = jax.grad(lambda z: jnp.sum(loss_of(z, memory)[0]))(logits)
  p = tiny_training.softmax(logits)
  t = BETA * memory + (1 - BETA) * p
  q = p * (1 - t) / (p * (1 - t)).sum()
  want = p - [[1, 0, 0]] + WEIGHT * (q - p)
  assert abs(want).min() > 1e-6
  tiny_training.close(gradient, want)


def test_the_loss_is_bounded_when_target_and_prediction_are_certain():
  logits = jnp.array([[1e4, -1e4, 0.0], [-jnp.inf, 50.0, 0.0]])
  memory = jnp.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
  losses, gradient = jax.value_and_grad(
    lambda z: jnp.sum(loss_of(z, memory)[0])
  )(logits)
  assert np.isfinite(losses)
  assert np.isfinite(gradient).all()
  np.testing.assert_allclose(losses, 2 * WEIGHT * np.log(1e-4), rtol=1e-3)


def test_it_says_how_much_of_the_target_the_label_has_and_which_has_most():
  memory = jnp.array([[0.1, 0.7, 0.1], [0.5, 0.2, 0.1], [0.0, 0.0, 0.0]])
  said = ELR.opinion(memory, jnp.array([0, 0, 2]))
  np.testing.assert_allclose(said['target'], [0.1, 0.5, 0.0])
  # Of what was never seen it has no other.
  np.testing.assert_array_equal(said['guess'], [1, 0, 2])


@pytest.mark.parametrize(
  ('name', 'value'), [('beta', 1.0), ('beta', -0.1), ('weight', -1.0)]
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.early_learning_regularization(
      **{'beta': 0.7, 'weight': 3.0, name: value}
    )
