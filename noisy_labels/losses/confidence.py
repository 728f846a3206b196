"""Confidence regularisation: predictions that say something are preferred."""

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob


def confidence_regularized_cross_entropy(
  logits: chex.Array,
  labels: chex.Array,
  *,
  beta: chex.Numeric,
  noise_prior: chex.Array | None = None,
) -> chex.Array:
  """Cross entropy, less what random labels would cost (CORES2).

    l = -sum_k (t_k - beta prior_k sum_j t_j) log p_k,  p = softmax(logits)
    dl/dz = (1 - beta) p sum_j t_j - (t - beta prior sum_j t_j)

  The second term is the expected cross entropy of a label drawn without a look
  at the example. With beta = 1 the loss is positive where the label costs more
  than such a label: the paper's sieve keeps, after a warm-up, examples of
  `beta=1` loss <= 0, and its official code takes the mean of those alone.

  It is negative label smoothing, up to a factor: (1 - beta)
  `smoothed_cross_entropy` with smoothing = -beta / (1 - beta), for a uniform
  prior and beta < 1. The place of the posterior over the clean label is taken
  by t - beta prior. Unbounded on both sides, below once beta > 0; so it is for
  models that have begun to learn. Not symmetric.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf, and then has no part in the second term.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    beta: in [0, inf); 0 is cross entropy. Official: 0 for 10 epochs, then to 2
      over 30. A number or an array that broadcasts with the losses;
      differentiable.
    noise_prior: the distribution of the given labels, float `[num_classes]`, or
      None for the uniform one over the classes that are not masked, as in the
      official code. Differentiable.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if beta is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = confidence_regularized_cross_entropy(logits, labels, beta=0.5)
    >>> [f'{loss:.3f}' for loss in losses]
    ['-0.437', '1.563']

  References:
    Cheng et al., `Learning with Instance-Dependent Label Noise: A Sample Sieve
    Approach <https://arxiv.org/abs/2010.02347>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('beta', beta, '[0, inf)')
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  if noise_prior is None and jnp.issubdtype(labels.dtype, jnp.integer):
    label, mean, _ = log_prob.label_and_mean_log_prob(logits, labels)
    return jnp.asarray(beta, label.dtype) * mean - label
  logits = log_prob.widen(logits)
  finite = logits > -jnp.inf
  if noise_prior is None:
    prior = finite / jnp.sum(finite, axis=-1, keepdims=True)
  else:
    chex.assert_shape(
      noise_prior,
      logits.shape[-1:],
      custom_message='noise_prior must have shape [num_classes]',
    )
    prior = jnp.where(finite, noise_prior, 0)
  return expectation.over_labels(
    lambda label, beta, random: -label - beta * random,
    logits,
    labels,
    beta,
    expectation.over_labels(jnp.negative, logits, prior),
  )
