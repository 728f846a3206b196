import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.detection import passes
from noisy_labels.detection import threshold_slopes
from noisy_labels.estimation import confident_host
from tests.estimation import problems

K = 6
WIDTHS = np.array([0.3, 0.1, 0.05, 0.05, 0.02, 0.0], np.float32)


@pytest.mark.parametrize('missing', [(), (2,)])
def test_they_are_what_moving_one_threshold_changes(missing):
  labels, probs = problems.random_problem(3000, K, missing=missing)
  thresholds = passes.thresholds(labels, probs)
  rng = np.random.default_rng(0)
  values = threshold_slopes.Values(rng.random(K), -rng.random(K))

  def total(k, shift):
    moved = thresholds + shift * WIDTHS * (np.arange(K) == k)
    guesses = confident_host.guess(probs, moved)
    value = np.where(guesses >= 0, values.any[labels], 0)
    value += np.where(guesses == labels, values.right[labels], 0)
    return value.sum()

  want = [total(k, 1) - total(k, -1) for k in range(K)]
  assert np.abs(want[:2]).min() > 1
  own = passes.own(labels, probs)
  arguments = labels, probs, own, thresholds, WIDTHS, values
  compiled = jax.jit(threshold_slopes.slopes)
  for got in (
    threshold_slopes.slopes(*arguments),
    compiled(*jax.tree.map(jnp.asarray, arguments)),
  ):
    np.testing.assert_allclose(got * 2 * WIDTHS, want, atol=1e-3)
    assert got[-1] == 0
