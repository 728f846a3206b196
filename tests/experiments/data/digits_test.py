import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets
import tensorflow_datasets as tfds

from experiments.data import digits
from experiments.data import errors
from experiments.data import source


def test_pixels_and_labels_are_those_of_scikit_learn(digits_dir):
  bunch = datasets.load_digits()
  places = digits.split(bunch.target)
  for split, rows in zip(('train', 'test'), places, strict=True):
    examples = source.load('digits', split, data_dir=digits_dir)
    levels = examples.image[..., 0] * (16 / 255)
    np.testing.assert_array_equal(np.round(levels), bunch.images[rows])
    np.testing.assert_array_equal(examples.label, bunch.target[rows])
    np.testing.assert_array_equal(examples.index, np.arange(len(rows)))


def test_split_is_stratified_and_loses_nothing():
  labels = datasets.load_digits().target
  train, test = digits.split(labels)
  assert (len(train), len(test)) == (1437, 360)
  np.testing.assert_array_equal(np.union1d(train, test), np.arange(1797))
  shares = np.bincount(labels[test]) - np.bincount(labels) / 5
  assert np.abs(shares).max() < 1


def test_split_never_changes():
  """Computed once. A difference means that past results do not compare."""
  _, test = digits.split(datasets.load_digits().target)
  np.testing.assert_array_equal(test[:8], [4, 9, 10, 11, 15, 16, 17, 18])


def test_describes_itself(digits_dir):
  info = source.describe('digits', data_dir=digits_dir)
  assert info == source.Info(
    name='digits:1.0.0',
    num_classes=10,
    class_names=tuple('0123456789'),
    image_shape=(8, 8, 1),
    num_examples={'train': 1437, 'test': 360},
  )
  metadata = tfds.builder_from_directory(digits_dir / 'digits' / '1.0.0').info
  assert 'scikit-learn' in metadata.description
  assert 'archive.ics.uci.edu' in metadata.homepage
  assert 'Alpaydin' in metadata.citation


def test_plain_tfds_reads_it(digits_dir):
  plain = tfds.data_source('digits', split='test', data_dir=str(digits_dir))
  ours = source.load('digits', 'test', data_dir=digits_dir)
  np.testing.assert_array_equal(plain[7]['image'], ours.image[7])
  assert plain[7]['label'] == ours.label[7]


def test_processes_may_prepare_at_once(tmp_path):
  folder = tmp_path / 'new' / 'tfds'
  code = f'from experiments.data import digits; digits.prepare({str(folder)!r})'
  running = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(2)]
  assert [process.wait() for process in running] == [0, 0]
  assert os.listdir(folder) == ['digits']
  assert len(source.load('digits', 'train', data_dir=folder).label) == 1437


def test_slower_of_two_processes_keeps_what_is_there(
  tmp_path, digits_dir, monkeypatch
):
  prepare = digits.Digits.download_and_prepare

  def overtaken(builder):
    prepare(builder)
    shutil.copytree(digits_dir / 'digits', tmp_path / 'digits')

  monkeypatch.setattr(digits.Digits, 'download_and_prepare', overtaken)
  assert digits.prepare(tmp_path) == tmp_path
  assert os.listdir(tmp_path) == ['digits']


def test_interrupted_preparation_leaves_nothing(tmp_path, monkeypatch):
  def interrupted(builder):
    (tmp_path / os.path.relpath(builder.data_dir, tmp_path)).mkdir(parents=True)
    raise KeyboardInterrupt

  with monkeypatch.context() as patch:
    patch.setattr(digits.Digits, 'download_and_prepare', interrupted)
    with pytest.raises(KeyboardInterrupt):
      digits.prepare(tmp_path)
  assert os.listdir(tmp_path) == []
  assert digits.prepare(tmp_path) == tmp_path


def test_cache_stands_in_for_a_read_only_folder(tmp_path, monkeypatch):
  data_dir, cache_dir = tmp_path / 'data', tmp_path / 'cache'
  data_dir.mkdir(mode=0o555)
  monkeypatch.setenv('NOISY_LABELS_CACHE', str(cache_dir))
  for place in (data_dir, data_dir / 'below'):
    assert digits.prepare(place) == cache_dir / 'tfds'
  assert os.listdir(data_dir) == []
  examples = source.load('digits', 'test', data_dir=data_dir, stop=5)
  assert len(examples.label) == 5


def test_says_when_nothing_can_be_written(tmp_path, monkeypatch):
  for name in ('data', 'cache'):
    (tmp_path / name).mkdir(mode=0o555)
  monkeypatch.setenv('NOISY_LABELS_CACHE', str(tmp_path / 'cache'))
  with pytest.raises(errors.DataError, match='set --data_dir to a folder'):
    digits.prepare(tmp_path / 'data')


def test_says_when_the_disk_is_full(tmp_path, monkeypatch):
  def full(builder):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(digits.Digits, 'download_and_prepare', full)
  with pytest.raises(errors.DataError, match=r'No space left .* make room'):
    digits.prepare(tmp_path)
