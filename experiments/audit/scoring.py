"""How suspicious each label is, which are issues, and how many are wrong."""

from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import errors
from noisy_labels import detection

# With more classes than that, whatever takes K^2 is left out.
_MANY_CLASSES = 2000
# The share of labels that may be any other class, whatever the estimate says.
_UNSEEN = 1e-3


def _loss_mixture(labels, probs, transition):
  del transition
  tiny = jnp.finfo(jnp.float32).tiny
  return detection.loss_mixture(
    -jnp.log(jnp.maximum(_own(labels, probs), tiny))
  )


def _softened(transition: jax.Array) -> jax.Array:
  """T with a little for mistakes that were not counted: they may be made."""
  return (1 - _UNSEEN) * transition + _UNSEEN / len(transition)


def _plain(function, **settings):
  return lambda labels, probs, transition: function(labels, probs, **settings)


_DETECTORS: dict[str, Callable[..., jax.Array]] = {
  'self_confidence': _plain(detection.self_confidence),
  'normalized_margin': _plain(detection.normalized_margin),
  'confidence_weighted_entropy': _plain(detection.confidence_weighted_entropy),
  'adjusted_self_confidence': _plain(detection.self_confidence, adjust=True),
  'adjusted_normalized_margin': _plain(
    detection.normalized_margin, adjust=True
  ),
  'posterior': lambda labels, probs, transition: detection.posterior(
    labels, probs, _softened(transition)
  ),
  'loss_mixture': _loss_mixture,
}
NAMES = tuple(_DETECTORS)
# As precise as 1 - p_y where all mistakes are equally probable, and more so
# where they are not; and it is a probability.
DEFAULT = 'posterior'


class Scores(NamedTuple):
  """By row.

  Attributes:
    score: floats `[N]`; higher is more suspicious.
    is_issue: whether the label is one to look at, bool `[N]`.
    suggested: the most probable classes, int32 `[N]`.
    confidence: their probabilities, floats `[N]`.
    label_probability: those of the given classes, floats `[N]`.
    expected: how many labels are wrong, and the ends of the interval, `[3]`.
  """

  score: np.ndarray
  is_issue: np.ndarray
  suggested: np.ndarray
  confidence: np.ndarray
  label_probability: np.ndarray
  expected: np.ndarray


def check(detector: str) -> None:
  """Raises a UsageError unless the names, with commas between, are known."""
  for name in detector.split(','):
    errors.check_name('--detector', name, NAMES)


def find(
  labels: np.ndarray,
  probs: np.ndarray,
  transition: np.ndarray,
  *,
  detector: str,
  tick: Callable[[], None] = lambda: None,
) -> Scores:
  """Scores every label.

  Args:
    labels: given classes, integers `[N]`.
    probs: held-out predictions, floats `[N, K]`.
    transition: the estimated T, `[K, K]`.
    detector: one of `NAMES`, or several with commas between, whose ranks are
      averaged.
    tick: called from time to time, `num_steps` times in all.

  Returns:
    The scores.
  """
  find_issues = functools.partial(
    detection.find_label_issues,
    filter_by=(
      'prune_by_noise_rate'
      if probs.shape[1] <= _MANY_CLASSES
      else 'confident_learning'
    ),
  )
  # Once on the device, for all that looks at them.
  arrays = jnp.asarray(labels), jnp.asarray(probs)
  score = _score(detector, *arrays, transition, tick)
  issues = jax.block_until_ready(jax.jit(find_issues)(*arrays, scores=score))
  tick()
  own = jax.jit(_own)(*arrays)
  rows = np.argsort(np.asarray(issues.index))
  return Scores(
    score=np.asarray(issues.score)[rows],
    is_issue=np.asarray(issues.is_issue)[rows],
    suggested=np.asarray(issues.suggested)[rows],
    confidence=np.asarray(issues.confidence)[rows],
    label_probability=np.asarray(own).astype(np.float32),
    expected=np.array([float(value) for value in issues.expected]),
  )


def _own(labels: jax.Array, probs: jax.Array) -> jax.Array:
  return jnp.take_along_axis(probs, labels[:, None], axis=1)[:, 0]


def num_steps(detector: str) -> int:
  """How often `find` calls `tick`."""
  return len(detector.split(',')) + 1


def _score(
  detector: str,
  labels: jax.Array,
  probs: jax.Array,
  transition: np.ndarray,
  tick: Callable[[], None],
) -> jax.Array | None:
  if detector == 'self_confidence':
    # The library's own, which tells p_y apart where 1 - p_y rounds.
    tick()
    return None
  names = detector.split(',')
  # Most have no use for a matrix that may be large.
  matrix = None
  if 'posterior' in names:
    matrix = jnp.asarray(transition, jnp.float32)
  scores = []
  for name in names:
    score = jax.jit(_DETECTORS[name])(labels, probs, matrix)
    scores.append(jax.block_until_ready(score))
    tick()
  return detection.ensemble(*scores) if len(scores) > 1 else scores[0]
