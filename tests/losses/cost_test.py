"""No loss of integer labels needs an array more than plain cross entropy."""

import functools

import jax
import jax.numpy as jnp
import loss_cases
import optax
import pytest

from noisy_labels import losses


@functools.cache
def temporary_bytes(loss, logits, labels):
  def mean(logits, labels):
    return jnp.mean(loss(logits, labels))

  compiled = jax.jit(jax.value_and_grad(mean)).lower(logits, labels).compile()
  return compiled.memory_analysis().temp_size_in_bytes


@pytest.mark.parametrize('name', losses.PER_EXAMPLE)
@pytest.mark.parametrize(
  'shape', [(65536, 10), (4096, 1000), (512, 32000), (128, 128256)]
)
def test_temporaries(name, shape):
  logits = jax.ShapeDtypeStruct(shape, jnp.float32)
  labels = jax.ShapeDtypeStruct(shape[:1], jnp.int32)
  parameters = loss_cases.CASES[name].parameters[0]
  loss = functools.partial(getattr(losses, name), **parameters)
  allowed = temporary_bytes(
    optax.softmax_cross_entropy_with_integer_labels, logits, labels
  )
  array = 4 * shape[0] * shape[1]
  assert temporary_bytes(loss, logits, labels) < allowed + array / 2
