"""What every estimator returns, and what follows from it by Bayes' rule."""

from typing import Any
from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np


class Estimate(NamedTuple):
  """The noise and the clean classes; numpy or jax arrays, as the inputs were.

  A class about which the data say nothing has the identity's row in
  `transition`: nothing is known to happen to it.

  Attributes:
    transition: `T[i, j] = P(given j | true i)`, float `[K, K]`; rows sum to 1.
    prior: `P(true i)`, float `[K]`; sums to 1.
    rate: the probability of a wrong label, `1 - sum_i prior_i T[i, i]`.
  """

  transition: chex.Array
  prior: chex.Array
  rate: chex.Array

  @property
  def joint(self) -> chex.Array:
    """`P(true i, given j)`, float `[K, K]`; sums to 1."""
    return self.prior[:, None] * self.transition

  @property
  def given(self) -> chex.Array:
    """`P(given j)`, float `[K]`: the labels that this noise would give."""
    return self.joint.sum(axis=0)

  @property
  def inverse(self) -> chex.Array:
    """`P(true i | given j)`, float `[K, K]`; columns sum to 1.

    The column of a class that is never given is the identity's.
    """
    xp = namespace(self.prior)
    given = self.given
    absent = given <= 0
    fractions = self.joint / xp.where(absent, 1, given)
    return xp.where(absent, xp.eye(len(given), dtype=given.dtype), fractions)


def from_joint(joint: chex.Array) -> Estimate:
  """The estimate that counts or probabilities of (true, given) pairs make.

    prior_i = sum_j J[i, j] / sum J,  T[i, j] = J[i, j] / sum_j J[i, j]

  Args:
    joint: non-negative `[K, K]`, integers or floats, of any positive sum. All
      zero is no evidence: identity, even prior, rate 0.

  Returns:
    The estimate. It takes memory for one more `[K, K]` of floats.
  """
  xp = namespace(joint)
  num_classes = joint.shape[-1]
  dtype = float_dtype(joint)
  rows = xp.sum(joint, axis=1)
  present = rows > 0
  safe = xp.where(present, rows, 1).astype(dtype)
  if xp is np:  # In place: a matrix more takes longer than what is computed.
    transition = joint / safe[:, None]
    absent = np.flatnonzero(~present)
    transition[absent, absent] = 1
  else:
    fractions = joint.astype(dtype) / safe[:, None]
    eye = jnp.eye(num_classes, dtype=dtype)
    transition = jnp.where(present[:, None], fractions, eye)
  total = xp.sum(rows)
  even = xp.full((num_classes,), 1 / num_classes, dtype)
  mass = rows.astype(dtype) / xp.where(total > 0, total, 1).astype(dtype)
  return _estimate(transition, xp.where(total > 0, mass, even))


def from_transition(transition: chex.Array, given: chex.Array) -> Estimate:
  """The estimate that a transition matrix and the given classes make.

    prior = max(x, 0) / sum max(x, 0),  x T = given

  the clean classes from which T makes the given ones. Where T has no inverse
  in its precision, the given classes stand for the clean ones.

  Args:
    transition: T, float `[K, K]` with rows that sum to 1.
    given: `P(given j)`, float `[K]`.

  Returns:
    The estimate. It takes memory for two more `[K, K]`, and time in K^3.
  """
  transition = jnp.asarray(transition)
  given = jnp.asarray(given, transition.dtype)
  solution = jnp.linalg.solve(transition.T, given)
  solution = jnp.maximum(solution, 0)
  total = jnp.sum(solution)
  usable = jnp.isfinite(total) & (total > 0)
  prior = jnp.where(usable, solution / jnp.where(usable, total, 1), given)
  return _estimate(transition, prior)


def namespace(array: Any) -> Any:
  """Return numpy for its arrays, and `jax.numpy` for all others."""
  return np if isinstance(array, np.ndarray) else jnp


def float_dtype(array: chex.Array) -> Any:
  """Return the floats in which to compute with it: at least 32 bits."""
  if isinstance(array, np.ndarray):
    return np.float64
  if jnp.issubdtype(array.dtype, jnp.floating):
    return jnp.promote_types(array.dtype, jnp.float32)
  return jnp.result_type(float)


def _estimate(transition, prior):
  xp = namespace(prior)
  # From the wrong labels, not from the right ones, which round to 1.
  wrong = 1 - xp.diagonal(transition)
  return Estimate(transition, prior, xp.sum(prior * xp.maximum(wrong, 0)))
