"""Examples that are there twice, with two labels: one of them is wrong."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.detection import neighbourhood
from noisy_labels.estimation import inputs
from noisy_labels.estimation import neighbors


class Duplicates(NamedTuple):
  """Of each example the nearest one that has another label.

  Attributes:
    conflicting: whether it is a duplicate, bool `[N]`.
    partner: its place, int32 `[N]`; -1 where there is no duplicate.
    distance: to it, between features of length 1, floats `[N]` in [0, 2]; 2
      where no example has another label.
  """

  conflicting: chex.Array
  partner: chex.Array
  distance: chex.Array


def conflicting_duplicates(
  features: chex.Array,
  labels: chex.Array,
  *,
  tolerance: float = 1e-3,
) -> Duplicates:
  """Find examples with the features of one that has another label.

  Whatever a classifier thinks of them, two labels cannot both be right. Which
  one is wrong it does not say.

  Args:
    features: floats `[N, dim]`, finite; lengths do not matter. Embeddings, or
      the pixels themselves.
    labels: given classes, integers `[N]`, not negative.
    tolerance: up to which distance two examples are the same, in [0, 2].

  Returns:
    What was found; both of a pair are conflicting. Time in N^2 dim; memory: a
    copy of features, and blocks of 16 MB.

  Raises:
    ValueError: if an argument is not as described.
  """
  _checks.in_range('tolerance', tolerance, '[0, 2]')
  inputs.check_features(features, 2)
  inputs.check_labels('labels', labels, len(features))
  features, labels = jnp.asarray(features), jnp.asarray(labels)
  found = neighbors.nearest(features, k=1, groups=labels)
  place = found.places[:, 0]
  exists = found.cosines[:, 0] > -jnp.inf
  distance = neighbourhood.distances(features, features[place])
  distance = jnp.where(exists, distance, 2)
  conflicting = exists & (distance <= tolerance)
  return Duplicates(conflicting, jnp.where(conflicting, place, -1), distance)
