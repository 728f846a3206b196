"""A loop in JAX alone: parameters in a dictionary, gradient descent by hand."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.clients import digits


def _train(loss, step_of):
  images, labels = digits.load()
  rng = np.random.default_rng(0)
  params = {
    'hidden': jnp.asarray(rng.normal(0, 0.2, (64, 32)), jnp.float32),
    'out': jnp.zeros((32, 10)),
  }

  def mean_loss(params, images, labels):
    logits = jax.nn.relu(images @ params['hidden']) @ params['out']
    return jnp.mean(loss(logits, labels))

  step = step_of(jax.value_and_grad(mean_loss))
  history = []
  for _ in range(digits.STEPS):
    value, gradients = step(params, images, labels)
    params = jax.tree.map(lambda x, g: x - 2.0 * g, params, gradients)
    history.append(float(value))
  return history


def _over_devices(value_and_grad):
  def step(params, images, labels):
    return lax.pmean(value_and_grad(params, images, labels), 'devices')

  mapped = jax.pmap(
    step, axis_name='devices', in_axes=(None, 0, 0), out_axes=None
  )
  return lambda params, *batch: mapped(params, *digits.split_over(4, *batch))


@pytest.mark.parametrize('loss', digits.LOSSES)
def test_one_line_changes_the_loss(loss):
  digits.check(
    {
      'plain': _train(digits.LOSSES[loss], lambda step: step),
      'jit': _train(digits.LOSSES[loss], jax.jit),
      'pmap': _train(digits.LOSSES[loss], _over_devices),
    }
  )
