"""CDR against its official code's rule."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from noisy_labels import losses
from noisy_labels import methods
from tests.methods import tiny_training

NOISE_RATE = 0.4


def transcription(num_epochs):
  """Of 12 weights, 7 hear of the gradient, and of 0.6 of it."""
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(), []
  for rows in tiny_training.schedule(num_epochs):
    p = tiny_training.softmax(images[rows] @ weights)
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    history.append(-np.log((p * y).sum(1)))
    gradient = images[rows].T @ (p - y) / len(rows)
    importance = np.abs(gradient * weights).ravel()
    critical = np.zeros(importance.size, bool)
    critical[np.argsort(-importance)[:7]] = True
    kept = np.where(critical.reshape(weights.shape), gradient, 0)
    weights = weights - tiny_training.RATE * (1 - NOISE_RATE) * kept
  return weights, np.array(history)


def test_it_is_the_rule_step_by_step():
  method = methods.critical_parameters(noise_rate=NOISE_RATE)
  state, history = tiny_training.train(method, num_epochs=6)
  weights, want = transcription(6)
  tiny_training.close(history, want)
  tiny_training.close(state.trained['model'], weights)


def test_without_noise_it_is_cross_entropy():
  got, _ = tiny_training.train(methods.critical_parameters(noise_rate=0.0))
  plain = methods.stateless(losses.cross_entropy)
  want, _ = tiny_training.train(plain)
  tiny_training.close(got.trained['model'], want.trained['model'])


def updates_of(gradients, params, noise_rate):
  method = methods.critical_parameters(noise_rate=noise_rate)
  optimizer = method.wrap_optimizer(optax.identity())
  return optimizer.update(gradients, optimizer.init(params), params)[0]


def test_all_layers_compete_and_biases_do_not():
  params = {
    'first': {'kernel': jnp.ones((2, 2)), 'bias': jnp.ones(2)},
    'second': {'kernel': jnp.full((1, 1, 1, 4), 10.0), 'bias': jnp.zeros(4)},
    'method': optax.MaskedNode(),
  }
  gradients = jax.tree.map(jnp.ones_like, params)
  got = updates_of(gradients, params, 0.5)
  np.testing.assert_array_equal(got['first']['kernel'], 0)
  np.testing.assert_array_equal(got['second']['kernel'], 0.5)
  for layer in ('first', 'second'):
    np.testing.assert_array_equal(got[layer]['bias'], 1)
  assert got['method'] == optax.MaskedNode()


def test_a_layer_of_zeros_is_not_left_at_zero():
  """Through which no gradient goes to other layers, so that all are equal."""
  params = {'head': jnp.zeros((3, 2)), 'body': jnp.ones((4, 3))}
  gradients = {'head': jnp.ones((3, 2)), 'body': jnp.zeros((4, 3))}
  got = updates_of(gradients, params, 0.5)
  np.testing.assert_array_equal(got['head'], 0.5)


@pytest.mark.parametrize('noise_rate', [0.2, 0.45, 0.9])
def test_the_share_that_is_kept(noise_rate):
  rng = np.random.default_rng(0)
  params, gradients = jnp.asarray(rng.normal(size=(2, 10, 20)))
  got = updates_of(gradients, params, noise_rate)
  kept = got != 0
  assert kept.sum() == round(200 * (1 - noise_rate))
  importance = np.abs(params * gradients)
  assert importance[kept].min() > importance[~kept].max()


def test_rates_that_differ_by_seed_train_in_one_program():
  weights = jnp.linspace(0.1, 1, 20).reshape(4, 5)

  def update(noise_rate):
    method = methods.critical_parameters(noise_rate=noise_rate)
    optimizer = method.wrap_optimizer(optax.sgd(1.0))
    ones = jnp.ones_like(weights)
    return optimizer.update(ones, optimizer.init(weights), weights)[0]

  rates = jnp.array([0.25, 0.45])
  np.testing.assert_allclose(
    jax.jit(jax.vmap(update))(rates),
    jnp.stack([update(0.25), update(0.45)]),
    rtol=1e-6,
  )


def test_weight_decay_is_for_all_weights():
  method = methods.critical_parameters(noise_rate=0.5)
  optimizer = method.wrap_optimizer(optax.add_decayed_weights(0.1))
  params = jnp.array([[1.0, 2.0]])
  gradients = jnp.array([[1.0, 1.0]])
  got, _ = optimizer.update(gradients, optimizer.init(params), params)
  np.testing.assert_allclose(got, [[0.1, 0.7]], rtol=1e-6)


def test_parameters_must_be_given():
  with pytest.raises(ValueError, match='params'):
    updates_of(jnp.ones((2, 2)), None, 0.5)


@pytest.mark.parametrize('noise_rate', [1.0, -0.1])
def test_numbers_out_of_range_are_refused(noise_rate):
  with pytest.raises(ValueError, match='noise_rate'):
    methods.critical_parameters(noise_rate=noise_rate)
