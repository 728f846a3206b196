"""Scores are the library's, and by row."""

import jax
import numpy as np
import pytest

from experiments import errors
from experiments.audit import scoring
from noisy_labels import detection

N, K = 60, 4


@pytest.fixture(scope='module')
def problem():
  rng = np.random.default_rng(0)
  probs = 0.9 * rng.dirichlet(np.full(K, 0.3), N) + 0.1 / K
  probs = probs.astype(np.float32)
  labels = np.argmax(probs, axis=1).astype(np.int32)
  labels[::5] = (labels[::5] + 1) % K
  transition = np.full((K, K), 0.1) + 0.6 * np.eye(K)
  return labels, probs, transition


def test_everything_is_the_librarys_by_row(problem):
  labels, probs, transition = problem
  found = scoring.find(labels, probs, transition, detector='self_confidence')
  want = jax.jit(detection.find_label_issues)(labels, probs)
  for name in ('score', 'is_issue', 'suggested', 'confidence'):
    np.testing.assert_array_equal(
      getattr(found, name)[want.index], getattr(want, name)
    )
  np.testing.assert_array_equal(found.expected, want.expected)
  np.testing.assert_array_equal(
    found.label_probability, probs[np.arange(N), labels]
  )
  assert 0 < found.is_issue.sum() < N


@pytest.mark.parametrize('name', scoring.NAMES)
def test_every_detector_suspects_what_is_wrong(problem, name):
  labels, probs, transition = problem
  score = scoring.find(labels, probs, transition, detector=name).score
  wrong = np.arange(N) % 5 == 0
  assert np.mean(score[wrong]) > np.mean(score[~wrong]) + 0.1


def test_progress_is_told(problem):
  done = []
  names = 'posterior,self_confidence'
  scoring.find(*problem, detector=names, tick=lambda: done.append(1))
  assert len(done) == scoring.num_steps(names)


def test_several_detectors_are_an_ensemble(problem):
  labels, probs, transition = problem
  names = 'normalized_margin,posterior'
  found = scoring.find(labels, probs, transition, detector=names)
  want = detection.ensemble(
    detection.normalized_margin(labels, probs),
    detection.posterior(labels, probs, transition.astype(np.float32)),
  )
  assert np.corrcoef(found.score, want)[0, 1] > 0.999


def test_mistakes_that_were_never_counted_are_suspected_too(problem):
  labels, probs, _ = problem
  score = scoring.find(labels, probs, np.eye(K), detector='posterior').score
  order = np.argsort(score)
  np.testing.assert_array_equal(
    order, np.argsort(-probs[np.arange(N), labels], kind='stable')
  )


def test_unknown_detectors_are_refused():
  scoring.check('self_confidence,posterior')
  for name in ('self_confidense', '', 'posterior,', 'posterior, loss_mixture'):
    with pytest.raises(errors.UsageError, match='--detector='):
      scoring.check(name)


def test_of_very_many_classes_nothing_is_squared(problem, monkeypatch):
  labels, probs, transition = problem
  monkeypatch.setattr(scoring, '_MANY_CLASSES', K - 1)
  found = scoring.find(labels, probs, transition, detector='self_confidence')
  want = detection.confident_learning(
    labels, probs, filter_by='confident_learning'
  )
  np.testing.assert_array_equal(found.is_issue, want)
