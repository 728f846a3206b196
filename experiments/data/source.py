"""Image classification data sets, read through TFDS without TensorFlow.

A data set must be prepared as array_record, whose records are found by their
index. That makes the index an example's identity, and lets a process decode
its own share alone.
"""

import os
import pathlib
from typing import NamedTuple

import numpy as np
import PIL
import tensorflow_datasets as tfds

from experiments.data import cache
from experiments.data import decode
from experiments.data import errors
from experiments.data import prepared
from experiments.data import records as records_lib

DataError = errors.DataError  # What a caller of this module must catch.


class Info(NamedTuple):
  """What a data set is, without reading an example.

  Attributes:
    name: Name, config and version.
    num_classes: The number of classes K.
    class_names: K names.
    image_shape: Height, width and channels; 0 for what varies.
    num_examples: How many examples each split has.
  """

  name: str
  num_classes: int
  class_names: tuple[str, ...]
  image_shape: tuple[int, int, int]
  num_examples: dict[str, int]


class Examples(NamedTuple):
  """A range of one split, decoded.

  Attributes:
    image: uint8 `[n, height, width, channels]`; a read-only memory map.
    label: int32 `[n]`, as the files have it.
    index: int64 `[n]`, the place in the split: the example's identity.
  """

  image: np.ndarray
  label: np.ndarray
  index: np.ndarray  # type: ignore[assignment]  # Also a method of tuples.


def describe(
  name: str, *, data_dir: str | os.PathLike[str] | None = None
) -> Info:
  """Tells what a data set is.

  Args:
    name: `name`, `name/config` or `name/config:version`, as TFDS spells it.
    data_dir: Where TFDS keeps its data sets; if it is left out,
      $TFDS_DATA_DIR or ~/tensorflow_datasets.

  Returns:
    Its classes, image shape and sizes.

  Raises:
    DataError: If it is not there, or is not image classification.
  """
  builder = prepared.find_random_access(name, data_dir)
  feature = _class_feature(builder, 'label')
  height, width, channels = _image_shape(builder)
  return Info(
    name=prepared.full_name(builder),
    num_classes=feature.num_classes,
    class_names=tuple(feature.names),
    image_shape=(height or 0, width or 0, channels),
    num_examples={
      split: info.num_examples for split, info in builder.info.splits.items()
    },
  )


def load(
  name: str,
  split: str,
  *,
  data_dir: str | os.PathLike[str] | None = None,
  start: int = 0,
  stop: int | None = None,
  label: str = 'label',
  image_size: tuple[int, int] | None = None,
) -> Examples:
  """Decodes examples `start..stop-1` of a split, or maps them from the cache.

  Args:
    name: `name`, `name/config` or `name/config:version`, as TFDS spells it.
    split: A whole split, such as `train`.
    data_dir: Where TFDS keeps its data sets; if it is left out,
      $TFDS_DATA_DIR or ~/tensorflow_datasets.
    start: The first example wanted.
    stop: One past the last; the split's length if it is left out.
    label: The feature that holds the label, such as CIFAR-10N's `worse_label`.
    image_size: Height and width to resize to; needed where they vary.

  Returns:
    The examples, in the files' order.

  Raises:
    DataError: If the data are absent, damaged or not as described.
  """
  builder = prepared.find_random_access(name, data_dir)
  num_examples = _num_examples(builder, split)
  stop = num_examples if stop is None else stop
  if not 0 <= start <= stop <= num_examples:
    raise ValueError(
      f'start and stop must satisfy 0 <= start <= stop <= {num_examples}, '
      f'got {start} and {stop}'
    )
  num_classes = _class_feature(builder, label).num_classes
  height, width, channels = _image_shape(builder)
  if image_size:
    height, width = image_size
  shape = (height, width, channels)
  records = records_lib.Records(builder, split)

  def make() -> tuple[np.ndarray, np.ndarray]:
    return decode.decode(
      records,
      range(start, stop),
      label=label,
      num_classes=num_classes,
      shape=shape,
    )

  key = {
    'name': prepared.full_name(builder),
    'split': split,
    'start': start,
    'stop': stop,
    'label': label,
    'num_classes': num_classes,
    'shape': shape,
    'files': [_fingerprint(path) for path in records.files],
    'decoder': f'pillow {PIL.__version__}',
  }
  title = f'{builder.info.full_name.replace("/", "-")}-{split}'
  image, labels = cache.images_and_labels(title, key, make)
  return Examples(image, labels, np.arange(start, stop, dtype=np.int64))


def load_labels(
  name: str,
  split: str,
  feature: str,
  *,
  data_dir: str | os.PathLike[str] | None = None,
  start: int = 0,
  stop: int | None = None,
) -> np.ndarray:
  """Reads one label of examples `start..stop-1` of a split; decodes no image.

  Args:
    name: `name`, `name/config` or `name/config:version`, as TFDS spells it.
    split: A whole split, such as `train`.
    feature: The feature that holds the label, such as CIFAR-10N's
      `worse_label`.
    data_dir: Where TFDS keeps its data sets; if it is left out,
      $TFDS_DATA_DIR or ~/tensorflow_datasets.
    start: The first example wanted.
    stop: One past the last; the split's length if it is left out.

  Returns:
    int32 `[n]`, in the files' order.

  Raises:
    DataError: If the data are absent, damaged or not as described.
  """
  builder = prepared.find_random_access(name, data_dir)
  num_examples = _num_examples(builder, split)
  return decode.labels(
    records_lib.Records(builder, split),
    range(start, num_examples if stop is None else stop),
    label=feature,
    num_classes=_class_feature(builder, feature).num_classes,
  )


def check_label(
  name: str,
  feature: str,
  *,
  data_dir: str | os.PathLike[str] | None = None,
) -> None:
  """Raises a `DataError` unless the data set has this class label."""
  _class_feature(prepared.find_random_access(name, data_dir), feature)


def _num_examples(builder: tfds.core.DatasetBuilder, split: str) -> int:
  if split not in builder.info.splits:
    raise DataError(
      f"{prepared.full_name(builder)} has no split '{split}': it has "
      f'{", ".join(builder.info.splits)}'
    )
  return builder.info.splits[split].num_examples


def _class_feature(
  builder: tfds.core.DatasetBuilder, name: str
) -> tfds.features.ClassLabel:
  features = dict(builder.info.features.items())
  if isinstance(features.get(name), tfds.features.ClassLabel):
    return features[name]
  labels = sorted(
    key
    for key, feature in features.items()
    if isinstance(feature, tfds.features.ClassLabel)
  )
  raise DataError(
    f"{prepared.full_name(builder)} has no class label '{name}': it has "
    f'{", ".join(labels) or "none"}'
  )


def _image_shape(
  builder: tfds.core.DatasetBuilder,
) -> tuple[int | None, int | None, int]:
  feature = dict(builder.info.features.items()).get('image')
  name = prepared.full_name(builder)
  if not isinstance(feature, tfds.features.Image):
    raise DataError(
      f"{name} has no feature 'image' that is an image: it has "
      f'{", ".join(builder.info.features)}'
    )
  if feature.np_dtype != np.uint8:
    raise DataError(f'{name} has {feature.np_dtype} images: uint8 is needed')
  height, width, channels = feature.shape
  if channels not in decode.MODES:
    raise DataError(
      f'{name} has images of {channels} channels: 1, 3 or 4 are needed'
    )
  return height, width, channels


def _fingerprint(path: pathlib.Path) -> tuple[str, int, int]:
  stat = path.stat()
  return path.name, stat.st_size, stat.st_mtime_ns
