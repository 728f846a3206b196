"""Mixup against the paper's equations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_training

from noisy_labels import losses
from noisy_labels import methods

PLAIN = methods.stateless(losses.cross_entropy)


def one(method, batch, seed, memory=None):
  """Losses and memory, and the images that the model was shown."""
  shown = []

  def predict(images, key):
    shown.append(images)
    return images

  state = methods.MethodState({}, memory if memory is not None else {})
  values, (memory, metrics) = method.loss(
    predict, batch, state, jax.random.key(seed)
  )
  assert len(shown) == 1
  return values, memory, metrics, shown[0]


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
  values, _, _, images = one(methods.mixup(PLAIN, alpha=1.0), batch, seed)
  shares = np.asarray(images) / 10
  np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
  np.testing.assert_allclose(shares.sum(0), 1, rtol=1e-6)
  # One ratio for the batch, whoever the partner is.
  ratios = np.unique(np.diag(shares)[np.diag(shares) < 1])
  assert len(ratios) == 1
  labels = shares @ np.eye(8)[batch['label']]
  log_p = np.log(tiny_training.softmax(np.float64(images)))
  np.testing.assert_allclose(values, -(labels * log_p).sum(1), rtol=1e-5)


def test_ratios_are_of_the_beta_distribution():
  def ratio(alpha, seed):
    batch = batch_of(np.ones(4))
    _, _, _, images = one(methods.mixup(PLAIN, alpha=alpha), batch, seed)
    return images.min(where=images > 0, initial=10) / 10

  for alpha, spread in ((0.05, 0.05), (100.0, 0.05)):
    draw = jax.jit(functools.partial(ratio, alpha))
    smaller = np.array([draw(seed) for seed in range(60)])
    smaller = np.minimum(smaller, 1 - smaller)
    middle = 0.0 if alpha < 1 else 0.5
    assert np.median(abs(smaller - middle)) < spread


def test_padding_is_mixed_with_nothing_and_nothing_with_it():
  mask = np.array([1, 0, 1, 1, 0, 1])
  for seed in range(5):
    _, _, _, images = one(methods.mixup(PLAIN, alpha=1.0), batch_of(mask), seed)
    assert not np.any(images[mask == 1][:, mask == 0])


def test_an_example_is_remembered_once_and_the_partner_is_not():
  method = methods.mixup(methods.warm_up(PLAIN, epochs=1), alpha=1.0)
  state = method.init(jax.random.key(0), 8, 8)
  _, memory, _, _ = one(method, batch_of(np.ones(8)), 0, state.memory)
  np.testing.assert_array_equal(memory.visits, 1)


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
