import importlib.util
import json

import pytest

from experiments.data import source
from tests.experiments.data import failing


def test_default_data_directory(digits_dir, tmp_path, monkeypatch):
  monkeypatch.setenv('TFDS_DATA_DIR', str(digits_dir))
  assert len(source.load('digits', 'test').label) == 360
  monkeypatch.delenv('TFDS_DATA_DIR')
  monkeypatch.setenv('HOME', str(tmp_path))
  assert source.describe('digits').num_classes == 10
  assert (tmp_path / 'tensorflow_datasets' / 'digits').exists()


@pytest.mark.parametrize(
  ('name', 'message'),
  [
    ('digit', "nor TFDS has a data set 'digit'"),
    ('digit', 'did you mean digits?'),
    ('cifar1', 'did you mean cifar10'),
    ('patch', 'or patches/plain?'),
    ('a name', "'a name' is not a data set's name: write"),
    ('../digits', "'../digits' is not a data set's name: write"),
    ('cifar10', 'data set cifar10 is not prepared in {dir}: set --data_dir'),
    (
      'cifar10',
      'run: python -m experiments.prepare --dataset=cifar10 --data_dir={dir}',
    ),
    (
      'patches/plane',
      'patches/plane is not prepared in {dir}, which has patches/damaged:1.2.0',
    ),
    (
      'patches/plain:9.0.0',
      'run: python -m experiments.prepare --dataset=patches/plain:9.0.0 ',
    ),
    ('patches/no_image', "has no feature 'image' that is an image: it has"),
    ('patches/no_label', "has no class label 'label': it has none"),
    ('patches/deep', 'has uint16 images: uint8 is needed'),
  ],
)
def test_names_that_cannot_be_described(patches_dir, name, message):
  failing.fails(
    message.format(dir=patches_dir),
    lambda: source.describe(name, data_dir=patches_dir),
  )


@pytest.mark.parametrize('name', ['dataset_info.json', 'features.json'])
def test_damaged_metadata(mine, name):
  (mine / 'digits' / '1.0.0' / name).write_text('{')
  failing.fails(
    f'the metadata of digits in {mine} cannot be read (',
    lambda: source.describe('digits', data_dir=mine),
  )


@pytest.mark.parametrize(
  ('other', 'remedy'),
  [('tfrecord', 'to add array_record files'), ('parquet', 'delete it and')],
)
def test_format_without_random_access(mine, other, remedy):
  path = mine / 'digits' / '1.0.0' / 'dataset_info.json'
  path.write_text(
    json.dumps({**json.loads(path.read_text()), 'fileFormat': other})
  )
  message = failing.fails(
    f'data set digits is prepared as {other} in {path.parent}, which cannot',
    lambda: source.load('digits', 'train', data_dir=mine),
  )
  assert message.endswith(
    f'{remedy} run: python -m experiments.prepare --dataset=digits '
    f'--data_dir={mine}'
  )


def test_missing_package(digits_dir, monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  failing.fails(
    'without the package array_record: run: pip install array_record',
    lambda: source.describe('digits', data_dir=digits_dir),
  )
