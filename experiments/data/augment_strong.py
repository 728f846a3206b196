"""Strong augmentation: some operations drawn at random, one key an example.

For the second view of the methods that ask for two. Images are bytes, as PIL
has them, before `augment.normalize`; what moves in from outside is grey.

The operations are those of RandAugment that have a magnitude, each of which
leaves an image as it is at 0. Inverting is solarising at magnitude 1. They are
computed side by side and one is taken, since under vmap a branch would be
computed for every image anyway; those that move pixels share one resampling.

References:
  Cubuk et al., `RandAugment: Practical automated data augmentation with a
  reduced search space <https://arxiv.org/abs/1909.13719>`_, 2020
"""

import chex
import jax
from jax import random
import jax.numpy as jnp
from jax.scipy import ndimage

OPERATIONS = (
  'brightness',
  'contrast',
  'saturation',
  'solarize',
  'posterize',
  'shear_x',
  'shear_y',
  'translate_x',
  'translate_y',
  'rotate',
)
_MOVES = OPERATIONS.index('shear_x')  # The first of those that move pixels.
_GREY = 128.0
_LUMINANCE = (0.299, 0.587, 0.114)


def apply(
  operation: jax.typing.ArrayLike,
  image: jax.Array,
  magnitude: jax.typing.ArrayLike,
) -> jax.Array:
  """One operation, with m the magnitude and s its sign.

    brightness   (1 + 0.9 m) x
    contrast     (1 + 0.9 m) (x - c) + c,  c the mean luminance of the image
    saturation   (1 + 0.9 m) (x - g) + g,  g the luminance of the pixel
    solarize     255 - x where x >= 256 (1 - |m|)
    posterize    the upper 8 - round(4 |m|) bits of x
    shear_x, _y        by 0.3 m
    translate_x, _y    by 0.3 m of the image's width or height
    rotate             by 30 m degrees

  Args:
    operation: its place in `OPERATIONS`.
    image: uint8 `[height, width, channels]`, 1 or 3 channels.
    magnitude: in [-1, 1]; 0 changes nothing.

  Returns:
    uint8 `[height, width, channels]`.
  """
  chex.assert_rank(image, 3)
  chex.assert_type(image, jnp.uint8)
  x = image.astype(jnp.float32)
  factor, size = 1 + 0.9 * magnitude, jnp.abs(magnitude)
  weights = jnp.array(_LUMINANCE if x.shape[-1] == 3 else (1.0,))
  luminance = jnp.sum(x * weights / jnp.sum(weights), axis=-1, keepdims=True)
  mean = jnp.mean(luminance)
  level = 2.0 ** jnp.round(4 * size)
  changed = jnp.stack(
    [
      factor * x,
      mean + factor * (x - mean),
      luminance + factor * (x - luminance),
      jnp.where(x >= 256 * (1 - size), 255 - x, x),
      jnp.floor(x / level) * level,
      _moved(operation, x, magnitude),
    ]
  )
  chosen = changed[jnp.minimum(operation, _MOVES)]
  return jnp.clip(jnp.round(chosen), 0, 255).astype(jnp.uint8)


def _moved(operation, image, magnitude):
  """The image through the affine map of an operation, with bilinear weights."""

  def only(name, value):
    return jnp.where(operation == OPERATIONS.index(name), value, 0.0)

  height, width, channels = image.shape
  angle = jnp.deg2rad(only('rotate', 30 * magnitude))
  shear = 0.3 * magnitude
  middle = jnp.array([(height - 1) / 2, (width - 1) / 2])
  y = jnp.arange(height)[:, None] - middle[0]
  x = jnp.arange(width) - middle[1]
  cos, sin = jnp.cos(angle), jnp.sin(angle)
  # Where each pixel comes from.
  rows = cos * y + (sin + only('shear_y', shear)) * x
  columns = (only('shear_x', shear) - sin) * y + cos * x
  rows += middle[0] + only('translate_y', 0.3 * height * magnitude)
  columns += middle[1] + only('translate_x', 0.3 * width * magnitude)
  return jnp.stack(
    [
      ndimage.map_coordinates(
        image[..., channel], [rows, columns], 1, 'constant', _GREY
      )
      for channel in range(channels)
    ],
    axis=-1,
  )


def strong(
  keys: jax.Array, images: jax.Array, *, operations: int, magnitude: float
) -> jax.Array:
  """Operations drawn with replacement, each image under its own key.

  Args:
    keys: PRNG keys, `[batch]`.
    images: uint8 `[batch, height, width, channels]`.
    operations: how many there are one after the other; 0 changes nothing.
    magnitude: of each, in [0, 1]; its sign is drawn.

  Returns:
    uint8 `[batch, height, width, channels]`.
  """
  chex.assert_rank(images, 4)
  if operations < 0:
    raise ValueError(f'operations must not be negative, got {operations}')
  if not 0 <= magnitude <= 1:
    raise ValueError(f'magnitude must be in [0, 1], got {magnitude}')

  def one(key: jax.Array, image: jax.Array) -> jax.Array:
    for number in range(operations):
      which_key, sign_key = random.split(random.fold_in(key, number))
      which = random.randint(which_key, (), 0, len(OPERATIONS))
      sign = random.rademacher(sign_key, (), jnp.float32)
      image = apply(which, image, sign * magnitude)
    return image

  return jax.vmap(one)(keys, images)
