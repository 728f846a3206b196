"""Every estimator on data that are odd: an estimate still, and no NaN."""

import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation

ESTIMATORS = {
  'anchor_points': lambda labels, probs: estimation.anchor_points(
    probs, percentile=97.0
  ),
  'confident_joint': estimation.confident_joint,
  'dual_transition': estimation.dual_transition,
  'em_transition': lambda labels, probs: (
    estimation.em_transition(labels, np.log(probs), num_steps=2).estimate
  ),
  'hoc': lambda labels, probs: estimation.hoc(
    jnp.sqrt(probs), labels, num_classes=probs.shape[1], num_steps=5
  ),
  'trusted_transition': estimation.trusted_transition,
}


@pytest.mark.parametrize('name', ESTIMATORS)
@pytest.mark.parametrize(
  ('num_examples', 'num_classes'),
  [pytest.param(4, 7, id='fewer examples than classes'), (30, 2)],
)
def test_an_estimate_comes_out(name, num_examples, num_classes):
  rng = np.random.default_rng(0)
  probs = rng.dirichlet(np.ones(num_classes), num_examples)
  labels = np.arange(num_examples) % num_classes
  got = ESTIMATORS[name](labels, probs.astype(np.float32))
  assert got.transition.shape == (num_classes, num_classes)
  np.testing.assert_allclose(got.transition.sum(axis=1), 1, rtol=1e-5)
  np.testing.assert_allclose(got.prior.sum(), 1, rtol=1e-5)
  assert 0 <= got.rate <= 1
