"""A flax NNX model with its optimiser, changed in place."""

from flax import nnx
from jax import lax
import jax.numpy as jnp
import optax
import pytest

from tests.clients import digits


class Classifier(nnx.Module):
  def __init__(self, *, rngs):
    self.hidden = nnx.Linear(64, 32, rngs=rngs)
    self.out = nnx.Linear(32, 10, rngs=rngs)

  def __call__(self, images):
    return self.out(nnx.relu(self.hidden(images)))


def _train(loss, step_of, axis_name=None):
  images, labels = digits.load()
  model = Classifier(rngs=nnx.Rngs(0))
  optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)

  def train_step(model, optimizer, images, labels):
    def mean_loss(model):
      logits = model(images)
      return jnp.mean(loss(logits, labels))

    result = nnx.value_and_grad(mean_loss)(model)
    value, gradients = lax.pmean(result, axis_name) if axis_name else result
    optimizer.update(model, gradients)
    return value

  step = step_of(train_step)
  return [
    float(step(model, optimizer, images, labels)) for _ in range(digits.STEPS)
  ]


def _over_devices(step):
  mapped = nnx.pmap(
    step, axis_name='devices', in_axes=(None, None, 0, 0), out_axes=None
  )

  def split_step(model, optimizer, images, labels):
    return mapped(model, optimizer, *digits.split_over(4, images, labels))

  return split_step


@pytest.mark.parametrize('loss', digits.LOSSES)
def test_one_line_changes_the_loss(loss):
  digits.check(
    {
      'plain': _train(digits.LOSSES[loss], lambda step: step),
      'jit': _train(digits.LOSSES[loss], nnx.jit),
      'pmap': _train(digits.LOSSES[loss], _over_devices, 'devices'),
    }
  )
