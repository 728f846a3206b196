"""What detectors find of wrong labels that are known: ours, and cleanlab's.

Both are given the same probabilities and the same labels. True labels are read
to measure with alone.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from sklearn import metrics

from noisy_labels import detection
from noisy_labels import estimation

FILTERS = (
  'prune_by_noise_rate',
  'prune_by_class',
  'both',
  'confident_learning',
)
# Of which cleanlab has the same, from which it takes this one from 1.
SHARED = (
  'self_confidence',
  'normalized_margin',
  'confidence_weighted_entropy',
)

_POSTERIORS = {'posterior': 'true', 'posterior of given': 'given'}
_ENSEMBLE = (
  'normalized_margin',
  'confidence_weighted_entropy',
  'posterior of given',
)


def our_scores(labels: np.ndarray, probs: np.ndarray) -> dict[str, np.ndarray]:
  """The detectors of predictions, floats `[N]` each.

  Args:
    labels: given classes, integers `[N]`.
    probs: held-out predictions, floats `[N, K]`.

  Returns:
    Scores by name; higher is more suspicious. The posteriors are under the T
    that the confident joint estimates, one for predictions of the true class
    and one for predictions of the given label; the ensemble is of the latter,
    the margin and the entropy.
  """
  scores = {name: getattr(detection, name)(labels, probs) for name in SHARED}
  transition = estimation.confident_joint(labels, probs).transition
  for name, predicts in _POSTERIORS.items():
    scores[name] = detection.posterior(
      labels, probs, transition, predicts=predicts
    )
  scores['ensemble'] = detection.ensemble(*(scores[name] for name in _ENSEMBLE))
  return {name: np.asarray(score) for name, score in scores.items()}


def cleanlab_scores(
  labels: np.ndarray, probs: np.ndarray
) -> dict[str, np.ndarray]:
  """1 less cleanlab's label quality, by each of its methods."""
  from cleanlab import rank

  return {
    name: 1 - rank.get_label_quality_scores(labels, probs, method=name)
    for name in SHARED
  }


def cleanlab_mask(
  labels: np.ndarray, probs: np.ndarray, filter_by: str
) -> np.ndarray:
  """Which labels cleanlab takes, bool `[N]`."""
  from cleanlab import filter as cleanlab_filter

  return cleanlab_filter.find_label_issues(
    labels, probs, filter_by=filter_by, n_jobs=1
  )


def compare(
  labels: np.ndarray, probs: np.ndarray, true_labels: np.ndarray
) -> dict[str, Any]:
  """How well each tool finds the wrong labels, in numbers for JSON.

  Args:
    labels: given classes, integers `[N]`.
    probs: held-out predictions, floats `[N, K]`.
    true_labels: integers `[N]`.

  Returns:
    `examples`, `wrong` labels, `accuracy` of the predictions, the `expected`
    number of errors with its interval, and with the `calibrated` one; of `ours`
    and `cleanlab` the `scores` and `masks`, each as `score_quality` and
    `mask_quality` say.
  """
  wrong = labels != true_labels
  expected = detection.expected_errors(labels, probs)
  calibrated = detection.calibrated_errors(labels, probs, key=jax.random.key(0))
  tools: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    'ours': (our_scores, _our_mask),
    'cleanlab': (cleanlab_scores, cleanlab_mask),
  }
  result: dict[str, Any] = {
    'examples': len(labels),
    'wrong': int(wrong.sum()),
    'accuracy': float(np.mean(probs.argmax(axis=1) == true_labels)),
    'expected': [float(number) for number in expected],
    'calibrated': [float(number) for number in calibrated],
  }
  for tool, (scores, mask) in tools.items():
    result[tool] = {
      'scores': {
        name: score_quality(wrong, score)
        for name, score in scores(labels, probs).items()
      },
      'masks': {
        name: mask_quality(wrong, np.asarray(mask(labels, probs, name)))
        for name in FILTERS
      },
    }
  return result


def _our_mask(labels, probs, filter_by):
  return detection.confident_learning(labels, probs, filter_by=filter_by)


def score_quality(wrong: np.ndarray, score: np.ndarray) -> dict[str, float]:
  """How far up the wrong labels are.

  Args:
    wrong: which are, bool `[N]`.
    score: floats `[N]`; higher is more suspicious.

  Returns:
    `average_precision`, and `precision` among as many of the most suspicious as
    are wrong, where it is the recall too. Of equal scores at the end of these
    their share counts.
  """
  number = int(wrong.sum())
  last = np.sort(score)[::-1][number - 1]
  above, equal = score > last, score == last
  share = (number - above.sum()) / equal.sum()
  found = wrong[above].sum() + share * wrong[equal].sum()
  return {
    'average_precision': float(metrics.average_precision_score(wrong, score)),
    'precision': float(found / number),
  }


def mask_quality(wrong: np.ndarray, mask: np.ndarray) -> dict[str, float]:
  """The `number` of labels that are taken, their `precision` and `recall`."""
  found = (wrong & mask).sum()
  return {
    'number': int(mask.sum()),
    'precision': float(found / max(mask.sum(), 1)),
    'recall': float(found / max(wrong.sum(), 1)),
  }
