"""Partially Huberised losses: limits, smoothness, and the official code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import golden

LABELS = jnp.arange(8) % 5


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, 5))


def huberised(logits, labels=LABELS, tau=2.0):
  return losses.partially_huberised_cross_entropy(logits, labels, tau=tau)


def generalized(logits, labels=LABELS, q=0.7, tau=2.0):
  return losses.partially_huberised_generalized_cross_entropy(
    logits, labels, q=q, tau=tau
  )


def gradient(loss, *arguments, **parameters):
  return jax.grad(lambda z: loss(z, *arguments, **parameters).sum())


def test_tends_to_what_it_huberises(logits):
  want = losses.cross_entropy(logits, LABELS)
  np.testing.assert_array_equal(huberised(logits, tau=1e300), want)
  want = losses.generalized_cross_entropy(logits, LABELS, q=0.7)
  np.testing.assert_array_equal(generalized(logits, tau=1e300), want)


def test_tau_of_one_is_half_the_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, LABELS) / 2
  np.testing.assert_allclose(huberised(logits, tau=1), want, rtol=1e-14)
  np.testing.assert_allclose(generalized(logits, tau=1), want, rtol=1e-14)


def test_q_of_zero_is_the_huberised_cross_entropy(logits):
  np.testing.assert_array_equal(generalized(logits, q=0), huberised(logits))


@pytest.mark.parametrize('tau', [2.0, 10.0])
@pytest.mark.parametrize('q', [0.0, 0.7])
def test_value_and_gradient_are_continuous(q, tau):
  contact = tau ** (1 / (q - 1))
  logits = jnp.log(jnp.array([contact, 1 - contact]))
  run = jax.value_and_grad(lambda z: generalized(z, jnp.array(0), q=q, tau=tau))
  before, at, after = (
    run(logits + jnp.array([step, 0])) for step in (-1e-9, 0, 1e-9)
  )
  for other in (before, after):
    np.testing.assert_allclose(other[0], at[0], rtol=1e-8)
    np.testing.assert_allclose(other[1], at[1], rtol=1e-7)


def test_at_the_point_of_contact_the_label_is_trusted_whole():
  """Exactly at p = 1 / tau, where both branches meet."""
  slope = gradient(huberised, jnp.array(0), tau=2)(jnp.zeros(2))
  np.testing.assert_array_equal(slope, [-0.5, 0.5])


@pytest.mark.parametrize('tau', [1.0, 2.0, 10.0])
def test_bounds(tau):
  worst, label = jnp.array([-1e4, 1e4]), jnp.array(0)
  np.testing.assert_allclose(
    huberised(worst, label, tau=tau), np.log(tau) + 1, rtol=1e-14
  )
  power = tau ** (0.7 / (0.7 - 1))
  np.testing.assert_allclose(
    generalized(worst, label, tau=tau), (1 - power) / 0.7 + power, rtol=1e-14
  )


def test_an_impossible_label_has_the_largest_loss():
  logits, label = jnp.array([0.0, -jnp.inf]), jnp.array(1)
  np.testing.assert_allclose(huberised(logits, label), np.log(2) + 1)
  for loss in (huberised, generalized):
    np.testing.assert_array_equal(gradient(loss, label)(logits), [0, 0])


@pytest.mark.parametrize(
  ('tau', 'values', 'slope'),
  [
    (
      10,
      [0.3990026113, 2.2421186184, 3.259385918, 3.3025839692],
      [0.0390810096, 0.784963061, 0.0052890395, -0.8937668018, 0.0644336918],
    ),
    (
      2,
      [0.3990026113, 1.4806807842, 1.6845073456, 1.6931469558],
      [0.0083034013, 0.1667782728, 0.0011237432, -0.1898954116, 0.0136899943],
    ),
  ],
)
def test_golden_cross_entropy(tau, values, slope):
  """Of https://github.com/dmizr/phuber, PHuberCrossEntropy."""
  loss = losses.partially_huberised_cross_entropy
  golden.check(loss, values, slope, tau=tau)


@pytest.mark.parametrize(
  ('tau', 'values', 'slope'),
  [
    (
      10,
      [0.348126296, 1.131210339, 1.396967958, 1.4265810524],
      [0.0081348201, 0.1633922297, 0.0011009282, -0.186040029, 0.013412051],
    ),
    (
      1.5,
      [0.348126296, 1.1028253523, 1.2556952733, 1.262174981],
      [0.006227551, 0.1250837046, 0.0008428074, -0.1424215587, 0.0102674957],
    ),
  ],
)
def test_golden_generalized(tau, values, slope):
  """Of https://github.com/dmizr/phuber, PHuberGeneralizedCrossEntropy."""
  loss = losses.partially_huberised_generalized_cross_entropy
  golden.check(loss, values, slope, q=0.7, tau=tau)
