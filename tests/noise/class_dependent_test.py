from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise

sizes = st.integers(2, 40)
rates = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)


def class_maps():
  return sizes.flatmap(
    lambda K: st.lists(st.integers(0, K - 1), min_size=K, max_size=K)
  )


@settings(deadline=None)
@given(class_map=class_maps(), rate=rates)
def test_asymmetric_is_the_mixture_of_staying_and_flipping(class_map, rate):
  K = len(class_map)
  transition = noise.asymmetric(class_map, rate)
  noise.check_transition(transition, K)
  flips = np.zeros((K, K))
  for i, j in enumerate(class_map):
    flips[i, j] = 1
  np.testing.assert_allclose(
    transition, (1 - rate) * np.eye(K) + rate * flips, atol=1e-15
  )


@settings(deadline=None)
@given(class_map=class_maps(), rate=rates)
def test_unmapped_classes_keep_their_labels_exactly(class_map, rate):
  transition = noise.asymmetric(class_map, rate)
  kept = [i for i, j in enumerate(class_map) if i == j]
  np.testing.assert_array_equal(transition[kept], np.eye(len(class_map))[kept])


@pytest.mark.parametrize(
  ('class_map', 'flipping'),
  [
    (noise.class_maps.MNIST, 5),
    (noise.class_maps.FASHION_MNIST, 5),
    (noise.class_maps.CIFAR10, 5),
    (noise.class_maps.CIFAR100, 100),
    (noise.class_maps.CIFAR100_BLOCKS, 100),
  ],
)
def test_rate_over_all_classes(class_map, flipping):
  transition = noise.asymmetric(class_map, 0.4)
  share = flipping / len(class_map)
  np.testing.assert_allclose(noise.properties(transition).rate, 0.4 * share)


@settings(deadline=None)
@given(num_classes=sizes, rate=rates)
def test_pair_flip_goes_round(num_classes, rate):
  transition = noise.pair_flip(num_classes, rate)
  rows = np.arange(num_classes)
  np.testing.assert_array_equal(
    np.diag(transition), np.full(rows.size, 1 - rate)
  )
  np.testing.assert_array_equal(
    transition[rows, (rows + 1) % num_classes], np.full(rows.size, rate)
  )
  assert np.count_nonzero(transition) <= 2 * num_classes
  np.testing.assert_array_equal(
    noise.PairFlipTransition(rate).matrix(num_classes), transition
  )


def test_pair_flip_by_hand():
  np.testing.assert_array_equal(
    noise.pair_flip(3, 0.25),
    [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]],
  )
  np.testing.assert_array_equal(noise.pair_flip(2, 1), [[0, 1], [1, 0]])


def flip_one_class_after_another(class_map, rate, order):
  """The defect, spelled out as a product of single flips."""
  K = len(class_map)
  transition = np.eye(K)
  for source in order:
    single = np.eye(K)
    single[source] = (1 - rate) * np.eye(K)[source]
    single[source, class_map[source]] += rate
    transition = noise.compose(transition, single)
  return transition


@settings(deadline=None)
@given(class_map=class_maps(), rate=rates)
def test_mutated_array_is_a_product_of_single_flips(class_map, rate):
  np.testing.assert_allclose(
    noise.asymmetric_on_mutated_array(class_map, rate),
    flip_one_class_after_another(class_map, rate, range(len(class_map))),
    atol=1e-12,
  )


def test_mutated_array_flips_cats_back():
  class_map = noise.class_maps.CIFAR10
  transition = noise.asymmetric_on_mutated_array(class_map, 0.4)
  expected = noise.asymmetric(class_map, 0.4)
  expected[3, 3], expected[3, 5] = 0.6 + 0.4 * 0.4, 0.4 * 0.6
  np.testing.assert_allclose(transition, expected, atol=1e-15)
  np.testing.assert_allclose(noise.properties(transition).rate, 0.184)


def test_order_of_the_official_codes_does_not_matter_on_cifar10():
  """ELR and GJS go from 0 to 9; APL takes truck, bird, cat, dog, deer."""
  class_map = noise.class_maps.CIFAR10
  np.testing.assert_allclose(
    noise.asymmetric_on_mutated_array(class_map, 0.3),
    flip_one_class_after_another(class_map, 0.3, [9, 2, 3, 5, 4]),
    atol=1e-15,
  )


