"""Which examples may be trusted, on any number of devices."""

import functools

import jax
import numpy as np
import pytest

from experiments import devices
from experiments import errors
from experiments.data import dataset


@functools.cache
def _make(data_dir, num_devices, num_trusted, seed=0):
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
