from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy import special
from scipy import stats

from noisy_labels import noise
from noisy_labels.noise import normal
from noisy_labels.noise import parts
from noisy_labels.noise import streams

K = 4
GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(600, 2, 3))
LABELS = GENERATOR.integers(0, K, 600)


def make(features=FEATURES, labels=LABELS, **changes):
  arguments = {'rate': 0.3, 'num_classes': K, 'seed': 7, **changes}
  return noise.part_dependent(features, labels, **arguments)


def test_rows_follow_the_formula_example_by_example():
  rows = make()
  for n in range(0, 600, 37):
    y = LABELS[n]
    q = normal.truncated_normal(
      7, n, stream=streams.FLIP_RATES, mean=0.3, std=0.1
    )
    logits = FEATURES[n].reshape(-1) @ parts._projection(7, int(y), 6, K)
    logits[y] = -np.inf
    expected = q * special.softmax(logits)
    expected[y] = 1 - q
    np.testing.assert_allclose(rows[n], expected, atol=1e-14)


@settings(deadline=None)
@given(
  rate=st.floats(0, 1),
  scale=st.sampled_from([0.0, 1.0, 1e6]),
  seed=st.integers(0, 99),
)
def test_rows_are_distributions(rate, scale, seed):
  rows = make(FEATURES * scale, rate=rate, seed=seed)
  assert (rows >= 0).all()
  np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-12)


def test_flip_rates_do_not_depend_on_what_is_seen():
  """A truncated normal around the rate, whatever the label or the features."""
  kept = make()[np.arange(600), LABELS]
  other = make(-3 * FEATURES, np.zeros(600, int))[:, 0]
  np.testing.assert_array_equal(kept, other)
  expected = stats.truncnorm(-3, 7, 0.3, 0.1)
  assert stats.kstest(1 - kept, expected.cdf).pvalue > 1e-3


def test_realised_rate_is_near_the_rate():
  labels = np.tile(LABELS, 40)
  features = np.tile(FEATURES, (40, 1, 1))
  rows = make(features, labels)
  corrupted = noise.corrupt_by_row(labels, rows, seed=7)
  # Truncation at -3 standard deviations adds 0.0004.
  error = np.sqrt(0.3 * 0.7 / len(labels))
  assert abs(corrupted.rate - 0.3004) < 4 * error


def test_classes_are_mistaken_in_ways_of_their_own():
  """The same features under another label meet another projection."""
  rows = [make(labels=np.full(600, label))[:, 3] for label in (0, 1)]
  assert np.abs(np.corrcoef(rows)[0, 1]) < 0.6


def test_small_features_spread_and_large_ones_point():
  others = np.arange(K) != LABELS[:, None]
  flat = make(FEATURES * 0)[others].reshape(600, K - 1)
  np.testing.assert_allclose(flat, flat[:, :1] * np.ones(K - 1))
  peaked = make(FEATURES * 1e6)[others].reshape(600, K - 1)
  share = peaked.max(axis=1) / peaked.sum(axis=1)
  assert np.mean(share > 0.999) > 0.99


@pytest.mark.parametrize('seed', range(3))
def test_shards_equal_the_whole_in_any_order(seed):
  whole = make(seed=seed)
  labels = noise.corrupt_by_row(LABELS, whole, seed=seed).labels
  order = np.random.default_rng(seed).permutation(600)
  for part in np.split(order, [1, 50, 333]):
    rows = make(FEATURES[part], LABELS[part], seed=seed, index=part)
    np.testing.assert_allclose(rows, whole[part], rtol=1e-9, atol=1e-15)
    shard = noise.corrupt_by_row(LABELS[part], rows, seed=seed, index=part)
    np.testing.assert_array_equal(shard.labels, labels[part])


def test_two_classes_and_no_examples():
  rows = make([[1.0]], [1], num_classes=2)
  np.testing.assert_allclose(rows.sum(), 1)
  assert make(np.zeros((0, 5)), []).shape == (0, K)


def test_rows_never_change():
  """Computed once. A difference means that past runs cannot be repeated."""
  rows = make([[0.5, -1.0], [2.0, 0.25]], [1, 3])
  np.testing.assert_allclose(
    rows,
    [
      [
        0.277418833688055,
        0.4792022883586664,
        0.02771769432211595,
        0.21566118363116266,
      ],
      [
        0.2737169786222961,
        0.03365983754357108,
        0.07893020751744442,
        0.6136929763166883,
      ],
    ],
    rtol=1e-12,
  )


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'features': np.zeros(600)}, r'shape \[N, \.\.\.\] with N = 600 labels'),
    ({'features': np.zeros((5, 3))}, r'N = 600 labels, got \(5, 3\)'),
    ({'features': np.full((600, 1), np.nan)}, 'features must be finite'),
    ({'labels': LABELS + 1}, r'labels must be in 0\.\.3, got 4'),
    ({'rate': 1.5}, r'rate must be in \[0, 1\], got 1.5'),
    ({'std': 0.0}, 'std must be positive and finite, got 0.0'),
    ({'std': np.inf}, 'std must be positive and finite, got inf'),
    ({'num_classes': 1}, 'num_classes must be at least 2, got 1'),
    ({'seed': -1}, 'seed must be an integer'),
    ({'index': [3]}, r'index must have the shape of labels \(600,\)'),
  ],
)
def test_rejects_bad_arguments(changes, message):
  with pytest.raises(ValueError, match=message):
    make(**changes)
