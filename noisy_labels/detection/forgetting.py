"""Forgetting events: labels that were learnt, and lost again."""

import chex
import jax.numpy as jnp
import numpy as np


def forgetting_events(correct: chex.Array) -> chex.Array:
  """How often an example was predicted as labelled, and then no more.

    |{t: correct[t, n] and not correct[t + 1, n]}|

  and the number of epochs, which is above all counts, for one that was never
  predicted as labelled. What is hard is forgotten as well as what is wrong.

  `methods.track_margins` counts them while any method trains, as its opinion
  `forgotten`.

  Args:
    correct: whether the prediction was the given label when the example was
      trained in an epoch, bool `[num_epochs, N]`.

  Returns:
    int32 `[N]` in 0 .. num_epochs; higher is more suspicious.

  Raises:
    ValueError: if correct is not as described.

  References:
    Toneva et al., `An Empirical Study of Example Forgetting during Deep Neural
    Network Learning <https://arxiv.org/abs/1812.05159>`_, 2019
  """
  shape, dtype = np.shape(correct), getattr(correct, 'dtype', None)
  if len(shape) != 2 or shape[0] < 1 or dtype != np.bool_:
    raise ValueError(
      'correct must be a bool array [num_epochs, N], of an epoch at least, '
      f'got {dtype or type(correct).__name__} {shape}'
    )
  correct = jnp.asarray(correct)
  lost = jnp.sum(correct[:-1] & ~correct[1:], axis=0, dtype=jnp.int32)
  return jnp.where(jnp.any(correct, axis=0), lost, len(correct))
