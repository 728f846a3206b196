from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise

sizes = st.integers(2, 60)
rates = st.floats(0, 1)


@settings(deadline=None)
@given(num_classes=sizes, rate=rates, exclude_true=st.booleans())
def test_symmetric_is_a_transition_matrix(num_classes, rate, exclude_true):
  transition = noise.symmetric(num_classes, rate, exclude_true=exclude_true)
  assert transition.dtype == np.float64
  np.testing.assert_array_equal(
    noise.check_transition(transition, num_classes), transition
  )


@settings(deadline=None)
@given(num_classes=sizes, rate=rates)
def test_redraw_over_all_classes(num_classes, rate):
  K = num_classes
  expected = (1 - rate) * np.eye(K) + rate / K * np.ones((K, K))
  np.testing.assert_allclose(
    noise.symmetric(K, rate, exclude_true=False), expected, atol=1e-15
  )


@settings(deadline=None)
@given(num_classes=sizes, rate=rates)
def test_redraw_over_the_other_classes(num_classes, rate):
  K = num_classes
  transition = noise.symmetric(K, rate, exclude_true=True)
  np.testing.assert_array_equal(np.diag(transition), np.full(K, 1 - rate))
  others = transition[~np.eye(K, dtype=bool)]
  np.testing.assert_array_equal(others, np.full(K * (K - 1), rate / (K - 1)))


@settings(deadline=None)
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


def matrices(max_classes=8):
  return st.builds(
    lambda K, seed: np.random.default_rng(seed).dirichlet(np.ones(K), K),
    st.integers(2, max_classes),
    st.integers(0, 2**32 - 1),
  )


@settings(deadline=None)
@given(
  transition=matrices(), other=st.integers(0, 99), third=st.integers(0, 99)
)
def test_compose_is_associative_with_the_identity_as_unit(
  transition, other, third
):
  K = len(transition)
  other = np.random.default_rng(other).dirichlet(np.ones(K), K)
  third = np.random.default_rng(third).dirichlet(np.ones(K), K)
  noise.check_transition(noise.compose(transition, other))
  np.testing.assert_allclose(
    noise.compose(noise.compose(transition, other), third),
    noise.compose(transition, noise.compose(other, third)),
    atol=1e-14,
  )
  for composed in (
    noise.compose(np.eye(K), transition),
    noise.compose(transition, np.eye(K)),
  ):
    np.testing.assert_allclose(composed, transition, atol=1e-15)


@settings(deadline=None)
@given(num_classes=sizes, first=rates, second=rates)
def test_composed_redraws_are_a_redraw(num_classes, first, second):
  """A label survives two redraws with probability (1 - r)(1 - s)."""
  composed = noise.compose(
    noise.symmetric(num_classes, first, exclude_true=False),
    noise.symmetric(num_classes, second, exclude_true=False),
  )
  rate = 1 - (1 - first) * (1 - second)
  np.testing.assert_allclose(
    composed,
    noise.symmetric(num_classes, rate, exclude_true=False),
    atol=1e-14,
  )


def test_compose_takes_the_first_first():
  first = [[0.5, 0.5], [0, 1]]
  second = [[1, 0], [0.25, 0.75]]
  np.testing.assert_array_equal(
    noise.compose(first, second), [[0.625, 0.375], [0.25, 0.75]]
  )
  labels = np.tile([0, 1], 50_000)
  once = noise.corrupt(labels, first, seed=0).labels
  twice = noise.corrupt(once, second, seed=1).labels
  measured = noise.measure(labels, twice, num_classes=2).transition
  np.testing.assert_allclose(measured, noise.compose(first, second), atol=0.01)


def test_compose_names_what_is_wrong():
  with pytest.raises(ValueError, match='first must be a square matrix'):
    noise.compose([[0.5, 0.5]], np.eye(2))
  with pytest.raises(ValueError, match='rows of second must sum to 1'):
    noise.compose(np.eye(2), np.ones((2, 2)))
  with pytest.raises(ValueError, match=r'shape of first \(2, 2\), got \(3, 3'):
    noise.compose(np.eye(2), np.eye(3))


@settings(deadline=None)
@given(transition=matrices(30))
def test_from_matrix_sums_to_one_again(transition):
  narrow = transition.astype(np.float32)
  exact = noise.from_matrix(narrow)
  assert exact.dtype == np.float64
  np.testing.assert_allclose(exact.sum(axis=1), 1, atol=1e-15)
  np.testing.assert_allclose(exact, narrow, atol=1e-6)


def test_from_matrix_copies_and_checks():
  matrix = np.eye(3)
  noise.from_matrix(matrix)[0, 0] = 5
  assert matrix[0, 0] == 1
  with pytest.raises(ValueError, match='rows of transition must sum to 1'):
    noise.from_matrix([[1, 0], [0.3, 0.6]])


def test_from_counts_by_hand():
  np.testing.assert_array_equal(
    noise.from_counts([[3, 1, 0], [0, 0, 0], [0, 1, 0]]),
    [[0.75, 0.25, 0], [0, 1, 0], [0, 1, 0]],
  )
  np.testing.assert_array_equal(
    noise.from_counts([[0.25, 0.25], [0, 0.125]]), [[0.5, 0.5], [0, 1]]
  )


@pytest.mark.parametrize(
  ('counts', 'message'),
  [
    ([1, 2], r'counts must be a square matrix \[K, K\], got shape \(2,\)'),
    ([[1, -2], [0, 1]], r'counts must not be negative, got -2.0 at \[0, 1\]'),
    ([[1, 0], [np.nan, 1]], r'counts must be finite, got nan at \[1, 0\]'),
  ],
)
def test_from_counts_says_what_is_wrong(counts, message):
  with pytest.raises(ValueError, match=message):
    noise.from_counts(counts)