def test_mutated_array_on_labels():
  """Simulates the defect on labels, and compares with T."""
  class_map = noise.class_maps.CIFAR10
  labels = np.repeat(np.arange(10), 4000)
  given_labels = labels.copy()
  generator = np.random.default_rng(0)
  for i in range(10):
    places = generator.permutation(np.flatnonzero(given_labels == i))
    given_labels[places[: int(0.4 * len(places))]] = class_map[i]
  measured = noise.measure(labels, given_labels, num_classes=10)
  expected = noise.asymmetric_on_mutated_array(class_map, 0.4)
  np.testing.assert_allclose(measured.transition, expected, atol=0.02)
  assert abs(measured.rate - 0.184) < 0.002


@settings(deadline=None)
@given(num_classes=sizes, rate=rates, seed=seeds)
def test_random_is_a_transition_matrix_of_its_rate(num_classes, rate, seed):
  transition = noise.random_class_dependent(num_classes, rate, seed=seed)
  noise.check_transition(transition, num_classes)
  np.testing.assert_array_equal(
    np.diag(transition), np.full(num_classes, 1 - rate)
  )


def test_random_of_two_classes_is_symmetric():
  np.testing.assert_allclose(
    noise.random_class_dependent(2, 0.3, seed=5),
    noise.symmetric(2, 0.3, exclude_true=True),
  )


def test_random_rows_are_even_on_the_simplex():
  """A flat Dirichlet's entry: mean 1/n, variance (n - 1) / n^2 / (n + 1)."""
  n = 999
  transition = noise.random_class_dependent(n + 1, 1.0, seed=0)
  entries = transition[~np.eye(n + 1, dtype=bool)]
  np.testing.assert_allclose(entries.mean(), 1 / n, rtol=1e-12)
  np.testing.assert_allclose(entries.var(), (n - 1) / n**2 / (n + 1), rtol=0.02)


def test_random_depends_on_the_seed_alone():
  first = noise.random_class_dependent(5, 0.3, seed=1)
  np.testing.assert_array_equal(
    first, noise.random_class_dependent(5, 0.3, seed=1)
  )
  assert (
    np.abs(first - noise.random_class_dependent(5, 0.3, seed=2)).max() > 0.01
  )


def test_random_never_changes():
  """Computed once. A difference means that past runs cannot be repeated."""
  np.testing.assert_allclose(
    noise.random_class_dependent(3, 0.5, seed=3),
    [
      [0.5, 0.07271478253745103, 0.427285217462549],
      [0.19518268408517989, 0.5, 0.3048173159148201],
      [0.31716566796223805, 0.18283433203776198, 0.5],
    ],
    rtol=1e-12,
  )


@pytest.mark.parametrize(
  ('class_map', 'message'),
  [
    ([[0, 1]], r'class_map must have shape \[N\], got \(1, 2\)'),
    ([0, 2], r'class_map must be in 0\.\.1, got 2 at position 1'),
    ([0.0, 1.0], 'class_map must be integers, got dtype float64'),
    ([0], 'num_classes must be at least 2, got 1'),
  ],
)
@pytest.mark.parametrize(
  'make', [noise.asymmetric, noise.asymmetric_on_mutated_array]
)
def test_rejects_bad_class_maps(make, class_map, message):
  with pytest.raises(ValueError, match=message):
    make(class_map, 0.1)


@pytest.mark.parametrize(
  'make',
  [
    lambda rate: noise.pair_flip(3, rate),
    lambda rate: noise.asymmetric([1, 0], rate),
    lambda rate: noise.asymmetric_on_mutated_array([1, 0], rate),
    lambda rate: noise.random_class_dependent(3, rate, seed=0),
  ],
)
@pytest.mark.parametrize('rate', [-0.1, 1.1, float('nan')])
def test_rejects_rates_out_of_range(make, rate):
  with pytest.raises(ValueError, match=r'rate must be in \[0, 1\], got'):
    make(rate)


def test_rejects_a_single_class():
  for make in (
    lambda: noise.pair_flip(1, 0.1),
    lambda: noise.random_class_dependent(1, 0.1, seed=0),
  ):
    with pytest.raises(ValueError, match='num_classes must be at least 2'):
      make()
