"""One step ahead, against gradients of single examples in numpy."""

import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import methods
from noisy_labels.methods import look_ahead
from tests.methods import tiny_training
from tests.methods.learning_to_reweight_test import gradients

RATE = 0.3
KEY = jax.random.key(0)
MASK = np.array([1, 0, 1, 1, 0, 1])


def _linear(params, images, key):
  del key
  return images @ params


def _predict():
  return methods.Predict(_linear, jnp.asarray(tiny_training.initial_weights()))


def _batch(**changes):
  return tiny_training.batch_of(np.arange(6), **changes)


def _trusted_loss(weights, batch):
  """The outer problem, in numpy."""
  theta = tiny_training.initial_weights()
  each = gradients(np.array(batch['image']), np.array(batch['label']), theta)
  ahead = theta - RATE * np.tensordot(weights, each, 1)
  p = tiny_training.softmax(np.array(batch['trusted_image']) @ ahead)
  return -np.log(p[np.arange(len(p)), np.array(batch['trusted_label'])]).mean()


def test_slopes_are_inner_products_with_the_gradients_of_examples():
  with jax.enable_x64(True):
    batch, predict = _batch(), _predict()
    direction = np.random.default_rng(0).normal(size=predict.params.shape)
    got = look_ahead.slopes(jnp.asarray(direction), predict, batch, KEY)
    each = gradients(
      np.array(batch['image']), np.array(batch['label']), predict.params
    )
    tiny_training.close(got, (each * direction).sum((1, 2)))


def test_they_are_the_derivative_of_the_trusted_loss_by_the_weights():
  with jax.enable_x64(True):
    batch, predict = _batch(), _predict()
    weights = np.linspace(0, 0.5, 6)
    ahead = look_ahead.step(weights, predict, batch, KEY, learning_rate=RATE)
    direction = look_ahead.trusted_gradient(ahead, predict, batch, KEY)
    got = -RATE * look_ahead.slopes(direction, predict, batch, KEY)
    for i, change in enumerate(1e-5 * np.eye(6)):
      ends = [_trusted_loss(weights + h, batch) for h in (change, -change)]
      np.testing.assert_allclose(got[i], (ends[0] - ends[1]) / 2e-5, 1e-6)


def test_padding_has_no_slope_and_spoils_no_other():
  def run(image):
    batch = look_ahead.without_padding(_batch(image=image, mask=MASK))
    predict = _predict()
    ahead = look_ahead.step(
      jnp.ones(6), predict, batch, KEY, learning_rate=RATE
    )
    direction = look_ahead.trusted_gradient(ahead, predict, batch, KEY)
    return np.array(look_ahead.slopes(direction, predict, batch, KEY))

  image = np.array(_batch()['image'])
  got = run(np.where(MASK[:, None] > 0, image, np.nan))
  np.testing.assert_array_equal(got[MASK == 0], 0)
  assert np.all(got[MASK > 0] != 0)
  np.testing.assert_array_equal(got, run(np.where(MASK[:, None] > 0, image, 7)))


def test_no_gradient_goes_through_slopes():
  batch, predict = _batch(), _predict()

  def total(params):
    direction = jnp.ones_like(params)
    return jnp.sum(
      look_ahead.slopes(direction, predict._replace(params=params), batch, KEY)
    )

  np.testing.assert_array_equal(jax.grad(total)(predict.params), 0)
