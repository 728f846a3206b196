from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise

K = 5
N = 400
GENERATOR = np.random.default_rng(0)
PROBS = GENERATOR.dirichlet(np.full(K, 0.3), N)
LABELS = GENERATOR.integers(0, K, N)
PREDICTED = PROBS.argmax(axis=1)
kinds = pytest.mark.parametrize('kind', [1, 2, 3])


@pytest.mark.parametrize(
  ('kind', 'flip_rate'),
  # A margin of 0.5: (1 - 1/4) / 2, 1 - 1/8, 1 - (1/8 + 1/4 + 1/2) / 3.
  [(1, 0.375), (2, 0.875), (3, 1 - 0.875 / 3)],
)
def test_flips_to_the_second_class_by_hand(kind, flip_rate):
  rows = noise.margin_dependent([1], [[0.25, 0.75, 0.0]], kind=kind)
  np.testing.assert_allclose(rows, [[flip_rate, 1 - flip_rate, 0]])


@kinds
def test_without_a_margin_flips_are_the_likeliest(kind):
  """Where the classifier disagrees, the label flips to what it predicts."""
  rows = noise.margin_dependent([2], [[0.1, 0.7, 0.2]], kind=kind)
  largest = 0.5 if kind == 1 else 1.0
  np.testing.assert_allclose(rows, [[0, largest, 1 - largest]])


@kinds
@pytest.mark.parametrize('factor', [0.0, 0.4, 1.0, 7.0])
def test_rows_are_distributions_over_two_classes(kind, factor):
  rows = noise.margin_dependent(LABELS, PROBS, kind=kind, factor=factor)
  assert (rows >= 0).all()
  np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-15)
  assert (np.count_nonzero(rows, axis=1) <= 2).all()


@kinds
def test_noise_diminishes_with_the_margin(kind):
  rows = noise.margin_dependent(PREDICTED, PROBS, kind=kind)
  ordered = np.sort(PROBS, axis=1)
  order = np.argsort(ordered[:, -1] - ordered[:, -2])
  flips = 1 - rows[np.arange(N), PREDICTED]
  assert (np.diff(flips[order]) <= 1e-12).all()


@kinds
def test_certainty_is_never_mistaken(kind):
  rows = noise.margin_dependent([0], [[1.0, 0.0]], kind=kind, factor=9.0)
  np.testing.assert_array_equal(rows, [[1, 0]])


@settings(deadline=None)
@given(
  kind=st.sampled_from([1, 2, 3]),
  rate=st.floats(0, 1),
  size=st.integers(1, N),
)
def test_factor_makes_the_rate(kind, rate, size):
  labels, probs = LABELS[:size], PROBS[:size]
  factor = noise.margin_factor(labels, probs, kind=kind, rate=rate)
  rows = noise.margin_dependent(labels, probs, kind=kind, factor=factor)
  flips = 1 - rows[np.arange(size), labels]
  np.testing.assert_allclose(flips.mean(), rate, atol=1e-8)


def test_factor_does_not_depend_on_order():
  order = np.random.default_rng(1).permutation(N)
  assert noise.margin_factor(
    LABELS, PROBS, kind=3, rate=0.35
  ) == noise.margin_factor(LABELS[order], PROBS[order], kind=3, rate=0.35)


def test_factor_says_what_rate_is_possible():
  probs = [[1.0, 0.0], [0.6, 0.4]]
  factor = noise.margin_factor([0, 0], probs, kind=2, rate=0.5)
  np.testing.assert_allclose(factor, 1 / (1 - 0.2**3))
  with pytest.raises(ValueError, match=r'rate must be at most 0.5, .* got 0.6'):
    noise.margin_factor([0, 0], probs, kind=2, rate=0.6)
  with pytest.raises(ValueError, match=r'rate must be at most 0, .* got 0.1'):
    noise.margin_factor([], np.zeros((0, 2)), kind=2, rate=0.1)


@kinds
def test_realised_rate(kind):
  labels, probs = np.tile(LABELS, 50), np.tile(PROBS, (50, 1))
  factor = noise.margin_factor(labels, probs, kind=kind, rate=0.35)
  rows = noise.margin_dependent(labels, probs, kind=kind, factor=factor)
  rate = noise.corrupt_by_row(labels, rows, seed=0).rate
  assert abs(rate - 0.35) < 4 * np.sqrt(0.35 * 0.65 / len(labels))


def test_shards_equal_the_whole():
  whole = noise.margin_dependent(LABELS, PROBS, kind=1, factor=1.3)
  for part in np.array_split(np.arange(N)[::-1], 7):
    np.testing.assert_array_equal(
      noise.margin_dependent(LABELS[part], PROBS[part], kind=1, factor=1.3),
      whole[part],
    )


def test_takes_what_a_float32_softmax_gives():
  probs = PROBS.astype(np.float32)
  rows = noise.margin_dependent(LABELS, probs, kind=3)
  assert rows.dtype == np.float64
  np.testing.assert_allclose(
    rows, noise.margin_dependent(LABELS, PROBS, kind=3), atol=1e-6
  )


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'kind': 4}, 'kind must be 1, 2 or 3, got 4'),
    ({'factor': -1.0}, r'factor must be in \[0, inf\), got -1.0'),
    ({'factor': np.inf}, r'factor must be in \[0, inf\), got inf'),
    ({'probs': PROBS[0]}, r'probs must have shape \[N, K\], got \(5,\)'),
    ({'probs': PROBS[:3]}, 'probs must have a row for each of 400 labels'),
    ({'probs': 2 * PROBS}, 'rows of probs must sum to 1, got 2 in row 0'),
    ({'labels': LABELS - 1}, r'labels must be in 0\.\.4, got -1'),
  ],
)
def test_rejects_bad_arguments(changes, message):
  arguments = {'labels': LABELS, 'probs': PROBS, 'kind': 1, **changes}
  labels, probs = arguments.pop('labels'), arguments.pop('probs')
  with pytest.raises(ValueError, match=message):
    noise.margin_dependent(labels, probs, **arguments)
