"""What labels are drawn from, to see how far an estimator is off."""

import jax
import numpy as np
import pytest

from experiments import noise_bias
from noisy_labels import noise

K, N = 3, 2000
TRANSITION = noise.pair_flip(K, 0.3)


@pytest.fixture(scope='module')
def problem():
  """Labels, and what a model says of them that is often unsure."""
  rng = np.random.default_rng(0)
  clean = rng.dirichlet(np.full(K, 0.2), N).astype(np.float32)
  uniform = rng.random((N, 1))
  true = np.minimum((clean.cumsum(axis=1) < uniform).sum(axis=1), K - 1)
  labels = noise.corrupt(true, TRANSITION, seed=0).labels
  return labels, np.log(clean @ TRANSITION), clean


def test_the_reference_is_nearer_to_the_truth_than_the_estimate(problem):
  labels, log_probs, clean = problem
  reference = noise_bias.reference(labels, log_probs, seed=0)
  np.testing.assert_allclose(reference.noise.transition, TRANSITION, atol=0.06)
  assert np.mean(abs(reference.clean_probs - clean)) < 0.05
  assert 0.01 < reference.bias.rate < 0.1
  same = noise_bias.of('confident_joint', reference, log_probs, seed=0)
  assert same is reference.bias


def test_many_examples_are_thinned_alike(problem, monkeypatch):
  labels, log_probs, _ = problem
  monkeypatch.setattr(noise_bias, '_MAX_SIMULATED', N * K // 2)
  reference = noise_bias.reference(labels, log_probs, seed=0)
  np.testing.assert_allclose(reference.log_probs, log_probs[::2], rtol=1e-6)
  assert reference.clean_probs.shape == (N // 2, K)
  # Of a model of the true class, which brings its own predictions.
  clean = np.log(np.asarray(jax.nn.softmax(3 * log_probs)))
  bias = noise_bias.of('em_transition', reference, clean, seed=0)
  assert np.isfinite(bias.transition).all()


def test_there_is_none_of_very_many_classes(monkeypatch, problem):
  monkeypatch.setattr(noise_bias, '_MAX_CLASSES', K - 1)
  assert noise_bias.reference(*problem[:2], seed=0) is None
