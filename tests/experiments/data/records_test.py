import os

import pytest

from experiments.data import source
from tests.experiments.data import failing


def truncate(path):
  os.truncate(path, 100_000)


def flip_bytes(path):
  content = bytearray(path.read_bytes())
  content[120_000] ^= 0xFF
  path.write_bytes(content)


def damage_the_end(path):
  content = bytearray(path.read_bytes())
  content[-65_536:-65_500] = bytes(36)
  path.write_bytes(content)


@pytest.mark.parametrize(
  'damage', [truncate, flip_bytes, damage_the_end, lambda p: os.truncate(p, 0)]
)
def test_damaged_file(mine, damage):
  (path,) = mine.glob('digits/*/*train*')
  damage(path)
  message = failing.fails(
    f'{path} is truncated or corrupt (',
    lambda: source.load('digits', 'train', data_dir=mine),
  )
  assert message.endswith(
    '): delete its folder and run: python -m experiments.prepare '
    f'--dataset=digits:1.0.0 --data_dir={mine}'
  )
  # The other split is whole.
  assert len(source.load('digits', 'test', data_dir=mine).label) == 360


def test_missing_file(mine):
  (path,) = mine.glob('digits/*/*train*')
  path.unlink()
  failing.fails(
    f'{path} is missing: delete its folder and run: python -m',
    lambda: source.load('digits', 'train', data_dir=mine),
  )
