"""Focal loss: limits, certainty, and the code that stops its gradient."""

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


def focal(logits, gamma, labels=LABELS):
  return losses.focal_loss(logits, labels, gamma=gamma)


@pytest.mark.parametrize('traced', [False, True])
def test_gamma_of_zero_is_cross_entropy(traced):
  zero = jnp.array(0.0) if traced else 0.0
  normal = jax.random.normal(jax.random.key(0), (8, 5))
  for scale in (1, 1e4):
    got, want = (
      jax.value_and_grad(lambda z, loss=loss: loss(z).sum())(scale * normal)
      for loss in (
        lambda z: focal(z, zero),
        lambda z: losses.cross_entropy(z, LABELS),
      )
    )
    jax.tree.map(np.testing.assert_array_equal, got, want)


@jax.jit
def first_and_second(logits, gamma):
  def loss(logits, gamma):
    return focal(logits, gamma, jnp.array(0))

  first = jax.grad(loss, (0, 1))
  return first(logits, gamma), jax.jacrev(first, (0, 1))(logits, gamma)


@pytest.mark.parametrize('gamma', [0.0, 0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize('distance', [1.0, 30.0, 50.0, 1e4])
def test_derivatives_near_certainty(gamma, distance):
  """To where p rounds to 1, and d (1 - p)^gamma / dp to infinity."""
  first, second = first_and_second(jnp.array([distance, 0.0]), gamma)
  for leaf in jax.tree.leaves((first, second)):
    assert jnp.isfinite(leaf).all()
  missing = np.exp(-distance)  # 1 - p, and -log p, but for their squares.
  if distance >= 30:
    want = -(1 + gamma) * missing ** (1 + gamma)
    np.testing.assert_allclose(first[0][0], want, rtol=1e-2, atol=1e-17)


def test_golden():
  """Of https://github.com/hitcszx/ALFs, FocalLoss.

  It holds (1 - p)^gamma constant in the backward pass: the gradient is cross
  entropy's times that. We follow the formula, whose gradient has more to it.
  """
  values = [0.2288658426, 2.1196819158, 5.4327463095, 16.001369029]
  theirs = [
    0.0369468897,
    0.742098117,
    0.0050002178,
    -0.8449603474,
    0.0609151229,
  ]
  got, slope = golden.evaluate(losses.focal_loss, gamma=0.5)
  np.testing.assert_allclose(got, values, rtol=1e-6)
  p = jax.nn.softmax(golden.LOGITS[1])[golden.LABELS[1]]
  factor = 1 - 0.5 * p / (1 - p) * jnp.log(p)
  np.testing.assert_allclose(slope, np.array(theirs) * factor, rtol=1e-6)
