"""Data sets to read: the user's own where they are, and small made ones."""

import os
import pathlib
import shutil

import pytest

from experiments.data import digits
from tests.experiments.data import patches


@pytest.fixture(scope='session')
def digits_dir(tmp_path_factory):
  return digits.prepare(tmp_path_factory.mktemp('tfds'))


@pytest.fixture(scope='session')
def tfds_dir():
  """Where mnist and cifar10_n lie prepared; skips where they do not."""
  beside = pathlib.Path(__file__).parents[3].parent / 'shared' / 'tfds'
  folder = pathlib.Path(os.environ.get('TFDS_DATA_DIR', beside))
  for name in ('mnist/3.0.1', 'cifar10_n/1.0.4'):
    if not (folder / name / 'dataset_info.json').exists():
      pytest.skip(f'{name} is not prepared in {folder}; set TFDS_DATA_DIR')
  return folder


@pytest.fixture(scope='session')
def patches_dir(tmp_path_factory):
  return patches.prepare(tmp_path_factory.mktemp('patches'))


@pytest.fixture
def mine(tmp_path, digits_dir):
  """A copy of the digits that a test may damage."""
  shutil.copytree(digits_dir, tmp_path, dirs_exist_ok=True)
  # Another modification time, and so nothing of it is in the cache.
  for path in tmp_path.glob('digits/*/*record*'):
    os.utime(path, (1, 1))
  return tmp_path
