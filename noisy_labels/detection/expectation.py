"""How many labels are wrong, and between which numbers that probably lies."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_sums
from noisy_labels.estimation import inputs
from noisy_labels.estimation import resampling


class ErrorCount(NamedTuple):
  """The expected number of wrong labels, and the ends of its interval."""

  number: chex.Array
  lower: chex.Array
  upper: chex.Array


def expected_errors(
  labels: chex.Array,
  probs: chex.Array,
  *,
  key: chex.PRNGKey | None = None,
  num_resamples: int = 200,
  level: float = 0.95,
) -> ErrorCount:
  """The expected number of wrong labels, with a bootstrap interval.

    sum_j n_j (1 - C[j, j] / sum_i C[i, j])

  C being the confident joint before it is calibrated, and n_j the number of
  labels j: N times the rate of `estimation.confident_joint`, but that nothing
  is rounded. It is calibrated in that the examples of which nobody is confident
  count as much as the others of their label, and not for right. The interval is
  what other examples of the same kind would change, thresholds included; it
  knows nothing of what the model gets wrong.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    key: a key of `jax.random`; `jax.random.key(0)`, if None.
    num_resamples: of the bootstrap, at least 2.
    level: the probability that the interval should cover, in (0, 1).

  Returns:
    The number and its interval, floats in [0, N]. Memory: a few `[N]`, no
    `[K, K]`; time: num_resamples passes over probs. Jit it.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  inputs.check_probs(probs)
  inputs.check_labels('labels', labels, *probs.shape)
  key = jax.random.key(0) if key is None else key
  return _expect(
    jnp.asarray(labels), jnp.asarray(probs), key, num_resamples, level
  )


# Compiled here, so that it is once, and not in each call that nobody jitted.
@functools.partial(jax.jit, static_argnames=('num_resamples', 'level'))
def _expect(labels, probs, key, num_resamples, level):
  num_examples, num_classes = probs.shape

  def rate(weights):
    confidence = confident_sums.self_confidence(labels, probs, weights=weights)
    bounds = confident_sums.thresholds_from(confidence)
    guesses = confident_guess.guess(probs, bounds)

    def count(among):
      classes = jnp.where(among, labels, -1)
      return blocks.class_counts(classes, num_classes, weights)

    confident, right = count(guesses >= 0), count(guesses == labels)
    lacking = jnp.maximum(1 - right, 0)  # As the diagonal of C is at least 1.
    wrong = (confident - right) / (confident + lacking)
    given = confidence.given
    return jnp.sum(given * wrong) / jnp.maximum(jnp.sum(given), 1)

  interval = resampling.bootstrap(
    rate, num_examples, key=key, num_resamples=num_resamples, level=level
  )
  rates = (rate(jnp.ones(num_examples, jnp.int32)), *interval)
  return ErrorCount(*(num_examples * value for value in rates))
