import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import methods


def test_stateless_method_is_its_loss():
  loss = functools.partial(losses.mixture_cross_entropy, noise_rate=0.3)
  method = methods.stateless(loss)
  state = method.init(jax.random.key(0), 5, 3)
  images = jnp.arange(6.0).reshape(2, 3)
  batch = {'image': images, 'label': jnp.array([0, 2]), 'mask': jnp.ones(2)}
  result, (memory, metrics) = method.loss(
    lambda images, key: 2 * images, batch, state, jax.random.key(1)
  )
  np.testing.assert_array_equal(result, loss(2 * images, batch['label']))
  assert (memory, metrics) == (state.memory, {})
  assert not jax.tree.leaves(state)


def test_one_network_has_no_images_of_its_own():
  predict = methods.Predict(lambda params, images, key: images, params=None)
  with pytest.raises(ValueError, match='one network'):
    predict.each(jnp.zeros((2, 3, 4)), jax.random.key(0))
