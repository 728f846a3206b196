"""Sharpness-aware minimisation in the step, against its equation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import build
from experiments import devices
from experiments import models
from experiments import train
from experiments.configs import common
from noisy_labels import losses
from tests.experiments import toy

ROWS, RATE = 16, 0.1


def _parts(radius):
  parts = toy.parts(
    models.MLP(toy.NUM_CLASSES, width=8), augmentation={'flip': False}
  )._replace(optimizer=optax.sgd(RATE))
  config = common.get_config()
  config.optimizer.sharpness_radius = radius
  return build.sharpness_aware(parts, config)


def _step(parts, num_devices=1):
  state, memory = toy.create(parts, ROWS)
  # The head begins with zeros, where most gradients vanish.
  bumpy = jax.tree.map(
    lambda leaf: leaf + 0.1 * np.cos(np.arange(leaf.size)).reshape(leaf.shape),
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
