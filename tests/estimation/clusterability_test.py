"""HOC, and the distances that it minimises."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from noisy_labels.estimation import consensus
from tests.estimation import problems

K = problems.K
TRIPLES = np.random.default_rng(0).integers(K, size=(300, 3))
WEIGHTS = np.random.default_rng(1).integers(3, size=300)
from_counts = jax.jit(estimation.hoc_from_counts)


def clusters(num_examples, seed=0):
  true, given = problems.labels(num_examples, seed)
  rng = np.random.default_rng(seed)
  centers = 4 * np.eye(K, 8)
  features = centers[true] + 0.3 * rng.normal(size=(num_examples, 8))
  return true, given, features.astype(np.float32)


def dense_distances(frequencies, transition, prior):
  """The definition, with both tensors of every order."""
  observed = [frequencies.sum((1, 2)), frequencies.sum(2), frequencies]
  predicted = [
    np.einsum('i,ia->a', prior, transition),
    np.einsum('i,ia,ib->ab', prior, transition, transition),
    np.einsum('i,ia,ib,ic->abc', prior, *[transition] * 3),
  ]
  return [
    np.sqrt(np.sum((f - p) ** 2))
    for f, p in zip(observed, predicted, strict=True)
  ]


@pytest.mark.parametrize('weights', [None, WEIGHTS])
def test_distances_are_those_of_the_tensors(weights):
  counts = np.zeros((K, K, K))
  np.add.at(counts, tuple(TRIPLES.T), 1 if weights is None else weights)
  want = dense_distances(
    counts / counts.sum(), problems.TRANSITION, problems.PRIOR
  )
  for observed in (
    consensus.of_counts(jnp.asarray(counts, jnp.int32)),
    consensus.of_triples(jnp.asarray(TRIPLES), weights),
  ):
    got = jax.jit(consensus.distances)(
      observed, jnp.asarray(problems.TRANSITION), jnp.asarray(problems.PRIOR)
    )
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_no_distance_where_the_model_is_true():
  transition, prior = problems.TRANSITION, problems.PRIOR
  exact = np.einsum('i,ia,ib,ic->abc', prior, *[transition] * 3)
  observed = consensus.Consensus(
    jnp.indices((K, K, K)).reshape(3, -1).T,
    jnp.asarray(exact.reshape(-1)),
    jnp.asarray([
      np.sum(exact.sum(axes) ** 2) for axes in ((1, 2), (2,), ())
    ]),
  )  # fmt: skip

  def total(transition):
    distances = consensus.distances(observed, transition, jnp.asarray(prior))
    return jnp.sum(distances)

  value, gradient = jax.value_and_grad(total)(jnp.asarray(transition))
  assert value < 1e-3
  assert np.isfinite(gradient).all()


def test_counts_of_triples_are_exact():
  counts = estimation.consensus_counts(TRIPLES, K, weights=WEIGHTS)
  want = np.zeros((K, K, K), int)
  np.add.at(want, tuple(TRIPLES.T), WEIGHTS)
  np.testing.assert_array_equal(counts, want)


def triples_of(features, given):
  nearest = np.asarray(estimation.two_nearest(features))
  return np.concatenate([given[:, None], given[nearest]], axis=1)


def test_it_finds_the_noise_of_clusters():
  true, given, features = clusters(6000)
  got = jax.jit(functools.partial(estimation.hoc, num_classes=K))(
    features, given
  )
  np.testing.assert_allclose(got.transition, problems.TRANSITION, atol=0.08)
  np.testing.assert_allclose(
    got.prior, np.bincount(true) / len(true), atol=0.05
  )
  np.testing.assert_allclose(got.rate, np.mean(true != given), atol=0.04)


def test_exact_frequencies_give_the_exact_noise():
  exact = np.einsum(
    'i,ia,ib,ic->abc', problems.PRIOR, *[problems.TRANSITION] * 3
  )
  got = from_counts(np.round(1e8 * exact).astype(np.int32))
  np.testing.assert_allclose(got.transition, problems.TRANSITION, atol=0.02)
  np.testing.assert_allclose(got.prior, problems.PRIOR, atol=0.02)


def test_counts_of_shards_add_up():
  _, given, features = clusters(400)
  triples = triples_of(features, given)
  got = problems.sharded(
    lambda triples: jax.lax.psum(
      estimation.consensus_counts(triples, K), 'shards'
    ),
    triples,
  )
  np.testing.assert_array_equal(got, estimation.consensus_counts(triples, K))


def test_triples_give_what_their_counts_give():
  _, given, features = clusters(400)
  triples = triples_of(features, given)
  from_triples = jax.jit(
    functools.partial(estimation.hoc_from_triples, num_classes=K)
  )
  want = from_counts(estimation.consensus_counts(triples, K))
  problems.assert_close(from_triples(triples), want, atol=0.02)


def test_a_missing_class():
  true, given, features = clusters(1000)
  keep = (true != 1) & (given != 1)
  triples = triples_of(features[keep], given[keep])
  got = from_counts(estimation.consensus_counts(triples, K))
  assert got.prior[1] < 0.02
  np.testing.assert_allclose(got.transition.sum(axis=1), 1, atol=1e-5)


def test_errors():
  features = np.ones((5, 2), np.float32)
  labels = np.zeros(5, int)
  with pytest.raises(ValueError, match=r'labels must be in 0..1, got 2'):
    estimation.hoc(features, labels + 2, num_classes=2)
  with pytest.raises(ValueError, match='num_classes must be'):
    estimation.hoc(features, labels, num_classes=1)
  with pytest.raises(ValueError, match='finite, got others at row 0'):
    estimation.hoc(features * np.nan, labels, num_classes=2)
  with pytest.raises(ValueError, match='N of at least 3'):
    estimation.hoc(features[:2], labels[:2], num_classes=2)
