import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.detection import largest

NUMBERS = np.array(
  [-np.inf, -1e30, -2.0, -1.0, -1e-30, 0.0, 1e-30, 0.5, 1.0, 3.0, np.inf],
)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_keys_are_in_the_order_of_numbers_and_back(dtype):
  with jax.enable_x64(dtype == np.float64):
    numbers = NUMBERS.astype(dtype)
    keys = largest.sortable(jnp.asarray(numbers))
    assert (np.diff(np.asarray(keys).astype(object)) > 0).all()
    np.testing.assert_array_equal(largest.number_of(keys), numbers)
    zeros = largest.sortable(jnp.array([-0.0, 0.0], dtype))
    assert zeros[0] == zeros[1]


@pytest.mark.parametrize('decimals', [8, 1])
def test_they_are_the_largest_by_sorting(decimals):
  rng = np.random.default_rng(0)
  labels = rng.integers(4, size=300)
  values = rng.normal(size=(300, 3)).round(decimals).astype(np.float32)
  numbers = rng.integers(0, 40, size=(4, 3))
  numbers[1], numbers[2, 0] = 0, 1000
  want = np.zeros(300, bool)
  for k in range(4):
    for column in range(3):
      own, number = values[labels == k, column], numbers[k, column]
      if number:
        least = np.sort(own)[::-1][min(number, len(own)) - 1]
        want[labels == k] |= own >= least
  got = jax.jit(largest.of_each_class, static_argnums=0)(
    lambda labels, values: values, labels, values, numbers
  )
  np.testing.assert_array_equal(got, want)
