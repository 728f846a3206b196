import importlib.util
import io
import json
import os
import re
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow_datasets as tfds

from experiments import noises
from experiments.configs import common
from experiments.data import decode
from experiments.data import prepared
from experiments.data import records
from experiments.data import source
from noisy_labels import noise

Config = tfds.core.BuilderConfig


class Patches(tfds.core.GeneratorBasedBuilder):
  """Twelve plain images in three files; the configs are the odd cases."""

  VERSION = tfds.core.Version('1.2.0')
  BUILDER_CONFIGS = [  # noqa: RUF012
    Config(name='plain'),
    Config(name='varied'),
    Config(name='unlabeled'),
    Config(name='damaged'),
    Config(name='no_image'),
    Config(name='no_label'),
    Config(name='deep'),
  ]

  def _info(self):
    features = {
      'image': tfds.features.Image(
        shape=(None, None, 3),
        dtype=np.uint16 if self.builder_config.name == 'deep' else np.uint8,
      ),
      'label': tfds.features.ClassLabel(names=['cat', 'dog', 'owl']),
    }
    features.pop(self.builder_config.name.removeprefix('no_'), None)
    return tfds.core.DatasetInfo(
      builder=self,
      features=tfds.features.FeaturesDict(
        {'number': tfds.features.Scalar(np.int64), **features}
      ),
      disable_shuffling=True,
    )

  def _split_generators(self, dl_manager):
    return {'train': self._generate_examples()}

  def _generate_examples(self):
    name = self.builder_config.name
    for i in range(12):
      width = 6 if name == 'varied' and i == 9 else 5
      image = b'no image' if name == 'damaged' and i == 7 else patch(i, width)
      label = -1 if name == 'unlabeled' and i == 10 else i % 3
      example = {'number': i, 'image': image, 'label': label}
      yield i, {key: example[key] for key in self.info.features}


def patch(value, width):
  png = io.BytesIO()
  Image.new('RGB', (width, 4), (value, 2 * value, 255)).save(png, 'png')
  return png.getvalue()


@pytest.fixture(scope='module')
def patches_dir(tmp_path_factory):
  folder = tmp_path_factory.mktemp('patches')
  for config in Patches.BUILDER_CONFIGS:
    Patches(
      config=config.name, data_dir=str(folder), file_format='array_record'
    ).download_and_prepare(
      download_config=tfds.download.DownloadConfig(num_shards=3)
    )
  return folder


@pytest.fixture
def mine(tmp_path, digits_dir):
  """A copy of the digits that a test may damage."""
  shutil.copytree(digits_dir, tmp_path, dirs_exist_ok=True)
  # Another modification time, and so nothing of it is in the cache.
  for path in tmp_path.glob('digits/*/*record*'):
    os.utime(path, (1, 1))
  return tmp_path


def fails(message, call):
  """The error of a call: one line, with this text."""
  with pytest.raises(source.DataError, match=re.escape(message)) as caught:
    call()
  assert '\n' not in str(caught.value)
  return str(caught.value)


