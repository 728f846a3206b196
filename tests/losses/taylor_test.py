"""The Taylor series of the logarithm, and where it ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

LABELS = jnp.arange(8) % 5


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return jax.random.normal(jax.random.key(0), (8, 5))


def taylor(logits, order):
  return losses.taylor_cross_entropy(logits, LABELS[: len(logits)], order=order)


def test_order_one_is_half_the_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, LABELS) / 2
  np.testing.assert_allclose(taylor(logits, 1), want, rtol=1e-15)


def test_tends_to_cross_entropy(logits):
  want = losses.cross_entropy(logits, LABELS)
  p = jnp.exp(-want)
  for order in (5, 20, 80):
    # What is left out is less than a geometric series.
    missing, rounding = want - taylor(logits, order), 1e-14
    assert (missing >= -rounding).all()
    limit = (1 - p) ** (order + 1) / p / (order + 1)
    assert (missing <= limit + rounding).all()


def test_known_values():
  logits = jnp.log(jnp.array([[0.25, 0.75]]))
  got = [taylor(logits, order)[0] for order in (1, 2, 3)]
  np.testing.assert_allclose(got, [0.75, 1.03125, 1.171875], rtol=1e-14)


@pytest.mark.parametrize('order', [1, 2, 6, 50])
def test_bound(order):
  harmonic = sum(1 / term for term in range(1, order + 1))
  worst = taylor(jnp.array([[-1e4, 1e4]]), order)
  np.testing.assert_allclose(worst, harmonic, rtol=1e-14)


@pytest.mark.parametrize('order', [1, 2, 6, 50])
def test_trust_weight_is_exact_for_improbable_labels(order):
  """order times p_y, where 1 - (1 - p)^order would be rounded to 0."""
  logits = jnp.array([[0.0, 60.0]])
  gradient = jax.grad(lambda z: taylor(z, order).sum())(logits)
  np.testing.assert_allclose(gradient[0, 1], order * np.exp(-60), rtol=1e-12)


@pytest.mark.parametrize('order', [1, 2, 6])
def test_second_derivatives_where_the_label_is_certain(order):
  hessian = jax.jacrev(jax.grad(lambda z: taylor(z, order).sum()))
  assert (hessian(jnp.array([[1e4, -1e4]])) == 0).all()
