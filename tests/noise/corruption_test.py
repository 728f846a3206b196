import os
import subprocess
import sys

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from noisy_labels import noise
from noisy_labels.noise import corruption

K = 10
LABELS = np.tile(np.arange(K), 20_000)
RAGGED = np.array([[0.7, 0.2, 0.1], [0, 1, 0], [0.05, 0.5, 0.45]])


@pytest.mark.parametrize('exclude_true', [True, False])
@pytest.mark.parametrize('rate', [0.05, 0.3, 0.8, 1.0])
@pytest.mark.parametrize('seed', [0, 1])
def test_flips_follow_the_transition(exclude_true, rate, seed):
  transition = noise.symmetric(K, rate, exclude_true=exclude_true)
  check_flips(noise.corrupt(LABELS, transition, seed=seed), transition)


@pytest.mark.parametrize('seed', range(5))
def test_flips_follow_an_uneven_transition(seed):
  labels = np.tile(np.arange(3), 50_000)
  check_flips(noise.corrupt(labels, RAGGED, seed=seed), RAGGED)


def check_flips(corrupted, transition):
  """Chi-square of the counts against T, and no flip of probability zero."""
  expected = corrupted.counts.sum(axis=1, keepdims=True) * transition
  possible = expected > 0
  assert not corrupted.counts[~possible].any()
  excess = corrupted.counts[possible] - expected[possible]
  statistic = np.sum(excess**2 / expected[possible])
  freedom = possible.sum() - len(transition)
  if freedom:
    assert 1e-4 < stats.chi2.sf(statistic, freedom) < 1 - 1e-4


@pytest.mark.parametrize(
  ('exclude_true', 'expected'), [(True, 0.3), (False, 0.27)]
)
def test_realised_rate_under_both_conventions(exclude_true, expected):
  transition = noise.symmetric(K, 0.3, exclude_true=exclude_true)
  rate = noise.corrupt(LABELS, transition, seed=0).rate
  error = np.sqrt(expected * (1 - expected) / len(LABELS))
  assert abs(rate - expected) < 4 * error


def test_excluded_class_is_never_drawn():
  transition = noise.symmetric(K, 1.0, exclude_true=True)
  corrupted = noise.corrupt(LABELS, transition, seed=2)
  assert corrupted.rate == 1
  assert not np.diag(corrupted.counts).any()


@pytest.mark.parametrize('exclude_true', [True, False])
def test_rate_zero_changes_nothing(exclude_true):
  transition = noise.symmetric(K, 0, exclude_true=exclude_true)
  corrupted = noise.corrupt(LABELS, transition, seed=0)
  np.testing.assert_array_equal(corrupted.labels, LABELS)
  assert corrupted.rate == 0


@given(data=st.data())
def test_probability_zero_is_never_drawn_at_any_rounding(data):
  """Rows whose sums miss 1 by rounding, and the largest uniform number."""
  weights = data.draw(
    st.lists(st.sampled_from([0.0, 1e-16, 0.1, 0.3, 1.0]), min_size=1)
  )
  row = np.array([*weights, 1.0, 0.0])
  row /= row.sum()
  row *= data.draw(st.sampled_from([1 - 9e-6, 1 - 1e-15, 1.0, 1 + 9e-6]))
  transition = np.tile(row, (len(row), 1))
  uniforms = np.array([0.0, 0.5, 1 - 2**-53])
  given_labels = corruption.draw(transition, np.zeros(3, np.int32), uniforms)
  assert (row[given_labels] > 0).all()


@settings(deadline=None)
@given(
  labels=st.lists(st.integers(0, K - 1), max_size=60),
  seed=st.integers(0, 2**32 - 1),
  data=st.data(),
)
def test_shards_equal_the_whole_in_any_order(labels, seed, data):
  labels = np.array(labels, np.int32)
  transition = noise.symmetric(K, 0.5, exclude_true=True)
  whole = noise.corrupt(labels, transition, seed=seed)
  order = data.draw(st.permutations(range(len(labels))))
  cuts = data.draw(st.lists(st.integers(0, len(labels)), max_size=4))
  parts = np.split(np.array(order, np.int64), sorted(cuts))
  counts = np.zeros((K, K), np.int64)
  for part in parts:
    shard = noise.corrupt(labels[part], transition, seed=seed, index=part)
    np.testing.assert_array_equal(shard.labels, whole.labels[part])
    counts += shard.counts
  np.testing.assert_array_equal(counts, whole.counts)


