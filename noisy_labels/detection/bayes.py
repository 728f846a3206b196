"""The posterior of wrong labels under a model of the noise."""

import chex
import jax.numpy as jnp

from noisy_labels.detection import passes
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


def posterior(
  labels: chex.Array, probs: chex.Array, transition: chex.Array
) -> chex.Array:
  """The probability that the given label is wrong, by Bayes' rule: 1 - q_y.

    q_i = P(true i | given y, x) = p_i T[i, y] / sum_k p_k T[k, y]

  It is what the model and the noise say together: 1 - p_y counts a doubtful
  prediction against every label, and this one only as far as the noise makes
  that label of the other classes. Where the model and T are right it is a
  calibrated probability, and the expected number of wrong labels its sum.

  Args:
    labels: given classes, integers `[N]`.
    probs: a model's P(true | x), floats `[N, K]`; rows sum to 1. Of a model
      that predicts the *given* label it says too much.
    transition: T[i, j] = P(given j | true i), floats `[K, K]` with rows that
      sum to 1; an `Estimate` of `noisy_labels.estimation` has one.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. 1 where
    model and T exclude the label together. Memory: `[K, K]`, a few `[N]`, and
    blocks of a few MB, if jitted.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  labels, probs = passes.prepare(labels, probs)
  num_classes = probs.shape[1]
  if jnp.shape(transition) != (num_classes, num_classes):
    raise ValueError(
      f'transition must have shape {(num_classes, num_classes)}, got '
      f'{jnp.shape(transition)}'
    )
  inputs.check_distributions('transition', transition)
  xp = estimate.namespace(probs)
  columns = xp.asarray(transition).T

  def score(labels, rows, own):
    del own
    joint = rows * columns[labels]
    right = passes.own(labels, joint)
    is_own = labels[:, None] == xp.arange(num_classes)
    # Not 1 - q_y, which rounds to 0 where q_y is nearly 1.
    wrong = xp.sum(xp.where(is_own, 0, joint), axis=1)
    whole = right + wrong
    return xp.where(whole > 0, wrong / xp.where(whole > 0, whole, 1), 1)

  return jnp.asarray(passes.scores(score, labels, probs))
