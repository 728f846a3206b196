import jax
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

trusted = jax.jit(estimation.trusted_transition)
TRUE, _ = problems.labels(600)
PROBS = (problems.clean_probs(TRUE) @ problems.TRANSITION).astype(np.float32)


def test_formula():
  got = trusted(TRUE, PROBS)
  wide = PROBS.astype(np.float64)
  want = np.stack([wide[TRUE == k].mean(axis=0) for k in range(4)])
  np.testing.assert_allclose(got.transition, want, atol=1e-6)
  np.testing.assert_allclose(got.prior, np.bincount(TRUE) / 600, atol=1e-6)


def test_it_finds_the_noise():
  transition = trusted(TRUE, PROBS).transition
  np.testing.assert_allclose(transition, problems.TRANSITION, atol=0.03)


def test_a_class_without_trusted_examples():
  known = TRUE != 2
  got = trusted(TRUE[known], PROBS[known])
  np.testing.assert_array_equal(got.transition[2], [0, 0, 1, 0])
  assert got.prior[2] == 0


def test_shards_add_up():
  weights = np.random.default_rng(0).integers(3, size=600)
  got = problems.sharded(
    lambda labels, probs, weights: estimation.trusted_transition(
      labels, probs, weights=weights, axis_name='shards'
    ),
    TRUE, PROBS, weights,
  )  # fmt: skip
  repeated = np.repeat(np.arange(600), weights)
  sums = estimation.trusted_sums(TRUE[repeated], PROBS[repeated])
  problems.assert_close(got, estimation.from_joint(sums))


def test_order_of_examples_and_classes_does_not_matter():
  rows = np.random.default_rng(0).permutation(600)
  classes = np.array([2, 0, 3, 1])
  got = trusted(np.argsort(classes)[TRUE][rows], PROBS[rows][:, classes])
  problems.assert_close(got, problems.permuted(trusted(TRUE, PROBS), classes))


def test_errors():
  with pytest.raises(ValueError, match=r'trusted_labels must be in 0..3'):
    estimation.trusted_transition(TRUE + 1, PROBS)
  with pytest.raises(ValueError, match='are they logits'):
    estimation.trusted_transition(TRUE, -PROBS)
