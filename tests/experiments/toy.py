"""A small problem with real steps: random images, no files."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments import devices
from experiments import train
from experiments.data import augment
from experiments.data import dataset
from noisy_labels import losses
from noisy_labels import methods

NUM_CLASSES = 3
IMAGE_SHAPE = (8, 8, 1)
ROWS = 24  # A quarter of the examples.


def shards(num_devices, rows, seed=0):
  rng = np.random.default_rng(seed)
  size = (num_devices * rows,)
  label = rng.integers(0, NUM_CLASSES, size).astype(np.int32)
  arrays = dataset.Shards(
    image=rng.integers(0, 256, size + IMAGE_SHAPE).astype(np.uint8),
    label=label,
    true_label=np.where(rng.random(size) < 0.3, 0, label).astype(np.int32),
    trusted_label=np.where(np.arange(*size) % 4 == 0, label, -1),
    index=np.arange(*size, dtype=np.int32),
    mask=np.ones(size, np.float32),
  )
  return jax.tree.map(
    lambda x: x.reshape((num_devices, rows, *x.shape[1:])), arrays
  )


def parts(model, *, ema_decay=0.0, augmentation=None, method=None):
  return train.Parts(
    model=model,
    method=method or methods.stateless(losses.cross_entropy),
    optimizer=optax.sgd(0.1, momentum=0.9),
    normalize=functools.partial(
      augment.normalize, mean=jnp.float32(0.5), std=jnp.float32(0.3)
    ),
    augmentation=augmentation or {'crop_padding': 1, 'flip': True, 'cutout': 2},
    ema_decay=ema_decay,
  )


def create(toy_parts, rows):
  return train.create_train_state(
    toy_parts,
    image_shape=IMAGE_SHAPE,
    num_rows=rows,
    num_classes=NUM_CLASSES,
    seed=0,
  )


def rows_of(num_devices, step):
  """One global batch of 16, dealt to any number of devices."""
  per_device = 16 // num_devices
  total = 4 * ROWS
  lane = total // 16
  batch = np.arange(16) * lane + step
  start = np.arange(num_devices)[:, None] * (total // num_devices)
  return (batch.reshape(num_devices, per_device) - start).astype(np.int32)


def split(shards, num_devices):
  return jax.tree.map(
    lambda x: x.reshape((num_devices, -1, *x.shape[2:])), shards
  )


def compiled(parts, mapped=devices.parallel):
  """The step, for runs that are to share it."""
  return mapped(
    functools.partial(train.train_step, parts),
    in_axes=(None, 0, 0, 0),
    out_axes=(None, 0, None),
  )


def run(
  parts,
  num_devices,
  *,
  steps=3,
  mapped=devices.parallel,
  step=None,
  **changes,
):
  data = split(shards(4, ROWS), num_devices).replace(**changes)
  state, memory = create(parts, 4 * ROWS // num_devices)
  memory = jax.tree.map(
    lambda x: np.repeat(x[None], num_devices, axis=0), memory
  )
  step = step or compiled(parts, mapped)
  for number in range(steps):
    rows = rows_of(num_devices, number)
    state, memory, sums = step(state, memory, data, rows)
  return jax.device_get((state, memory, sums))
