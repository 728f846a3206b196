"""Tests of the entropy and its derivatives, for few logits and for many."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels.losses import entropy
from noisy_labels.losses import hidden_sums


@pytest.fixture(params=['few', 'many'])
def size(request, monkeypatch):
  """As if there were so many logits that nothing is kept of them."""
  if request.param == 'many':
    monkeypatch.setattr(hidden_sums, 'MANY', 1)
  return request.param


def reference(logits):
  log_probs = jax.nn.log_softmax(logits)
  return -jnp.sum(jnp.exp(log_probs) * log_probs, axis=-1)


def derivatives(function):
  gradient = jax.jacrev(function)
  return jax.jit(lambda z: (function(z), gradient(z), jax.jacrev(gradient)(z)))


def test_entropy_and_its_derivatives(size):
  with jax.enable_x64(True):
    row = 3 * jax.random.normal(jax.random.key(0), (7,))

    def joint(logits):
      return entropy.label_log_prob_and_entropy(logits, jnp.array(4))

    def want(logits):
      return jax.nn.log_softmax(logits)[4], reference(logits)

    for found, expected in (
      (derivatives(entropy.entropy)(row), derivatives(reference)(row)),
      (derivatives(joint)(row), derivatives(want)(row)),
    ):
      jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-13),
        found,
        expected,
      )


@pytest.mark.parametrize(
  'loss',
  [
    functools.partial(losses.soft_bootstrapped_cross_entropy, beta=0.9),
    functools.partial(losses.asymmetric_mean_square_error, a=2.0),
  ],
)
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_masked_classes_have_no_part_in_it(size, loss, dtype):
  logits = 3 * jax.random.normal(jax.random.key(1), (5, 6), dtype)
  labels = jnp.array([0, 1, 2, 3, 3])
  masked = jnp.insert(logits, 4, -jnp.inf, axis=-1)

  def mean(logits):
    return jnp.mean(loss(logits, labels))

  value, gradient = jax.value_and_grad(mean)(masked)

  expected, slopes = jax.value_and_grad(mean)(logits)
  np.testing.assert_allclose(value, expected, rtol=1e-6)
  np.testing.assert_array_equal(gradient[:, 4], 0)
  np.testing.assert_allclose(
    jnp.delete(gradient, 4, axis=-1).astype(jnp.float32),
    slopes.astype(jnp.float32),
    rtol=1e-5,
    atol=1e-7,
  )
