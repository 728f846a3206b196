"""Several scores in one: the mean of their ranks."""

import chex
import jax.numpy as jnp


def ensemble(*scores: chex.Array) -> chex.Array:
  """The mean rank that several scores give each example.

    mean over scores s of (below + equal / 2) / (N - 1)
    below = |{m: s_m < s_n}|,  equal = |{m != n: s_m = s_n}|

  Scores need no common unit: whatever increases with a score leaves its ranks
  as they are. Equal scores have equal ranks.

  Args:
    *scores: floats `[N]` each, of the same examples; higher is more suspicious.

  Returns:
    Floats `[N]` in [0, 1] of mean 1/2; higher is more suspicious. Time in
    N log N.

  Raises:
    ValueError: if there is no score, or they differ in shape.
  """
  shapes = {jnp.shape(score) for score in scores}
  if len(shapes) != 1 or len(next(iter(shapes))) != 1:
    raise ValueError(
      'ensemble(one, other) takes scores [N] of the same examples, got shapes '
      f'{[jnp.shape(score) for score in scores]}'
    )
  return sum(_ranks(jnp.asarray(score)) for score in scores) / len(scores)


def _ranks(scores):
  """Mean ranks in [0, 1]; those of a single example are 1/2."""
  ordered = jnp.sort(scores)
  below = jnp.searchsorted(ordered, scores, side='left')
  up_to = jnp.searchsorted(ordered, scores, side='right')
  dtype = jnp.promote_types(scores.dtype, jnp.float32)
  # Exact: each sum is that of two integers.
  twice = (below + up_to - 1).astype(dtype)
  most = len(scores) - 1
  return twice / (2 * most) if most else jnp.full(1, 0.5, dtype)
