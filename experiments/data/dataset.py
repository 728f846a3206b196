"""A data set as a run sees it: corrupted, held out, dealt to the devices."""

import itertools
from typing import NamedTuple

import jax
import numpy as np

from experiments import devices
from experiments import errors
from experiments.data import lanes
from experiments.data import source
from noisy_labels import noise


class Shards(NamedTuple):
  """Examples that stay where they were dealt: arrays `[devices, rows, ...]`.

  Attributes:
    image: uint8 `[devices, rows, height, width, channels]`.
    label: the label given, int32. Wrong for some, except in the test split.
    true_label: for measuring alone, int32.
    index: the example's place in its split: its identity, int32.
    mask: 1 for examples, 0 for padding, float32.
  """

  image: jax.Array
  label: jax.Array
  true_label: jax.Array
  index: jax.Array
  mask: jax.Array


class Dataset(NamedTuple):
  """What a run trains and measures on.

  Attributes:
    info: names and sizes.
    deal: how the training examples are dealt to devices and steps.
    train: the training examples.
    train_index: the identities of this process's training examples, by row.
    validation: held-out training examples, their labels as noisy as the rest.
    test: clean examples.
    mean: of the training pixels, a channel, in [0, 1].
    std: the same for their standard deviation.
    counts: int64 `[num_classes, num_classes]`: how many training or validation
      examples of true class i were given label j.
  """

  info: source.Info
  deal: lanes.Deal
  train: Shards
  train_index: np.ndarray
  validation: Shards
  test: Shards
  mean: np.ndarray
  std: np.ndarray
  counts: np.ndarray

  @property
  def noise_rate(self) -> float:
    """The share of training and validation labels that is wrong."""
    return float(1 - np.trace(self.counts) / np.sum(self.counts))


def make_dataset(
  name: str,
  *,
  data_dir: str | None,
  transition: np.ndarray,
  noise_seed: int,
  seed: int,
  validation_fraction: float,
  batch_size: int,
  image_size: tuple[int, int] | None = None,
  local_devices: list[jax.Device] | None = None,
) -> Dataset:
  """Reads this process's share of a data set and puts it on its devices.

  Args:
    name: a TFDS data set, or `digits`.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    transition: `[num_classes, num_classes]`, T[i, j] = P(given j | true i).
    noise_seed: draws the wrong labels, with each example's index.
    seed: draws the held-out examples.
    validation_fraction: how much of the training split is held out.
    batch_size: over all devices of all processes.
    image_size: height and width to resize images to.
    local_devices: which of this process's devices to use; all by default.

  Returns:
    The data set, on the devices.

  Raises:
    UsageError: the sizes do not fit the devices or the data.
    DataError: the data cannot be read.
  """
  info = source.describe(name, data_dir=data_dir)
  _check_sizes(info, transition)
  local_devices = local_devices or jax.local_devices()
  num_devices = len(local_devices) * jax.process_count()
  first = len(local_devices) * jax.process_index()
  mine = range(first, first + len(local_devices))
  if batch_size < 1 or batch_size % num_devices:
    raise errors.UsageError(
      f'config.batch_size={batch_size} does not divide by the {num_devices} '
      f'devices: use a multiple of {num_devices}'
    )

  def load(split, start=0, stop=None):
    return source.load(
      name,
      split,
      data_dir=data_dir,
      start=start,
      stop=stop,
      image_size=image_size,
    )

  kept, held = lanes.hold_out(
    info.num_examples['train'], validation_fraction, seed=seed
  )
  deal = lanes.Deal(len(kept), num_devices, batch_size)
  if deal.steps < 1:
    raise errors.UsageError(
      f'config.batch_size={batch_size} is more than the {len(kept)} training '
      f'examples of {name}: use a smaller one'
    )
  held_deal = deal._replace(num_examples=len(held))
  train_index = kept[_share(deal, mine)]
  held_index = held[_share(held_deal, mine)]
  examples = load(
    'train',
    *_range(np.union1d(train_index, held_index), info.num_examples['train']),
  )
  corrupted = noise.corrupt(
    examples.label, transition, seed=noise_seed, index=examples.index
  )
  place = {'local_devices': local_devices, 'mine': mine}
  train = _rows(examples, train_index)
  validation = _rows(examples, held_index)
  test_deal = deal._replace(num_examples=info.num_examples['test'])
  test_share = _share(test_deal, mine)
  test = load('test', test_share.start, test_share.stop)
  mean, std = _pixel_statistics(examples.image[train])
  mine_alone = np.concatenate([train, validation])
  counts = np.zeros(transition.shape, np.int64)
  np.add.at(
    counts,
    (examples.label[mine_alone], corrupted.labels[mine_alone]),
    1,
  )
  return Dataset(
    info=info,
    deal=deal,
    train=_shards(examples, corrupted.labels, train, deal, **place),
    train_index=train_index,
    validation=_shards(
      examples, corrupted.labels, validation, held_deal, **place
    ),
    test=_shards(
      test, test.label, np.arange(len(test.label)), test_deal, **place
    ),
    mean=mean,
    std=std,
    counts=devices.add_over_processes(counts),
  )


