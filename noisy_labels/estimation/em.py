"""The most likely noise, where a model of the true classes is given."""

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


class EMSums(NamedTuple):
  """Sums over examples, from which a step is made.

  joint: expected numbers of (true, given) pairs, float `[K, K]`.
  log_likelihood: of the given labels, before the step.
  """

  joint: chex.Array
  log_likelihood: chex.Array


class EMResult(NamedTuple):
  """What EM ends with.

  estimate: the noise; the prior is the mean posterior of the true classes.
  log_likelihoods: mean of log P(given | x) before each step, `[num_steps]`.
    They never decrease, but for rounding.
  """

  estimate: estimate.Estimate
  log_likelihoods: chex.Array


def em_transition(
  labels: chex.Array,
  log_probs: chex.Array,
  *,
  transition: chex.Array | None = None,
  num_steps: int = 50,
  weights: chex.Array | None = None,
  axis_name: str | None = None,
) -> EMResult:
  """Maximise the likelihood of the given labels by T: Dawid and Skene's EM.

    q[n, i] = p[n, i] T[i, y_n] / sum_k p[n, k] T[k, y_n]
    T[i, j] <- sum of q[n, i] over n with y_n = j, rows made to sum to 1

  log P(given) = sum_n log sum_i p[n, i] T[i, y_n] never decreases, and is
  concave in T: every start with no zeros leads to its maximum.

  Here, and only here, the model is one of the *true* class: trained with a
  robust or a forward-corrected loss, or on clean data. A model that was
  trained by cross entropy on the noisy labels predicts these, and would be
  found to need no noise. Its probabilities have to be as good as its classes:
  a model that is less sure than it could be makes the noise seem less.

  Args:
    labels: given classes, integers `[N]`.
    log_probs: log P(true | x), floats `[N, K]`; logits do as well.
    transition: where to start, `[K, K]`; 0.9 on the diagonal, if None.
    num_steps: how many steps to take.
    weights: how often each example counts, integers `[N]`; once, if None.
    axis_name: the examples are a shard of this axis, the result is that of all.

  Returns:
    The estimate, and the likelihood on the way. A class of which no posterior
    has a share has the identity's row. Memory: five `[K, K]`, and a few blocks
    of max(K, 1024) rows. Jit it.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Dawid and Skene, `Maximum Likelihood Estimation of Observer Error-Rates
    Using the EM Algorithm <https://doi.org/10.2307/2346806>`_, 1979
  """
  inputs.check_matrix('log_probs', log_probs)
  inputs.check_labels('labels', labels, *log_probs.shape)
  inputs.check_weights(weights, len(log_probs))
  _checks.at_least('num_steps', num_steps, 1)
  labels, log_probs = jnp.asarray(labels), jnp.asarray(log_probs)
  if transition is None:
    transition = _start(log_probs.shape[1])
  inputs.check_transition(transition, log_probs.shape[1])
  start = jnp.asarray(transition, estimate.float_dtype(log_probs))

  def step(transition, _):
    sums = em_sums(labels, log_probs, transition, weights=weights)
    sums = blocks.total(sums, axis_name)
    number = jnp.maximum(jnp.sum(sums.joint), 1)
    return (
      estimate.from_joint(sums.joint).transition,
      sums.log_likelihood / number,
    )

  transition, likelihoods = lax.scan(step, start, None, length=num_steps)
  sums = em_sums(labels, log_probs, transition, weights=weights)
  joint = blocks.total(sums, axis_name).joint
  return EMResult(estimate.from_joint(joint), likelihoods)


def em_sums(
  labels: chex.Array,
  log_probs: chex.Array,
  transition: chex.Array,
  *,
  weights: chex.Array | None = None,
) -> EMSums:
  """The sums of a shard; `from_joint(sums.joint)` of all is the next step.

  Args:
    labels: as for `em_transition`, as are the others.
    log_probs: `[N, K]`.
    transition: T, float `[K, K]`.
    weights: `[N]` or None.

  Returns:
    The sums, in two levels and accurate for millions of examples. An example
    whose label is impossible has no share, and a log-likelihood of -inf.
  """
  labels, log_probs = jnp.asarray(labels), jnp.asarray(log_probs)
  transition = jnp.asarray(transition)
  num_classes = log_probs.shape[1]
  dtype = estimate.float_dtype(log_probs)
  if weights is None:
    weights = jnp.ones(len(labels), jnp.int32)
  zeros = jnp.zeros((num_classes, num_classes), dtype)

  def add(sums, block, fresh):
    labels, log_probs, weights = block
    weights = jnp.where(fresh, weights, 0).astype(dtype)
    joint = bayes.log_joint(log_probs, labels, transition)
    log_given = jax.nn.logsumexp(joint, axis=1, keepdims=True)
    shares = jnp.exp(joint - jnp.where(jnp.isneginf(log_given), 0, log_given))
    new = zeros.at[labels].add(weights[:, None] * shares, mode='drop')
    normalizer = jax.nn.logsumexp(log_probs.astype(dtype), axis=1)
    likelihood = log_given[:, 0] - normalizer
    likelihood = jnp.where(weights > 0, weights * likelihood, 0)
    return (sums[0] + new, sums[1] + jnp.sum(likelihood)), None

  block_size = max(1024, num_classes)
  arrays = (labels, log_probs, jnp.asarray(weights))
  init = (zeros, jnp.zeros((), dtype))
  (joint, likelihood), _ = blocks.scan(add, init, arrays, block_size)
  return EMSums(joint.T, likelihood)


def _start(num_classes):
  off = 0.1 / (num_classes - 1)
  eye = jnp.eye(num_classes)
  return (0.9 - off) * eye + off
