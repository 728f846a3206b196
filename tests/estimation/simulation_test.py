"""The bias of an estimator, where labels are drawn with a known noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

K = len(problems.TRANSITION)
NOISE = estimation.Estimate(
  jnp.asarray(problems.TRANSITION, jnp.float32),
  jnp.full(K, 1 / K),
  jnp.float32(1 - np.trace(problems.TRANSITION) / K),
)


def clean(count, seed=0):
  """P(true | x), of examples some of which are hard."""
  rng = np.random.default_rng(seed)
  probs = rng.dirichlet(np.full(K, 0.1), count)
  return (0.99 * probs + 0.01 / K).astype(np.float32)


def draw(probs, seed=1):
  uniform = np.random.default_rng(seed).random((len(probs), 1))
  drawn = (probs.cumsum(axis=1) < uniform).sum(axis=1)
  return np.minimum(drawn, K - 1).astype(np.int32)


def test_clean_posterior_inverts_the_noise():
  probs = clean(200)
  got = jax.jit(estimation.clean_posterior)(probs @ NOISE.transition, NOISE)
  np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-5)
  np.testing.assert_allclose(got @ NOISE.transition,
                             probs @ NOISE.transition, atol=0.03)  # fmt: skip
  assert np.mean(abs(got - probs)) < 0.02


def test_calibrate_finds_the_scale_of_the_logits():
  probs = clean(20_000)
  labels = draw(problems.TRANSITION[draw(probs)], seed=2)
  for scale in (0.5, 2.0):  # Too flat, and too sure.
    powers = probs**scale
    wrong = powers / powers.sum(axis=1, keepdims=True)
    got = jax.jit(estimation.calibrate)(wrong, labels, NOISE)
    assert np.mean(abs(got - probs)) < np.mean(abs(wrong - probs)) / 3


def test_bias_is_what_hard_examples_add():
  """Counting predictions calls each error of the model noise."""
  probs = clean(20_000)
  predicted = probs.argmax(axis=1)

  def count(labels):
    pairs = jnp.zeros((K, K)).at[predicted, labels].add(1)
    return estimation.from_joint(pairs)

  got = jax.jit(
    lambda key: estimation.simulated_bias(count, probs, NOISE, key=key)
  )(jax.random.key(0))
  # What is counted is T, mixed by P(true | predicted).
  mixing = np.stack([probs[predicted == k].mean(axis=0) for k in range(K)])
  want = mixing @ problems.TRANSITION
  np.testing.assert_allclose(
    got.transition, want - problems.TRANSITION, atol=0.01
  )
  shares = np.bincount(predicted, minlength=K) / len(predicted)
  prior = probs.mean(axis=0)
  rate = shares @ (1 - np.diag(want)) - prior @ (
    1 - np.diag(problems.TRANSITION)
  )
  assert rate > 0.01
  np.testing.assert_allclose(got.rate, rate, atol=0.004)


def test_an_estimator_that_knows_the_truth_has_no_bias():
  probs = np.eye(K, dtype=np.float32)[np.arange(3000) % K]
  got = estimation.simulated_bias(
    lambda labels: estimation.trusted_transition(
      np.arange(3000) % K, jax.nn.one_hot(labels, K)
    ),
    probs,
    NOISE,
    key=jax.random.key(0),
    num_resamples=2,
  )
  np.testing.assert_allclose(got.rate, 0, atol=1e-6)
  np.testing.assert_allclose(got.transition, np.zeros((K, K)), atol=1e-6)


def test_dual_transition_is_seen_to_double_the_noise():
  """Of a model that predicts the given label as often as it is given."""
  true = np.arange(3000) % K
  probs = np.asarray(problems.TRANSITION, np.float32)[true]
  got = jax.jit(
    lambda key: estimation.simulated_bias(
      lambda labels: estimation.dual_transition(labels, probs, percentile=None),
      jax.nn.one_hot(true, K),
      NOISE,
      key=key,
    )
  )(jax.random.key(0))
  twice = problems.TRANSITION @ problems.TRANSITION
  np.testing.assert_allclose(
    got.transition, twice - problems.TRANSITION, atol=0.02
  )


def test_bias_of_what_is_told_true_labels():
  """What a model leaves to other classes counts as noise."""
  probs = clean(20_000)
  flat = (0.7 * probs + 0.3 / K) @ problems.TRANSITION
  got = jax.jit(
    lambda key: estimation.simulated_bias(
      lambda labels: estimation.trusted_transition(labels, flat),
      probs,
      NOISE,
      key=key,
      of_true=True,
    )
  )(jax.random.key(0))
  sums = probs.sum(axis=0)[:, None]
  want = probs.T @ flat / sums
  np.testing.assert_allclose(
    got.transition, want - problems.TRANSITION, atol=0.01
  )


def test_corrected_is_an_estimate_again():
  bias = estimation.Bias(jnp.float32(0), jnp.full((K, K), 0.2))
  got = estimation.corrected(NOISE, bias)
  np.testing.assert_allclose(got.transition.sum(axis=1), 1, rtol=1e-6)
  moved = np.maximum(problems.TRANSITION - 0.2, 0)
  want = moved / moved.sum(axis=1, keepdims=True)
  np.testing.assert_allclose(got.transition, want, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(got.rate, 1 - np.trace(want) / K, rtol=1e-5)
  everything = bias._replace(transition=jnp.ones((K, K)))
  np.testing.assert_allclose(
    estimation.corrected(NOISE, everything).transition, NOISE.transition
  )


def test_widen_moves_both_ends_outwards():
  interval = estimation.Interval(jnp.array([0.1, 0.4]), jnp.array([0.2, 0.5]))
  got = estimation.widen(interval, jnp.array([0.05, -0.1]))
  np.testing.assert_allclose(got.lower, [0.05, 0.3], rtol=1e-6)
  np.testing.assert_allclose(got.upper, [0.25, 0.6], rtol=1e-6)


def test_errors():
  with pytest.raises(ValueError, match='rows that sum to 1'):
    estimation.clean_posterior(jnp.ones((3, K)), NOISE)
  with pytest.raises(ValueError, match='labels must have shape'):
    estimation.calibrate(clean(3), np.zeros(4, np.int32), NOISE)
  other = NOISE._replace(transition=jnp.eye(K + 1))
  with pytest.raises(ValueError, match='transition must have shape'):
    estimation.calibrate(clean(3), np.zeros(3, np.int32), other)
  with pytest.raises(ValueError, match='transition must have shape'):
    estimation.clean_posterior(clean(3), other)
  with pytest.raises(ValueError, match='num_resamples'):
    estimation.simulated_bias(
      lambda labels: NOISE, clean(3), NOISE, key=jax.random.key(0),
      num_resamples=0,
    )  # fmt: skip


def test_certain_predictions_of_a_class_never_given_stay_finite():
  labels = np.arange(60) % 2
  seen = np.where(np.arange(60) < 20, 2, labels)
  probs = np.eye(3, dtype=np.float32)[seen]
  found = estimation.confident_joint(labels, probs)
  clean = estimation.clean_posterior(probs, found)
  np.testing.assert_allclose(np.sum(clean, axis=1), 1, rtol=1e-5)
