"""Copies and strangers that were put in are found, and nothing else."""

import numpy as np

from experiments.audit import neighbours
from tests.experiments.audit import toy_folder


def _images(number):
  rng = np.random.default_rng(0)
  names = [toy_folder.CLASSES[i % 3] for i in range(number)]
  images = [np.asarray(toy_folder.image(name, rng)) for name in names]
  return np.stack(images)[..., None], np.arange(number, dtype=np.int32) % 3


def test_copies_with_two_labels_are_pairs():
  images, labels = _images(60)
  images[7], images[21] = images[0], images[2]
  images[21, 0, 0] ^= 1  # Stored again, and not quite the same.
  images[33] = images[3]  # The same label: no conflict.
  assert labels[33] == labels[3]
  found = neighbours.find(neighbours.of_pixels(images), labels)
  pairs = [(one.position, one.partner) for one in found.duplicates()]
  assert pairs == [(0, 7), (2, 21)]
  distances = [one.distance for one in found.duplicates()]
  assert distances[0] < 1e-3 < distances[1] < neighbours.TOLERANCE


def test_a_stranger_is_an_outlier():
  images, labels = _images(90)
  images[50] = (
    np.random.default_rng(1)
    .permuted(images[50].ravel())
    .reshape(images[50].shape)
  )
  found = neighbours.find(neighbours.of_pixels(images), labels)
  assert found.strangers()[0].position == 50
  assert len(found.outliers) == found.number < 9
  assert (np.diff(found.scores) <= 0).all()


def test_outliers_that_are_not_listed_are_counted(monkeypatch):
  rng = np.random.default_rng(0)
  features = rng.normal(size=(90, 8)).astype(np.float32)
  features[:80] = [1, *[0] * 7] + 1e-3 * features[:80]
  monkeypatch.setattr(neighbours, '_LISTED', 4)
  found = neighbours.find(features, np.zeros(90, np.int32))
  assert found.number == 10
  assert len(found.strangers()) == 4
  assert min(found.outliers) >= 80


def test_blocks_change_nothing(monkeypatch):
  images, labels = _images(90)
  images[7] = images[0]
  features = neighbours.of_pixels(images)
  whole = neighbours.find(features, labels)
  done = []
  monkeypatch.setattr(neighbours, '_BLOCK_PRODUCTS', 40 * features.size)
  parts = neighbours.find(features, labels, tick=done.append)
  assert done == [40, 40, 10, 40, 40, 10]
  for one, other in zip(whole, parts, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_too_few_examples_have_no_outlier():
  images, labels = _images(9)
  found = neighbours.find(neighbours.of_pixels(images), labels)
  assert found.strangers() == []


def test_features_keep_the_distances_of_pixels():
  images, _ = _images(40)
  features = neighbours.of_pixels(images)
  assert features.shape[1] <= neighbours.COMPONENTS
  flat = images.reshape(40, -1) / 255
  want = np.linalg.norm(flat[:20] - flat[20:], axis=1)
  got = np.linalg.norm(features[:20] - features[20:], axis=1)
  np.testing.assert_allclose(got, want, rtol=1e-4)


def test_images_of_any_size_are_shrunk():
  rng = np.random.default_rng(0)
  for shape in ((1, 1, 3), (1, 70, 1), (33, 50, 3), (64, 64, 3)):
    images = rng.integers(0, 256, (12, *shape), np.uint8)
    features = neighbours.of_pixels(images)
    assert features.shape[0] == 12
    assert np.isfinite(features).all()


def test_very_many_examples_are_not_compared():
  assert neighbours.too_many(60_000, 64) is None
  assert 'N = 1,000,000' in neighbours.too_many(1_000_000, 64)
