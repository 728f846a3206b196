"""Records to arrays: every image is decoded once, by Pillow."""

from collections.abc import Iterable
import io
from typing import Any

import numpy as np
from PIL import Image

from experiments import progress
from experiments.data import errors
from experiments.data import records as records_lib

MODES = {1: 'L', 3: 'RGB', 4: 'RGBA'}
_BATCH = 256  # Records are read several times faster together than alone.


def decode(
  records: records_lib.Records,
  indices: range,
  *,
  label: str,
  num_classes: int,
  shape: tuple[int | None, int | None, int],
) -> tuple[np.ndarray, np.ndarray]:
  """Decodes some records of a split.

  Args:
    records: The split.
    indices: Which of its records.
    label: The feature that holds the label.
    num_classes: Labels must be in 0..num_classes-1.
    shape: Height, width and channels; where the first two are known, images of
      another size are resized. None is the size of the first image, which the
      others must have.

  Returns:
    Images, uint8 `[n, height, width, channels]`, and labels, int32 `[n]`.

  Raises:
    DataError: If a record is damaged, has a label out of range, or has another
      size than it must.
  """
  result = np.empty(len(indices), np.int32)
  images = None
  for row, example in enumerate(_stream(records, indices)):
    index = indices[row]
    result[row] = _label(records, index, example[label], label, num_classes)
    try:
      pixels = _decode_image(example['image'], shape)
    # Pillow raises SyntaxError for a broken PNG, OSError for most else.
    except (OSError, SyntaxError, ValueError) as error:
      raise records.damaged(index, error) from error
    if images is None:
      images = np.empty((len(indices), *pixels.shape), np.uint8)
    if pixels.shape != images.shape[1:]:
      raise errors.DataError(
        f'the images of {records.title} vary in size ({images.shape[1]}x'
        f'{images.shape[2]} at index {indices[0]}, {pixels.shape[0]}x'
        f'{pixels.shape[1]} at index {index}): set image_size to (height, '
        'width)'
      )
    images[row] = pixels
  if images is None:
    images = np.empty((0, shape[0] or 0, shape[1] or 0, shape[2]), np.uint8)
  return images, result


def labels(
  records: records_lib.Records,
  indices: range,
  *,
  label: str,
  num_classes: int,
) -> np.ndarray:
  """The labels alone of some records of a split, int32 `[n]`.

  Args:
    records: The split.
    indices: Which of its records.
    label: The feature that holds the label.
    num_classes: Labels must be in 0..num_classes-1.

  Returns:
    The labels.

  Raises:
    DataError: If a record is damaged, or has a label out of range.
  """
  stream = zip(indices, _stream(records, indices, 'reading'), strict=True)
  values = (
    _label(records, index, example[label], label, num_classes)
    for index, example in stream
  )
  return np.fromiter(values, np.int32, len(indices))


def _label(
  records: records_lib.Records,
  index: int,
  value: Any,
  name: str,
  num_classes: int,
) -> int:
  if not 0 <= value < num_classes:
    raise errors.DataError(
      f'{name} of {records.title} must be in 0..{num_classes - 1}, got '
      f'{value} at index {index}'
    )
  return int(value)


def _stream(
  records: records_lib.Records, indices: range, verb: str = 'decoding once'
) -> Iterable[dict[str, Any]]:
  """The records one by one."""
  with progress.Progress(f'{verb}: {records.title}', total=len(indices)) as bar:
    for begin in range(0, len(indices), _BATCH):
      batch = records.read(indices[begin : begin + _BATCH])
      yield from batch
      bar.advance(len(batch))


def _decode_image(
  encoded: bytes, shape: tuple[int | None, int | None, int]
) -> np.ndarray:
  height, width, channels = shape
  with Image.open(io.BytesIO(encoded)) as file:
    image = file.convert(MODES[channels])
  if height and width and image.size != (width, height):
    image = image.resize((width, height), Image.Resampling.BILINEAR)
  return np.asarray(image).reshape(image.height, image.width, channels)
