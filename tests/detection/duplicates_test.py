import numpy as np
import pytest

from noisy_labels import detection

RNG = np.random.default_rng(0)


def test_pairs_are_found_and_nothing_else():
  features = RNG.normal(size=(60, 6)).astype(np.float32)
  labels = RNG.integers(3, size=60)
  features[40], labels[40] = features[3], (labels[3] + 1) % 3
  features[50], labels[50] = features[8], labels[8]  # No conflict.
  features[55], labels[55] = 2 * features[9], (labels[9] + 1) % 3
  got = detection.conflicting_duplicates(features, labels)
  pairs = {3: 40, 40: 3, 9: 55, 55: 9}
  assert {*np.flatnonzero(got.conflicting)} == {*pairs}
  want = np.full(60, -1)
  want[[*pairs]] = [*pairs.values()]
  np.testing.assert_array_equal(got.partner, want)
  np.testing.assert_allclose(got.distance[np.array([*pairs])], 0, atol=1e-6)


def test_a_copy_with_the_same_label_hides_no_other():
  features = np.ones((3, 2), np.float32)
  got = detection.conflicting_duplicates(features, np.array([0, 0, 1]))
  np.testing.assert_array_equal(got.partner, [2, 2, 0])


def test_tolerance_is_a_distance_between_directions():
  angle = 0.01
  features = np.array([[1, 0], [np.cos(angle), np.sin(angle)]], np.float32)
  labels = np.array([0, 1])
  apart = 2 * np.sin(angle / 2)
  for tolerance, want in ((0.99 * apart, False), (1.01 * apart, True)):
    got = detection.conflicting_duplicates(
      features, labels, tolerance=tolerance
    )
    np.testing.assert_array_equal(got.conflicting, want)
    np.testing.assert_allclose(got.distance, apart, rtol=1e-4)


def test_shards_find_what_the_whole_does():
  features = RNG.normal(size=(20, 3)).astype(np.float32)
  labels = RNG.integers(3, size=20)
  features[15], labels[15] = features[2], (labels[2] + 1) % 3
  whole = detection.conflicting_duplicates(features, labels)
  assert whole.partner[15] == 2
  for rows in (np.arange(10), np.arange(10, 20)):
    part = detection.conflicting_duplicates(
      features[rows],
      labels[rows],
      pool=features,
      pool_labels=labels,
      index=rows,
    )
    for one, other in zip(part, whole, strict=True):
      np.testing.assert_array_equal(one, other[rows])


def test_one_label_has_no_conflict():
  got = detection.conflicting_duplicates(np.ones((4, 2)), np.zeros(4, int))
  assert not got.conflicting.any()
  np.testing.assert_array_equal(got.partner, -1)
  np.testing.assert_array_equal(got.distance, 2)


def test_errors():
  with pytest.raises(ValueError, match='tolerance'):
    detection.conflicting_duplicates(
      np.ones((4, 2)), np.zeros(4, int), tolerance=-1.0
    )
  with pytest.raises(ValueError, match='must be given together'):
    detection.conflicting_duplicates(
      np.ones((4, 2)), np.zeros(4, int), pool=np.ones((5, 2))
    )
  with pytest.raises(ValueError, match=r'labels must be in 0\.\., got -1'):
    detection.conflicting_duplicates(np.ones((4, 2)), np.full(4, -1))
