"""A folder becomes a data set of what can be read, once."""

import shutil

import numpy as np
from PIL import Image
import pytest

from experiments import errors
from experiments.audit import image_file
from experiments.audit import image_folder
from experiments.data import source
from tests.experiments.audit import toy_folder


def _prepare(root, data_dir, image_size=None, stop=False):
  return image_folder.prepare(
    root,
    data_dir,
    image_size=image_size,
    should_stop=lambda: stop,
    title='test',
  )


@pytest.fixture
def root(tmp_path):
  return toy_folder.make(tmp_path / 'photos')


def test_a_run_reads_what_the_folder_has(root, tmp_path):
  prepared = _prepare(root, tmp_path / 'data')
  data_dir = str(prepared.data_dir)
  info = source.describe(image_folder.NAME, data_dir=data_dir)
  assert info.class_names == prepared.class_names == toy_folder.CLASSES
  assert info.image_shape == (8, 8, 1)
  assert info.num_examples == {'train': 36}
  examples = source.load(image_folder.NAME, 'train', data_dir=data_dir)
  for row, path in enumerate(prepared.paths):
    assert path.startswith(toy_folder.CLASSES[examples.label[row]])
    want = np.asarray(Image.open(root / path))
    np.testing.assert_array_equal(examples.image[row, ..., 0], want)
  assert prepared.problems == []


def test_what_cannot_be_read_is_left_out_and_said(root, tmp_path):
  whole = (root / 'bars' / '01.png').read_bytes()
  (root / 'bars' / '00.png').write_bytes(whole[:60])
  (root / 'frame' / '11.png').write_text('hello')
  prepared = _prepare(root, tmp_path / 'data')
  assert len(prepared.paths) == 34
  assert 'bars/00.png' not in prepared.paths
  first, second = prepared.problems
  assert first.startswith('bars/00.png cannot be read: ')
  assert second == 'frame/11.png cannot be read: it is no PNG or JPEG.'
  examples = source.load(
    image_folder.NAME, 'train', data_dir=str(prepared.data_dir)
  )
  np.testing.assert_array_equal(np.bincount(examples.label), [11, 12, 11])


@pytest.mark.parametrize(
  ('size', 'color', 'asked', 'shape'),
  [
    ((8, 8), True, None, (8, 8, 3)),
    ((9, 8), False, None, (32, 32, 1)),
    ((9, 8), False, (12, 10), (12, 10, 1)),
  ],
)
def test_images_get_one_shape(root, tmp_path, size, color, asked, shape):
  image = Image.new('RGB' if color else 'L', size)
  image.save(root / 'bars' / '00.png')
  prepared = _prepare(root, tmp_path / 'data', image_size=asked)
  info = source.describe(image_folder.NAME, data_dir=str(prepared.data_dir))
  assert info.image_shape == shape
  assert prepared.image_size == shape[:2]


def test_large_images_are_made_small(tmp_path):
  for name in 'ab':
    (tmp_path / 'photos' / name).mkdir(parents=True)
    Image.new('L', (70, 70)).save(tmp_path / 'photos' / name / '1.png')
  prepared = _prepare(tmp_path / 'photos', tmp_path / 'data')
  assert prepared.image_size == image_folder.DEFAULT_SIZE


def test_files_are_read_once(root, tmp_path, monkeypatch):
  before = _prepare(root, tmp_path / 'data')
  monkeypatch.setattr(image_file, 'read', None)
  assert _prepare(root, tmp_path / 'data') == before


def test_other_files_are_refused(root, tmp_path):
  _prepare(root, tmp_path / 'data')
  (root / 'bars' / '00.png').unlink()
  with pytest.raises(errors.UsageError, match='choose another --workdir'):
    _prepare(root, tmp_path / 'data')


def test_a_stop_loses_nothing_but_time(root, tmp_path):
  with pytest.raises(errors.StoppedError):
    _prepare(root, tmp_path / 'data', stop=True)
  assert len(_prepare(root, tmp_path / 'data').paths) == 36


def test_no_image_can_be_read(tmp_path):
  for name in 'ab':
    (tmp_path / 'photos' / name).mkdir(parents=True)
    (tmp_path / 'photos' / name / '1.png').write_text('')
  with pytest.raises(
    errors.RunError, match='of 2 files with images none can be read; b/1'
  ):
    _prepare(tmp_path / 'photos', tmp_path / 'data')


def test_nothing_of_others_is_touched(root, tmp_path):
  # A working directory may be where the images are.
  shutil.copytree(root, tmp_path / 'data' / 'mine')
  before = sorted((tmp_path / 'data').rglob('*.png'))
  _prepare(tmp_path / 'data' / 'mine', tmp_path / 'data')
  assert sorted((tmp_path / 'data').rglob('*.png')) == before


def test_a_damaged_list_is_said(root, tmp_path):
  _prepare(root, tmp_path / 'data')
  (tmp_path / 'data' / 'examples.json').write_text('{')
  with pytest.raises(errors.RunError, match='is damaged'):
    _prepare(root, tmp_path / 'data')
  shutil.rmtree(tmp_path / 'data')
  assert len(_prepare(root, tmp_path / 'data').paths) == 36


def test_names_that_tfds_would_not_keep(tmp_path):
  names = [' a', 'a', 'a\nb', 'a\\nb', ' ']
  toy_folder.make(tmp_path / 'photos', classes=names, each=1)
  prepared = _prepare(tmp_path / 'photos', tmp_path / 'data')
  info = source.describe(image_folder.NAME, data_dir=str(prepared.data_dir))
  assert info.class_names == prepared.class_names
  assert info.num_classes == len(names)
