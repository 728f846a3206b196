"""The scores against cleanlab's, and what they are at the ends."""

from cleanlab import rank
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels.estimation import blocks
from tests.estimation import problems

CASES = {
  'random': problems.random_problem(1500, 7),
  'imbalanced': problems.random_problem(2000, 10, seed=1, skew=2.0),
  'missing': problems.random_problem(1000, 8, seed=2, missing=[0, 5]),
  'two classes': problems.random_problem(501, 2, seed=3),
  'few examples': problems.random_problem(6, 9, seed=4),
}
every_case = pytest.mark.parametrize('case', CASES)


def theirs(case, method, adjust):
  labels, probs = CASES[case]
  return 1 - rank.get_label_quality_scores(
    labels, probs.astype(np.float64), method=method, adjust_pred_probs=adjust
  )


@every_case
@pytest.mark.parametrize('adjust', [False, True])
@pytest.mark.parametrize('name', ['self_confidence', 'normalized_margin'])
def test_they_are_one_less_cleanlabs(monkeypatch, case, name, adjust):
  monkeypatch.setattr(blocks, '_ELEMENTS', 1000)  # Several blocks.
  got = getattr(detection, name)(*CASES[case], adjust=adjust)
  np.testing.assert_allclose(got, theirs(case, name, adjust), atol=1e-6)


@every_case
def test_entropy_is_one_less_cleanlabs_but_for_tiny_numbers(case):
  labels, probs = CASES[case]
  got = detection.confidence_weighted_entropy(labels, probs)
  own = probs[np.arange(len(labels)), labels]
  entropy = -np.sum(probs * np.log(np.maximum(probs, 1e-30)), axis=1)
  usual = (own > 1e-6) & (entropy > 1e-5)
  assert usual.mean() > 0.9
  want = theirs(case, 'confidence_weighted_entropy', adjust=False)
  np.testing.assert_allclose(got[usual], want[usual], atol=1e-6)


def test_entropy_has_its_limits_at_the_ends():
  labels = np.array([0, 1, 0, 1, 0])
  sure = np.array(
    [[1, 0, 0], [1, 0, 0], [1 - 1e-7, 1e-7, 0], [1 - 1e-7, 1e-7, 0], [0, 1, 0]]
  )
  got = detection.confidence_weighted_entropy(labels, sure.astype(np.float32))
  np.testing.assert_allclose(got[jnp.array([0, 1, 4])], [0, 1, 1], atol=1e-6)
  assert got[2] < 1e-5
  assert got[3] > 0.7


def test_scores_of_a_certain_prediction():
  labels = np.array([0, 1])
  probs = np.array([[1, 0], [1, 0]], np.float32)
  for score in (detection.self_confidence, detection.normalized_margin):
    np.testing.assert_array_equal(score(labels, probs), [0, 1])
  even = np.full((2, 2), 0.5, np.float32)
  np.testing.assert_array_equal(detection.normalized_margin(labels, even), 0.5)


def test_an_adjusted_shard_is_compared_with_all():
  labels, probs = problems.random_problem(400, 5)

  def function(labels, probs):
    score = detection.normalized_margin(
      labels, probs, adjust=True, axis_name='shards'
    )
    return jax.lax.all_gather(score, 'shards', tiled=True)

  got = problems.sharded(function, labels, probs)
  want = detection.normalized_margin(labels, probs, adjust=True)
  np.testing.assert_allclose(got, want, atol=1e-6)
