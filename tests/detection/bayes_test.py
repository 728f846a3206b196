import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import estimation
from tests.estimation import problems


def test_it_is_the_rest_of_the_posterior():
  given, probs = problems.random_problem(300, 4)
  got = detection.posterior(given, probs, problems.TRANSITION)
  posterior = estimation.posterior(np.log(probs), given, problems.TRANSITION)
  want = 1 - posterior[np.arange(300), given]
  np.testing.assert_allclose(got, want, atol=1e-6)


def test_its_sum_is_the_number_of_wrong_labels():
  """Where the model's probabilities are true, and the noise is T."""
  rng = np.random.default_rng(0)
  probs = rng.dirichlet(np.ones(4), 40_000)
  true = (probs.cumsum(axis=1) > rng.random((40_000, 1))).argmax(axis=1)
  draws = rng.random((40_000, 1))
  given = (problems.TRANSITION[true].cumsum(axis=1) > draws).argmax(axis=1)
  score = np.asarray(detection.posterior(given, probs, problems.TRANSITION))
  wrong = given != true
  assert abs(score.mean() - wrong.mean()) < 0.01
  for low in (0.1, 0.3, 0.5, 0.7):
    among = (score >= low) & (score < low + 0.2)
    assert abs(score[among].mean() - wrong[among].mean()) < 0.03


@pytest.mark.parametrize('array', [np.asarray, jnp.asarray])
def test_a_model_of_the_given_label_says_the_same(array):
  rng = np.random.default_rng(0)
  probs = rng.dirichlet(np.full(4, 0.3), 500).astype(np.float32)
  given = rng.integers(4, size=500)
  noisy = (probs @ problems.TRANSITION).astype(np.float32)
  got = detection.posterior(
    given, array(noisy), problems.TRANSITION, predicts='given'
  )
  want = detection.posterior(given, probs, problems.TRANSITION)
  np.testing.assert_allclose(got, want, atol=0.15)
  assert np.mean(np.abs(np.asarray(got) - want)) < 0.025


def test_no_noise_leaves_no_doubt():
  given, probs = problems.random_problem(50, 4)
  np.testing.assert_array_equal(
    detection.posterior(given, probs, np.eye(4)), np.zeros(50)
  )


def test_what_is_excluded_is_suspicious():
  labels, probs = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
  np.testing.assert_array_equal(
    detection.posterior(labels, probs, np.eye(2)), [1, 0]
  )


def test_a_small_doubt_is_not_rounded_away():
  probs = np.array([[1 - 1e-9, 1e-9]])
  got = detection.posterior(
    np.array([0]), probs, np.array([[1, 0], [0.5, 0.5]])
  )
  np.testing.assert_allclose(got, 5e-10, rtol=1e-4)


def test_errors():
  given, probs = problems.random_problem(50, 4)
  with pytest.raises(ValueError, match='transition must have shape'):
    detection.posterior(given, probs, np.eye(3))
  with pytest.raises(ValueError, match='transition must have non-negative ro'):
    detection.posterior(given, probs, 2 * np.eye(4))
  with pytest.raises(ValueError, match='predicts must be one of true, given'):
    detection.posterior(given, probs, np.eye(4), predicts='noisy')


def test_the_noise_may_be_traced():
  given, probs = problems.random_problem(50, 4)
  got = jax.jit(detection.posterior)(given, probs, problems.TRANSITION)
  want = detection.posterior(given, probs, jnp.asarray(problems.TRANSITION))
  np.testing.assert_allclose(got, want, atol=1e-6)
