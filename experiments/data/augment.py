"""Augmentation inside the training step: pure, jittable, one key an example.

An image is a float array `[height, width, channels]` that `normalize` has
already made; what is cut away or padded is 0, which is then the mean pixel.

Keys belong to examples, not to batches: a caller who derives them from the
seed, the step and the example's index gets the same images on any number of
devices.
"""

import chex
import jax
from jax import lax
from jax import random
import jax.numpy as jnp


def normalize(
  image: jax.Array, mean: jax.typing.ArrayLike, std: jax.typing.ArrayLike
) -> jax.Array:
  r"""Bytes to floats of about unit variance.

  .. math::

    \frac{x / 255 - \text{mean}}{\text{std}}

  Args:
    image: uint8 `[..., channels]`.
    mean: `[channels]` or a number, in [0, 1].
    std: `[channels]` or a number, positive.

  Returns:
    float32 `[..., channels]`.
  """
  chex.assert_type(image, jnp.uint8)
  return (image.astype(jnp.float32) / 255 - mean) / std


def random_crop(key: jax.Array, image: jax.Array, *, padding: int) -> jax.Array:
  """Shifts an image by up to `padding` pixels each way, zeros moving in.

  Args:
    key: A PRNG key.
    image: `[height, width, channels]`.
    padding: How many zeros are put on every side before the image's size is
      cut out of the whole; 0 changes nothing.

  Returns:
    The image, `[height, width, channels]`.
  """
  chex.assert_rank(image, 3)
  borders = ((padding, padding), (padding, padding), (0, 0))
  y, x = random.randint(key, (2,), 0, 2 * padding + 1)
  # Under vmap a gather of whole windows. It was the fastest of five forms on
  # CPU: 0.2 ms for 128 images of 32x32x3, where two matrix products took 1.2.
  return lax.dynamic_slice(jnp.pad(image, borders), (y, x, 0), image.shape)


def random_flip(key: jax.Array, image: jax.Array) -> jax.Array:
  """Mirrors an image left to right with probability 1/2.

  Args:
    key: A PRNG key.
    image: `[height, width, channels]`.

  Returns:
    The image, `[height, width, channels]`.
  """
  chex.assert_rank(image, 3)
  return jnp.where(random.bernoulli(key), image[:, ::-1], image)


def cutout(key: jax.Array, image: jax.Array, *, size: int) -> jax.Array:
  """Zeros a square around a random pixel; at a border, what is left of it.

  Args:
    key: A PRNG key.
    image: `[height, width, channels]`.
    size: The side of the square in pixels; 0 changes nothing.

  Returns:
    The image, `[height, width, channels]`.

  References:
    DeVries and Taylor, `Improved Regularization of Convolutional Neural
    Networks with Cutout <https://arxiv.org/abs/1708.04552>`_, 2017
  """
  chex.assert_rank(image, 3)
  height, width, _ = image.shape
  center = random.randint(key, (2,), 0, jnp.array([height, width]))
  top, left = center - size // 2
  rows = jnp.arange(height)[:, None]
  columns = jnp.arange(width)
  inside = (rows >= top) & (rows < top + size)
  inside &= (columns >= left) & (columns < left + size)
  return jnp.where(inside[..., None], 0, image)


def augment(
  keys: jax.Array,
  images: jax.Array,
  *,
  crop_padding: int = 0,
  flip: bool = False,
  cutout: int = 0,
) -> jax.Array:
  """Crops, flips and cuts out, each image under its own key.

  Args:
    keys: PRNG keys, `[batch]`.
    images: What `normalize` made, `[batch, height, width, channels]`.
    crop_padding: The padding of `random_crop`; 0 leaves it out.
    flip: Whether to flip at random.
    cutout: The size of `cutout`; 0 leaves it out.

  Returns:
    The images, `[batch, height, width, channels]`.
  """
  chex.assert_rank(images, 4)
  for name, value in (('crop_padding', crop_padding), ('cutout', cutout)):
    if value < 0:
      raise ValueError(f'{name} must not be negative, got {value}')

  def one(key: jax.Array, image: jax.Array) -> jax.Array:
    # Split in three whatever is used, so that no choice changes another's.
    crop_key, flip_key, cutout_key = random.split(key, 3)
    if crop_padding:
      image = random_crop(crop_key, image, padding=crop_padding)
    if flip:
      image = random_flip(flip_key, image)
    if cutout:
      image = _cutout(cutout_key, image, size=cutout)
    return image

  return jax.vmap(one)(keys, images)


_cutout = cutout  # `augment` has an argument of that name.
