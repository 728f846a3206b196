"""What is measured of each tool: the same masks and the same scores."""

from collections.abc import Callable
import functools
from typing import Any

import numpy as np

FILTERS = (
  'prune_by_noise_rate',
  'prune_by_class',
  'both',
  'confident_learning',
  'predicted_neq_given',
  'low_self_confidence',
  'low_normalized_margin',
)
SCORES = (
  'self_confidence',
  'normalized_margin',
  'confidence_weighted_entropy',
)
# Masks, scores, and issues in order: ours with an interval of their number.
TASKS = (*FILTERS, *SCORES, 'find_label_issues')
TOOLS = ('cleanlab', 'default', 'numpy', 'jax')


def function(tool: str, task: str) -> Callable[[Any, Any], Any] | None:
  """The task as a function of labels and predictions.

  Args:
    tool: one of `TOOLS`.
    task: one of `TASKS`.

  Returns:
    The function; None of cleanlab's scores with several processes, which they
    do not use.
  """
  if tool == 'default' and task in SCORES:
    return None
  if tool in ('cleanlab', 'default'):
    return _of_cleanlab(task, 1 if tool == 'cleanlab' else None)
  import jax

  ours: Callable[..., Any]
  ours = functools.partial(_ours, task, np if tool == 'numpy' else jax.numpy)
  if tool == 'jax':
    ours = jax.jit(ours)
  return lambda labels, probs: jax.block_until_ready(ours(labels, probs))


def _of_cleanlab(task, n_jobs):
  from cleanlab import filter as cleanlab_filter
  from cleanlab import rank

  if task in SCORES:
    return functools.partial(rank.get_label_quality_scores, method=task)
  find = functools.partial(cleanlab_filter.find_label_issues, n_jobs=n_jobs)
  if task == 'find_label_issues':
    return functools.partial(find, return_indices_ranked_by='self_confidence')
  return functools.partial(find, filter_by=task)


def _ours(task, xp, labels, probs):
  from noisy_labels import detection

  if task in SCORES or task == 'find_label_issues':
    return getattr(detection, task)(labels, probs)
  if task == 'predicted_neq_given':
    return detection.normalized_margin(labels, probs) > 0.5
  if not task.startswith('low_'):
    return detection.confident_learning(labels, probs, filter_by=task)
  # As many as are confidently of another class, by a score.
  number = detection.confident_learning(
    labels, probs, filter_by='confident_learning'
  ).sum()
  score = getattr(detection, task.removeprefix('low_'))(labels, probs)
  return xp.argsort(xp.argsort(-xp.asarray(score))) < number
