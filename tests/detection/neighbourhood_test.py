import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels.estimation import neighbors

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(101, 5)).astype(np.float32)
LABELS = RNG.integers(4, size=101)


def order():
  """All others by distance on the sphere."""
  unit = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
  apart = np.linalg.norm(unit[:, None] - unit, axis=2)
  np.fill_diagonal(apart, np.inf)
  places = np.argsort(apart, axis=1, kind='stable')
  return places, np.take_along_axis(apart, places, axis=1)


@pytest.mark.parametrize('k', [1, 3, 10, 100])
@pytest.mark.parametrize('elements', [2**22, 101 * 7])
def test_the_share_of_other_labels(monkeypatch, k, elements):
  monkeypatch.setattr(neighbors, '_ELEMENTS', elements)
  got = detection.neighbour_agreement(FEATURES, LABELS, k=k)
  others = LABELS[order()[0][:, :k]]
  want = (others != LABELS[:, None]).mean(axis=1)
  np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize('k', [1, 10])
def test_the_distance_of_the_kth(k):
  got = detection.out_of_distribution(FEATURES, k=k)
  np.testing.assert_allclose(got, order()[1][:, k - 1], atol=1e-5)


def test_what_is_far_from_all_is_found():
  features = 0.1 * FEATURES + [1, 0, 0, 0, 0]
  features[[7, 80]] = [[0, 1, 0, 0, 0], [-1, 0, 0, 0, 0]]
  got = np.asarray(detection.out_of_distribution(features))
  assert {*got.argsort()[-2:]} == {7, 80}
  assert got.max() <= 2


def test_copies_are_at_distance_zero():
  got = detection.out_of_distribution(np.tile(FEATURES, (12, 1)), k=10)
  np.testing.assert_array_equal(got, 0)


def test_a_shard_looks_in_the_pool():
  rows = slice(20, 40)
  shard = {'pool': FEATURES, 'index': np.arange(20, 40)}
  np.testing.assert_array_equal(
    detection.neighbour_agreement(
      FEATURES[rows], LABELS[rows], pool_labels=LABELS, **shard
    ),
    detection.neighbour_agreement(FEATURES, LABELS)[rows],
  )
  np.testing.assert_array_equal(
    detection.out_of_distribution(FEATURES[rows], **shard),
    detection.out_of_distribution(FEATURES)[rows],
  )


def test_errors():
  with pytest.raises(ValueError, match='10 neighbours need 11 examples, got 9'):
    detection.neighbour_agreement(FEATURES[:9], LABELS[:9])
  with pytest.raises(ValueError, match='features must be finite'):
    detection.out_of_distribution(np.full((20, 2), np.nan))
  with pytest.raises(ValueError, match='labels must have shape'):
    detection.neighbour_agreement(FEATURES, LABELS[:5])
  with pytest.raises(ValueError, match='given together'):
    detection.neighbour_agreement(FEATURES, LABELS, pool=FEATURES)
  with pytest.raises(ValueError, match='k must be an integer'):
    detection.out_of_distribution(FEATURES, k=0)
