"""A data set as a run sees it: corrupted, held out, dealt to the devices."""

from collections.abc import Callable
import functools
import itertools
from typing import NamedTuple

from flax import struct
import jax
import numpy as np

from experiments import devices
from experiments import errors
from experiments.data import lanes
from experiments.data import source
from noisy_labels import noise


@struct.dataclass
class Shards:
  """Examples that stay where they were dealt: arrays `[devices, rows, ...]`.

  Attributes:
    image: uint8 `[devices, rows, height, width, channels]`.
    label: the label given, int32. Wrong for some, except in the test split.
    true_label: for measuring alone, int32.
    trusted_label: the true label where a method may know it, otherwise -1.
    index: the example's place in its split: its identity, int32.
    mask: 1 for examples, 0 for padding, float32.
  """

  image: jax.Array
  label: jax.Array
  true_label: jax.Array
  trusted_label: jax.Array
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
    test: clean examples; none where the data set has no such split.
    mean: of the training pixels, a channel, in [0, 1].
    std: the same for their standard deviation.
    counts: int64 `[num_classes, num_classes]`: how many training or validation
      examples of true class i were given label j.
    trusted_label: by index in the training split, the true label where a method
      may know it, otherwise -1; int32, of all processes' examples.
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
  trusted_label: np.ndarray

  @property
  def noise_rate(self) -> float:
    """The share of training and validation labels that is wrong."""
    return float(1 - np.trace(self.counts) / np.sum(self.counts))

  @property
  def num_tests(self) -> int:
    """How many test examples there are, of all processes."""
    return self.info.num_examples.get('test', 0)


def make_dataset(
  name: str,
  *,
  local: devices.Local,
  data_dir: str | None,
  give: Callable[[source.Examples], np.ndarray],
  seed: int,
  validation_fraction: float,
  batch_size: int,
  num_trusted: int = 0,
  image_size: tuple[int, int] | None = None,
  exclude: np.ndarray | None = None,
  num_examples: int = 0,
) -> Dataset:
  """Reads this process's share of a data set and puts it on its devices.

  Args:
    name: a TFDS data set, or `digits`.
    local: this process's devices.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    give: from a range of the training split to its given labels.
    seed: draws the held-out examples.
    validation_fraction: how much of the training split is held out.
    batch_size: over all devices of all processes.
    num_trusted: of how many training examples the true label may be known.
    image_size: height and width to resize images to.
    exclude: the indices of training examples that take no part.
    num_examples: how many of the training split, drawn by seed and index, take
      part; 0 for all.

  Returns:
    The data set, on the devices.

  Raises:
    UsageError: the sizes do not fit the devices or the data.
    DataError: the data cannot be read.
  """
  load = functools.partial(
    source.load, name, data_dir=data_dir, image_size=image_size
  )
  info = source.describe(name, data_dir=data_dir)
  if 'train' not in info.num_examples:
    raise errors.RunError(
      f"{info.name} has no split 'train'; it has {', '.join(info.num_examples)}"
    )
  total = info.num_examples['train']
  kept, held = lanes.hold_out(total, validation_fraction, seed=seed)
  # What is left is where it would have been.
  part = lanes.take_part(total, num_examples, seed=seed)
  if exclude is not None:
    part = np.setdiff1d(part, exclude)
  kept, held = np.intersect1d(kept, part), np.intersect1d(held, part)
  deal = lanes.Deal(len(kept), local.total, batch_size)
  _check_batch_size(deal, name)
  if not len(held):
    raise errors.UsageError(
      f'config.validation_fraction={validation_fraction} holds out none of the '
      f'{len(part)} training examples, and models are selected on those: '
      'use a larger one'
    )
  held_deal = deal._replace(num_examples=len(held))
  train_index = kept[_share(deal, local)]
  held_index = held[_share(held_deal, local)]

  start, stop = _stretch(np.union1d(train_index, held_index), total)
  examples = load('train', start=start, stop=stop)
  train = np.searchsorted(examples.index, train_index)
  validation = np.searchsorted(examples.index, held_index)
  given = give(examples)
  trusted = lanes.choose_trusted(kept, num_trusted, seed=seed)
  _check_trusted(np.isin(kept, trusted), deal)
  trusted_label = np.where(np.isin(examples.index, trusted), examples.label, -1)

  test_deal = deal._replace(num_examples=info.num_examples.get('test', 0))
  share = _share(test_deal, local)
  test = source.Examples(*(array[:0] for array in examples))
  if test_deal.num_examples:
    test = load('test', start=share.start, stop=share.stop)
  mean, std = _pixel_statistics(examples.image[train])
  return Dataset(
    info=info,
    deal=deal,
    train=_place(examples, given, trusted_label, train, deal, local),
    train_index=train_index,
    validation=_place(
      examples, given, trusted_label, validation, held_deal, local
    ),
    test=_place(
      test,
      test.label,
      np.full_like(test.label, -1),
      np.arange(len(test.label)),
      test_deal,
      local,
    ),
    mean=mean,
    std=std,
    counts=_count(
      examples.label,
      given,
      np.concatenate([train, validation]),
      info.num_classes,
    ),
    trusted_label=_by_index(trusted_label[train], train_index, total),
  )


