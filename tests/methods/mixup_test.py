"""Mixup against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import methods
from tests.methods import tiny_training

PLAIN = methods.stateless(losses.cross_entropy)


@jax.jit
def one(alpha, batch, seed):
  """Losses, and the images that the model was shown."""
  shown = []

  def predict(images, key):
    shown.append(images)
    return images

  values, _ = methods.mixup(PLAIN, alpha=alpha).loss(
    predict, batch, methods.MethodState({}, {}), jax.random.key(seed)
  )
  assert len(shown) == 1
  return values, shown[0]


def batch_of(mask):
  """Images that tell which of them were mixed, and how."""
  size = len(mask)
  return {
    'image': 10 * jnp.eye(size),
    'label': jnp.arange(size) * 3 % size,
    'index': jnp.arange(size),
    'row': jnp.arange(size),
    'mask': jnp.asarray(mask, float),
  }


@pytest.mark.parametrize('seed', range(3))
def test_images_and_losses_are_mixed_alike(seed):
  batch = batch_of(np.ones(8))
  values, images = one(1.0, batch, seed)
  shares = np.asarray(images) / 10
  np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
  np.testing.assert_allclose(shares.sum(0), 1, rtol=1e-6)
  # One ratio for the batch, whoever the partner is.
  ratios = np.unique(np.diag(shares)[np.diag(shares) < 1])
  assert len(ratios) == 1
  labels = shares @ np.eye(8)[batch['label']]
  log_p = np.log(tiny_training.softmax(np.float64(images)))
  np.testing.assert_allclose(
    values, -(labels * log_p).sum(1), rtol=1e-5, atol=1e-6
  )


def test_ratios_are_of_the_beta_distribution():
  batch = batch_of(np.ones(8))
  for alpha, middle in ((0.05, 0.0), (100.0, 0.5)):
    shares = np.array([one(alpha, batch, seed)[1] for seed in range(60)]) / 10
    ratios = np.diagonal(shares, axis1=1, axis2=2).min(1)
    assert np.median(abs(np.minimum(ratios, 1 - ratios) - middle)) < 0.05


def test_padding_is_mixed_with_nothing_and_nothing_with_it():
  mask = np.array([1, 0, 1, 1, 0, 1, 1, 1])
  for seed in range(5):
    _, images = one(1.0, batch_of(mask), seed)
    assert not np.any(images[mask == 1][:, mask == 0])


def test_an_example_is_remembered_once_and_the_partner_is_not():
  method = methods.mixup(methods.warm_up(PLAIN, epochs=1), alpha=1.0)
  state, _, _ = tiny_training.step(
    method,
    tiny_training.start(method),
    tiny_training.batch_of(np.arange(tiny_training.NUM_EXAMPLES)),
    jax.random.key(0),
  )
  np.testing.assert_array_equal(state.memory.visits, 1)


def test_what_the_method_says_of_itself_is_kept():
  method = methods.mixup(methods.volume_minimization(), alpha=1.0)
  assert method.optimizer is not None
  assert method.transition is not None
  two = methods.mixup(methods.co_teaching(noise_rate=0.2), alpha=1.0)
  assert two.num_networks == 2


@pytest.mark.parametrize('alpha', [0.0, float('inf')])
def test_numbers_out_of_range_are_refused(alpha):
  with pytest.raises(ValueError, match='alpha'):
    methods.mixup(PLAIN, alpha=alpha)


def test_methods_that_look_ahead_are_refused():
  with pytest.raises(ValueError, match='its batch alone'):
    methods.mixup(methods.meta_weight_net(), alpha=1.0)


def test_two_views_are_refused():
  with pytest.raises(ValueError, match='mixup takes a method that'):
    methods.mixup(methods.pro_mix(), alpha=1.0)
