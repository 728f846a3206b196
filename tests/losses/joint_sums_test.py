"""Sums in one pass are as exact as sums apart, for any number of classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.losses import joint_sums

# Around a block, blocks that divide the classes, and blocks that do not.
every_size = pytest.mark.parametrize('size', [1, 10, 1023, 1025, 4096, 262144])


def arrays(size):
  rng = np.random.default_rng(0)
  left = np.exp(3 * rng.normal(size=(2, size))).astype(np.float32)
  # The sum of equal numbers rounds in one direction.
  return left, np.full((2, size), 0.1, np.float32)


@every_size
def test_pairs_of_float32(size):
  left, right = arrays(size)
  sums = jax.jit(joint_sums.pair)(left, right)
  for got, array in zip(sums, (left, right), strict=True):
    np.testing.assert_allclose(got, array.sum(-1, dtype=float), rtol=1e-5)


@every_size
def test_total_and_count(size):
  values, _ = arrays(size)
  mask = values > 1
  total, count = jax.jit(joint_sums.total_and_count)(values, mask)
  want = np.where(mask, values, 0).sum(-1, dtype=float)
  np.testing.assert_allclose(total, want, rtol=1e-5)
  np.testing.assert_array_equal(count, mask.sum(-1))
  assert count.dtype == values.dtype


def test_masked_values_are_not_touched():
  values = jnp.array([1.0, jnp.nan, -jnp.inf, 2.0])
  total, count = joint_sums.total_and_count(values, jnp.array([1, 0, 0, 1]) > 0)
  assert total == 3
  assert count == 2


def test_derivatives_of_a_pair():
  left, right = (jnp.asarray(array, jnp.float32) for array in arrays(1025))

  def total(left, right):
    one, other = joint_sums.pair(left, right)
    return (one * other).sum()

  by_left, by_right = jax.jit(jax.grad(total, (0, 1)))(left, right)
  want_left = np.broadcast_to(right.sum(-1, keepdims=True), left.shape)
  want_right = np.broadcast_to(left.sum(-1, keepdims=True), left.shape)
  np.testing.assert_allclose(by_left, want_left, rtol=1e-5)
  np.testing.assert_allclose(by_right, want_right, rtol=1e-5)
