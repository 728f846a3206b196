import functools

from cleanlab import count
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import estimation
from tests.estimation import problems

CASES = {
  'random': problems.random_problem(1500, 7),
  'imbalanced': problems.random_problem(2000, 10, seed=1, skew=2.0),
  'missing': problems.random_problem(1000, 8, seed=2, missing=[0, 5]),
  'two classes': problems.random_problem(501, 2, seed=3),
}


def deviation(expected):
  """Of an interval of level 0.95 that no end of the range cuts off."""
  return (expected.upper - expected.lower) / 2 / 1.959964


@pytest.mark.parametrize('case', CASES)
def test_it_is_the_rate_of_the_confident_joint_but_for_rounding(case):
  labels, probs = CASES[case]
  number, lower, upper = detection.expected_errors(labels, probs)
  rounding = probs.shape[1]
  joint = estimation.confident_joint(labels, probs)
  assert abs(number - len(labels) * joint.rate) < rounding
  theirs = count.num_label_issues(
    labels, probs, estimation_method='off_diagonal_calibrated'
  )
  assert abs(number - theirs) < rounding
  assert 0 <= lower < number < upper <= len(labels)


def test_numpy_eager_and_compiled_agree():
  arrays = CASES['missing']
  want = detection.expected_errors(*arrays)
  for got in (
    jax.jit(detection.expected_errors)(*arrays),
    detection.expected_errors(*map(jnp.asarray, arrays)),
  ):
    np.testing.assert_allclose(got, want, rtol=1e-4)


def test_of_certain_predictions_it_is_the_interval_of_a_binomial():
  true, given = problems.labels(3000)
  wrong = (true != given).mean()
  number, lower, upper = detection.expected_errors(
    given, problems.clean_probs(true), level=0.9
  )
  np.testing.assert_allclose(number, 3000 * wrong, rtol=1e-6)
  margin = 1.644854 * np.sqrt(3000 * wrong * (1 - wrong))
  np.testing.assert_allclose(upper - number, margin, rtol=1e-5)
  np.testing.assert_allclose(number - lower, margin, rtol=1e-5)


def test_the_deviation_is_that_of_the_bootstrap():
  labels, probs = CASES['random']
  bootstrap = functools.partial(
    estimation.bootstrap,
    lambda weights: (
      estimation.confident_joint(
        jnp.asarray(labels), jnp.asarray(probs), weights=weights
      ).rate
    ),
    len(labels),
    num_resamples=300,
    level=0.6827,
  )
  lower, upper = jax.jit(lambda key: bootstrap(key=key))(jax.random.key(0))
  got = deviation(detection.expected_errors(labels, probs))
  np.testing.assert_allclose(got, len(labels) * (upper - lower) / 2, rtol=0.15)


def test_of_many_samples_as_many_as_promised_are_covered():
  rng = np.random.default_rng(0)
  labels, probs = problems.random_problem(20_000, 4, seed=4, skew=1.0)
  whole = detection.expected_errors(labels, probs).number * 1000 / len(labels)
  covered = []
  for _ in range(300):
    rows = rng.integers(len(labels), size=1000)
    got = detection.expected_errors(labels[rows], probs[rows])
    covered.append(got.lower <= whole <= got.upper)
  assert 0.91 < np.mean(covered) < 0.98


def test_a_range_that_holds_the_number_is_not_left():
  labels = np.zeros(50, np.int32)
  labels[1:4] = 1
  probs = np.tile(np.float32([0.9, 0.1]), (50, 1))
  probs[1] = 0.4, 0.6
  number, lower, upper = detection.expected_errors(labels, probs, level=0.999)
  assert lower == 0 < number < upper <= 50


def test_errors():
  with pytest.raises(ValueError, match='level'):
    detection.expected_errors(*CASES['random'], level=1.0)
