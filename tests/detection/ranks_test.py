import numpy as np
import pytest
from scipy import stats

from noisy_labels import detection

RNG = np.random.default_rng(0)


def test_it_is_the_mean_of_mean_ranks():
  scores = [
    RNG.normal(size=50).astype(np.float32),
    RNG.integers(4, size=50),
    np.zeros(50),
  ]
  want = np.mean([(stats.rankdata(s) - 1) / 49 for s in scores], axis=0)
  got = detection.ensemble(*scores)
  np.testing.assert_allclose(got, want, atol=1e-6)
  np.testing.assert_allclose(np.mean(got), 0.5, atol=1e-6)


def test_units_do_not_matter():
  scores = RNG.normal(size=(2, 50)).astype(np.float32)
  got = detection.ensemble(np.exp(scores[0]), 1e6 * scores[1])
  np.testing.assert_array_equal(got, detection.ensemble(*scores))


def test_one_example():
  np.testing.assert_array_equal(detection.ensemble(np.ones(1)), [0.5])


@pytest.mark.parametrize(
  'scores', [(), (np.ones(3), np.ones(4)), (np.ones((2, 2)),), (1.0,)]
)
def test_errors(scores):
  with pytest.raises(ValueError, match=r'ensemble\(one, other\) takes scores'):
    detection.ensemble(*scores)
