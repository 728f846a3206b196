"""What the neighbours of an example say: of its label, and of itself."""

import chex
import jax.numpy as jnp

from noisy_labels.estimation import inputs
from noisy_labels.estimation import neighbors


def neighbour_agreement(
  features: chex.Array,
  labels: chex.Array,
  *,
  k: int = 10,
  pool: chex.Array | None = None,
  pool_labels: chex.Array | None = None,
  index: chex.Array | None = None,
) -> chex.Array:
  """The share of an example's neighbours that have another label.

    |{m among the k nearest of n: y_m != y_n}| / k

  by cosine, and exactly. It needs no classifier, but features in which
  neighbours are mostly of one class: of a network trained on other data, or on
  these with a robust loss. The paper compares the label with the vote of the
  neighbours, and takes k = 10 as is done here.

  Args:
    features: floats `[N, dim]`, finite.
    labels: given classes, integers `[N]`, not negative.
    k: how many neighbours, at least 1.
    pool: features to look in, `[M, dim]`, if not the same: for shards, those of
      all.
    pool_labels: their labels, integers `[M]`.
    index: the place in the pool of each row of features, integers `[N]`,
      negative for one that is not there; 0 .. N-1 if None.

  Returns:
    Floats `[N]` in [0, 1], in steps of 1 / k; higher is more suspicious. Time
    in N M dim; memory: a copy of features and pool, and blocks of 16 MB.

  Raises:
    ValueError: if an argument is not as described, or there are no k others.

  References:
    Zhu et al., `Detecting Corrupted Labels Without Training a Model to Predict
    <https://arxiv.org/abs/2110.06283>`_, 2022
  """
  check(features, pool)
  inputs.check_labels('labels', labels, len(features))
  check_pool_labels(pool, pool_labels)
  labels = jnp.asarray(labels)
  others = labels if pool_labels is None else jnp.asarray(pool_labels)
  places = neighbors.nearest(features, k=k, pool=pool, index=index).places
  return jnp.mean(others[places] != labels[:, None], axis=1)


def out_of_distribution(
  features: chex.Array,
  *,
  k: int = 10,
  pool: chex.Array | None = None,
  index: chex.Array | None = None,
) -> chex.Array:
  """How far the k-th neighbour is: for images that belong to no class at all.

    | z_n - z_m |,  z = x / |x|,  m the k-th nearest of n

  It says nothing of the label. The paper takes k = 50 for CIFAR-10, 1000
  for ImageNet, and looks in the training data for neighbours of others; here an
  example is looked for among the rest.

  Args:
    features: floats `[N, dim]`, finite.
    k: which neighbour, at least 1; larger than any group of images that are odd
      in the same way.
    pool: as for `neighbour_agreement`, as is index.
    index: the place in the pool of each row of features.

  Returns:
    Floats `[N]` in [0, 2]; higher is stranger. Time and memory as there.

  Raises:
    ValueError: if an argument is not as described, or there are no k others.

  References:
    Sun et al., `Out-of-Distribution Detection with Deep Nearest Neighbors
    <https://arxiv.org/abs/2204.06507>`_, 2022
  """
  check(features, pool)
  found = neighbors.nearest(features, k=k, pool=pool, index=index)
  pool = features if pool is None else pool
  return distances(features, jnp.asarray(pool)[found.places[:, -1]])


def distances(features: chex.Array, others: chex.Array) -> chex.Array:
  """Between rows made of length 1, floats `[N]` in [0, 2]."""
  # Not by the cosine, which is 1 to float32 for all that are near.
  apart = neighbors.normalize(jnp.asarray(features)) - neighbors.normalize(
    jnp.asarray(others)
  )
  return jnp.minimum(jnp.sqrt(jnp.sum(apart**2, axis=1)), 2)


def check(features: chex.Array, pool: chex.Array | None) -> None:
  """Raise ValueError unless both are features, and there is another one."""
  inputs.check_features(features, 1 if pool is not None else 2)
  if pool is not None:
    inputs.check_features(pool, 1)


def check_pool_labels(
  pool: chex.Array | None, pool_labels: chex.Array | None
) -> None:
  """Raise ValueError unless both are given, labels of the pool, or none."""
  if (pool is None) != (pool_labels is None):
    raise ValueError('pool and pool_labels must be given together')
  if pool is not None:
    inputs.check_labels('pool_labels', pool_labels, len(pool))
