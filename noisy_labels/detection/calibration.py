"""How many labels are wrong, with an interval that knows the model's errors."""

import functools

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels import estimation
from noisy_labels.detection import expectation
from noisy_labels.detection import passes


def calibrated_errors(
  labels: chex.Array,
  probs: chex.Array,
  *,
  key: chex.PRNGKey,
  level: float = 0.95,
  num_resamples: int = 20,
) -> expectation.ErrorCount:
  """`expected_errors`, with what the errors of the model may have added to it.

    [lower - N |b|, upper + N |b|] within [0, N]

  lower and upper being those of `expected_errors`, and b the bias of
  `estimation.confident_joint` for labels that are drawn anew, with a noise that
  is then known (`estimation.simulated_bias`). It has two rounds: the noise of
  the second is that of the first less its bias. The number is as it was, since
  the size of a bias is more certain than its sign. What a model is wrong about
  with certainty no simulation from its predictions knows of.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    key: a key of `jax.random`, for the labels drawn.
    level: the probability that the interval of `expected_errors` should cover,
      in (0, 1).
    num_resamples: how often labels are drawn in each round.

  Returns:
    The number and its interval, floats in [0, N]. Memory: some `[N, K]`, and
    `[K, K]`; time: `N K^2` for what is expected of the true classes, and
    2 num_resamples times that of `estimation.confident_joint`.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021

    Efron and Tibshirani, `An Introduction to the Bootstrap
    <https://doi.org/10.1201/9780429246593>`_, 1993, chapter 10
  """
  _checks.at_least('num_resamples', num_resamples, 1)
  labels, probs = passes.prepare(labels, probs)
  confident = passes.confident(labels, probs)
  found = expectation.count(labels, probs, confident, level)
  bias = _bias(jnp.asarray(labels), jnp.asarray(probs), key, num_resamples)
  size = len(labels) * jnp.abs(bias)
  lower, upper = found.lower - size, found.upper + size
  return expectation.ErrorCount(
    jnp.asarray(found.number), lower.clip(0), upper.clip(max=len(labels))
  )


# Once, and not in each call that nobody jitted.
@functools.partial(jax.jit, static_argnums=3)
def _bias(labels, probs, key, num_resamples):
  """Of the rate, where labels are drawn of the noise that was found."""

  def find(labels):
    return estimation.confident_joint(labels, probs)

  def simulate(noise, key):
    clean = estimation.clean_posterior(probs, noise)
    return estimation.simulated_bias(
      find,
      estimation.calibrate(clean, labels, noise),
      noise,
      key=key,
      num_resamples=num_resamples,
    )

  first, second = jax.random.split(key)
  noise = find(labels)
  noise = estimation.corrected(noise, simulate(noise, first))
  return simulate(noise, second).rate
