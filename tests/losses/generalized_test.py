"""The laws of generalized cross entropy, and what its code in use computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import golden


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, 5))


LABELS = np.arange(8) % 5


def generalized(logits, labels=LABELS, q=0.7):
  return losses.generalized_cross_entropy(logits, jnp.asarray(labels), q=q)


def truncated(logits, q, k):
  return losses.truncated_generalized_cross_entropy(
    logits, jnp.asarray(LABELS), q=q, k=k
  )


def gradient(loss, logits, **parameters):
  return jax.grad(lambda z: loss(z, **parameters).sum())(logits)


@pytest.mark.parametrize('traced', [False, True])
def test_q_of_zero_is_cross_entropy(logits, traced):
  zero = jnp.array(0.0) if traced else 0

  def plain(logits):
    return losses.cross_entropy(logits, jnp.asarray(LABELS))

  for scale in (1, 1e3):
    z = scale * logits
    np.testing.assert_array_equal(generalized(z, q=zero), plain(z))
    np.testing.assert_array_equal(
      gradient(generalized, z, q=zero), gradient(plain, z)
    )
  difference = generalized(logits, q=1e-9) - plain(logits)
  np.testing.assert_allclose(difference, -(plain(logits) ** 2) / 2e9, rtol=1e-5)


def test_derivative_by_q_at_zero(logits):
  slope = jax.jacrev(lambda q: generalized(logits, q=q))(0.0)
  log_p = -losses.cross_entropy(logits, jnp.asarray(LABELS))
  np.testing.assert_allclose(slope, -(log_p**2) / 2, rtol=1e-12)


def test_q_of_one_is_half_the_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, jnp.asarray(LABELS)) / 2
  np.testing.assert_allclose(generalized(logits, q=1), want, rtol=1e-15)


@pytest.mark.parametrize('q', [0.1, 0.7, 1.0])
def test_bounds_of_the_loss_and_of_its_sum_over_labels(q):
  logits = jax.random.normal(jax.random.key(1), (100, 5))
  for scale in (0, 1, 10, 1e4):
    each = jnp.stack(
      [generalized(scale * logits, np.full(100, k), q) for k in range(5)], -1
    )
    assert (each <= 1 / q).all()
    total, slack = each.sum(-1), 1e-12
    assert (total >= (5 - 5 ** (1 - q)) / q - slack).all()
    assert (total <= (5 - 1) / q + slack).all()


def test_truncated_is_generalized_until_it_is_constant(logits):
  p = jnp.exp(-losses.cross_entropy(logits, jnp.asarray(LABELS)))
  kept = p > 0.5
  assert 0 < kept.sum() < 8
  got, want = truncated(logits, 0.7, 0.5), generalized(logits)
  np.testing.assert_allclose(got, jnp.where(kept, want, (1 - 0.5**0.7) / 0.7))
  got = gradient(truncated, logits, q=0.7, k=0.5)
  want = jnp.where(kept[:, None], gradient(generalized, logits), 0)
  np.testing.assert_array_equal(got, want)


def test_at_the_threshold_a_label_is_ignored():
  """Contrary to `clipped_cross_entropy`, as the paper's f <= k has it."""
  slope = jax.grad(
    lambda z: losses.truncated_generalized_cross_entropy(
      z, jnp.array(0), q=0.7, k=0.5
    )
  )(jnp.zeros(2))
  np.testing.assert_array_equal(slope, [0, 0])


def test_an_impossible_label_has_the_largest_loss():
  logits = jnp.array([0.0, -jnp.inf])
  value, slope = jax.value_and_grad(
    lambda z: losses.generalized_cross_entropy(z, jnp.array(1), q=0.5)
  )(logits)
  assert value == 2
  np.testing.assert_array_equal(slope, [0, 0])


def test_golden_generalized():
  """Of https://github.com/hitcszx/ALFs, GCELoss."""
  golden.check(
    losses.generalized_cross_entropy,
    [0.348126296, 1.131210339, 1.396967958, 1.4285519127],
    [0.0081348201, 0.1633922297, 0.0011009282, -0.186040029, 0.013412051],
    q=0.7,
  )


def test_golden_truncated():
  """Of https://github.com/AlanChou/Truncated-Loss, weights newly decided.

  It subtracts (1 - k^q) / q; we follow the paper's equation, and do not.
  """
  shift = (1 - 0.5**0.7) / 0.7
  golden.check(
    losses.truncated_generalized_cross_entropy,
    np.array([-0.2010562659, 0.0, 0.0, 0.0]) + shift,
    np.zeros(5),
    q=0.7,
    k=0.5,
  )
