"""The labels to look at, the most suspicious first."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from noisy_labels.detection import confident
from noisy_labels.detection import expectation
from noisy_labels.detection import order as order_lib
from noisy_labels.detection import passes
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
    level: of the interval of `expected_errors`.

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
  labels, probs = passes.prepare(labels, probs, scores)
  found = passes.confident(labels, probs)
  expected = expectation.count(labels, probs, found, level)
  taken = confident.take(filter_by, labels, probs, found)
  suggested, confidence = passes.most_probable(probs)
  is_issue = taken & confident.is_outdone(confidence, found.own)
  if scores is None:
    # Sorted by p_y, since 1 - p_y rounds to 1.
    scores, ascending = (1 - found.own).clip(0, 1), found.own
  else:
    ascending = -estimate.namespace(probs).asarray(scores)
  inputs.check_scores('scores', scores)
  if len(scores) != len(labels):
    raise ValueError(
      f'scores must have shape [{len(labels)}], got {jnp.shape(scores)}'
    )
  xp = estimate.namespace(probs)
  order = order_lib.first_true(is_issue, order_lib.rising(ascending))

  def in_order(column):
    return xp.take(xp.asarray(column), order)

  issues = LabelIssues(
    index=order,
    is_issue=in_order(is_issue),
    score=in_order(scores),
    suggested=in_order(suggested),
    confidence=in_order(confidence),
    expected=expected,
  )
  return jax.device_put(issues)
