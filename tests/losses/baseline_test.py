import jax
import jax.numpy as jnp
import numpy as np
import optax

from noisy_labels import losses


def test_equals_optax():
  logits = jax.random.normal(jax.random.key(0), (16, 10))
  labels = jnp.arange(16) % 10
  np.testing.assert_allclose(
    losses.cross_entropy(logits, labels),
    optax.softmax_cross_entropy_with_integer_labels(logits, labels),
    rtol=1e-6,
  )
  soft = jax.nn.softmax(logits[::-1])
  np.testing.assert_allclose(
    losses.cross_entropy(logits, soft),
    optax.softmax_cross_entropy(logits, soft),
    rtol=1e-6,
  )


def test_an_impossible_label_is_infinite_with_a_finite_gradient():
  logits = jnp.array([1.0, -jnp.inf, 1.0])
  value, gradient = jax.value_and_grad(losses.cross_entropy)(
    logits, jnp.array(1)
  )
  assert value == jnp.inf
  np.testing.assert_allclose(gradient, [0.5, -1, 0.5])
