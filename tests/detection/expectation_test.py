import functools

from cleanlab import count
import jax
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


@functools.cache
def answer(case, num_resamples=30):
  function = functools.partial(
    detection.expected_errors, num_resamples=num_resamples
  )
  return jax.jit(function)(*CASES[case])


@pytest.mark.parametrize('case', CASES)
def test_it_is_the_rate_of_the_confident_joint_but_for_rounding(case):
  labels, probs = CASES[case]
  number, lower, upper = answer(case)
  rounding = probs.shape[1]
  joint = estimation.confident_joint(labels, probs)
  assert abs(number - len(labels) * joint.rate) < rounding
  theirs = count.num_label_issues(
    labels, probs, estimation_method='off_diagonal_calibrated'
  )
  assert abs(number - theirs) < rounding
  assert 0 <= lower < upper <= len(labels)


def test_the_interval_is_the_bootstrap_of_the_confident_joint():
  labels, probs = CASES['random']
  rates = functools.partial(estimation.bootstrap, num_resamples=30)
  want = jax.jit(
    lambda key: rates(
      lambda weights: (
        estimation.confident_joint(
          jax.numpy.asarray(labels), jax.numpy.asarray(probs), weights=weights
        ).rate
      ),
      len(labels),
      key=key,
    )
  )(jax.random.key(0))
  _, lower, upper = answer('random')
  n = len(labels)
  np.testing.assert_allclose([lower / n, upper / n], want, atol=5e-3)


def test_known_noise_is_within():
  true, given = problems.labels(3000)
  wrong = (true != given).sum()
  number, lower, upper = jax.jit(detection.expected_errors)(
    given, problems.clean_probs(true)
  )
  assert abs(number - wrong) < 0.05 * wrong
  assert lower < wrong < upper


def test_a_key_draws_other_examples():
  labels, probs = CASES['two classes']
  one, other = (
    detection.expected_errors(
      labels, probs, key=jax.random.key(seed), num_resamples=5
    )
    for seed in (1, 2)
  )
  assert one.number == other.number
  assert one.lower != other.lower


def test_errors():
  with pytest.raises(ValueError, match='num_resamples'):
    detection.expected_errors(*CASES['random'], num_resamples=1)
  with pytest.raises(ValueError, match='level'):
    detection.expected_errors(*CASES['random'], level=1.0)
