from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise

sizes = st.integers(2, 60)
rates = st.floats(0, 1)


@given(num_classes=sizes, rate=rates, exclude_true=st.booleans())
def test_symmetric_is_a_transition_matrix(num_classes, rate, exclude_true):
  transition = noise.symmetric(num_classes, rate, exclude_true=exclude_true)
  assert transition.dtype == np.float64
  np.testing.assert_array_equal(
    noise.check_transition(transition, num_classes), transition
  )


@given(num_classes=sizes, rate=rates)
def test_redraw_over_all_classes(num_classes, rate):
  K = num_classes
  expected = (1 - rate) * np.eye(K) + rate / K * np.ones((K, K))
  np.testing.assert_allclose(
    noise.symmetric(K, rate, exclude_true=False), expected, atol=1e-15
  )


@given(num_classes=sizes, rate=rates)
def test_redraw_over_the_other_classes(num_classes, rate):
  K = num_classes
  transition = noise.symmetric(K, rate, exclude_true=True)
  np.testing.assert_array_equal(np.diag(transition), np.full(K, 1 - rate))
  others = transition[~np.eye(K, dtype=bool)]
  np.testing.assert_array_equal(others, np.full(K * (K - 1), rate / (K - 1)))


@given(num_classes=sizes, rate=rates)
def test_conventions_differ_by_a_factor(num_classes, rate):
  np.testing.assert_allclose(
    noise.symmetric(num_classes, rate, exclude_true=False),
    noise.symmetric(
      num_classes, rate * (1 - 1 / num_classes), exclude_true=True
    ),
    atol=1e-15,
  )


@pytest.mark.parametrize('exclude_true', [True, False])
def test_no_noise_is_exactly_the_identity(exclude_true):
  np.testing.assert_array_equal(
    noise.symmetric(7, 0, exclude_true=exclude_true), np.eye(7)
  )


def test_convention_has_no_default():
  with pytest.raises(TypeError, match='exclude_true'):
    noise.symmetric(10, 0.3)


@pytest.mark.parametrize('rate', [-0.01, 1.01, float('nan')])
@pytest.mark.parametrize('exclude_true', [True, False])
def test_rejects_rates_out_of_range(rate, exclude_true):
  with pytest.raises(ValueError, match=r'rate must be in \[0, 1\], got'):
    noise.symmetric(10, rate, exclude_true=exclude_true)


def test_rejects_a_single_class():
  with pytest.raises(ValueError, match='num_classes must be at least 2, got 1'):
    noise.symmetric(1, 0.1, exclude_true=True)


def test_check_accepts_float32():
  rows = np.random.default_rng(0).dirichlet(np.ones(500), 500)
  noise.check_transition(rows.astype(np.float32))


@pytest.mark.parametrize(
  ('transition', 'message'),
  [
    ([0.5, 0.5], r'square matrix \[K, K\], got shape \(2,\)'),
    ([[0.5, 0.5]], r'square matrix \[K, K\], got shape \(1, 2\)'),
    (np.zeros((0, 0)), r'square matrix \[K, K\], got shape \(0, 0\)'),
    ([[1, 0], [np.nan, 1]], r'be finite, got nan at \[1, 0\]'),
    ([[1, np.inf], [0, 1]], r'be finite, got inf at \[0, 1\]'),
    ([[1.5, -0.5], [0, 1]], r'not be negative, got -0.5 at \[0, 1\]'),
    ([[1, 0], [0.3, 0.6]], r'must sum to 1, got 0.9 in row 1'),
    ([[0.67, 0.34], [0, 1]], r'must sum to 1, got 1.01 in row 0'),
  ],
)
def test_check_says_what_is_wrong(transition, message):
  with pytest.raises(ValueError, match=message) as error:
    noise.check_transition(transition)
  assert 'transition' in str(error.value)


def test_check_compares_the_number_of_classes():
  with pytest.raises(ValueError, match='each of 10 classes, got 3'):
    noise.check_transition(np.eye(3), num_classes=10)
