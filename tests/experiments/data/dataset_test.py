"""Which examples take which part, on any number of devices."""

import functools

import jax
import numpy as np
import pytest

from experiments import devices
from experiments import errors
from experiments.data import dataset
from experiments.data import source


@functools.cache
def _make(
  data_dir, num_devices, num_trusted, seed=0, exclude=(), num_examples=0
):
  """Digits, all of their labels wrong."""
  data = dataset.make_dataset(
    'digits',
    local=devices.local(jax.local_devices()[:num_devices]),
    data_dir=str(data_dir),
    give=lambda examples: (examples.label + 1) % 10,
    seed=seed,
    validation_fraction=0.1,
    batch_size=16,
    num_trusted=num_trusted,
    exclude=np.array(exclude, int) if exclude else None,
    num_examples=num_examples,
  )
  return data._replace(
    **{
      name: jax.device_get(getattr(data, name))
      for name in ('train', 'validation', 'test')
    }
  )


def _real(shards):
  """Trusted and true labels and indices, without the padding."""
  real = shards.mask > 0
  return (
    x[real] for x in (shards.trusted_label, shards.true_label, shards.index)
  )


@pytest.mark.parametrize('num_devices', [1, 4])
def test_the_trusted_labels_are_the_true_ones(digits_dir, num_devices):
  data = _make(digits_dir, num_devices, 50)
  trusted, true, index = _real(data.train)
  known = trusted >= 0
  assert known.sum() == 50
  np.testing.assert_array_equal(trusted[known], true[known])
  np.testing.assert_array_equal(trusted[~known], -1)
  # The same by index, and nothing of examples that are held out.
  assert len(data.trusted_label) == data.info.num_examples['train']
  np.testing.assert_array_equal(data.trusted_label[index], trusted)
  assert (data.trusted_label >= 0).sum() == 50
  for shards in (data.validation, data.test):
    trusted, _, _ = _real(shards)
    np.testing.assert_array_equal(trusted, -1)


def test_they_are_the_same_on_any_devices_and_others_with_another_seed(
  digits_dir,
):
  one, four = (_make(digits_dir, number, 50) for number in (1, 4))
  np.testing.assert_array_equal(one.trusted_label, four.trusted_label)
  other = _make(digits_dir, 1, 50, seed=1)
  assert np.any(other.trusted_label != one.trusted_label)


def test_to_trust_none_changes_nothing_else(digits_dir):
  none, some = (_make(digits_dir, 4, number) for number in (0, 50))
  np.testing.assert_array_equal(none.trusted_label, -1)
  trusted, _, _ = _real(none.train)
  np.testing.assert_array_equal(trusted, -1)
  for name in ('image', 'label', 'true_label', 'index', 'mask'):
    for split in ('train', 'validation', 'test'):
      np.testing.assert_array_equal(
        getattr(getattr(none, split), name), getattr(getattr(some, split), name)
      )


def test_every_device_needs_one(digits_dir):
  with pytest.raises(errors.UsageError, match='one of the 4 devices without'):
    _make(digits_dir, 4, 3)
  _make(digits_dir, 1, 3)


def test_no_more_can_be_trusted_than_there_are(digits_dir):
  with pytest.raises(errors.UsageError, match='num_trusted=5000 is not'):
    _make(digits_dir, 1, 5000)


def test_what_is_excluded_takes_no_part_and_moves_nothing(digits_dir):
  whole = _make(digits_dir, 4, 0)
  left = _make(digits_dir, 4, 0, exclude=(3, 5, 1000, 1436))
  gone = 0
  for split in ('train', 'validation'):
    _, _, before = _real(getattr(whole, split))
    _, _, after = _real(getattr(left, split))
    expected = np.setdiff1d(before, [3, 5, 1000, 1436])
    np.testing.assert_array_equal(np.sort(after), expected)
    gone += len(before) - len(after)
  assert gone == 4
  assert left.counts.sum() == whole.counts.sum() - 4


def test_a_part_keeps_its_roles_and_its_labels(digits_dir):
  whole = _make(digits_dir, 4, 0)
  part = _make(digits_dir, 4, 0, num_examples=500)
  fewer = _make(digits_dir, 4, 0, num_examples=300, exclude=(3, 5))
  taken, taken_fewer = [], []
  for split in ('train', 'validation'):
    _, true, before = _real(getattr(whole, split))
    _, part_true, after = _real(getattr(part, split))
    _, _, least = _real(getattr(fewer, split))
    assert set(least) <= set(after) <= set(before)
    labels = dict(zip(before, true, strict=True))
    assert [labels[index] for index in after] == list(part_true)
    taken.extend(after)
    taken_fewer.extend(least)
  assert len(taken) == part.counts.sum() == 500
  assert len(taken_fewer) >= 298
  assert not {3, 5} & set(taken_fewer)
  _, _, test_whole = _real(whole.test)
  _, _, test_part = _real(part.test)
  np.testing.assert_array_equal(test_whole, test_part)


def test_no_more_take_part_than_there_are(digits_dir):
  with pytest.raises(errors.UsageError, match='num_examples=5000 is more than'):
    _make(digits_dir, 1, 0, num_examples=5000)


def test_without_a_test_split_there_is_no_test_example(digits_dir, monkeypatch):
  describe, load = source.describe, source.load

  def untested(*args, **kwargs):
    info = describe(*args, **kwargs)
    return info._replace(num_examples={'train': info.num_examples['train']})

  def load_train(name, split, **kwargs):
    assert split == 'train'
    return load(name, split, **kwargs)

  monkeypatch.setattr(source, 'describe', untested)
  monkeypatch.setattr(source, 'load', load_train)
  data = _make.__wrapped__(digits_dir, 2, 0)
  assert data.test.mask.sum() == 0
  assert data.num_tests == 0
  assert data.test.image.shape[2:] == data.train.image.shape[2:]
  monkeypatch.setattr(
    source,
    'describe',
    lambda *args, **kwargs: untested(*args, **kwargs)._replace(
      num_examples={'test': 360}
    ),
  )
  with pytest.raises(errors.RunError, match="no split 'train'; it has test"):
    _make.__wrapped__(digits_dir, 2, 0)
