"""No loss of integer labels needs an array more than plain cross entropy.

Those of many logits of 16 bits need none at all, where optax's keeps two.
"""

import functools

import jax
import jax.numpy as jnp
import optax
import pytest

from tests.losses import harness


@functools.cache
def temporary_bytes(loss, logits, labels):
  def mean(logits, labels):
    return jnp.mean(loss(logits, labels))

  compiled = jax.jit(jax.value_and_grad(mean)).lower(logits, labels).compile()
  return compiled.memory_analysis().temp_size_in_bytes


@harness.every_loss
@pytest.mark.parametrize(
  'shape',
  [
    pytest.param((65536, 10), marks=pytest.mark.slow),
    (4096, 1000),
    pytest.param((128, 128256), marks=pytest.mark.slow),
  ],
)
def test_temporaries(name, shape):
  case = harness.CASES[name]
  if shape[1] > 1000 and case.max_classes < 32000:
    pytest.skip('has parameters too large for that many classes')
  logits = jax.ShapeDtypeStruct(shape, jnp.float32)
  labels = jax.ShapeDtypeStruct(shape[:1], jnp.int32)
  allowed = temporary_bytes(
    optax.softmax_cross_entropy_with_integer_labels, logits, labels
  )
  array = 4 * shape[0] * shape[1]
  needed = temporary_bytes(harness.partial(name, shape[1]), logits, labels)
  assert needed < allowed + case.arrays * array


@pytest.mark.parametrize(
  'name',
  [
    'asymmetric_mean_square_error',
    'cross_entropy',
    'epsilon_softmax_cross_entropy',
    'generalized_cross_entropy',
    'hard_bootstrapped_cross_entropy',
    'normalized_cross_entropy',
    'smoothed_cross_entropy',
    'soft_bootstrapped_cross_entropy',
  ],
)
def test_nothing_wide_is_kept_of_narrow_logits(name):
  logits = jax.ShapeDtypeStruct((512, 32000), jnp.bfloat16)
  labels = jax.ShapeDtypeStruct((512,), jnp.int32)
  needed = temporary_bytes(harness.partial(name, 32000), logits, labels)
  assert needed < 512 * 32000 / 10