def _check_sizes(info: source.Info, transition: np.ndarray) -> None:
  if len(transition) != info.num_classes:
    raise errors.UsageError(
      f'config.noise makes labels of {len(transition)} classes, but '
      f'{info.name} has {info.num_classes}'
    )
  for split in ('train', 'test'):
    if split not in info.num_examples:
      raise errors.RunError(
        f'{info.name} has no split {split!r}; it has '
        f'{", ".join(info.num_examples)}'
      )


def _share(deal: lanes.Deal, mine: range) -> slice:
  bounds = deal.bounds(deal.num_devices)
  return slice(int(bounds[mine.start]), int(bounds[mine.stop]))


def _range(index: np.ndarray, num_examples: int) -> tuple[int, int]:
  """The stretch of a split that holds `index`, in 64ths of the split.

  The coarse ends are for the cache of decoded images: whatever the seed held
  out, a process asks for the same stretch.
  """
  block = -(-num_examples // 64)
  start = int(index[0]) // block * block
  return start, min(num_examples, (int(index[-1]) // block + 1) * block)


def _rows(examples: source.Examples, index: np.ndarray) -> np.ndarray:
  return np.searchsorted(examples.index, index)


def _pixel_statistics(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Mean and standard deviation a channel, of all processes' pixels.

  Sums of integers, so that the number of processes changes no bit.
  """
  values = np.arange(256)
  channels = image.shape[-1]
  histogram = np.stack(
    [
      np.bincount(image[..., channel].ravel(), minlength=256)
      for channel in range(channels)
    ]
  )
  histogram = devices.add_over_processes(histogram)
  count = np.sum(histogram, axis=1)
  mean = histogram @ values / count
  variance = histogram @ values**2 / count - mean**2
  std = np.sqrt(np.maximum(variance, 1.0))
  return (mean / 255).astype(np.float32), (std / 255).astype(np.float32)


def _shards(
  examples: source.Examples,
  label: np.ndarray,
  chosen: np.ndarray,
  deal: lanes.Deal,
  *,
  local_devices: list[jax.Device],
  mine: range,
) -> Shards:
  """Deals the chosen examples to the local devices, padding the last rows."""
  bounds = deal.bounds(deal.num_devices)[mine.start : mine.stop + 1]
  bounds = bounds - bounds[0]
  rows = max(deal.rows, 1)

  def dealt(array):
    array = np.asarray(array)
    out = np.zeros((len(mine), rows, *array.shape[1:]), array.dtype)
    for device, (start, stop) in enumerate(itertools.pairwise(bounds)):
      out[device, : stop - start] = array[chosen[start:stop]]
    return out

  shards = Shards(
    image=dealt(examples.image),
    label=dealt(label),
    true_label=dealt(examples.label),
    index=dealt(examples.index.astype(np.int32)),
    mask=dealt(np.ones(len(examples.index), np.float32)),
  )
  return devices.place(shards, local_devices)
