import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import noise
from tests.estimation import problems

KEY = jax.random.key(0)
CASES = {
  'random': problems.random_problem(1500, 7),
  'missing': problems.random_problem(1000, 8, seed=2, missing=[0, 5]),
}


def ambiguous(seed, num_examples=5000):
  """Examples whose class no model can tell, and how many labels are wrong."""
  rng = np.random.default_rng(seed)
  num_classes = len(problems.PRIOR)
  clean = rng.dirichlet(np.full(num_classes, 0.15), num_examples)
  true = (rng.random((num_examples, 1)) > clean.cumsum(axis=1)).sum(axis=1)
  given = noise.corrupt(true, problems.TRANSITION, seed=seed).labels
  probs = (clean @ problems.TRANSITION).astype(np.float32)
  return given, probs, int((true != given).sum())


@pytest.mark.parametrize('case', CASES)
def test_the_number_stays_and_the_interval_is_wider(case):
  labels, probs = CASES[case]
  plain = detection.expected_errors(labels, probs)
  number, lower, upper = detection.calibrated_errors(labels, probs, key=KEY)
  assert number == plain.number
  assert 0 <= lower <= plain.lower
  assert plain.upper <= upper <= len(labels)
  assert upper - lower > plain.upper - plain.lower


def test_of_certain_predictions_it_is_expected_errors():
  true, given = problems.labels(3000)
  probs = problems.clean_probs(true)
  plain = detection.expected_errors(given, probs)
  calibrated = detection.calibrated_errors(given, probs, key=KEY)
  np.testing.assert_allclose(calibrated, plain, atol=1.0)


def test_it_knows_of_examples_that_no_model_can_tell():
  for seed in range(5):
    labels, probs, wrong = ambiguous(seed)
    plain = detection.expected_errors(labels, probs)
    calibrated = detection.calibrated_errors(labels, probs, key=KEY)
    assert plain.lower > 1.15 * wrong
    assert calibrated.lower < 1.05 * wrong < calibrated.upper


def test_numpy_eager_and_compiled_agree():
  arrays = CASES['missing']
  want = detection.calibrated_errors(*arrays, key=KEY)
  for got in (
    jax.jit(detection.calibrated_errors)(*arrays, key=KEY),
    detection.calibrated_errors(*map(jnp.asarray, arrays), key=KEY),
  ):
    np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.parametrize(
  ('fields', 'message'),
  [({'level': 1.0}, 'level'), ({'num_resamples': 0}, 'num_resamples')],
)
def test_wrong_arguments_are_named(fields, message):
  with pytest.raises(ValueError, match=message):
    detection.calibrated_errors(*CASES['random'], key=KEY, **fields)
