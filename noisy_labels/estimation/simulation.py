"""How far an estimator misses a noise that is known, on the same predictions.

A bootstrap over examples cannot tell what the errors of a model add to an
estimate: these are the same in every resample. But given labels can be drawn
anew from what the model and the estimate say together, and then the noise that
the estimator should find is known.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.estimation import bayes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs

_SMALLEST = 1e-6
_STEPS = 25
# From half the logits to 7.7 times them, in steps of a fifth.
_SCALES = tuple(0.5 * 1.2**k for k in range(16))


class Bias(NamedTuple):
  """What an estimator adds to a noise that is known, on average.

  Attributes:
    rate: estimated rate less the true one.
    transition: the same of T, `[K, K]`.
  """

  rate: chex.Array
  transition: chex.Array


def clean_posterior(probs: chex.Array, noise: estimate.Estimate) -> chex.Array:
  """P(true | x), of which the noise makes the predictions of given labels.

    c[n, i] <- c[n, i] sum_j p[n, j] T[i, j] / (c T)[n, j]

  from the prior, 25 times: each step takes c T nearer to p in Kullback-Leibler
  divergence, and c stays a distribution, where p times the inverse of T would
  not.

  Args:
    probs: p, predicted P(given | x), floats `[N, K]`.
    noise: T and the prior.

  Returns:
    c, `[N, K]`. Memory: four `[N, K]`; time: 50 N K^2.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Richardson, `Bayesian-Based Iterative Method of Image Restoration
    <https://doi.org/10.1364/JOSA.62.000055>`_, 1972
  """
  inputs.check_probs(probs)
  inputs.check_transition(noise.transition, probs.shape[1])
  probs = jnp.asarray(probs)
  transition = noise.transition.astype(estimate.float_dtype(probs))
  start = jnp.broadcast_to(noise.prior, probs.shape)

  def step(_, clean):
    ratios = probs / jnp.maximum(clean @ transition, _SMALLEST)
    moved = clean * (ratios @ transition.T)
    sums = jnp.sum(moved, axis=1, keepdims=True)
    # Nothing is left where all is predicted of classes that never are given.
    return jnp.where(sums > 0, moved / jnp.where(sums > 0, sums, 1), clean)

  return lax.fori_loop(0, _STEPS, step, start.astype(transition.dtype))


def calibrate(
  clean_probs: chex.Array, labels: chex.Array, noise: estimate.Estimate
) -> chex.Array:
  """Makes a model of the true class as sure of it as the given labels allow.

    softmax(s log c),  s the scale with the largest
    sum_n log sum_i softmax(s log c[n])_i T[i, y_n]

  of sixteen between 0.5 and 7.7: temperature scaling, through the noise.

  Args:
    clean_probs: c, P(true | x), floats `[N, K]`.
    labels: given classes, integers `[N]`.
    noise: T.

  Returns:
    `[N, K]`. Memory: three `[N, K]`.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Guo et al., `On Calibration of Modern Neural Networks
    <https://arxiv.org/abs/1706.04599>`_, 2017
  """
  inputs.check_probs(clean_probs)
  inputs.check_labels('labels', labels, *clean_probs.shape)
  inputs.check_transition(noise.transition, clean_probs.shape[1])
  logits = jnp.log(jnp.maximum(clean_probs, _SMALLEST))

  def likelihood(scale):
    joint = bayes.log_joint(
      jax.nn.log_softmax(scale * logits), labels, noise.transition
    )
    return jnp.mean(jnp.maximum(jax.nn.logsumexp(joint, axis=1), -100))

  scales = jnp.asarray(_SCALES, logits.dtype)
  best = scales[jnp.argmax(lax.map(likelihood, scales))]
  return jax.nn.softmax(best * logits)


def simulated_bias(
  function: Callable[[chex.Array], estimate.Estimate],
  clean_probs: chex.Array,
  noise: estimate.Estimate,
  *,
  key: chex.PRNGKey,
  num_resamples: int = 10,
  of_true: bool = False,
) -> Bias:
  """The bias of an estimator, by a parametric bootstrap of the labels.

    z_n ~ P(true | x_n),  y_n ~ T[z_n],  bias = mean of (estimate(y) - truth)

  where the truth is how many y_n are not z_n, and their transition matrix. T is
  an estimate, so the bias is that of a noise like the one found. It is as good
  as the probabilities of the true classes are: `clean_posterior` makes these of
  predictions of the given label, and `calibrate` improves them. What a model is
  wrong about with certainty, it cannot tell. Nor does an estimator see what it
  assumes in vain where T and the probabilities come of the same assumption: let
  these be another's, such as the confident joint's.

  Args:
    function: from labels, int32 `[N]`, to an estimate; what it knows of the
      examples beside the labels stays as it is.
    clean_probs: P(true | x), floats `[N, K]`.
    noise: an estimate from the labels that are given.
    key: a key of `jax.random`.
    num_resamples: how often labels are drawn.
    of_true: function takes z and not y, as `trusted_transition` does.

  Returns:
    The bias. Memory: beside what function takes three `[N, K]` and three
    `[K, K]`.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Efron and Tibshirani, `An Introduction to the Bootstrap
    <https://doi.org/10.1201/9780429246593>`_, 1993, chapters 6.5 and 10
  """
  inputs.check_probs(clean_probs)
  _checks.at_least('num_resamples', num_resamples, 1)
  log_probs, log_noise = jnp.log(clean_probs), jnp.log(noise.transition)
  num_classes = len(noise.prior)

  def add(total, key):
    first, second = jax.random.split(key)
    true = jax.random.categorical(first, log_probs)
    given = jax.random.categorical(second, log_noise[true])
    made = estimate.from_joint(blocks.pair_counts(true, given, num_classes))
    found = function((true if of_true else given).astype(jnp.int32))
    bias = Bias(found.rate - made.rate, found.transition - made.transition)
    return jax.tree.map(jnp.add, total, bias), None

  zeros = Bias(jnp.zeros_like(noise.rate), jnp.zeros_like(noise.transition))
  total, _ = lax.scan(add, zeros, jax.random.split(key, num_resamples))
  return jax.tree.map(lambda value: value / num_resamples, total)


def corrected(noise: estimate.Estimate, bias: Bias) -> estimate.Estimate:
  """The estimate less its bias: max(T - bias, 0), rows made to sum to 1.

  The bias is that of a noise like the estimate, which is not the true one; told
  again of the corrected noise it is more nearly that of the true one.

  Args:
    noise: the estimate.
    bias: what `simulated_bias` says of it.

  Returns:
    The estimate, its prior unchanged. A row without rest stays as it was.

  References:
    Hall, `On the Bootstrap and Confidence Intervals
    <https://doi.org/10.1214/aos/1176350168>`_, 1986 (iterating)
  """
  moved = jnp.maximum(noise.transition - bias.transition, 0)
  sums = jnp.sum(moved, axis=1, keepdims=True)
  transition = jnp.where(
    sums > 0, moved / jnp.where(sums > 0, sums, 1), noise.transition
  )
  return estimate.from_joint(noise.prior[:, None] * transition)
