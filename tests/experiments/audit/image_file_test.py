"""Images of every kind become the same pixels as a viewer shows."""

import numpy as np
from PIL import Image
import pytest

from experiments.audit import image_file

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 4, 3), np.uint8)


def _save(path, image, **options):
  image.save(path, **options)
  return path


def _read(path, channels=3, size=None):
  return np.asarray(image_file.read(path, channels=channels, size=size))


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'P', 'L', 'LA', '1'])
def test_kinds_of_png(tmp_path, mode):
  image = Image.fromarray(PIXELS).convert(mode)
  path = _save(tmp_path / 'a.png', image)
  gray = mode in ('L', 'LA', '1')
  assert image_file.header(path) == image_file.Header(4, 6, gray)
  np.testing.assert_array_equal(_read(path), image.convert('RGB'))
  assert _read(path, channels=1).shape == (6, 4)


def test_what_is_transparent_is_white(tmp_path):
  image = Image.fromarray(PIXELS).convert('RGBA')
  image.putalpha(0)
  path = _save(tmp_path / 'a.png', image)
  assert (_read(path) == 255).all()
  path = _save(tmp_path / 'b.png', Image.new('LA', (2, 2), (7, 0)))
  assert (_read(path, channels=1) == 255).all()


def test_sixteen_bits_are_scaled_and_not_cut(tmp_path):
  deep = np.array([[0, 256, 25_600, 65_535]], np.uint16)
  path = _save(tmp_path / 'a.png', Image.fromarray(deep))
  np.testing.assert_array_equal(_read(path, channels=1), [[0, 1, 100, 255]])
  assert image_file.header(path).gray


def test_what_a_camera_noted_as_turned_is_turned(tmp_path):
  image = Image.fromarray(np.repeat(np.repeat(PIXELS, 8, 0), 8, 1))
  exif = Image.Exif()
  exif[0x0112] = 6
  path = _save(tmp_path / 'a.jpg', image, exif=exif, quality=95)
  assert image_file.header(path) == image_file.Header(48, 32, False)
  turned = np.asarray(image.rotate(-90, expand=True), float)
  assert abs(_read(path) - turned).mean() < 20
  assert abs(_read(path)[::-1] - turned).mean() > 40


def test_a_printers_jpeg(tmp_path):
  path = _save(tmp_path / 'a.jpg', Image.fromarray(PIXELS).convert('CMYK'))
  assert _read(path).shape == (6, 4, 3)


def test_images_are_stretched(tmp_path):
  image = Image.fromarray(np.full((600, 900, 3), (200, 100, 50), np.uint8))
  for name in ('a.png', 'a.jpg'):
    path = _save(tmp_path / name, image)
    read = _read(path, size=(32, 16))
    assert read.shape == (16, 32, 3)
    assert abs(read - np.array([200.0, 100, 50])).max() <= 2


def test_thumbnails_are_no_larger_and_keep_their_form(tmp_path):
  path = _save(tmp_path / 'a.png', Image.new('RGB', (400, 200)))
  assert image_file.thumbnail(path, 96).size == (96, 48)
  path = _save(tmp_path / 'b.png', Image.new('L', (8, 8)))
  assert image_file.thumbnail(path, 96).size == (8, 8)
  assert image_file.png(Image.new('L', (8, 8))).startswith(b'\x89PNG')


def test_what_is_no_image_is_said(tmp_path):
  noise = RNG.integers(0, 256, (64, 64), np.uint8)
  whole = _save(tmp_path / 'whole.png', Image.fromarray(noise))
  content = whole.read_bytes()
  for name, damaged, match in (
    ('text', b'hello', 'no PNG or JPEG'),
    ('empty', b'', 'no PNG or JPEG'),
    ('half', content[: len(content) // 2], 'truncated'),
    ('flipped', content[:200] + b'\0' * 40 + content[240:], '.'),
  ):
    path = tmp_path / name
    path.write_bytes(damaged)
    with pytest.raises(image_file.UnreadableError, match=match):
      image_file.read(path, channels=1, size=None)
  Image.new('L', (8, 8)).save(tmp_path / 'gif.png', format='gif')
  for path in (tmp_path / 'gif.png', tmp_path / 'nowhere.png', tmp_path):
    with pytest.raises(image_file.UnreadableError):
      image_file.header(path)