def test_mnist(tfds_dir):
  info = source.describe('mnist', data_dir=tfds_dir)
  assert info.name == 'mnist:3.0.1'
  assert info.image_shape == (28, 28, 1)
  assert info.num_examples == {'train': 60_000, 'test': 10_000}
  assert source.describe(info.name, data_dir=tfds_dir) == info

  examples = source.load('mnist', 'train', data_dir=tfds_dir)
  assert examples.image.shape == (60_000, 28, 28, 1)
  assert examples.image.dtype == np.uint8
  assert examples.label.dtype == np.int32
  assert examples.index.dtype == np.int64
  np.testing.assert_array_equal(
    np.bincount(examples.label),
    [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
  )
  assert round(examples.image.mean() / 255, 4) == 0.1307

  # A process's share is the same part of the whole.
  share = source.load(
    'mnist', 'train', data_dir=tfds_dir, start=20_000, stop=20_100
  )
  for part, whole in zip(share, examples, strict=True):
    np.testing.assert_array_equal(part, whole[20_000:20_100])


# Wei et al. 2022, table 1: percent wrong.
HUMAN = {
  'label': 0,
  'aggre_label': 9.01,
  'random_label1': 17.23,
  'random_label2': 18.12,
  'random_label3': 17.64,
  'worse_label': 40.21,
}


def test_human_labels(tfds_dir):
  builder = prepared.find('cifar10_n', tfds_dir)
  read = records.Records(builder, 'train').read(range(50_000))
  labels = {name: np.array([each[name] for each in read]) for name in HUMAN}
  for name, rate in HUMAN.items():
    measured = noise.measure(labels['label'], labels[name], num_classes=10)
    assert round(100 * measured.rate, 2) == rate
    np.testing.assert_array_equal(measured.counts.sum(axis=1), [5000] * 10)

  for name in ('label', 'worse_label'):
    examples = source.load(
      'cifar10_n', 'train', data_dir=tfds_dir, label=name, stop=300
    )
    assert examples.image.shape == (300, 32, 32, 3)
    np.testing.assert_array_equal(examples.label, labels[name][:300])
    alone = source.load_labels(
      'cifar10_n', 'train', name, data_dir=tfds_dir, start=100, stop=300
    )
    np.testing.assert_array_equal(alone, labels[name][100:300])

  config = common.get_config().noise
  config.column = 'worse_label'
  info = source.describe('cifar10_n', data_dir=tfds_dir)
  made = noises.make(
    config, info, dataset='cifar10_n', seed=0, data_dir=tfds_dir
  )
  assert made.transition is None
  stretch = source.load('cifar10_n', 'train', data_dir=tfds_dir, stop=300)
  given = made.give(stretch)
  np.testing.assert_array_equal(given, labels['worse_label'][:300])


def test_labels_alone_are_checked_as_those_with_images(mine):
  labels = source.load_labels('digits', 'test', 'label', data_dir=mine)
  whole = source.load('digits', 'test', data_dir=mine)
  np.testing.assert_array_equal(labels, whole.label)
  with pytest.raises(
    source.DataError, match="has no class label 'worse_label'"
  ):
    source.load_labels('digits', 'test', 'worse_label', data_dir=mine)
  with pytest.raises(source.DataError, match="has no split 'trian'"):
    source.load_labels('digits', 'trian', 'label', data_dir=mine)


def test_missing_human_labels(tfds_dir):
  fails(
    'worse_label of cifar10_n:1.0.4 test must be in 0..9, got -1 at index 0',
    lambda: source.load(
      'cifar10_n', 'test', data_dir=tfds_dir, label='worse_label'
    ),
  )


def test_decodes_once(digits_dir, monkeypatch):
  first = source.load('digits', 'train', data_dir=digits_dir, start=3, stop=9)
  monkeypatch.setattr(decode, 'decode', None)
  again = source.load('digits', 'train', data_dir=digits_dir, start=3, stop=9)
  assert isinstance(again.image, np.memmap)
  assert not again.image.flags.writeable
  for one, other in zip(first, again, strict=True):
    np.testing.assert_array_equal(one, other)
  np.testing.assert_array_equal(again.index, np.arange(3, 9))


@pytest.mark.parametrize(
  'change',
  [
    {'name': 'digits:1.0.0', 'split': 'test'},
    {'start': 1},
    {'stop': 8},
    {'image_size': (4, 4)},
  ],
)
def test_cache_asks_for_everything_that_matters(
  digits_dir, monkeypatch, change
):
  asked = {'name': 'digits', 'split': 'train', 'stop': 9}
  source.load(**asked, data_dir=digits_dir)
  monkeypatch.setattr(decode, 'decode', None)
  with pytest.raises(TypeError, match='not callable'):
    source.load(**{**asked, **change}, data_dir=digits_dir)


def test_cache_notices_other_files(mine, monkeypatch):
  source.load('digits', 'test', data_dir=mine)
  os.utime(next(mine.glob('digits/*/*test*')), (2, 2))
  monkeypatch.setattr(decode, 'decode', None)
  with pytest.raises(TypeError, match='not callable'):
    source.load('digits', 'test', data_dir=mine)


def test_configs_colour_and_several_files(patches_dir):
  info = source.describe('patches/plain', data_dir=patches_dir)
  assert info == source.Info(
    name='patches/plain:1.2.0',
    num_classes=3,
    class_names=('cat', 'dog', 'owl'),
    image_shape=(0, 0, 3),
    num_examples={'train': 12},
  )
  assert len(list(patches_dir.glob('patches/plain/*/*record*'))) == 3
  examples = source.load(info.name, 'train', data_dir=patches_dir, start=2)
  assert examples.image.shape == (10, 4, 5, 3)
  np.testing.assert_array_equal(examples.label, np.arange(2, 12) % 3)
  for value, image in zip(range(2, 12), examples.image, strict=True):
    np.testing.assert_array_equal(image[3, 4], [value, 2 * value, 255])


def test_resizes_where_sizes_vary(patches_dir):
  def load(**size):
    return source.load('patches/varied', 'train', data_dir=patches_dir, **size)

  fails(
    'the images of patches/varied:1.2.0 train vary in size (4x5 at index 0, '
    '4x6 at index 9): set image_size to (height, width)',
    load,
  )
  images = load(image_size=(7, 3)).image
  assert images.shape == (12, 7, 3, 3)
  np.testing.assert_array_equal(images[9], np.full((7, 3, 3), [9, 18, 255]))


def test_empty_range(digits_dir):
  examples = source.load('digits', 'test', data_dir=digits_dir, start=4, stop=4)
  assert examples.image.shape == (0, 8, 8, 1)
  assert examples.label.shape == examples.index.shape == (0,)


@pytest.mark.parametrize(
  ('start', 'stop'), [(-1, None), (5, 2), (0, 361), (400, None)]
)
def test_rejects_ranges_outside_the_split(digits_dir, start, stop):
  with pytest.raises(ValueError, match='0 <= start <= stop <= 360, got'):
    source.load('digits', 'test', data_dir=digits_dir, start=start, stop=stop)


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
  fails(
    message.format(dir=patches_dir),
    lambda: source.describe(name, data_dir=patches_dir),
  )


@pytest.mark.parametrize('split', ['trian', 'train[:10%]', ''])
def test_missing_split(digits_dir, split):
  fails(
    f"digits:1.0.0 has no split '{split}': it has train, test",
    lambda: source.load('digits', split, data_dir=digits_dir),
  )


def test_missing_label_column(digits_dir):
  fails(
    "digits:1.0.0 has no class label 'worse_label': it has label",
    lambda: source.load(
      'digits', 'test', data_dir=digits_dir, label='worse_label'
    ),
  )


def test_label_out_of_range(patches_dir):
  def load(stop):
    return source.load(
      'patches/unlabeled', 'train', data_dir=patches_dir, stop=stop
    )

  assert len(load(10).label) == 10
  message = 'label of patches/unlabeled:1.2.0 train must be in 0..2, got -1'
  assert 'at index 10' in fails(message, lambda: load(None))


def test_damaged_image_names_its_file(patches_dir):
  message = fails(
    'is truncated or corrupt (cannot identify image file',
    lambda: source.load('patches/damaged', 'train', data_dir=patches_dir),
  )
  assert 'patches-train.array_record-00001-of-00003' in message


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
  message = fails(
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
  fails(
    f'{path} is missing: delete its folder and run: python -m',
    lambda: source.load('digits', 'train', data_dir=mine),
  )


@pytest.mark.parametrize('name', ['dataset_info.json', 'features.json'])
def test_damaged_metadata(mine, name):
  (mine / 'digits' / '1.0.0' / name).write_text('{')
  fails(
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
  message = fails(
    f'data set digits is prepared as {other} in {path.parent}, which cannot',
    lambda: source.load('digits', 'train', data_dir=mine),
  )
  assert message.endswith(
    f'{remedy} run: python -m experiments.prepare --dataset=digits '
    f'--data_dir={mine}'
  )


def test_missing_package(digits_dir, monkeypatch):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  fails(
    'without the package array_record: run: pip install array_record',
    lambda: source.describe('digits', data_dir=digits_dir),
  )
