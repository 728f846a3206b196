"""Order statistics against sorting, on one device and on several."""

import functools

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.methods import order

N, K = 240, 5


def _problem(dtype):
  rng = np.random.default_rng(0)
  values = rng.exponential(size=(2, N)).astype(dtype)
  values[0, :20] = 0
  values[1] *= 1e4
  label = rng.choice(K, N, p=[0.4, 0.3, 0.2, 0.1, 0.0])
  mask = (rng.random(N) < 0.9).astype(np.float32)
  return values, label, mask


def _smallest(values, label, mask, total=lambda tree: tree):
  return order.smallest_of_classes(
    values, {'label': label, 'mask': mask}, 0.7, num_classes=K, total=total
  )


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_each_class_has_its_smallest(dtype):
  values, label, mask = _problem(dtype)
  number = int(np.ceil(0.7 * mask.sum() / K))
  with jax.enable_x64(dtype == np.float64):
    got = np.asarray(jax.jit(_smallest)(values, label, mask))
  for each, chosen in zip(values, got, strict=True):
    for k in range(K):
      own = (label == k) & (mask > 0)
      bound = np.sort(np.append(each[own], np.full(N, np.inf)))[number - 1]
      np.testing.assert_array_equal(chosen[own], each[own] <= bound)
      if k:
        assert chosen[own].sum() == min(number, own.sum())


def test_devices_are_one():
  values, label, mask = _problem(np.float32)
  want = _smallest(values, label, mask)
  total = functools.partial(lax.psum, axis_name='devices')
  got = jax.vmap(
    lambda *shard: _smallest(*shard, total=total),
    in_axes=(1, 0, 0),
    out_axes=1,
    axis_name='devices',
  )(values.reshape(2, 4, -1), label.reshape(4, -1), mask.reshape(4, -1))
  np.testing.assert_array_equal(got.reshape(2, -1), want)


def test_a_class_is_filled_up_to_its_number():
  """0.7 of 10 is 7, whatever float32 says."""
  for number, share in ((100, 0.7), (120, 0.55), (100, 0.29)):
    values = jnp.arange(number, dtype=jnp.float32)
    label = jnp.arange(number) % 10
    got = order.smallest_of_classes(
      values,
      {'label': label, 'mask': jnp.ones(number)},
      share,
      num_classes=10,
      total=lambda tree: tree,
    )
    want = np.ceil(round(share * number / 10, 6))
    np.testing.assert_array_equal(np.bincount(label[got]), want)


def test_losses_from_0_to_1():
  values, _, mask = _problem(np.float32)
  batch = {'mask': jnp.asarray(mask)}
  got = order.from_0_to_1(jnp.asarray(values), batch, lambda tree: tree)
  real = values[:, mask > 0]
  least, most = real.min(1, keepdims=True), real.max(1, keepdims=True)
  np.testing.assert_allclose(
    got[:, mask > 0], (real - least) / (most - least), rtol=1e-6
  )
  equal = order.from_0_to_1(jnp.full((2, N), 3.0), batch, lambda tree: tree)
  np.testing.assert_array_equal(equal, 0)
