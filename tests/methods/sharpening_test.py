"""Sharpened guesses."""

import jax.numpy as jnp
import numpy as np

from noisy_labels.methods import sharpening


def test_sharpening():
  probs = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
  want = probs**2 / (probs**2).sum(1, keepdims=True)
  got = sharpening.sharpen(jnp.asarray(probs), 0.5)
  np.testing.assert_allclose(got, want, rtol=1e-6)
  np.testing.assert_allclose(
    sharpening.sharpen(jnp.asarray(probs), 1.0), probs, rtol=1e-6
  )
  cold = sharpening.sharpen(jnp.asarray(probs[:2]), 1e-3)
  np.testing.assert_allclose(cold, [[1, 0, 0], [1, 0, 0]], atol=1e-6)
