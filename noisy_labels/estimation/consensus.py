"""How often labels of neighbours go together, as observed and as predicted."""

from typing import NamedTuple

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.estimation import blocks

# Rows of [K] that are made at a time to predict triples, in numbers.
_ELEMENTS = 2**22


class Consensus(NamedTuple):
  """Fractions of triples of labels: an example's, and its two neighbours'.

  A triple may stand there several times, and its fractions add up.

  triples: labels, int32 `[M, 3]`.
  fractions: floats `[M]`; they sum to 1.
  squares: sums of squares of the fractions of labels, of pairs of labels
    (first and second) and of triples, float `[3]`.
  """

  triples: chex.Array
  fractions: chex.Array
  squares: chex.Array


def of_triples(
  triples: chex.Array, weights: chex.Array | None = None
) -> Consensus:
  """Count triples, wherever they are seen, in memory for `[M, 3]`.

  Args:
    triples: labels of each example and its two neighbours, int32 `[M, 3]`.
    weights: how often each counts, integers `[M]`; once, if None.

  Returns:
    Equal triples in one place, with zeros in the others.
  """
  if weights is None:
    weights = jnp.ones(len(triples), jnp.int32)
  *labels, weights = lax.sort((*triples.T, weights), num_keys=3)
  triples = jnp.stack(labels, axis=1)
  counts = [_runs(triples[:, : order + 1], weights) for order in range(3)]
  total = jnp.maximum(jnp.sum(weights), 1).astype(jnp.float32)
  squares = jnp.stack([jnp.sum((count / total) ** 2) for count in counts])
  return Consensus(triples, counts[2] / total, squares)


def of_counts(counts: chex.Array) -> Consensus:
  """The same, of counts of all triples `[K, K, K]`: for few classes."""
  num_classes = len(counts)
  triples = jnp.indices(counts.shape, jnp.int32).reshape(3, num_classes**3).T
  fractions = counts / jnp.maximum(jnp.sum(counts), 1).astype(jnp.float32)
  squares = [
    jnp.sum(jnp.sum(fractions, axis=axes) ** 2) for axes in ((1, 2), (2,), ())
  ]
  return Consensus(triples, fractions.reshape(-1), jnp.stack(squares))


def distances(
  consensus: Consensus, transition: chex.Array, prior: chex.Array
) -> chex.Array:
  """Distances of predicted to observed frequencies, of orders 1, 2 and 3.

    predicted: P_a = sum_i p_i T_ia,  P_ab = sum_i p_i T_ia T_ib,
               P_abc = sum_i p_i T_ia T_ib T_ic
    distance^2 = sum P^2 - 2 sum P F + sum F^2

  where F is observed. Neither P nor F is ever made: sum P_abc^2 = sum_ik p_i
  p_k G_ik^3 with G = T T^t, and sum P F needs the observed triples alone.

  Args:
    consensus: F.
    transition: T, float `[K, K]`.
    prior: p, float `[K]`.

  Returns:
    Euclidean distances, float `[3]`, differentiable. Memory: three `[K, K]`,
    and blocks of 16 MB or `[1, K]`. float32 leaves of a distance below 1e-4 or
    so no digit, less than the chance in a million examples.
  """
  gram = jnp.matmul(transition, transition.T, precision='highest')
  powers = [prior @ jnp.matmul(gram**n, prior) for n in (1, 2, 3)]
  predicted = _expected_prediction(consensus, transition, prior)
  square = jnp.stack(powers) - 2 * predicted + consensus.squares
  # Where it is rounding, it has no gradient either.
  safe = square > 1e-9
  return jnp.where(safe, jnp.sqrt(jnp.where(safe, square, 1)), 0)


def _expected_prediction(consensus, transition, prior):
  """Sum P F of orders 1, 2 and 3, float `[3]`."""
  columns = transition.T

  def add(sums, block, fresh):
    triples, fractions = block
    fractions = jnp.where(fresh, fractions, 0)
    product, predicted = prior, []
    for order in range(3):
      product = product * columns[triples[:, order]]
      predicted.append(fractions @ jnp.sum(product, axis=1))
    return sums + jnp.stack(predicted), None

  block_size = max(1, _ELEMENTS // len(prior))
  arrays = (consensus.triples, consensus.fractions)
  return blocks.scan(add, jnp.zeros(3, transition.dtype), arrays, block_size)[0]


def _runs(rows, weights):
  """The weight of each run of equal rows, at its first; zero at the others."""
  changed = jnp.any(rows[1:] != rows[:-1], axis=1)
  run = jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(changed)])
  sums = jnp.zeros(len(rows), jnp.int32).at[run].add(weights)
  first = jnp.concatenate([jnp.ones(1, bool), changed])
  return jnp.where(first, sums[run], 0)
