"""A flax linen module in a `TrainState`."""

from flax import linen as nn
from flax.training import train_state
import jax
from jax import lax
import jax.numpy as jnp
import optax
import pytest

from tests.clients import digits


class Classifier(nn.Module):
  @nn.compact
  def __call__(self, images):
    return nn.Dense(10)(nn.relu(nn.Dense(32)(images)))


def _train(loss, step_of, axis_name=None):
  images, labels = digits.load()
  model = Classifier()
  state = train_state.TrainState.create(
    apply_fn=model.apply,
    params=model.init(jax.random.key(0), images),
    tx=optax.adam(1e-2),
  )

  def train_step(state, images, labels):
    def mean_loss(params):
      logits = state.apply_fn(params, images)
      return jnp.mean(loss(logits, labels))

    result = jax.value_and_grad(mean_loss)(state.params)
    value, gradients = lax.pmean(result, axis_name) if axis_name else result
    return state.apply_gradients(grads=gradients), value

  step = step_of(train_step)
  history = []
  for _ in range(digits.STEPS):
    state, value = step(state, images, labels)
    history.append(float(value))
  return history


def _over_devices(step):
  mapped = jax.pmap(
    step, axis_name='devices', in_axes=(None, 0, 0), out_axes=None
  )
  return lambda state, *batch: mapped(state, *digits.split_over(4, *batch))


@pytest.mark.parametrize('loss', digits.LOSSES)
def test_one_line_changes_the_loss(loss):
  digits.check(
    {
      'plain': _train(digits.LOSSES[loss], lambda step: step),
      'jit': _train(digits.LOSSES[loss], jax.jit),
      'pmap': _train(digits.LOSSES[loss], _over_devices, 'devices'),
    }
  )
