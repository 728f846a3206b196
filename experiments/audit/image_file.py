"""From an image file of any kind to pixels of the size and channels wanted."""

from collections.abc import Iterator
import contextlib
import io
import os
from typing import NamedTuple
import warnings

from PIL import Image
from PIL import ImageOps

_GRAY = ('1', 'L', 'LA', 'I', 'I;16', 'I;16B', 'I;16L', 'F')
_FORMATS = ('PNG', 'JPEG')
# More than screens show; a JPEG is then decoded smaller, which is faster.
_ENOUGH = 2


class Header(NamedTuple):
  """What a file says of its image: the size, and whether it has no colours."""

  width: int
  height: int
  gray: bool


class UnreadableError(Exception):
  """A file that is no image, or half of one; the message says why."""


def header(path: str | os.PathLike[str]) -> Header:
  """Reads the first bytes of a file; raises UnreadableError."""
  with _open(path) as image:
    width, height = image.size
    if image.getexif().get(0x0112, 1) >= 5:  # Stored lying on its side.
      width, height = height, width
    return Header(width, height, image.mode in _GRAY)


def read(
  path: str | os.PathLike[str], *, channels: int, size: tuple[int, int] | None
) -> Image.Image:
  """Decodes an image.

  Args:
    path: of a PNG or JPEG, of any kind: palettes, 16 bits, CMYK; what is
      transparent becomes white, what a camera noted as rotated is turned.
    channels: 1 or 3.
    size: width and height to stretch it to; None leaves it.

  Returns:
    An image of mode L or RGB.

  Raises:
    UnreadableError: it is not a whole image.
  """
  with _open(path) as image:
    if size:
      image.draft(None, (_ENOUGH * size[0], _ENOUGH * size[1]))
    image = _flat(ImageOps.exif_transpose(image))
    image = image.convert('L' if channels == 1 else 'RGB')
    if size and image.size != size:
      image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def thumbnail(path: str | os.PathLike[str], longest: int) -> Image.Image:
  """The image in its colours, as it is or smaller; raises UnreadableError."""
  with _open(path) as image:
    image.draft(None, (_ENOUGH * longest, _ENOUGH * longest))
    image = _flat(ImageOps.exif_transpose(image))
    image = image.convert('L' if image.mode in _GRAY else 'RGB')
    image.thumbnail((longest, longest), reducing_gap=2.0)
    return image


def png(image: Image.Image) -> bytes:
  """The image as a PNG file."""
  file = io.BytesIO()
  image.save(file, format='png', compress_level=1)
  return file.getvalue()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
  """Without Pillow's warnings, of large images, odd metadata and the like."""
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    yield


@contextlib.contextmanager
def _open(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
  """A file as an image; whatever Pillow makes of its bytes is one error."""
  try:
    with Image.open(path, formats=_FORMATS) as image:
      yield image
  # Of damaged files Pillow raises OSError, SyntaxError, ValueError, errors of
  # struct and zlib, and others: there is no common type below Exception.
  except Exception as error:
    raise UnreadableError(_why(error)) from error


def _why(error: Exception) -> str:
  if isinstance(error, Image.UnidentifiedImageError):
    return 'it is no PNG or JPEG'
  if isinstance(error, OSError) and error.strerror:
    return error.strerror
  return str(error).split('\n')[0] or type(error).__name__


def _flat(image: Image.Image) -> Image.Image:
  """Without transparency, and with at most 8 bits a channel."""
  if image.mode.startswith('I'):  # 16 bits, which `convert` would clip.
    return image.convert('I').point(lambda value: value / 256).convert('L')
  if 'A' in image.mode or 'transparency' in image.info:
    gray = image.mode in _GRAY
    image = image.convert('RGBA')
    white = Image.new('RGBA', image.size, 'white')
    image = Image.alpha_composite(white, image).convert('RGB')
    return image.convert('L') if gray else image
  return image
