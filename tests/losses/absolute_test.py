"""Mean absolute error and its relatives: the laws of what is linear in p_y."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import golden

LABELS = jnp.arange(8) % 5
LOG_ZERO = float(np.log(1e-4))


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, 5))


def sum_over_labels(loss, logits, **parameters):
  return sum(
    loss(logits, jnp.full(len(logits), k), **parameters) for k in range(5)
  )


def test_is_the_distance_of_label_and_prediction(logits):
  p = jax.nn.softmax(logits)
  want = jnp.abs(jax.nn.one_hot(LABELS, 5) - p).sum(-1)
  got = losses.mean_absolute_error(logits, LABELS)
  np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize('scale', [0, 1, 100, 1e4])
def test_sum_over_labels_is_constant(logits, scale):
  total = sum_over_labels(losses.mean_absolute_error, scale * logits)
  np.testing.assert_allclose(total, 2 * (5 - 1), rtol=1e-14)
  total = sum_over_labels(
    losses.reverse_cross_entropy, scale * logits, log_zero=-4.0
  )
  np.testing.assert_allclose(total, 4 * (5 - 1), rtol=1e-14)


def test_bounds():
  logits = jnp.array([1e4, -1e4])
  for label, share in [(0, 0), (1, 1)]:
    label = jnp.array(label)
    assert losses.mean_absolute_error(logits, label) == 2 * share
    value = losses.reverse_cross_entropy(logits, label, log_zero=-4.0)
    assert value == 4 * share


def test_reverse_is_cross_entropy_with_its_arguments_exchanged(logits):
  p = jax.nn.softmax(logits)
  log_label = jnp.where(jax.nn.one_hot(LABELS, 5) == 1, 0, -7.0)
  want = -(p * log_label).sum(-1)
  got = losses.reverse_cross_entropy(logits, LABELS, log_zero=-7.0)
  np.testing.assert_allclose(got, want, rtol=1e-12)


def test_reverse_is_a_multiple_of_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, LABELS)
  got = losses.reverse_cross_entropy(logits, LABELS, log_zero=-2.0)
  np.testing.assert_allclose(got, want, rtol=1e-15)


def test_symmetric_is_the_sum_of_both(logits):
  def of(alpha, beta):
    return losses.symmetric_cross_entropy(
      logits, LABELS, alpha=alpha, beta=beta, log_zero=LOG_ZERO
    )

  plain = losses.cross_entropy(logits, LABELS)
  reverse = losses.reverse_cross_entropy(logits, LABELS, log_zero=LOG_ZERO)
  np.testing.assert_allclose(of(6, 0.1), 6 * plain + 0.1 * reverse, rtol=1e-14)
  np.testing.assert_array_equal(of(1, 0), plain)
  np.testing.assert_array_equal(of(0, 1), reverse)


def test_an_impossible_label_has_the_largest_loss():
  logits = jnp.array([0.0, -jnp.inf])

  def loss(logits):
    return losses.reverse_cross_entropy(logits, jnp.array(1), log_zero=-4.0)

  value, gradient = jax.value_and_grad(loss)(logits)
  assert value == 4
  np.testing.assert_array_equal(gradient, [0, 0])


def test_golden_mean_absolute_error():
  """Of https://github.com/hitcszx/ALFs, MAELoss."""
  golden.check(
    losses.mean_absolute_error,
    [0.6580221017, 1.7875336036, 1.991360165, 1.9999997752],
    [0.0083034013, 0.1667782728, 0.0011237432, -0.1898954116, 0.0136899943],
  )


def test_golden_reverse_cross_entropy():
  """Of https://github.com/hitcszx/ALFs, RCELoss, which clips labels at 1e-4.

  So does the official code, https://github.com/YisenWang/
  symmetric_cross_entropy_for_noisy_labels, where the paper has log 0 = -4.
  """
  golden.check(
    losses.reverse_cross_entropy,
    [3.0303038063, 8.2318965722, 9.1705525888, 9.2103394648],
    [0.0382385765, 0.7680423404, 0.0051750286, -0.8745007, 0.0630447545],
    log_zero=LOG_ZERO,
  )


def test_golden_symmetric_cross_entropy():
  """Of https://github.com/hitcszx/ALFs, SCELoss."""
  golden.check(
    losses.symmetric_cross_entropy,
    [2.6970460487, 14.2759013677, 33.5841691021, 96.9292535154],
    [0.2383099151, 4.7865825998, 0.0322517399, -5.4500508809, 0.3929066261],
    alpha=6.0,
    beta=0.1,
    log_zero=LOG_ZERO,
  )
