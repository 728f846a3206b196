"""Scaling in whole numbers, against fractions of unbounded precision."""

import fractions

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.estimation import calibration


def largest_remainders(column, total):
  """By the definition; of equal fractions the last are rounded up."""
  exact = [fractions.Fraction(int(c) * int(total), int(sum(column)))
           for c in column]  # fmt: skip
  floors = [int(x) for x in exact]
  order = sorted(
    range(len(column)), key=lambda i: (exact[i] - floors[i], i), reverse=True
  )
  for i in order[: int(total) - sum(floors)]:
    floors[i] += 1
  return floors


def problems():
  rng = np.random.default_rng(0)
  for size, largest in [(2, 3), (3, 10), (3, 3), (7, 50), (3, 2**28), (3, 1)]:
    counts = rng.integers(largest + 1, size=(size, size))
    np.fill_diagonal(counts, np.maximum(counts.diagonal(), 1))
    sums = rng.integers(2 * largest + 1, size=size)
    sums[0] = 0
    yield counts, sums
  yield np.array([[2**31 - 1, 5], [0, 2**31 - 6]]), np.array([2**31 - 1] * 2)


@pytest.mark.parametrize(('counts', 'sums'), [*problems()])
def test_scaled_columns(counts, sums):
  want = np.stack(
    [largest_remainders(*pair) for pair in zip(counts.T, sums, strict=True)],
    axis=1,
  )
  on_host = calibration.scale_columns(counts, sums)
  np.testing.assert_array_equal(on_host, want)
  np.testing.assert_array_equal(on_host.sum(axis=0), sums)
  arrays = [jnp.asarray(array, jnp.int32) for array in (counts, sums)]
  on_device = jax.jit(calibration.scale_columns)(*arrays)
  np.testing.assert_array_equal(on_device, want)
