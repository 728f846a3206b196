"""Every public detector as a function of one problem, and its range."""

from collections.abc import Callable
import functools
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import detection
from tests.estimation import problems

N = 211


class Problem(NamedTuple):
  """What detectors take; the leading axis of all is that of the examples."""

  labels: Any
  probs: Any
  features: Any
  losses: Any
  logits: Any


class Case(NamedTuple):
  """A detector of a problem, and between what its scores are."""

  score: Callable[[Problem], Any]
  low: float
  high: float
  takes_probs: bool = True


def problem(num_classes=5, seed=0, missing=(), certain=False):
  labels, probs = problems.random_problem(
    N, num_classes, seed=seed, missing=missing
  )
  rng = np.random.default_rng(seed)
  if certain:
    probs = np.eye(num_classes, dtype=np.float32)[probs.argmax(axis=1)]
  centres = rng.normal(size=(num_classes, 8))
  features = centres[labels] + rng.normal(size=(N, 8))
  own = np.maximum(probs[np.arange(N), labels], 1e-6)
  return Problem(
    labels,
    probs,
    features.astype(np.float32),
    -np.log(own),
    rng.normal(size=(N, 3, num_classes)).astype(np.float32),
  )


def transition_of(probs):
  num_classes = probs.shape[1]
  return 0.7 * jnp.eye(num_classes) + 0.3 / num_classes


def by_example(issues, column):
  return jnp.zeros(N, column.dtype).at[issues.index].set(column)


def confident(problem, filter_by):
  mask = detection.confident_learning(
    problem.labels, problem.probs, filter_by=filter_by
  )
  return mask.astype(jnp.float32)


def issues_of(problem):
  issues = detection.find_label_issues(problem.labels, problem.probs)
  return by_example(issues, issues.score)


def correct(problem):
  return (problem.logits.argmax(axis=2) == problem.labels[:, None]).T


CASES = {
  'area_under_margin': Case(
    lambda p: detection.area_under_margin(p.logits.swapaxes(0, 1), p.labels),
    -jnp.inf,
    jnp.inf,
    takes_probs=False,
  ),
  'confidence_weighted_entropy': Case(
    lambda p: detection.confidence_weighted_entropy(p.labels, p.probs), 0, 1
  ),
  **{
    f'confident_learning {filter_by}': Case(
      functools.partial(confident, filter_by=filter_by), 0, 1
    )
    for filter_by in (
      'both',
      'confident_learning',
      'prune_by_class',
      'prune_by_noise_rate',
    )
  },
  'conflicting_duplicates': Case(
    lambda p: detection.conflicting_duplicates(p.features, p.labels).distance,
    0,
    2,
    takes_probs=False,
  ),
  'ensemble': Case(
    lambda p: detection.ensemble(p.losses, p.probs[:, 0]),
    0,
    1,
    takes_probs=False,
  ),
  'find_label_issues': Case(issues_of, 0, 1),
  'forgetting_events': Case(
    lambda p: detection.forgetting_events(correct(p)), 0, 3, takes_probs=False
  ),
  'loss_mixture': Case(
    lambda p: detection.loss_mixture(p.losses), 0, 1, takes_probs=False
  ),
  'loss_mixture beta': Case(
    lambda p: detection.loss_mixture(p.losses, kind='beta'),
    0,
    1,
    takes_probs=False,
  ),
  'neighbour_agreement': Case(
    lambda p: detection.neighbour_agreement(p.features, p.labels),
    0,
    1,
    takes_probs=False,
  ),
  'normalized_margin': Case(
    lambda p: detection.normalized_margin(p.labels, p.probs), 0, 1
  ),
  'normalized_margin adjusted': Case(
    lambda p: detection.normalized_margin(p.labels, p.probs, adjust=True), 0, 1
  ),
  'out_of_distribution': Case(
    lambda p: detection.out_of_distribution(p.features),
    0,
    2,
    takes_probs=False,
  ),
  'posterior': Case(
    lambda p: detection.posterior(p.labels, p.probs, transition_of(p.probs)),
    0,
    1,
  ),
  'posterior of given labels': Case(
    lambda p: detection.posterior(
      p.labels, p.probs, transition_of(p.probs), predicts='given'
    ),
    0,
    1,
  ),
  'self_confidence': Case(
    lambda p: detection.self_confidence(p.labels, p.probs), 0, 1
  ),
  'self_confidence adjusted': Case(
    lambda p: detection.self_confidence(p.labels, p.probs, adjust=True), 0, 1
  ),
}

# No score of single examples.
OTHERS = (
  'calibrated_errors',
  'expected_errors',
  'margin_threshold',
  'threshold_samples',
)
TYPES = ('Duplicates', 'ErrorCount', 'LabelIssues', 'ThresholdSamples')

PROBLEMS = {
  'random': problem(),
  'two classes': problem(num_classes=2, seed=1),
  'missing classes': problem(num_classes=8, seed=2, missing=[0, 5]),
  'certain': problem(seed=3, certain=True),
}


@functools.cache
def compiled(name):
  return jax.jit(CASES[name].score)
