"""Every detector keeps what the package promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from tests.detection import detector_cases
from tests.detection.detector_cases import CASES
from tests.detection.detector_cases import PROBLEMS
from tests.detection.detector_cases import N

every_case = pytest.mark.parametrize('name', CASES)
every_problem = pytest.mark.parametrize('problem', PROBLEMS)
every_case_of_probs = pytest.mark.parametrize(
  'name', [name for name, case in CASES.items() if case.takes_probs]
)


def score_of(name, problem):
  return np.asarray(detector_cases.compiled(name)(problem))


def test_every_public_name_has_a_case():
  scores = {name.split(' ')[0] for name in CASES}
  assert {*detection.__all__} == {
    *scores,
    *detector_cases.OTHERS,
    *detector_cases.TYPES,
  }
  assert list(detection.__all__) == sorted(set(detection.__all__))


@every_case
@every_problem
def test_a_finite_number_in_the_range_for_each_example(name, problem):
  got = score_of(name, PROBLEMS[problem])
  assert got.shape == (N,)
  assert np.isfinite(got).all()
  assert (got >= CASES[name].low).all()
  assert (got <= CASES[name].high).all()


@every_case
@every_problem
def test_the_order_of_examples_does_not_matter(name, problem):
  order = np.random.default_rng(0).permutation(N)
  moved = jax.tree.map(lambda leaf: leaf[order], PROBLEMS[problem])
  np.testing.assert_allclose(
    score_of(name, moved),
    score_of(name, PROBLEMS[problem])[order],
    atol=1e-5,
  )


@every_case
def test_numpy_eager_and_compiled_agree(name):
  problem = PROBLEMS['random']
  want = score_of(name, problem)
  np.testing.assert_allclose(CASES[name].score(problem), want, atol=1e-6)
  arrays = jax.tree.map(jnp.asarray, problem)
  np.testing.assert_allclose(CASES[name].score(arrays), want, atol=1e-6)


@every_case_of_probs
def test_half_precision_will_do(name):
  problem = PROBLEMS['random']
  half = problem._replace(probs=jnp.asarray(problem.probs, jnp.bfloat16))
  got = detector_cases.compiled(name)(half)
  assert got.dtype == jnp.float32
  assert np.mean(np.abs(got - score_of(name, problem)) > 0.02) < 0.1


@every_case_of_probs
@pytest.mark.parametrize('wrong', [np.nan, 3.0, -0.5])
def test_rows_that_are_no_distributions_are_refused(name, wrong):
  problem = PROBLEMS['random']
  probs = problem.probs.copy()
  probs[17, 2] = wrong
  for array in (probs, jnp.asarray(probs)):
    with pytest.raises(ValueError, match=r'probs must be .* at position 17'):
      CASES[name].score(problem._replace(probs=array))


@every_case_of_probs
@pytest.mark.parametrize('wrong', [-1, 5])
def test_labels_that_are_no_classes_are_refused(name, wrong):
  problem = PROBLEMS['random']
  labels = problem.labels.copy()
  labels[17] = wrong
  with pytest.raises(ValueError, match=r'labels must be in 0\.\.4, got'):
    CASES[name].score(problem._replace(labels=labels))


@pytest.mark.parametrize(
  'name',
  [
    'confidence_weighted_entropy',
    'confident_learning both',
    'find_label_issues',
    'loss_mixture',
    'loss_mixture beta',
    'neighbour_agreement',
    'normalized_margin',
    'posterior',
    'self_confidence',
  ],
)
def test_wrong_labels_are_more_suspicious(name):
  rng = np.random.default_rng(5)
  problem = PROBLEMS['random']
  true = problem.labels
  wrong = rng.random(N) < 0.2
  labels = np.where(wrong, (true + rng.integers(1, 5, N)) % 5, true)
  probs = 0.5 * problem.probs + 0.5 * np.eye(5, dtype=np.float32)[true]
  losses = -np.log(probs[np.arange(N), labels])
  problem = problem._replace(
    labels=labels.astype(np.int32), probs=probs, losses=losses
  )
  score = score_of(name, problem)
  pairs = score[wrong][:, None] - score[~wrong]
  assert (np.sign(pairs) + 1).mean() / 2 > 0.8  # AUROC
