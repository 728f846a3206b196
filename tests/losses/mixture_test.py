"""The laws of the mixture; see docs/math.md for their derivation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

K = 5
E = 0.3


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, K))


@pytest.fixture
def labels():
  return jnp.arange(8) % K


def mixture(logits, labels, noise_rate=E):
  return losses.mixture_cross_entropy(logits, labels, noise_rate=noise_rate)


def gradient(loss, logits, *arguments):
  return jax.grad(lambda z: loss(z, *arguments).sum())(logits)


def uniform_transition(num_classes, e):
  return (1 - e) * np.eye(num_classes) + e / num_classes


def test_is_forward_correction(logits, labels):
  given = jax.nn.softmax(logits) @ uniform_transition(K, E)
  want = -jnp.log(jnp.take_along_axis(given, labels[:, None], 1)[:, 0])
  np.testing.assert_allclose(mixture(logits, labels), want, rtol=1e-12)


def test_gradient_is_prediction_minus_posterior(logits, labels):
  p = jax.nn.softmax(logits)
  # P(true = i | given = y): Bayes' rule.
  joint = p * uniform_transition(K, E)[:, labels].T
  posterior = joint / joint.sum(-1, keepdims=True)
  np.testing.assert_allclose(
    gradient(mixture, logits, labels), p - posterior, atol=1e-14
  )


def test_gradient_is_cross_entropys_times_trust(logits, labels):
  p = jnp.take_along_axis(jax.nn.softmax(logits), labels[:, None], 1)
  trust = p / (p + E / (K * (1 - E)))
  want = trust * gradient(losses.cross_entropy, logits, labels)
  np.testing.assert_allclose(
    gradient(mixture, logits, labels), want, atol=1e-14
  )


@pytest.mark.parametrize('noise_rate', [1e-9, 0.1, 0.5, 0.999])
def test_bound(logits, labels, noise_rate):
  for scale in (1, 1e2, 1e4):
    values = mixture(scale * logits, labels, noise_rate)
    assert (values <= np.log(K / noise_rate) * (1 + 1e-12)).all()
  worst = mixture(jnp.array([1e4, 0]), jnp.array(1), noise_rate)
  np.testing.assert_allclose(worst, np.log(2 / noise_rate), rtol=1e-12)


def test_tends_to_cross_entropy(logits, labels):
  want = losses.cross_entropy(logits, labels)
  errors = [
    abs(mixture(logits, labels, e) - want).max() for e in (1e-4, 1e-6, 1e-8)
  ]
  np.testing.assert_allclose(errors[1] / errors[0], 1e-2, rtol=0.1)
  np.testing.assert_allclose(errors[2] / errors[1], 1e-2, rtol=0.1)


@pytest.mark.parametrize('one_hot', [False, True])
@pytest.mark.parametrize('traced', [False, True])
def test_no_noise_is_cross_entropy(logits, labels, one_hot, traced):
  if one_hot:
    labels = jnp.eye(K)[labels]
  zero = jnp.array(0.0) if traced else 0.0
  run = jax.jit(mixture) if traced else mixture
  for scale in (1, 1e3):
    z = scale * logits
    want = losses.cross_entropy(z, labels)
    np.testing.assert_array_equal(run(z, labels, zero), want)
    want = gradient(losses.cross_entropy, z, labels)
    np.testing.assert_array_equal(gradient(run, z, labels, zero), want)


def test_derivatives_by_the_rate_without_noise(logits, labels):
  def at(e):
    return mixture(logits, labels, e)

  first = jax.jacrev(at)(0.0)
  p = jnp.take_along_axis(jax.nn.softmax(logits), labels[:, None], 1)[:, 0]
  slope = (1 / K - p) / p
  np.testing.assert_allclose(first, -slope, rtol=1e-12)
  np.testing.assert_allclose(jax.jacrev(jax.jacrev(at))(0.0), slope**2)
  step = 1e-7
  differences = (at(step) - at(0.0)) / step
  np.testing.assert_allclose(first, differences, rtol=1e-4)


def test_derivatives_without_noise_stay_finite():
  logits = jnp.array([[1e4, -1e4], [-1e4, 1e4]], jnp.float32)

  def total(logits, e):
    return mixture(logits, jnp.array([1, 1]), e).sum()

  first = jax.jit(jax.grad(total, (0, 1)))
  second = jax.jit(jax.jacrev(first, (0, 1)))
  for tree in (
    first(logits, jnp.float32(0)),
    second(logits, jnp.float32(0)),
  ):
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def test_all_noise_learns_nothing(logits, labels):
  one = jnp.array(1.0)  # As a Python number it would be out of range.
  np.testing.assert_allclose(mixture(logits, labels, one), np.log(K))
  assert (gradient(mixture, logits, labels, one) == 0).all()
  p = jnp.take_along_axis(jax.nn.softmax(logits), labels[:, None], 1)[:, 0]
  slope = jax.jacrev(lambda e: mixture(logits, labels, e))(one)
  np.testing.assert_allclose(slope, K * p - 1, atol=1e-12)


def test_flip_rates_of_both_conventions():
  rate = 0.3
  redraw = rate / K * np.ones((K, K)) + (1 - rate) * np.eye(K)
  np.testing.assert_allclose(uniform_transition(K, rate), redraw)
  np.testing.assert_allclose(1 - np.diag(redraw), rate * (1 - 1 / K))
  exclude = np.full((K, K), rate / (K - 1))
  np.fill_diagonal(exclude, 1 - rate)
  e = rate * K / (K - 1)
  np.testing.assert_allclose(uniform_transition(K, e), exclude)


def test_masked_classes_may_be_given():
  """As in forward correction, where noise leads to every label."""
  logits = jnp.array([1.0, 0.0, -jnp.inf])
  given = jax.nn.softmax(logits) @ uniform_transition(3, E)
  for label in range(3):
    value, slope = jax.value_and_grad(mixture)(logits, jnp.array(label))
    np.testing.assert_allclose(value, -np.log(given[label]), rtol=1e-12)
    assert np.isfinite(slope).all()
