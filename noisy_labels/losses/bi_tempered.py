"""Bi-tempered logistic loss: bounded, and with a heavy-tailed softmax."""

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.losses import powers
from noisy_labels.losses import rounding
from noisy_labels.losses import tempered


def bi_tempered_logistic_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  t1: chex.Numeric,
  t2: chex.Numeric,
) -> chex.Array:
  """Bi-tempered logistic loss.

    l = -sum_k t_k (log_t1 p_k + (1 - sum_j p_j^(2 - t1)) / (2 - t1))
    p_k = exp_t2(z_k - n),  n such that sum_k p_k = 1
    log_t(a) = (a^(1 - t) - 1) / (1 - t),  exp_t its inverse, or 0

  with z = logits. t1 = t2 = 1 is cross entropy. t1 < 1 bounds the loss, so that
  an example far on the wrong side cannot dominate; t2 > 1 gives the prediction
  a heavy tail, so that examples near the boundary with wrong labels matter
  less.

  Trust: with e_k = p_k^t2 / sum_j p_j^t2 (the escort distribution) and
  f = p^(t2 - t1) (p - e_y) elementwise, dl/dz = f - e sum_j f_j for a class y
  (whose unit vector is e_y). The label's part is w = p_y^(t2 - t1).
  Bound: l <= 1 / (1 - t1) for t1 < 1. Not symmetric.

  The official code adds, for a distribution t of labels, its tempered entropy:
  sum_k t_k log_t1 t_k + (1 - sum_k t_k^(2 - t1)) / (2 - t1), which does not
  depend on the prediction and is 0 for a class. It stops after 5 steps towards
  n, with t2 = 1.2 and a thousand classes up to 4% off in p; here n is the
  solution. Its gradients by labels and temperatures are zero, here true.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    t1: in [0, 2). Numbers or arrays that broadcast with the losses, and
      differentiable, at 1 too.
    t2: in (0, inf). Below 1, classes far behind have probability 0, and for t1
      > t2 labels among them infinite gradients. Official: t1 = 0.8, t2 = 1.2.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if t1 or t2 is a Python or numpy number out of range.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = bi_tempered_logistic_loss(logits, labels, t1=0.8, t2=1.2)
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.110', '1.453']

  References:
    Amid et al., `Robust Bi-Tempered Logistic Loss Based on Bregman Divergences
    <https://arxiv.org/abs/1906.03361>`_, 2019
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('t1', t1, '[0, 2)')
  _checks.in_range('t2', t2, '(0, inf)')
  logits, labels = jnp.asarray(logits), jnp.asarray(labels)
  wide = rounding.widen(logits)
  t1, t2 = (
    jnp.broadcast_to(jnp.asarray(t, wide.dtype), wide.shape[:-1])
    for t in (t1, t2)
  )
  gaps = log_prob.largest_of(wide)[..., None] - wide
  u = tempered.normalizer(gaps, t2)
  rest = (1 - tempered.power_sum(u, gaps, t2, 2 - t1)) / (2 - t1)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    label = tempered.log_exp(u + log_prob.choose(gaps, labels), t2)
    return (_cost(label, t1) - rest) * log_prob.one_if_class(labels, logits)
  t1, t2 = (jnp.broadcast_to(t[..., None], gaps.shape) for t in (t1, t2))
  log_probs = tempered.log_exp(u[..., None] + gaps, t2)
  # As in `expectation.over_labels`.
  absent = (labels == 0) & jnp.isneginf(log_probs)
  losses = _cost(jnp.where(absent, 0, log_probs), t1) - rest[..., None]
  return jnp.sum(jnp.where(absent, 0, labels * losses), axis=-1)


def _cost(log_prob, t1):
  """Return -log_t1 p, and at p = 0 its limit with derivatives 0."""
  return -powers.box_cox(jnp.maximum(log_prob, -1e30), 1 - t1)
