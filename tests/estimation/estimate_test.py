import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

JOINT = problems.PRIOR[:, None] * problems.TRANSITION


@pytest.mark.parametrize('of', [np.asarray, jnp.asarray])
def test_bayes_rule(of):
  got = estimation.from_joint(of(1000 * JOINT))
  np.testing.assert_allclose(got.transition, problems.TRANSITION, atol=1e-6)
  np.testing.assert_allclose(got.prior, problems.PRIOR, atol=1e-6)
  np.testing.assert_allclose(got.joint, JOINT, atol=1e-6)
  np.testing.assert_allclose(got.given, JOINT.sum(axis=0), atol=1e-6)
  np.testing.assert_allclose(got.inverse, JOINT / JOINT.sum(axis=0), atol=1e-6)
  np.testing.assert_allclose(got.rate, 1 - np.trace(JOINT), atol=1e-6)


@pytest.mark.parametrize('of', [np.asarray, jnp.asarray])
def test_what_has_no_evidence_is_the_identity(of):
  got = estimation.from_joint(of(np.array([[3, 1, 0], [0, 0, 0], [0, 4, 0]])))
  np.testing.assert_array_equal(
    got.transition, [[0.75, 0.25, 0], [0, 1, 0], [0, 1, 0]]
  )
  np.testing.assert_array_equal(got.prior, [0.5, 0, 0.5])
  np.testing.assert_allclose(
    got.inverse, [[1, 0.2, 0], [0, 0, 0], [0, 0.8, 1]], atol=1e-7
  )
  assert got.rate == 0.125 + 0.5


@pytest.mark.parametrize('of', [np.asarray, jnp.asarray])
def test_no_evidence_at_all(of):
  got = estimation.from_joint(of(np.zeros((4, 4), np.int32)))
  np.testing.assert_array_equal(got.transition, np.eye(4))
  np.testing.assert_array_equal(got.prior, np.full(4, 0.25))
  assert got.rate == 0


def test_large_counts_are_not_summed_in_float32():
  joint = np.array([[2**24 + 1, 0], [1, 2**24 - 1]], np.int32)
  for counts in (joint, jnp.asarray(joint)):
    got = estimation.from_joint(counts)
    np.testing.assert_allclose(got.rate, 2.0**-25, rtol=1e-6)


def test_prior_from_transition():
  got = estimation.from_transition(problems.TRANSITION, JOINT.sum(axis=0))
  np.testing.assert_allclose(got.prior, problems.PRIOR, atol=1e-5)
  np.testing.assert_allclose(got.rate, 1 - np.trace(JOINT), atol=1e-5)


def test_prior_is_a_distribution_whatever_was_given():
  got = estimation.from_transition(
    problems.TRANSITION, np.array([1.0, 0, 0, 0])
  )
  assert (got.prior >= 0).all()
  np.testing.assert_allclose(got.prior.sum(), 1, rtol=1e-6)


def test_a_transition_without_inverse_leaves_the_given_prior():
  given = np.array([0.5, 0.25, 0.25])
  got = estimation.from_transition(np.full((3, 3), 1 / 3), given)
  assert np.isfinite(got.rate)
  if not np.allclose(got.prior, given):  # Where rounding gave an inverse.
    np.testing.assert_allclose(got.prior.sum(), 1, rtol=1e-6)
  exact = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
  np.testing.assert_array_equal(
    estimation.from_transition(exact, given).prior, given
  )


def test_jit():
  counts = jnp.asarray([[3, 1], [2, 5]])
  problems.assert_close(
    jax.jit(estimation.from_joint)(counts), estimation.from_joint(counts)
  )
