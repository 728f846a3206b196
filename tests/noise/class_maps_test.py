import numpy as np
import pytest

from noisy_labels.noise import class_maps

CIFAR10_NAMES = (
  'airplane automobile bird cat deer dog frog horse ship truck'.split()
)
FASHION_NAMES = (
  'top trouser pullover dress coat sandal shirt sneaker bag boot'.split()
)
# The coarse label of each fine label, as the files of CIFAR-100 have it.
# fmt: off
CIFAR100_COARSE = (
  4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11,
  6, 11, 5, 10, 7, 6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5,
  5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18, 17,
  10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13,
  16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13,
)
# fmt: on


def flips(class_map, names):
  return {(names[i], names[j]) for i, j in enumerate(class_map) if i != j}


def test_maps_by_name():
  assert flips(class_maps.MNIST, range(10)) == {
    (7, 1), (2, 7), (5, 6), (6, 5), (3, 8),
  }  # fmt: skip
  assert flips(class_maps.CIFAR10, CIFAR10_NAMES) == {
    ('truck', 'automobile'),
    ('bird', 'airplane'),
    ('deer', 'horse'),
    ('cat', 'dog'),
    ('dog', 'cat'),
  }
  assert flips(class_maps.FASHION_MNIST, FASHION_NAMES) == {
    ('boot', 'sneaker'),
    ('sneaker', 'sandal'),
    ('pullover', 'shirt'),
    ('coat', 'dress'),
    ('dress', 'coat'),
  }


def test_super_classes_agree_with_the_files():
  groups = class_maps.CIFAR100_SUPER_CLASSES
  names = sorted(name for group in groups for name in group)
  assert len(set(names)) == 100
  coarse = {name: c for c, group in enumerate(groups) for name in group}
  assert tuple(coarse[name] for name in names) == CIFAR100_COARSE


def test_cifar100_goes_to_the_next_of_its_super_class():
  """The next larger fine label with the same coarse label, or the smallest."""
  for label, target in enumerate(class_maps.CIFAR100):
    group = np.flatnonzero(np.array(CIFAR100_COARSE) == CIFAR100_COARSE[label])
    larger = group[group > label]
    assert target == (larger[0] if larger.size else group[0])


def test_blocks_are_not_super_classes():
  blocks = class_maps.CIFAR100_BLOCKS
  assert blocks[:6] == (1, 2, 3, 4, 0, 6)
  assert blocks[95:] == (96, 97, 98, 99, 95)
  crossing = sum(
    CIFAR100_COARSE[i] != CIFAR100_COARSE[j] for i, j in enumerate(blocks)
  )
  assert crossing > 90


@pytest.mark.parametrize(
  'class_map', [class_maps.CIFAR100, class_maps.CIFAR100_BLOCKS]
)
def test_cycles_of_five(class_map):
  step = np.array(class_map)
  place = np.arange(100)
  for _ in range(4):
    place = step[place]
    assert (place != np.arange(100)).all()
  np.testing.assert_array_equal(step[place], np.arange(100))
