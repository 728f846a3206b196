"""What a method sees in a step."""

import functools

import jax
import numpy as np

from experiments import step_inputs
from experiments.data import augment
from tests.experiments import toy

SHARDS = jax.tree.map(lambda x: x[0], toy.shards(1, 24))
ROWS = np.array([5, 1, 1, 20])
KEY = jax.random.key(0)


def _view(keys, images):
  return augment.augment(keys, images.astype(float), crop_padding=3)


_augmented = functools.partial(step_inputs.augmented, key=KEY, view=_view)
_both = functools.partial(_augmented, other_view=_view)


def test_no_true_label_is_seen():
  batch = step_inputs.take(SHARDS, ROWS)
  assert batch.keys() == {'image', 'label', 'index', 'mask', 'row'}
  np.testing.assert_array_equal(batch['index'], SHARDS.index[ROWS])


def test_the_other_view_is_another_draw():
  batch = step_inputs.take(SHARDS, ROWS)
  one = _augmented(batch)
  two = _both(batch)
  np.testing.assert_array_equal(one['image'], two['image'])
  assert 'other_image' not in one
  for image, other in zip(two['image'], two['other_image'], strict=True):
    assert np.any(image != other)


def test_a_view_depends_on_the_example_and_not_on_its_place():
  whole = _both(step_inputs.take(SHARDS, ROWS))
  part = _both(step_inputs.take(SHARDS, ROWS[[3, 1]]))
  for name in ('image', 'other_image'):
    np.testing.assert_array_equal(whole[name][np.array([3, 1])], part[name])
    np.testing.assert_array_equal(whole[name][1], whole[name][2])


def test_the_second_view_may_be_a_stronger_one():
  def strong(keys, images):
    return -_view(keys, images)

  batch = step_inputs.take(SHARDS, ROWS)
  like, other = _both(batch), _augmented(batch, other_view=strong)
  np.testing.assert_array_equal(other['image'], like['image'])
  np.testing.assert_array_equal(other['other_image'], -like['other_image'])
