import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.estimation import blocks


@pytest.mark.parametrize('size', [1, 3, 4, 5, 12, 100])
def test_every_row_comes_once_and_in_order(size):
  rows = jnp.arange(12.0)

  def function(carry, block, fresh):
    return carry + jnp.sum(jnp.where(fresh, block, 0)), block + 1

  total, outs = blocks.scan(function, 0.0, rows, size)
  assert total == 66
  np.testing.assert_array_equal(outs, np.arange(12) + 1)


def test_float32_sums_of_a_million():
  rng = np.random.default_rng(0)
  values = (rng.random(1_000_000) * 0.9).astype(np.float32)
  classes = rng.integers(3, size=len(values))
  sums = jax.jit(blocks.class_sums, static_argnums=2)(classes, values, 3)
  want = np.bincount(classes, values.astype(np.float64))
  np.testing.assert_allclose(sums, want, rtol=1e-6)


def test_sums_of_rows_leave_out_what_is_no_class():
  classes = np.array([0, 2, -1, 0, 3, 2])
  rows = np.arange(12.0).reshape(6, 2)
  np.testing.assert_array_equal(
    blocks.class_sums(classes, jnp.asarray(rows), 3),
    [rows[[0, 3]].sum(0), [0, 0], rows[[1, 5]].sum(0)],
  )


def test_counts_are_exact_integers():
  first = np.array([0, 1, 1, -1, 2, 7])
  second = np.array([1, 1, 1, 0, -1, 0])
  weights = np.array([2**30, 3, 2**24 + 1, 9, 9, 9])
  np.testing.assert_array_equal(
    blocks.pair_counts(first, second, 3, weights),
    [[0, 2**30, 0], [0, 2**24 + 4, 0], [0, 0, 0]],
  )
  np.testing.assert_array_equal(
    blocks.class_counts(first, 3, weights), [2**30, 2**24 + 4, 9]
  )
  np.testing.assert_array_equal(blocks.class_counts(first, 3), [1, 2, 1])
