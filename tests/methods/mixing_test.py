"""Images mixed with partners."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.methods import mixing

draw_ratios = jax.jit(jax.vmap(mixing.ratio, (0, None)))


@pytest.mark.parametrize('alpha', [0.1, 4.0])
def test_the_ratio_is_the_larger_share(alpha):
  keys = jax.random.split(jax.random.key(0), 2000)
  got = np.asarray(draw_ratios(keys, alpha))
  drawn = np.random.default_rng(0).beta(alpha, alpha, 100_000)
  assert ((got >= 0.5) & (got <= 1)).all()
  want = np.maximum(drawn, 1 - drawn).mean()
  np.testing.assert_allclose(got.mean(), want, atol=0.015)


def test_partners_are_a_permutation_of_those_that_take_part():
  among = jnp.array([True, False, True, True, False, True])
  counts = np.zeros((6, 6))
  keys = jax.random.split(jax.random.key(0), 600)
  draw = jax.jit(jax.vmap(mixing.partners, (0, None)))
  for partners in np.asarray(draw(keys, among)):
    np.testing.assert_array_equal(np.sort(partners), np.arange(6))
    counts[np.arange(6), partners] += 1
  places = np.flatnonzero(among)
  np.testing.assert_array_equal(counts[~np.asarray(among)].sum(0)[[1, 4]], 600)
  np.testing.assert_allclose(counts[np.ix_(places, places)], 150, atol=50)


@pytest.mark.parametrize('size', [0, 1])
def test_nobody_to_mix_with(size):
  among = jnp.arange(4) < size
  partners = mixing.partners(jax.random.key(1), among)
  np.testing.assert_array_equal(partners, np.arange(4))


def test_mixing_keeps_the_type():
  images = jnp.arange(6.0, dtype=jnp.bfloat16).reshape(3, 2)
  got = mixing.mix(images, jnp.array([1, 0, 2]), jnp.float32(0.75))
  assert got.dtype == images.dtype
  np.testing.assert_array_equal(got, [[0.5, 1.5], [1.5, 2.5], [4, 5]])
