"""An Equinox model: one example at a time, mapped over the batch."""

import equinox as eqx
import jax
from jax import lax
import jax.numpy as jnp
import optax
import pytest

from tests.clients import digits


def _train(loss, step_of, axis_name=None):
  images, labels = digits.load()
  model = eqx.nn.MLP(64, 10, width_size=32, depth=1, key=jax.random.key(0))
  optimizer = optax.adam(1e-2)
  opt_state = optimizer.init(eqx.filter(model, eqx.is_array))

  def train_step(model, opt_state, images, labels):
    def mean_loss(model):
      logits = jax.vmap(model)(images)
      return jnp.mean(loss(logits, labels))

    result = eqx.filter_value_and_grad(mean_loss)(model)
    value, gradients = lax.pmean(result, axis_name) if axis_name else result
    updates, opt_state = optimizer.update(gradients, opt_state)
    return eqx.apply_updates(model, updates), opt_state, value

  step = step_of(train_step)
  history = []
  for _ in range(digits.STEPS):
    model, opt_state, value = step(model, opt_state, images, labels)
    history.append(float(value))
  return history


def _over_devices(step):
  mapped = eqx.filter_pmap(
    step, axis_name='devices', in_axes=(None, None, 0, 0), out_axes=None
  )

  def split_step(model, opt_state, images, labels):
    return mapped(model, opt_state, *digits.split_over(4, images, labels))

  return split_step


@pytest.mark.parametrize('loss', digits.LOSSES)
def test_one_line_changes_the_loss(loss):
  digits.check(
    {
      'plain': _train(digits.LOSSES[loss], lambda step: step),
      'jit': _train(digits.LOSSES[loss], eqx.filter_jit),
      'pmap': _train(digits.LOSSES[loss], _over_devices, 'devices'),
    }
  )
