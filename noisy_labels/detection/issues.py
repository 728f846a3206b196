"""The labels to look at, the most suspicious first."""

from typing import NamedTuple

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.detection import confident
from noisy_labels.detection import expectation
from noisy_labels.detection import passes
from noisy_labels.detection import probability_scores
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs


class LabelIssues(NamedTuple):
  """All examples: the issues first, and each part by falling score.

  Attributes:
    index: places in the arguments, int32 `[N]`.
    is_issue: whether the label is one to look at, bool `[N]`: the first
      `is_issue.sum()` are.
    score: floats `[N]`; higher is more suspicious.
    suggested: the most probable class, int32 `[N]`; of an issue never the given
      one.
    confidence: its probability, floats `[N]`.
    expected: the expected number of wrong labels, and its interval. It counts
      those too that cannot be told from right ones, and need not be the number
      of issues.
  """

  index: chex.Array
  is_issue: chex.Array
  score: chex.Array
  suggested: chex.Array
  confidence: chex.Array
  expected: expectation.ErrorCount


def find_label_issues(
  labels: chex.Array,
  probs: chex.Array,
  *,
  scores: chex.Array | None = None,
  filter_by: str = 'prune_by_noise_rate',
  key: chex.PRNGKey | None = None,
  num_resamples: int = 200,
  level: float = 0.95,
) -> LabelIssues:
  """Which labels are probably wrong, what they should be, and how many are.

  `confident_learning` says which, the score in which order, and
  `expected_errors` how many.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    scores: by which to sort, floats `[N]`, finite, higher for more suspicious:
      of any detector, or of an `ensemble`. `self_confidence`, if None.
    filter_by: see `confident_learning`.
    key: see `expected_errors`, as num_resamples and level.
    num_resamples: of the bootstrap.
    level: of the interval.

  Returns:
    All examples, sorted. Of equal scores the first comes first. Memory and time
    are those of `confident_learning` and `expected_errors`. Jit it, with
    filter_by bound.

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  Examples:
    >>> labels = jnp.array([0, 0, 1, 1, 1, 0])
    >>> first = jnp.array([0.9, 0.8, 0.2, 0.1, 0.85, 0.7])
    >>> probs = jnp.stack([first, 1 - first], axis=1)
    >>> issues = find_label_issues(labels, probs)
    >>> issues.index[issues.is_issue], issues.suggested[issues.is_issue]
    (Array([4], dtype=int32), Array([0], dtype=int32))

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  is_issue = confident.confident_learning(labels, probs, filter_by=filter_by)
  expected = expectation.expected_errors(
    labels, probs, key=key, num_resamples=num_resamples, level=level
  )
  labels, probs = passes.prepare(labels, probs, is_issue, scores)
  if scores is None:
    scores = probability_scores.self_confidence(labels, probs)
    ascending = passes.own(labels, probs)  # 1 - p_y rounds to 1.
  else:
    ascending = -estimate.namespace(probs).asarray(scores)
  inputs.check_scores('scores', scores)
  if len(scores) != len(labels):
    raise ValueError(
      f'scores must have shape [{len(labels)}], got {jnp.shape(scores)}'
    )

  def best(labels, rows, own):
    del labels, own
    return rows.argmax(axis=1).astype(np.int32), passes.largest(rows)

  xp = estimate.namespace(probs)
  suggested, confidence = passes.scores(best, labels, probs)
  order = xp.lexsort((ascending, ~xp.asarray(is_issue))).astype(np.int32)

  def in_order(column):
    return jnp.asarray(xp.asarray(column)[order])

  return LabelIssues(
    index=jnp.asarray(order),
    is_issue=in_order(is_issue),
    score=in_order(scores),
    suggested=in_order(suggested),
    confidence=in_order(confidence),
    expected=expected,
  )
