"""Mixture cross entropy: the prediction admits that labels may be random."""

import functools

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation


def mixture_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, noise_rate: chex.Numeric
) -> chex.Array:
  """Cross entropy of predictions mixed with the uniform distribution.

    l = -sum_k t_k log p~_k,  p~ = e / K + (1 - e) p,  p = softmax(logits)
    dl/dz = sum_k t_k w(p_k) (p - e_k)

  with e = noise_rate and K = num_classes. It is the likelihood of a label that
  was drawn again, uniformly over all K classes, with probability e.

  Trust weight w(p_y) = p_y / (p_y + c), c = e / (K (1 - e)): the probability
  that the label was not drawn again, given what it is and the prediction.
  Posterior over the clean label: dl/dz = p - q with q = w e_y + (1 - w) p.
  Bound: l <= log(K / e), or log(K / e) sum_k t_k for a distribution.

  The redrawn label may be the true one, so e is not always the rate of wrong
  labels. For symmetric noise of rate r

    - that redraws over all K classes:  noise_rate = r; e (1 - 1/K) are wrong
    - that excludes the true class:     noise_rate = r K / (K - 1); r are wrong

  (so r < (K - 1) / K in the second case: beyond it labels are worse than
  random).

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf; noise may still give its label, so K counts it.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    noise_rate: e, in [0, 1); 0 is cross entropy. A number or an array that
      broadcasts with the losses; differentiable, also at 0. (Its derivative
      there grows like 1 / p_y, and saturates near 1e19 in float32.) A traced
      one outside [0, 1] gives NaN.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if noise_rate is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = mixture_cross_entropy(logits, labels, noise_rate=0.3)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.266', '1.455']

  References:
    Cross Validated, `Is cross entropy a good cost function if many training
    labels are wrong? <https://stats.stackexchange.com/q/218656>`_, 2016

    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017: it is their
    forward correction with T = (1 - e) I + (e / K) J
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('noise_rate', noise_rate, '[0, 1)')
  num_classes = logits.shape[-1]

  def phi(label_log_prob, noise_rate):
    return -_log_mixture(num_classes, label_log_prob, noise_rate)

  return expectation.over_labels(phi, logits, labels, noise_rate)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _log_mixture(num_classes, log_prob, noise_rate):
  """Return log(e / K + (1 - e) p), from log p."""
  return jnp.logaddexp(
    jnp.log(noise_rate / num_classes), jnp.log1p(-noise_rate) + log_prob
  )


@_log_mixture.defjvp
def _log_mixture_jvp(num_classes, primals, tangents):
  """Differentiate also at e = 0, where autodiff finds 0 * inf."""
  log_prob, noise_rate = primals
  log_mixture = _log_mixture(num_classes, log_prob, noise_rate)
  trust = jnp.exp(jnp.log1p(-noise_rate) + log_prob - log_mixture)
  # Only e = 0 (or next to it) meets the limit, which keeps its square finite,
  # and so the second derivative.
  limit = jnp.log(jnp.finfo(log_mixture.dtype).max) / 2
  odds = jnp.exp(jnp.minimum(-log_mixture, limit))
  by_rate = (1 / num_classes - jnp.exp(log_prob)) * odds
  return log_mixture, trust * tangents[0] + by_rate * tangents[1]
