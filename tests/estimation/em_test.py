import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from noisy_labels import noise
from tests.estimation import problems

N = 3000
# A model that is right about its own doubts: true classes are drawn from it.
PROBS = np.random.default_rng(0).dirichlet(0.5 * problems.PRIOR, N) + 1e-9
LOG_PROBS = np.log(PROBS).astype(np.float32)
TRUE = (PROBS.cumsum(axis=1) < noise.uniform(1, np.arange(N))[:, None]).sum(1)
GIVEN = noise.corrupt(TRUE, problems.TRANSITION, seed=2).labels
START = np.full((4, 4), 0.1) + 0.6 * np.eye(4)
em = jax.jit(functools.partial(estimation.em_transition, num_steps=60))


def step(transition, probs, labels):
  """One step of EM, and the likelihood before it, in loops and float64."""
  joint, likelihood = np.zeros((4, 4)), 0.0
  for row, label in zip(probs, labels, strict=True):
    shares = row * transition[:, label]
    likelihood += np.log(shares.sum())
    joint[:, label] += shares / shares.sum()
  return joint, likelihood


def softmax(logits):
  exps = np.exp(logits.astype(np.float64))
  return exps / exps.sum(axis=1, keepdims=True)


def test_step_follows_the_formula():
  joint, likelihood = step(START, softmax(LOG_PROBS), GIVEN)
  got = jax.jit(estimation.em_sums)(GIVEN, LOG_PROBS, START)
  np.testing.assert_allclose(got.joint, joint, rtol=1e-5, atol=1e-4)
  np.testing.assert_allclose(got.log_likelihood, likelihood, rtol=1e-5)


def test_likelihood_never_decreases_and_ends_at_a_fixed_point():
  with jax.enable_x64(True):
    log_probs = jnp.asarray(LOG_PROBS, jnp.float64)
    result = estimation.em_transition(GIVEN, log_probs, num_steps=300)
    assert (np.diff(result.log_likelihoods) >= -1e-14).all()
    assert result.log_likelihoods[-1] > result.log_likelihoods[0] + 1e-3
  transition = np.asarray(result.estimate.transition)
  joint, likelihood = step(transition, softmax(LOG_PROBS), GIVEN)
  again = joint / joint.sum(axis=1, keepdims=True)
  np.testing.assert_allclose(again, transition, atol=1e-6)
  realised = np.stack([np.bincount(GIVEN[TRUE == k]) for k in range(4)])
  realised = realised / realised.sum(axis=1, keepdims=True)
  assert likelihood > step(realised, softmax(LOG_PROBS), GIVEN)[1]


def test_it_finds_the_noise():
  estimate = em(GIVEN, LOG_PROBS).estimate
  np.testing.assert_allclose(estimate.transition, problems.TRANSITION, atol=0.1)
  np.testing.assert_allclose(
    estimate.prior, np.bincount(TRUE) / len(TRUE), atol=0.02
  )
  np.testing.assert_allclose(estimate.rate, np.mean(TRUE != GIVEN), atol=0.02)


def test_certain_predictions_count():
  log_probs = np.where(np.eye(4)[TRUE] > 0, 0, -np.inf).astype(np.float32)
  counts = np.zeros((4, 4))
  np.add.at(counts, (TRUE, GIVEN), 1)
  got = em(GIVEN, log_probs).estimate
  problems.assert_close(got, estimation.from_joint(counts))


def test_an_impossible_label_has_no_share():
  log_probs = np.array([[0, -np.inf], [-np.inf, 0]], np.float32)
  sums = estimation.em_sums(np.array([1, 1]), log_probs, np.eye(2))
  np.testing.assert_array_equal(sums.joint, [[0, 0], [0, 1]])
  assert sums.log_likelihood == -np.inf


@pytest.mark.parametrize('offset', [50.0, -1e4])
def test_logits_do_as_well(offset):
  problems.assert_close(
    em(GIVEN, (LOG_PROBS + offset).astype(np.float32)),
    em(GIVEN, LOG_PROBS.astype(np.float32)),
    atol=2e-3,
  )


def test_a_class_that_is_never_predicted():
  log_probs = np.concatenate(
    [LOG_PROBS, np.full((len(LOG_PROBS), 1), -np.inf)], axis=1
  )
  got = em(GIVEN, log_probs.astype(np.float32)).estimate
  np.testing.assert_array_equal(got.transition[4], np.eye(5)[4])
  assert got.prior[4] == 0


def test_shards_add_up():
  weights = np.random.default_rng(0).integers(3, size=N)
  got = problems.sharded(
    lambda labels, log_probs, weights: estimation.em_transition(
      labels, log_probs, weights=weights, num_steps=60, axis_name='shards'
    ),
    GIVEN, LOG_PROBS, weights,
  )  # fmt: skip
  problems.assert_close(got, em(GIVEN, LOG_PROBS, weights=weights), atol=1e-5)


def test_weights_are_repetitions():
  weights = np.random.default_rng(0).integers(3, size=200)
  repeated = np.repeat(np.arange(200), weights)
  sums = jax.jit(estimation.em_sums)
  problems.assert_close(
    sums(GIVEN[:200], LOG_PROBS[:200], START, weights=weights),
    sums(GIVEN[repeated], LOG_PROBS[repeated], START),
    atol=1e-4,
  )


def test_errors():
  with pytest.raises(ValueError, match=r'labels must be in 0..3'):
    estimation.em_transition(GIVEN + 1, LOG_PROBS)
  with pytest.raises(ValueError, match='num_steps must be'):
    estimation.em_transition(GIVEN, LOG_PROBS, num_steps=0)
  with pytest.raises(ValueError, match='log_probs must have shape'):
    estimation.em_transition(GIVEN, LOG_PROBS[0])
  with pytest.raises(ValueError, match='transition must have shape'):
    estimation.em_transition(GIVEN, LOG_PROBS, transition=np.eye(5))
  with pytest.raises(ValueError, match='transition must have non-negative'):
    estimation.em_transition(GIVEN, LOG_PROBS, transition=-np.eye(4))