def _check_batch_size(deal: lanes.Deal, name: str) -> None:
  if deal.num_lanes % deal.num_devices:
    raise errors.UsageError(
      f'config.batch_size={deal.num_lanes} does not divide by the '
      f'{deal.num_devices} devices: use a multiple of {deal.num_devices}'
    )
  if deal.steps < 1:
    raise errors.UsageError(
      f'config.batch_size={deal.num_lanes} is more than the '
      f'{deal.num_examples} training examples of {name}: use a smaller one'
    )


def _check_trusted(trusted: np.ndarray, deal: lanes.Deal) -> None:
  bounds = deal.bounds(deal.num_devices)
  counts = np.diff(np.concatenate([[0], np.cumsum(trusted)])[bounds])
  if trusted.any() and not counts.all():
    raise errors.UsageError(
      f'config.num_trusted={trusted.sum()} leaves one of the '
      f'{deal.num_devices} devices without any: use a larger one'
    )


def _share(deal: lanes.Deal, local: devices.Local) -> slice:
  bounds = deal.bounds(deal.num_devices)
  return slice(
    int(bounds[local.numbers.start]), int(bounds[local.numbers.stop])
  )


def _stretch(index: np.ndarray, num_examples: int) -> tuple[int, int]:
  """The part of a split that holds `index`, in 64ths of the split.

  The coarse ends are for the cache of decoded images: runs with other seeds,
  which hold out other examples, then mostly ask for the same stretch.
  """
  block = -(-num_examples // 64)
  start = int(index[0]) // block * block
  return start, min(num_examples, (int(index[-1]) // block + 1) * block)


def _count(
  label: np.ndarray,
  given: np.ndarray,
  chosen: np.ndarray,
  num_classes: int,
) -> np.ndarray:
  """True against given labels over all processes, each example once."""
  measured = noise.measure(
    label[chosen], given[chosen], num_classes=num_classes
  )
  return devices.add_over_processes(measured.counts)


def _by_index(
  trusted_label: np.ndarray, index: np.ndarray, num_examples: int
) -> np.ndarray:
  """The trusted labels of all processes, -1 for all other examples."""
  above = np.zeros(num_examples, np.int32)
  above[index] = trusted_label + 1
  return devices.add_over_processes(above).astype(np.int32) - 1


def _pixel_statistics(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Mean and standard deviation a channel, of all processes' pixels.

  Sums of integers, so that the number of processes changes no bit.
  """
  values = np.arange(256)
  histogram = np.stack(
    [
      sum(
        np.bincount(part[..., channel].ravel(), minlength=256)
        for part in np.array_split(image, -(-len(image) // 4096))
      )
      for channel in range(image.shape[-1])
    ]
  )
  histogram = devices.add_over_processes(histogram)
  count = np.sum(histogram, axis=1)
  mean = histogram @ values / count
  variance = histogram @ values**2 / count - mean**2
  std = np.sqrt(np.maximum(variance, 1.0))
  return (mean / 255).astype(np.float32), (std / 255).astype(np.float32)


def _place(
  examples: source.Examples,
  given: np.ndarray,
  trusted_label: np.ndarray,
  chosen: np.ndarray,
  deal: lanes.Deal,
  local: devices.Local,
) -> Shards:
  """Deals the chosen examples to the local devices, padding the last rows."""
  bounds = deal.bounds(deal.num_devices)
  bounds = bounds[local.numbers.start : local.numbers.stop + 1]
  bounds = bounds - bounds[0]

  def dealt(array):
    shape = (len(local.devices), max(deal.rows, 1), *array.shape[1:])
    out = np.zeros(shape, array.dtype)
    for device, (start, stop) in enumerate(itertools.pairwise(bounds)):
      out[device, : stop - start] = array[chosen[start:stop]]
    return out

  shards = Shards(
    image=dealt(examples.image),
    label=dealt(given),
    true_label=dealt(examples.label),
    trusted_label=dealt(trusted_label.astype(np.int32)),
    index=dealt(examples.index.astype(np.int32)),
    mask=dealt(np.ones(len(examples.index), np.float32)),
  )
  return devices.place(shards, local)
