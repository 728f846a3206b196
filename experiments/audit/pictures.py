"""Small pictures of examples, as PNG files for a page."""

from collections.abc import Callable
import pathlib

import numpy as np
from PIL import Image

from experiments.audit import image_file

LONGEST = 96

Pictures = Callable[[np.ndarray], list[bytes]]


def of_files(
  root: pathlib.Path, paths: list[str], images: np.ndarray
) -> Pictures:
  """Pictures of files; what is no longer there is shown as it was read.

  Args:
    root: the folder.
    paths: of each row its file.
    images: of each row what was read of it, uint8 `[N, height, width, C]`.

  Returns:
    From rows to PNG files.
  """

  def pictures(rows):
    with image_file.quiet():
      return [one(int(row)) for row in rows]

  def one(row):
    try:
      return image_file.png(image_file.thumbnail(root / paths[row], LONGEST))
    except image_file.UnreadableError:
      return _png(images[row])

  return pictures


def of_arrays(images: np.ndarray) -> Pictures:
  """Pictures of pixels, uint8 `[N, height, width, channels]`."""
  return lambda rows: [_png(images[int(row)]) for row in rows]


def _png(pixels: np.ndarray) -> bytes:
  if pixels.shape[-1] == 1:
    pixels = pixels[..., 0]
  image = Image.fromarray(np.ascontiguousarray(pixels))
  image.thumbnail((LONGEST, LONGEST))
  return image_file.png(image)
