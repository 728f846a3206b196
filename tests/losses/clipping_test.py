import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

LOGITS = jnp.array([[3.0, 0.0, -9.0], [0.0, 0.0, 0.0], [-5.0, 1.0, 2.0]])
LABELS = jnp.array([1, 2, 0])


def grad(loss):
  return jax.grad(lambda *arguments: loss(*arguments).sum())


@pytest.mark.parametrize('labels', [LABELS, jnp.eye(3)[LABELS]])
def test_clipping_off_is_cross_entropy(labels):
  def off(logits):
    return losses.clipped_cross_entropy(logits, labels, max_loss=jnp.inf)

  def plain(logits):
    return losses.cross_entropy(logits, labels)

  np.testing.assert_array_equal(off(LOGITS), plain(LOGITS))
  np.testing.assert_array_equal(grad(off)(LOGITS), grad(plain)(LOGITS))


def test_beyond_the_bound_nothing_is_learnt():
  def clipped(logits):
    return losses.clipped_cross_entropy(logits, LABELS, max_loss=3.0)

  np.testing.assert_array_equal(clipped(LOGITS) == 3.0, [True, False, True])
  gradient = grad(clipped)(LOGITS)
  assert (gradient[np.array([0, 2])] == 0).all()
  plain = grad(lambda logits: losses.cross_entropy(logits, LABELS))(LOGITS)
  np.testing.assert_array_equal(gradient[1], plain[1])


def test_at_the_bound_the_example_counts():
  logits, label = jnp.zeros(2), jnp.array(0)
  bound = losses.cross_entropy(logits, label)

  def clipped(logits, max_loss):
    return losses.clipped_cross_entropy(logits, label, max_loss=max_loss)

  by_logits, by_bound = jax.grad(clipped, (0, 1))(logits, bound)
  np.testing.assert_allclose(by_logits, [-0.5, 0.5])
  assert by_bound == 0
  assert jax.grad(clipped, 1)(logits, bound / 2) == 1


def test_each_class_of_a_distribution_is_clipped_by_itself():
  logits = jnp.array([4.0, 0.0])
  alone = [
    losses.clipped_cross_entropy(logits, jnp.array(label), max_loss=2.0)
    for label in (0, 1)
  ]
  mixed = losses.clipped_cross_entropy(
    logits, jnp.array([0.5, 0.5]), max_loss=2.0
  )
  np.testing.assert_allclose(mixed, (alone[0] + alone[1]) / 2)


def test_an_impossible_label_is_clipped():
  logits = jnp.array([0.0, -jnp.inf])
  value, gradient = jax.value_and_grad(
    lambda z: losses.clipped_cross_entropy(z, jnp.array(1), max_loss=2.0)
  )(logits)
  assert value == 2
  np.testing.assert_array_equal(gradient, [0, 0])
