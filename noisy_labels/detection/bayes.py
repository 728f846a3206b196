"""The posterior of wrong labels under a model of the noise."""

import functools

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.detection import passes
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs

MODELS = ('true', 'given')
# Steps of the EM algorithm; probabilities near 0 need them.
_STEPS = 30


def posterior(
  labels: chex.Array,
  probs: chex.Array,
  transition: chex.Array,
  *,
  predicts: str = 'true',
) -> chex.Array:
  """The probability that the given label is wrong, by Bayes' rule: 1 - q_y.

    q_i = P(true i | given y, x) = p_i T[i, y] / sum_k p_k T[k, y]

  It is what the model and the noise say together: 1 - p_y counts a doubtful
  prediction against every label, and this one only as far as the noise makes
  that label of the other classes. Where the model and T are right it is a
  calibrated probability, and the expected number of wrong labels its sum.

  Args:
    labels: given classes, integers `[N]`.
    probs: of examples that the model was not trained on, floats `[N, K]`; rows
      sum to 1.
    transition: T[i, j] = P(given j | true i), floats `[K, K]` with rows that
      sum to 1; an `Estimate` of `noisy_labels.estimation` has one.
    predicts: what probs are of: `true`, P(true | x), as of a model that was
      trained with a robust or a corrected loss; or `given`, P(given | x), as
      of one that was trained with cross entropy on the labels given. Then p is
      the distribution of which T makes these, as nearly as one can, by 30 steps
      of the EM algorithm: p_i <- p_i sum_y probs_y T[i, y] / (p T)_y.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. 1 where
    model and T exclude the label together. Memory: `[K, K]`, a few `[N]`, and
    blocks of a few MB, if jitted. Time: one pass, and for `given` 60 products
    with T.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  if predicts not in MODELS:
    raise ValueError(
      f'predicts must be one of {", ".join(MODELS)}, got {predicts!r}'
    )
  labels, probs = passes.prepare(labels, probs, transition)
  num_classes = probs.shape[1]
  if jnp.shape(transition) != (num_classes, num_classes):
    raise ValueError(
      f'transition must have shape {(num_classes, num_classes)}, got '
      f'{jnp.shape(transition)}'
    )
  inputs.check_distributions('transition', transition)
  xp = estimate.namespace(probs)
  transition = xp.asarray(transition)
  columns = transition.T

  def score(labels, rows, own):
    del own
    if predicts == 'given':
      rows = _of_true(rows, transition.astype(rows.dtype))
    joint = rows * columns[labels]
    right = passes.own(labels, joint)
    is_own = labels[:, None] == xp.arange(num_classes)
    # Not 1 - q_y, which rounds to 0 where q_y is nearly 1.
    wrong = xp.sum(xp.where(is_own, 0, joint), axis=1)
    whole = right + wrong
    return xp.where(whole > 0, wrong / xp.where(whole > 0, whole, 1), 1)

  return jnp.asarray(passes.scores(score, labels, probs))


def _of_true(rows, transition):
  """P(true | x) from P(given | x)."""
  xp = estimate.namespace(rows)

  def step(_, true):
    given = true @ transition
    return true * ((rows / xp.where(given > 0, given, 1)) @ transition.T)

  if xp is jnp:
    return lax.fori_loop(0, _STEPS, step, rows)
  return functools.reduce(lambda true, k: step(k, true), range(_STEPS), rows)
