"""Sharpness-aware minimisation in the step, against its equation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import build
from experiments import devices
from experiments import models
from experiments import sharpness
from experiments import train
from experiments.configs import common
from noisy_labels import losses
from noisy_labels import methods
from tests.experiments import toy

ROWS, RATE = 16, 0.1


def _parts(radius):
  parts = toy.parts(
    models.MLP(toy.NUM_CLASSES, width=8), augmentation={'flip': False}
  )._replace(optimizer=optax.sgd(RATE))
  config = common.get_config()
  config.optimizer.sharpness_radius = radius
  return build.sharpness_aware(parts, config)


def _step(parts, num_devices=1, bumps=0.1):
  state, memory = toy.create(parts, ROWS)
  # The head begins with zeros, where most gradients vanish.
  bumpy = jax.tree.map(
    lambda leaf: (
      leaf + bumps * np.cos(np.arange(leaf.size)).reshape(leaf.shape)
    ),
    state.params,
  )
  state = state._replace(params=bumpy)
  step = jax.vmap(
    lambda *arguments: train.train_step(parts, *arguments),
    axis_name=devices.AXIS,
    in_axes=(None, 0, 0, 0),
    out_axes=(None, 0, None),
  )
  shards = jax.tree.map(
    lambda x: x.reshape((num_devices, -1, *x.shape[2:])), toy.shards(1, ROWS)
  )
  rows = np.tile(np.arange(ROWS // num_devices), (num_devices, 1))
  memory = jax.tree.map(lambda leaf: leaf[None], memory)
  return state, jax.jit(step)(state, memory, shards, rows)[0]


@pytest.mark.parametrize('num_devices', [1, 4])
def test_the_gradient_is_that_of_the_worst_point(num_devices):
  radius, parts = 0.3, _parts(0.3)
  state, after = _step(parts, num_devices)
  shards = jax.tree.map(lambda x: x[0], toy.shards(1, ROWS))

  def loss(params):
    logits = parts.model.apply(
      {'params': params}, parts.normalize(shards.image), train=True
    )
    return losses.cross_entropy(logits, shards.label).mean()

  params = state.params['model']
  uphill = jax.grad(loss)(params)
  leaves = jax.tree.leaves(uphill)
  norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in leaves))
  worst = jax.tree.map(lambda p, g: p + radius * g / norm, params, uphill)
  want = jax.tree.map(lambda p, g: p - RATE * g, params, jax.grad(loss)(worst))
  jax.tree.map(
    lambda got, want: np.testing.assert_allclose(got, want, atol=1e-6),
    after.params['model'],
    want,
  )


def test_no_radius_is_the_plain_optimiser():
  plain = toy.parts(models.MLP(toy.NUM_CLASSES, width=8))
  assert build.sharpness_aware(plain, common.get_config()) is plain


RADIUS, GRADIENTS = (
  0.5,
  {
    'model': {
      'a': np.array([[3.0, 0.0], [0.0, 0.0]]),
      'b': np.array([4.0, 0.0]),
    },
    'method': np.array([5.0]),
  },
)


def _where_gradients_are_taken(num_networks):
  """Of parameters that are all 0."""
  met = []

  def at(params, number):
    del number
    met.append(params)
    return GRADIENTS

  params = jax.tree.map(np.zeros_like, GRADIENTS)
  optimizer = sharpness.aware(
    optax.sgd(1.0), radius=RADIUS, num_networks=num_networks
  )
  updates, _ = optimizer.update(
    GRADIENTS, optimizer.init(params), params, grad_fn=at
  )
  jax.tree.map(
    lambda got, want: np.testing.assert_array_equal(got, -want),
    updates,
    GRADIENTS,
  )
  return met[0]


def test_each_network_goes_as_far_and_one_without_gradient_stays():
  worst = _where_gradients_are_taken(2)
  np.testing.assert_allclose(worst['model']['a'], [[0.3, 0.0], [0.0, 0.0]])
  np.testing.assert_allclose(worst['model']['b'], [0.4, 0.0])


@pytest.mark.parametrize('num_networks', [1, 2])
def test_what_a_method_trains_stays_where_it_is(num_networks):
  worst = _where_gradients_are_taken(num_networks)
  np.testing.assert_array_equal(worst['method'], [0.0])


def test_a_radius_of_the_configuration_is_that_of_each_network():
  parts = build.with_method(
    toy.parts(models.MLP(toy.NUM_CLASSES, width=8))._replace(
      optimizer=optax.sgd(RATE)
    ),
    methods.joint_training(noise_rate=0.4),
  )
  config = common.get_config()
  config.optimizer.sharpness_radius = RADIUS
  optimizer = build.sharpness_aware(parts, config).optimizer
  params = {'model': {'a': np.zeros((2, 3))}, 'method': {}}
  gradients = {'model': {'a': np.array([[3.0] * 3, [-7.0] * 3])}, 'method': {}}
  met = []
  optimizer.update(
    gradients,
    optimizer.init(params),
    params,
    grad_fn=lambda worst, number: met.append(worst) or gradients,
  )
  length = np.linalg.norm(met[0]['model']['a'], axis=1)
  np.testing.assert_allclose(length, RADIUS, rtol=1e-6)


def test_a_batch_that_teaches_nothing_is_no_end_of_training():
  head = models.MLP(toy.NUM_CLASSES, width=8)
  method = methods.co_teaching_plus(noise_rate=0.4, warm_up_epochs=0.0)
  # Networks that begin with equal heads agree on all examples.
  parts = build.with_method(
    toy.parts(head)._replace(optimizer=optax.sgd(RATE)), method
  )
  config = common.get_config()
  config.optimizer.sharpness_radius = 0.1
  state, after = _step(build.sharpness_aware(parts, config), bumps=0.0)
  jax.tree.map(np.testing.assert_array_equal, after.params, state.params)
