import jax
import numpy as np
import pytest

from noisy_labels import estimation
from noisy_labels.estimation import neighbors

FEATURES = np.asarray(jax.random.normal(jax.random.key(0), (101, 5)))


def by_sorting(features, k=2):
  unit = features.astype(np.float64)
  unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
  cosines = unit @ unit.T
  np.fill_diagonal(cosines, -np.inf)
  return np.argsort(-cosines, axis=1, kind='stable')[:, :k]


@pytest.mark.parametrize('elements', [2**22, 101 * 7])
def test_they_are_the_nearest(monkeypatch, elements):
  monkeypatch.setattr(neighbors, '_ELEMENTS', elements)
  got = estimation.two_nearest(FEATURES)
  np.testing.assert_array_equal(got, by_sorting(FEATURES))


@pytest.mark.parametrize('k', [1, 7, 100])
def test_any_number_of_them(k):
  got = estimation.nearest(FEATURES, k=k)
  want = by_sorting(FEATURES, k)
  np.testing.assert_array_equal(got.places, want)
  unit = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
  cosines = np.einsum('nd,nkd->nk', unit, unit[want])
  np.testing.assert_allclose(got.cosines, cosines, atol=1e-6)


def test_of_other_groups_alone():
  groups = np.arange(101) % 3
  got = estimation.nearest(FEATURES, k=5, groups=groups)
  everyone = by_sorting(FEATURES, 100)
  for n, row in enumerate(everyone):
    want = row[groups[row] != groups[n]][:5]
    np.testing.assert_array_equal(got.places[n], want)
  alone = estimation.nearest(FEATURES, k=5, groups=np.zeros(101, int))
  assert (alone.cosines == -np.inf).all()


def test_lengths_do_not_matter():
  lengths = 10.0 ** np.linspace(-25, 25, len(FEATURES))[:, None]
  got = estimation.two_nearest((FEATURES * lengths).astype(np.float32))
  np.testing.assert_array_equal(got, by_sorting(FEATURES))


def test_a_shard_looks_in_the_pool():
  got = estimation.two_nearest(
    FEATURES[20:40], pool=FEATURES, index=np.arange(20, 40)
  )
  np.testing.assert_array_equal(got, by_sorting(FEATURES)[20:40])
  outside = estimation.two_nearest(
    FEATURES[:3], pool=FEATURES, index=np.full(3, -1)
  )
  np.testing.assert_array_equal(outside[:, 0], [0, 1, 2])


def test_copies_are_neighbours_but_not_of_themselves():
  features = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
  got = estimation.two_nearest(features)
  np.testing.assert_array_equal(got[:3], [[1, 2], [0, 2], [0, 1]])
  assert np.isfinite(got).all()


def test_errors():
  with pytest.raises(ValueError, match='need 3 examples, got 2'):
    estimation.two_nearest(FEATURES[:2])
  with pytest.raises(ValueError, match='features must have shape'):
    estimation.two_nearest(FEATURES, pool=FEATURES[:, :3])
  for name in ('index', 'groups', 'pool_groups'):
    with pytest.raises(ValueError, match=f'{name} must have shape'):
      estimation.nearest(FEATURES, k=1, **{name: np.arange(2)})
