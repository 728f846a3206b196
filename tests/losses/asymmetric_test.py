"""Asymmetric losses: limits, the asymmetry ratio, and the official code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import golden

LABELS = jnp.arange(8) % 5
# Predictions of three classes, all multiples of 1/50.
GRID = np.array(
  [(i, j, 50 - i - j) for i in range(51) for j in range(51 - i)]
) / 50  # fmt: skip


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, 5))


def agce(logits, labels=LABELS, **parameters):
  loss = losses.asymmetric_generalized_cross_entropy
  return loss(logits, labels, **parameters)


def aul(logits, labels=LABELS, **parameters):
  return losses.asymmetric_unhinged_loss(logits, labels, **parameters)


def ael(logits, labels=LABELS, **parameters):
  return losses.asymmetric_exponential_loss(logits, labels, **parameters)


def test_small_a_is_generalized_cross_entropy(logits):
  want = losses.generalized_cross_entropy(logits, LABELS, q=0.7)
  np.testing.assert_allclose(agce(logits, a=1e-12, q=0.7), want, rtol=1e-8)


def test_q_of_one_is_half_the_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, LABELS) / 2
  np.testing.assert_allclose(agce(logits, a=0.6, q=1), want, rtol=1e-13)
  np.testing.assert_allclose(aul(logits, a=5.5, q=1), want, rtol=1e-13)


def test_large_a_is_half_the_mean_absolute_error(logits):
  want = losses.mean_absolute_error(logits, LABELS) / 2
  a = 1e8
  scaled = a * (ael(logits, a=a) - np.exp(-1 / a))
  np.testing.assert_allclose(scaled, want, atol=1e-6)
  scaled = agce(logits, a=a, q=0.5) * a**0.5
  np.testing.assert_allclose(scaled, want, atol=1e-6)


def test_q_of_zero_is_a_logarithm(logits):
  p = jnp.exp(-losses.cross_entropy(logits, LABELS))
  want = np.log(1.6) - jnp.log(0.6 + p)
  np.testing.assert_allclose(agce(logits, a=0.6, q=0), want, rtol=1e-12)
  want = jnp.log(5.5 - p) - np.log(4.5)
  np.testing.assert_allclose(aul(logits, a=5.5, q=0), want, rtol=1e-12)


def test_bounds():
  best, worst = jnp.array([1e4, -1e4]), jnp.array([-1e4, 1e4])
  label, close = jnp.array(0), np.testing.assert_allclose
  assert agce(best, label, a=0.6, q=0.6) == 0
  assert aul(best, label, a=5.5, q=3.0) == 0
  close(ael(best, label, a=2.5), np.exp(-1 / 2.5))
  close(agce(worst, label, a=0.6, q=0.6), (1.6**0.6 - 0.6**0.6) / 0.6)
  close(aul(worst, label, a=5.5, q=3.0), (5.5**3 - 4.5**3) / 3)
  assert ael(worst, label, a=2.5) == 1


@pytest.mark.parametrize(
  ('loss', 'parameters', 'ratio'),
  [
    (agce, {'a': 0.6, 'q': 0.6}, (0.6 / 1.6) ** 0.4),
    (agce, {'a': 1.8, 'q': 3.0}, 1),
    (aul, {'a': 5.5, 'q': 3.0}, (4.5 / 5.5) ** 2),
    (aul, {'a': 3.0, 'q': 0.1}, 1),
    (ael, {'a': 2.5}, np.exp(-1 / 2.5)),
  ],
)
def test_asymmetry_ratio(loss, parameters, ratio):
  """If the true label is given more than 1 / ratio times as often, it wins."""
  logits = jnp.log(jnp.maximum(GRID, 1e-300))
  each = jnp.stack(
    [loss(logits, jnp.full(len(GRID), k), **parameters) for k in range(3)], -1
  )
  # Two classes; three would do for less.
  for often, others in [(1.02 / ratio, (1, 0)), (1.02 / ratio, (1, 1))]:
    risk = each @ jnp.array([often, *others])
    np.testing.assert_array_equal(GRID[jnp.argmin(risk)], [1, 0, 0])
  if ratio < 1:
    risk = each @ jnp.array([1 + 0.5 * (1 / ratio - 1), 1, 0])
    assert GRID[jnp.argmin(risk)][0] < 1


@pytest.mark.parametrize('a', [1e-5, 1e-10, 1e-15])
def test_a_small_a_is_exact_in_float32(a):
  logits = jnp.array([0.0, 9.0, 12.0, 30.0], jnp.float32)
  parameters = {'a': a, 'q': 0.5}

  def run(logits):
    return jax.value_and_grad(lambda z: agce(z, jnp.array(0), **parameters))(
      logits
    )

  value, slope = run(logits)
  want, exact = run(logits.astype(jnp.float64))
  assert value.dtype == jnp.float32
  np.testing.assert_allclose(value, want, rtol=1e-6)
  np.testing.assert_allclose(slope, exact, rtol=2e-5)


@pytest.mark.parametrize(
  ('loss', 'parameters', 'values', 'slope'),
  [
    (
      agce,
      {'a': 0.6, 'q': 0.6},
      [0.2850655571, 0.8568857491, 0.9776411555, 0.982932669],
      [0.0047714105, 0.0958363411, 0.0006457402, -0.1091202177, 0.0078667259],
    ),
    (
      agce,
      {'a': 4.0, 'q': 0.2},
      [0.0932778367, 0.2664313253, 0.2996843273, 0.3011087164],
      [0.0013411308, 0.0269373326, 0.0001815023, -0.0306711166, 0.0022111509],
    ),
    (
      aul,
      {'a': 5.5, 'q': 3.0},
      [7.1614626272, 21.9314496651, 24.9527584413, 25.0833299338],
      [0.1207842654, 2.426016823, 0.0163463728, -2.7622870488, 0.1991395876],
    ),
    (
      aul,
      {'a': 3.0, 'q': 0.1},
      [0.1644766889, 0.4033297061, 0.4418888859, 0.4434970732],
      [0.0015955443, 0.032047363, 0.0002159334, -0.0364894484, 0.0026306077],
    ),
    (
      ael,
      {'a': 2.5},
      [0.764605259, 0.9583969066, 0.9982735251, 0.999999955],
      [0.0015915908, 0.0319679562, 0.0002153984, -0.036399035, 0.0026240896],
    ),
  ],
)
def test_golden(loss, parameters, values, slope):
  """Of https://github.com/hitcszx/ALFs: AGCELoss, AUELoss, AExpLoss."""
  golden.check(loss, values, slope, **parameters)
