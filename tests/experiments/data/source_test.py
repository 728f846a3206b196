import os

import numpy as np
import pytest

from experiments import noises
from experiments.configs import common
from experiments.data import decode
from experiments.data import prepared
from experiments.data import records
from experiments.data import source
from noisy_labels import noise
from tests.experiments.data import failing


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
  failing.fails(
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

  failing.fails(
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


@pytest.mark.parametrize('split', ['trian', 'train[:10%]', ''])
def test_missing_split(digits_dir, split):
  failing.fails(
    f"digits:1.0.0 has no split '{split}': it has train, test",
    lambda: source.load('digits', split, data_dir=digits_dir),
  )


def test_missing_label_column(digits_dir):
  failing.fails(
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
  assert 'at index 10' in failing.fails(message, lambda: load(None))


def test_damaged_image_names_its_file(patches_dir):
  message = failing.fails(
    'is truncated or corrupt (cannot identify image file',
    lambda: source.load('patches/damaged', 'train', data_dir=patches_dir),
  )
  assert 'patches-train.array_record-00001-of-00003' in message
