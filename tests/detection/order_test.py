import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.detection import order

RNG = np.random.default_rng(0)
CASES = {
  'any': RNG.normal(size=1000),
  'ties': RNG.integers(-3, 4, size=1000) / 2,
  'zeros of both signs': np.array([0.0, -0.0, 1.0, -0.0, 0.0, -1.0]),
  'far apart': np.array([np.inf, 1e-45, 3e38, -np.inf, -1e-45, 0.0, -3e38]),
  'one': np.ones(1),
}


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('dtype', [np.float32, np.float64, np.float16])
def test_it_is_a_stable_argsort(case, dtype):
  with np.errstate(over='ignore'):
    values = CASES[case].astype(dtype)
  before = values.copy()
  got = order.rising(values)
  assert got.dtype == np.int32
  np.testing.assert_array_equal(got, np.argsort(values, stable=True))
  np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize('xp', [np, jnp])
def test_what_is_true_comes_first_and_stays_in_order(xp):
  mask = xp.asarray([False, True, False, True])
  places = xp.asarray([2, 3, 1, 0])
  got = order.first_true(mask, places)
  np.testing.assert_array_equal(got, [3, 1, 2, 0])
