import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from noisy_labels.estimation import resampling
from tests.estimation import problems


def test_weights_follow_the_poisson_distribution():
  weights = np.asarray(resampling.poisson_weights(jax.random.key(0), 200_000))
  fractions = np.bincount(weights)[:5] / len(weights)
  want = np.exp(-1) / np.array([1, 1, 2, 6, 24])
  error = np.sqrt(want / len(weights))
  assert (abs(fractions - want) < 4 * error).all()


def test_interval_of_a_mean_is_as_wide_as_theory_says():
  values = np.random.default_rng(0).random(2000) < 0.3
  got = jax.jit(
    lambda key: estimation.bootstrap(
      lambda weights: jnp.sum(weights * values) / jnp.sum(weights),
      2000, key=key, num_resamples=1000, level=0.95,
    )
  )(jax.random.key(0))  # fmt: skip
  mean = values.mean()
  width = 1.96 * np.sqrt(mean * (1 - mean) / 2000)
  np.testing.assert_allclose(got.lower, mean - width, atol=0.15 * width)
  np.testing.assert_allclose(got.upper, mean + width, atol=0.15 * width)


def test_interval_of_an_estimate():
  """The truth is in most intervals of 95%, which are narrow."""
  true, given = problems.labels(2000)

  @functools.partial(jax.jit, static_argnums=1)
  def interval(key, num_examples):
    return estimation.bootstrap(
      lambda weights: estimation.trusted_transition(
        true, jnp.eye(4)[given], weights=weights
      ),
      num_examples, key=key,
    )  # fmt: skip

  got = interval(jax.random.key(0), 2000)
  assert isinstance(got.lower, estimation.Estimate)
  assert got.lower.rate < np.mean(true != given) < got.upper.rate
  assert got.upper.rate - got.lower.rate < 0.05
  inside = (got.lower.transition <= problems.TRANSITION) & (
    problems.TRANSITION <= got.upper.transition
  )
  assert inside.mean() > 0.8


def test_errors():
  bootstrap = functools.partial(
    estimation.bootstrap, lambda weights: weights.sum(), key=jax.random.key(0)
  )
  with pytest.raises(ValueError, match='num_examples'):
    bootstrap(0)
  with pytest.raises(ValueError, match='num_resamples'):
    bootstrap(5, num_resamples=1)
  with pytest.raises(ValueError, match='level'):
    bootstrap(5, level=1.0)
