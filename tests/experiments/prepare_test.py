import json
import os
import shutil
import struct

import numpy as np
import pytest
import tensorflow_datasets as tfds

from experiments import prepare
from experiments.data import digits
from experiments.data import errors
from experiments.data import source


@pytest.fixture
def tfrecord_dir(tmp_path):
  """The digits as TFDS prepares them by default, with TensorFlow."""
  data_dir = digits.prepare(tmp_path / 'tfrecord')
  folder = data_dir / 'digits' / '1.0.0'
  for split in ('train', 'test'):
    builder = tfds.builder_from_directory(folder)
    records = builder.as_data_source(
      split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
    )
    path = folder / f'digits-{split}.tfrecord-00000-of-00001'
    path.write_bytes(b''.join(frame(record) for record in records))
  for path in folder.glob('*array_record*'):
    path.unlink()
  path = folder / 'dataset_info.json'
  metadata = json.loads(path.read_text())
  path.write_text(json.dumps({**metadata, 'fileFormat': 'tfrecord'}))
  return data_dir


def frame(record):
  unchecked = bytes(4)
  return struct.pack('<Q', len(record)) + unchecked + record + unchecked


def test_converts_tfrecord(tfrecord_dir, tmp_path, capsys):
  with pytest.raises(source.DataError, match='prepared as tfrecord'):
    source.load('digits', 'test', data_dir=tfrecord_dir)
  prepare.main(['--dataset=digits', f'--data_dir={tfrecord_dir}'])
  folder = tfrecord_dir / 'digits' / '1.0.0'
  assert capsys.readouterr().out == f'{folder}\n'

  direct = digits.prepare(tmp_path / 'direct')
  for split in ('train', 'test'):
    ours = source.load('digits', split, data_dir=tfrecord_dir)
    theirs = source.load('digits', split, data_dir=direct)
    np.testing.assert_array_equal(ours.image, theirs.image)
    np.testing.assert_array_equal(ours.label, theirs.label)
  # It is still what it was, for programs that read tfrecord.
  info = tfds.builder_from_directory(folder).info
  assert info.file_format is tfds.core.FileFormat.TFRECORD
  assert len(list(folder.glob('*tfrecord*'))) == 2
  assert not list(folder.glob('*.draft'))


def test_a_second_call_changes_nothing(tfrecord_dir):
  prepare.prepare('digits', tfrecord_dir)
  times = [path.stat().st_mtime_ns for path in tfrecord_dir.rglob('*')]
  prepare.prepare('digits', tfrecord_dir)
  assert times == [path.stat().st_mtime_ns for path in tfrecord_dir.rglob('*')]


@pytest.mark.parametrize('lost', [1, 4, 20])
def test_truncated_tfrecord_leaves_the_data_set_as_it_was(tfrecord_dir, lost):
  (path,) = tfrecord_dir.rglob('*train.tfrecord*')
  os.truncate(path, path.stat().st_size - lost)
  with pytest.raises(errors.DataError, match=f'{path} is truncated'):
    prepare.prepare('digits', tfrecord_dir)
  with pytest.raises(errors.DataError, match='prepared as tfrecord'):
    source.load('digits', 'test', data_dir=tfrecord_dir)


def test_prepares_digits(tmp_path):
  folder = prepare.prepare('digits', tmp_path)
  assert folder == tmp_path / 'digits' / '1.0.0'


def test_downloads_what_is_not_there(tmp_path, monkeypatch):
  asked = []

  class Downloaded:
    def __init__(self, name, **settings):
      asked.append((name, settings))

    def download_and_prepare(self):
      raise ConnectionError('no route to host\nand much more')

  monkeypatch.setattr(tfds, 'builder', Downloaded)
  with pytest.raises(errors.DataError, match=r'cifar10: no route to host$'):
    prepare.prepare('cifar10', tmp_path)
  settings = {'data_dir': str(tmp_path), 'file_format': 'array_record'}
  ((name, given),) = asked
  assert name == 'cifar10'
  assert {**given, 'file_format': given['file_format'].value} == settings


def test_says_which_package_is_missing(tmp_path, monkeypatch):
  def builder(name, **settings):
    raise ModuleNotFoundError("No module named 'scipy'", name='scipy')

  monkeypatch.setattr(tfds, 'builder', builder)
  with pytest.raises(errors.DataError, match='run: pip install scipy, and'):
    prepare.prepare('svhn_cropped', tmp_path)


def test_refuses_formats_that_it_does_not_know(tfrecord_dir):
  (path,) = tfrecord_dir.rglob('dataset_info.json')
  path.write_text(path.read_text().replace('"tfrecord"', '"riegeli"'))
  with pytest.raises(errors.DataError, match='from riegeli: delete'):
    prepare.prepare('digits', tfrecord_dir)


def test_exit_codes(tmp_path, capsys):
  with pytest.raises(SystemExit) as caught:
    prepare.main(['--dataset=digit', f'--data_dir={tmp_path}'])
  assert 'did you mean digits?' in caught.value.code
  shutil.rmtree(tmp_path)
  with pytest.raises(SystemExit) as caught:
    prepare.main([])
  assert caught.value.code == 2
  assert '--dataset' in capsys.readouterr().err