def test_labels_never_change():
  """Computed once. A difference means that past runs cannot be repeated."""
  transition = noise.symmetric(10, 0.5, exclude_true=True)
  corrupted = noise.corrupt(np.arange(10), transition, seed=3)
  np.testing.assert_array_equal(
    corrupted.labels, [0, 6, 3, 3, 2, 4, 7, 3, 9, 9]
  )
  assert corrupted.rate == 0.7


def test_another_process_makes_the_same_labels():
  code = (
    'from noisy_labels import noise; '
    'T = noise.symmetric(10, 0.5, exclude_true=False); '
    'print(*noise.corrupt(list(range(10)) * 9, T, seed=8).labels)'
  )
  transition = noise.symmetric(10, 0.5, exclude_true=False)
  here = noise.corrupt(list(range(10)) * 9, transition, seed=8).labels
  for hash_seed in ('1', '2'):
    there = subprocess.run(
      [sys.executable, '-c', code],
      env={**os.environ, 'PYTHONHASHSEED': hash_seed},
      capture_output=True,
      check=True,
      text=True,
    ).stdout
    assert there.split() == [str(label) for label in here]


def test_seeds_flip_independently():
  transition = noise.symmetric(K, 0.5, exclude_true=True)
  flips = [
    noise.corrupt(LABELS, transition, seed=seed).labels != LABELS
    for seed in range(4)
  ]
  correlations = np.corrcoef(flips)[np.triu_indices(4, 1)]
  assert np.abs(correlations).max() < 4 / np.sqrt(len(LABELS))


def test_same_index_same_flip():
  transition = noise.symmetric(K, 0.9, exclude_true=False)
  corrupted = noise.corrupt([4] * 8, transition, seed=0, index=[6, 5] * 4)
  assert (corrupted.labels == np.tile(corrupted.labels[:2], 4)).all()


def test_takes_jax_arrays_and_leaves_its_arguments_alone():
  labels = jnp.arange(K)
  index = np.arange(K)
  transition = np.full((K, K), 1 / K)
  corrupted = noise.corrupt(labels, transition, seed=0, index=index)
  assert corrupted.labels.dtype == np.int32
  assert corrupted.counts.dtype == np.int64
  np.testing.assert_array_equal(index, np.arange(K))
  np.testing.assert_array_equal(transition, np.full((K, K), 1 / K))


def test_realised_transition():
  measured = noise.measure([0, 0, 0, 0, 2], [0, 0, 0, 1, 1], num_classes=3)
  np.testing.assert_array_equal(
    measured.counts, [[3, 1, 0], [0, 0, 0], [0, 1, 0]]
  )
  assert measured.rate == 0.4
  # No example is of class 1.
  np.testing.assert_array_equal(
    measured.transition, [[0.75, 0.25, 0], [0, 1, 0], [0, 1, 0]]
  )


def test_no_labels():
  corrupted = noise.corrupt([], np.eye(3), seed=0)
  assert corrupted.labels.shape == (0,)
  assert corrupted.rate == 0
  np.testing.assert_array_equal(corrupted.transition, np.eye(3))


@pytest.mark.parametrize(
  ('labels', 'message'),
  [
    ([[0, 1]], r'labels must have shape \[N\], got \(1, 2\)'),
    ([0.0, 1.0], 'labels must be integers, got dtype float64'),
    ([True, False], 'labels must be integers, got dtype bool'),
    ([0, 1, 3], r'labels must be in 0\.\.2, got 3 at position 2'),
    ([0, -1, 7], r'labels must be in 0\.\.2, got -1 at position 1'),
  ],
)
def test_rejects_bad_labels(labels, message):
  with pytest.raises(ValueError, match=message):
    noise.corrupt(labels, np.eye(3), seed=0)


