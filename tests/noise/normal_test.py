import numpy as np
import pytest
from scipy import stats

from noisy_labels import noise
from noisy_labels.noise import normal

INDEX = np.arange(20_000)


def test_normal_numbers_follow_the_normal_distribution():
  numbers = normal.normal(0, INDEX, stream=5)
  assert stats.kstest(numbers, 'norm').pvalue > 1e-3


def test_normal_inverts_the_uniform_numbers():
  numbers = normal.normal(3, INDEX, stream=7)
  uniforms = noise.uniform(3, INDEX, stream=7)
  np.testing.assert_allclose(stats.norm.cdf(numbers), uniforms, atol=1e-12)


@pytest.mark.parametrize('mean', [0.0, 0.05, 0.45, 1.0])
@pytest.mark.parametrize('std', [0.1, 3.0])
def test_truncated_numbers_follow_the_truncated_distribution(mean, std):
  numbers = normal.truncated_normal(1, INDEX, stream=2, mean=mean, std=std)
  assert numbers.min() >= 0
  assert numbers.max() <= 1
  expected = stats.truncnorm(-mean / std, (1 - mean) / std, mean, std)
  assert stats.kstest(numbers, expected.cdf).pvalue > 1e-3


def test_truncated_numbers_stay_inside_for_any_uniform_number(monkeypatch):
  extremes = np.array([0.0, 1 - 2**-53])
  monkeypatch.setattr(
    normal.counter, 'uniform', lambda seed, index, stream: extremes
  )
  for mean in np.linspace(0, 1, 101):
    for std in (0.05, 0.1, 2.0):
      numbers = normal.truncated_normal(0, [0, 1], stream=0, mean=mean, std=std)
      assert numbers.min() >= 0
      assert numbers.max() <= 1


def test_any_uniform_number_has_a_finite_quantile():
  extremes = normal._quantiles(np.array([0.0, 0.5, 1 - 2**-53, 1.0]))
  assert np.isfinite(extremes).all()
  assert extremes[1] == 0
  assert extremes[0] < -8
  assert extremes[3] > 8


def test_shape_is_that_of_index():
  index = np.arange(6).reshape(2, 3)
  numbers = normal.normal(0, index, stream=0)
  assert numbers.shape == (2, 3)
  np.testing.assert_array_equal(
    numbers.reshape(-1), normal.normal(0, np.arange(6), stream=0)
  )
  assert normal.normal(0, [], stream=0).shape == (0,)
