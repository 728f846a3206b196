import functools

import jax
from jax import random
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from experiments.data import augment

# Every pixel of every channel is another number, and none is 0.
IMAGE = 1.0 + jnp.arange(6 * 7 * 3).reshape(6, 7, 3)
KEYS = random.split(random.key(0), 2000)


def windows(padding):
  """Every crop that may come out, by the corner where it starts."""
  padded = np.pad(IMAGE, ((padding,) * 2, (padding,) * 2, (0, 0)))
  corners = np.ndindex(2 * padding + 1, 2 * padding + 1)
  return {(y, x): padded[y : y + 6, x : x + 7] for y, x in corners}


def test_normalize():
  image = jnp.array([[[0, 255, 51]]], jnp.uint8)
  mean, std = jnp.array([0.0, 0.5, 0.2]), jnp.array([1.0, 0.5, 0.1])
  normal = augment.normalize(image, mean, std)
  np.testing.assert_allclose(normal, [[[0, 1, 0]]], atol=1e-6)
  assert normal.dtype == jnp.float32


def test_normalize_takes_bytes_alone():
  with pytest.raises(AssertionError, match='uint8'):
    augment.normalize(IMAGE, 0.5, 0.5)


def test_crops_are_shifted_windows_evenly_drawn():
  crop = jax.vmap(lambda key: augment.random_crop(key, IMAGE, padding=2))
  crops = np.asarray(crop(KEYS))
  counts = [
    (crops == window).all(axis=(1, 2, 3)).sum()
    for window in windows(2).values()
  ]
  assert sum(counts) == len(KEYS)
  assert stats.chisquare(counts).pvalue > 1e-3


def test_flips_half_of_the_time():
  flip = jax.vmap(lambda key: augment.random_flip(key, IMAGE))
  flips = np.asarray(flip(KEYS))
  flipped = (flips == IMAGE[:, ::-1]).all(axis=(1, 2, 3))
  kept = (flips == IMAGE).all(axis=(1, 2, 3))
  assert (flipped ^ kept).all()
  assert stats.binomtest(int(flipped.sum()), len(KEYS)).pvalue > 1e-3


def test_flipping_twice_changes_nothing():
  once = augment.random_flip(KEYS[0], IMAGE)
  twice = augment.random_flip(KEYS[0], once)
  np.testing.assert_array_equal(twice, IMAGE)


@pytest.mark.parametrize('size', [1, 2, 3, 4, 20])
def test_cutout_is_a_square_around_an_evenly_drawn_pixel(size):
  cut = jax.vmap(lambda key: augment.cutout(key, IMAGE, size=size))
  holes = np.asarray(cut(KEYS)) == 0
  assert (holes == holes[..., :1]).all()
  below, above = size // 2, size - size // 2
  expected = np.zeros((6, 7, 6, 7), bool)
  for y, x in np.ndindex(6, 7):
    rows = slice(max(y - below, 0), y + above)
    expected[y, x, rows, max(x - below, 0) : x + above] = True
  shapes, places = np.unique(
    expected.reshape(42, -1), axis=0, return_inverse=True
  )
  found = (holes[:, None, :, :, 0].reshape(len(KEYS), 1, -1) == shapes).all(-1)
  assert (found.sum(axis=1) == 1).all()
  if len(shapes) > 1:
    share = np.bincount(places.reshape(-1)) / 42
    assert stats.chisquare(found.sum(0), share * len(KEYS)).pvalue > 1e-3


def test_cutout_area():
  cut = jax.vmap(lambda key: augment.cutout(key, IMAGE, size=4))
  areas = (np.asarray(cut(KEYS))[..., 0] == 0).sum(axis=(1, 2))
  assert areas.max() == 16
  assert areas.min() == 4  # A corner's quarter.


@pytest.mark.parametrize(
  'change',
  [
    functools.partial(augment.random_crop, padding=0),
    functools.partial(augment.cutout, size=0),
  ],
)
def test_size_zero_changes_nothing(change):
  np.testing.assert_array_equal(change(KEYS[0], IMAGE), IMAGE)


@pytest.mark.parametrize(
  'change',
  [
    functools.partial(augment.random_crop, padding=2),
    augment.random_flip,
    functools.partial(augment.cutout, size=3),
  ],
)
@pytest.mark.parametrize('dtype', [jnp.uint8, jnp.bfloat16, jnp.float32])
def test_pure_under_jit_in_any_type(change, dtype):
  image = IMAGE.astype(dtype)
  for key in KEYS[:5]:
    plain = change(key, image)
    assert plain.dtype == dtype
    np.testing.assert_array_equal(change(key, image), plain)
    np.testing.assert_array_equal(jax.jit(change)(key, image), plain)


def test_augment_takes_an_image_a_key():
  """The result does not depend on the batch, hence not on the devices."""
  whole = functools.partial(
    augment.augment, crop_padding=2, flip=True, cutout=3
  )
  keys, images = KEYS[:8], random.normal(random.key(1), (8, 6, 7, 3))
  together = whole(keys, images)
  whole = jax.jit(whole)
  np.testing.assert_array_equal(whole(keys, images), together)
  order = jnp.array([3, 1, 7, 0, 2, 6, 5, 4])
  np.testing.assert_array_equal(
    whole(keys[order], images[order]), together[order]
  )
  for i in (0, 7):
    alone = whole(keys[i : i + 1], images[i : i + 1])
    np.testing.assert_array_equal(alone[0], together[i])
  raw = whole(random.key_data(keys), images)
  np.testing.assert_array_equal(raw, together)


def test_augment_draws_its_parts_independently():
  images = jnp.broadcast_to(IMAGE, (len(KEYS), *IMAGE.shape))
  corner = augment.augment(KEYS, images, crop_padding=1)[:, 0, 0, 0] == 0
  flipped = augment.augment(KEYS, images, flip=True)[:, 0, 0, 0] != 1
  table = np.histogram2d(np.asarray(corner), np.asarray(flipped), bins=2)[0]
  assert stats.chi2_contingency(table).pvalue > 1e-3


def test_augment_leaves_out_what_is_not_asked_for():
  images = IMAGE[None]
  np.testing.assert_array_equal(augment.augment(KEYS[:1], images), images)


@pytest.mark.parametrize('name', ['crop_padding', 'cutout'])
def test_augment_rejects_negative_sizes(name):
  with pytest.raises(ValueError, match=f'{name} must not be negative, got -1'):
    augment.augment(KEYS[:1], IMAGE[None], **{name: -1})
