import functools

import jax
from jax import random
import jax.numpy as jnp
import numpy as np
from PIL import Image
from PIL import ImageEnhance
from PIL import ImageOps
import pytest
from scipy import stats

from experiments.data import augment_strong
from tests.experiments import toy

OPERATIONS = augment_strong.OPERATIONS
COLOR = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
GREY = COLOR[..., :1]
KEYS = random.split(random.key(0), 6)
IMAGES = np.stack([np.roll(COLOR, number) for number in range(6)])


@functools.cache
def compiled(shape):
  """All operations of an image of this shape, by their places."""
  del shape
  return jax.jit(augment_strong.apply)


def apply(name, image, magnitude):
  place = OPERATIONS.index(name)
  return np.asarray(compiled(image.shape)(place, image, magnitude))


@pytest.mark.parametrize('name', OPERATIONS)
@pytest.mark.parametrize('image', [COLOR, GREY], ids=['color', 'grey'])
def test_bytes_to_bytes_and_no_magnitude_no_change(name, image):
  np.testing.assert_array_equal(apply(name, image, 0.0), image)
  for magnitude in (-1.0, 1.0):
    changed = apply(name, image, magnitude)
    assert changed.dtype == np.uint8
    assert changed.shape == image.shape
    if name != 'saturation' or image is COLOR:  # Grey has none.
      assert np.any(changed != image)


@pytest.mark.parametrize(
  ('name', 'enhance'),
  [
    ('brightness', ImageEnhance.Brightness),
    ('contrast', ImageEnhance.Contrast),
    ('saturation', ImageEnhance.Color),
  ],
)
@pytest.mark.parametrize('magnitude', [-1.0, 0.5])
def test_enhancements_are_those_of_pil(name, enhance, magnitude):
  want = enhance(Image.fromarray(COLOR)).enhance(1 + 0.9 * magnitude)
  # PIL rounds luminances and means first.
  difference = apply(name, COLOR, magnitude).astype(int) - np.asarray(want)
  assert np.abs(difference).max() <= 2


def test_solarize_and_posterize_are_those_of_pil():
  image = Image.fromarray(COLOR)
  for magnitude, bits in ((0.25, 7), (0.5, 6), (1.0, 4)):
    threshold = 256 * (1 - magnitude)
    np.testing.assert_array_equal(
      apply('solarize', COLOR, magnitude),
      ImageOps.solarize(image, int(threshold)),
    )
    np.testing.assert_array_equal(
      apply('posterize', COLOR, -magnitude), ImageOps.posterize(image, bits)
    )


def test_whole_pixels_are_translated_and_grey_moves_in():
  image = np.arange(100, dtype=np.uint8).reshape(10, 10, 1)
  right = apply('translate_x', image, 1.0)
  np.testing.assert_array_equal(right[:, :-3], image[:, 3:])
  np.testing.assert_array_equal(right[:, -3:], 128)
  down = apply('translate_y', image, -1.0)
  np.testing.assert_array_equal(down[3:], image[:-3])
  np.testing.assert_array_equal(down[:3], 128)


@pytest.mark.parametrize('name', ['rotate', 'shear_x', 'shear_y'])
def test_the_middle_stays_and_back_is_the_reverse(name):
  rows, columns = np.mgrid[:21, :21]
  smooth = 128 + 40 * np.sin(rows / 5) + 40 * np.cos(columns / 6)
  image = np.round(smooth).astype(np.uint8)[..., None]
  moved = apply(name, image, 0.5)
  assert np.any(moved != image)
  assert moved[10, 10] == image[10, 10]
  back = apply(name, moved, -0.5).astype(int)
  assert np.abs(back - image)[6:-6, 6:-6].max() <= 4


def test_rotation_is_that_of_pil():
  rows, columns = np.mgrid[:21, :21]
  smooth = 128 + 40 * np.sin(rows / 5) + 40 * np.cos(columns / 6)
  image = np.round(smooth).astype(np.uint8)
  want = Image.fromarray(image).rotate(15, Image.Resampling.BILINEAR)
  got = apply('rotate', image[..., None], 0.5)[..., 0].astype(int)
  assert np.abs(got - np.asarray(want))[4:-4, 4:-4].max() <= 2


strong = jax.jit(
  augment_strong.strong, static_argnames=('operations', 'magnitude')
)


def test_pure_in_the_key_and_of_the_image_alone():
  whole = functools.partial(strong, operations=2, magnitude=0.7)
  together = whole(KEYS, IMAGES)
  order = np.array([3, 1, 5, 0, 2, 4])
  np.testing.assert_array_equal(
    whole(KEYS[order], IMAGES[order]), together[order]
  )
  assert together.dtype == jnp.uint8
  assert np.any(together != IMAGES)
  other = whole(random.split(random.key(1), 6), IMAGES)
  assert np.any(other != together)
  np.testing.assert_array_equal(
    strong(KEYS, IMAGES, operations=2, magnitude=0.0), IMAGES
  )
  np.testing.assert_array_equal(
    strong(KEYS, IMAGES, operations=0, magnitude=0.7), IMAGES
  )


def test_every_operation_is_drawn_as_often():
  keys = random.split(random.key(2), 1000)
  images = np.broadcast_to(COLOR, (1000, *COLOR.shape))
  changed = np.asarray(strong(keys, images, operations=1, magnitude=1.0))
  # By one program, as above: another may round up what this rounds down.
  which, sign = np.repeat(np.arange(10), 2), np.tile([-1.0, 1.0], 10)
  candidates = jax.jit(jax.vmap(augment_strong.apply))(which, images[:20], sign)
  found = (changed[:, None] == np.asarray(candidates)).all(axis=(2, 3, 4))
  # Of some, the sign does not matter.
  pairs = found.reshape(1000, len(OPERATIONS), 2).any(axis=2)
  assert (pairs.sum(axis=1) == 1).all()
  assert stats.chisquare(pairs.sum(axis=0)).pvalue > 1e-3


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'operations': -1, 'magnitude': 0.5}, 'operations must not be negative'),
    ({'operations': 1, 'magnitude': 1.5}, r'magnitude must be in \[0, 1\]'),
  ],
)
def test_ranges(fields, message):
  with pytest.raises(ValueError, match=message):
    augment_strong.strong(KEYS, IMAGES, **fields)


def test_the_second_view_is_the_same_on_any_number_of_devices():
  parts = toy.parts(None)._replace(strong={'operations': 2, 'magnitude': 1.0})
  shards = toy.shards(1, 8)
  keys = random.split(random.key(3), 8)
  view = jax.jit(parts.other_view)
  whole = view(keys, shards.image[0])
  halves = jax.pmap(parts.other_view, devices=jax.local_devices()[:2])(
    keys.reshape(2, 4), shards.image[0].reshape(2, 4, *toy.IMAGE_SHAPE)
  )
  np.testing.assert_allclose(
    halves.reshape(whole.shape), whole, rtol=1e-6, atol=1e-6
  )
  assert np.any(
    view(keys, shards.image[0]) != parts.view(keys, shards.image[0])
  )
