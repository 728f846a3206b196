"""Noise tolerance itself, exactly, on every prediction of three classes.

A risk is over one input whose true label has a distribution; the model may
predict anything. A loss tolerates the noise if the best prediction for given
labels is the best for true ones.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import noise

RATE = 0.5
TRANSITION = noise.symmetric(3, RATE, exclude_true=True)
# Multiples of 1/60, but none of them 0, for which cross entropy is infinite.
GRID = np.array(
  [(i, j, 60 - i - j) for i in range(1, 59) for j in range(1, 60 - i)]
) / 60  # fmt: skip
SYMMETRIC = {
  'mean_absolute_error': losses.mean_absolute_error,
  'reverse_cross_entropy': functools.partial(
    losses.reverse_cross_entropy, log_zero=-4.0
  ),
  'taylor_cross_entropy': functools.partial(
    losses.taylor_cross_entropy, order=1
  ),
}


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


def risk(loss, labels):
  """The expected loss of every prediction, labels a distribution."""
  return loss(jnp.log(GRID), jnp.broadcast_to(labels, GRID.shape))


@pytest.mark.parametrize('name', SYMMETRIC)
@pytest.mark.parametrize('true', [(1, 0, 0), (0.6, 0.3, 0.1)])
def test_the_risk_of_a_symmetric_loss_only_shrinks(name, true):
  """R_noisy = (1 - rate K / (K - 1)) R_clean + rate C / (K - 1)."""
  loss, true = SYMMETRIC[name], jnp.array(true, float)
  total = risk(loss, jnp.ones(3))
  np.testing.assert_allclose(total, total[0], rtol=1e-12)
  shrinking = 1 - RATE * 3 / 2
  want = shrinking * risk(loss, true) + RATE * total / 2
  got = risk(loss, true @ TRANSITION)
  np.testing.assert_allclose(got, want, rtol=1e-12)
  assert jnp.argmin(got) == jnp.argmin(risk(loss, true))


def test_cross_entropy_learns_the_noise():
  true = jnp.array([1.0, 0, 0])
  clean = GRID[jnp.argmin(risk(losses.cross_entropy, true))]
  np.testing.assert_array_equal(clean, GRID[jnp.argmax(GRID[:, 0])])
  noisy = GRID[jnp.argmin(risk(losses.cross_entropy, true @ TRANSITION))]
  np.testing.assert_allclose(noisy, TRANSITION[0], atol=1 / 60)


@pytest.mark.parametrize('q', [0.3, 0.7])
def test_generalized_cross_entropy_learns_less_of_it(q):
  loss = functools.partial(losses.generalized_cross_entropy, q=q)
  noisy = GRID[jnp.argmin(risk(loss, TRANSITION[0]))]
  assert TRANSITION[0, 0] < noisy[0]
  # The minimiser is proportional to the given rates to the power 1 / (1 - q).
  want = TRANSITION[0] ** (1 / (1 - q))
  np.testing.assert_allclose(noisy, want / want.sum(), atol=1 / 60)


@pytest.mark.parametrize(
  'loss',
  [
    losses.cross_entropy,
    functools.partial(losses.generalized_cross_entropy, q=0.7),
  ],
)
def test_backward_correction_makes_any_loss_tolerant(loss):
  true = jnp.array([0.6, 0.3, 0.1])
  corrected = losses.backward_corrected(loss, TRANSITION)
  got = risk(corrected, true @ TRANSITION)
  np.testing.assert_allclose(got, risk(loss, true), rtol=1e-11)


def test_the_mixture_learns_the_truth_through_its_own_noise():
  """As forward correction: its minimiser, not its risk, is that of clean."""
  true = jnp.array([0.6, 0.3, 0.1])
  loss = functools.partial(
    losses.mixture_cross_entropy, noise_rate=RATE * 3 / 2
  )
  got = GRID[jnp.argmin(risk(loss, true @ TRANSITION))]
  np.testing.assert_allclose(got, true, atol=1e-12)