def test_rejects_what_does_not_fit_the_labels():
  with pytest.raises(ValueError, match=r'index must have the shape of labels'):
    noise.corrupt([0, 1], np.eye(3), seed=0, index=[0])
  with pytest.raises(ValueError, match='transition must be a square matrix'):
    noise.corrupt([0, 1], np.zeros((2, 3, 3)), seed=0)
  with pytest.raises(ValueError, match='seed must be an integer'):
    noise.corrupt([0, 1], np.eye(3), seed=-1)
  with pytest.raises(ValueError, match=r'given must have the shape of labels'):
    noise.measure([0, 1], [0], num_classes=3)
  with pytest.raises(ValueError, match='num_classes must be an integer'):
    noise.measure([0, 1], [0, 1], num_classes=2.5)
  with pytest.raises(ValueError, match=r'given must be in 0\.\.2, got 5'):
    noise.measure([0, 1], [0, 5], num_classes=3)


@settings(deadline=None)
@given(
  labels=st.lists(st.integers(0, 2), max_size=40),
  seed=st.integers(0, 2**32 - 1),
)
def test_rows_of_one_matrix_give_the_labels_of_corrupt(labels, seed):
  labels = np.array(labels, np.int32)
  by_row = noise.corrupt_by_row(labels, RAGGED[labels], seed=seed)
  by_class = noise.corrupt(labels, RAGGED, seed=seed)
  np.testing.assert_array_equal(by_row.labels, by_class.labels)
  np.testing.assert_array_equal(by_row.counts, by_class.counts)
  assert by_row.rate == by_class.rate


def test_rows_of_one_matrix_of_many_classes():
  transition = noise.random_class_dependent(1000, 0.6, seed=0)
  labels = np.arange(3000) % 1000
  by_row = noise.corrupt_by_row(labels, transition[labels], seed=4)
  by_class = noise.corrupt(labels, transition, seed=4)
  np.testing.assert_array_equal(by_row.labels, by_class.labels)


def test_labels_by_row_follow_their_rows():
  """Examples of one class, in two groups with rows of their own."""
  rows = np.tile(RAGGED[[0, 2]], (50_000, 1))
  given = noise.corrupt_by_row(np.zeros(100_000, int), rows, seed=1).labels
  for group in (0, 1):
    counts = np.bincount(given[group::2], minlength=3)
    expected = 50_000 * RAGGED[[0, 2]][group]
    assert stats.chisquare(counts, expected).pvalue > 1e-4


@pytest.mark.parametrize('number', [0.0, 0.1, 0.5, 1 - 2**-53])
def test_probability_zero_is_never_drawn_by_row(monkeypatch, number):
  """At the ends, and where a number meets a row's distribution function."""
  monkeypatch.setattr(
    corruption.counter,
    'uniform',
    lambda seed, index, stream: np.full(len(index), number),
  )
  rows = np.array([[0, 0.1, 0, 0.9, 0], [0.5, 0, 0.5, 0, 0], [0, 0, 0, 0, 1.0]])
  given = noise.corrupt_by_row([0, 0, 0], rows, seed=0).labels
  assert (rows[np.arange(3), given] > 0).all()


def test_shards_by_row_equal_the_whole_in_any_order():
  generator = np.random.default_rng(0)
  labels = generator.integers(0, 4, 300)
  rows = generator.dirichlet(np.ones(4), 300)
  whole = noise.corrupt_by_row(labels, rows, seed=6)
  for part in np.array_split(generator.permutation(300), 5):
    shard = noise.corrupt_by_row(labels[part], rows[part], seed=6, index=part)
    np.testing.assert_array_equal(shard.labels, whole.labels[part])


def test_by_row_of_no_labels():
  corrupted = noise.corrupt_by_row([], np.zeros((0, 3)), seed=0)
  assert corrupted.labels.shape == (0,)
  assert corrupted.counts.shape == (3, 3)


@pytest.mark.parametrize(
  ('rows', 'message'),
  [
    (np.eye(3)[0], r'rows must have shape \[N, K\], got \(3,\)'),
    (np.eye(3), 'rows must hold one for each of 2 labels, got 3'),
    ([[1.0, 0.0], [0.5, 0.4]], 'rows of rows must sum to 1, got 0.9 in row 1'),
    ([[1.0, 0.0], [1.5, -0.5]], r'not be negative, got -0.5 at \[1, 1\]'),
  ],
)
def test_rejects_bad_rows(rows, message):
  with pytest.raises(ValueError, match=message):
    noise.corrupt_by_row([0, 1], rows, seed=0)
