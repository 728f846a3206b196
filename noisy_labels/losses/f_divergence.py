"""f-divergences of prediction and label, by their variational form."""

from collections.abc import Callable
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import expectation
from noisy_labels.losses import log_prob
from noisy_labels.losses import peers


class _Divergence(NamedTuple):
  """The variational form sup_v E_P[gain(v)] - E_Q[cost(v)] of D_f(P || Q).

  gain maps the numbers to the domain of f*, the convex conjugate of f; cost is
  f* of it, simplified. The supremum is at gain(v) = f'(dP / dQ).
  """

  gain: Callable[[chex.Array], chex.Array]
  cost: Callable[[chex.Array], chex.Array]


def _half_tanh(v):
  return jnp.tanh(v) / 2


_DIVERGENCES = {
  # f(u) = u log u - (u + 1) log((u + 1) / 2): twice the divergence.
  'jensen_shannon': _Divergence(
    lambda v: math.log(2) - jax.nn.softplus(-v),
    lambda v: jax.nn.softplus(v) - math.log(2),
  ),
  # f(u) = u log u
  'kullback_leibler': _Divergence(lambda v: v, lambda v: jnp.exp(v - 1)),
  # f(u) = (u - 1)^2
  'pearson': _Divergence(lambda v: v, lambda v: v**2 / 4 + v),
  # f(u) = |u - 1| / 2
  'total_variation': _Divergence(_half_tanh, _half_tanh),
}


def f_divergence_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  key: chex.PRNGKey,
  divergence: str,
) -> chex.Array:
  """Minus a bound of the f-divergence between true and random pairs.

    l_n = -g(p_n[y_n]) + f*(g(p_n[y_m])),  p = softmax(logits), m != n at random

  -E[l] is at most the divergence D_f of the joint distribution of example and
  label from the product of their own; to minimise it makes the predictions tell
  the pairs that belong together. For distributions of labels each term is its
  expectation.

    divergence            g(v)                      f*(g(v))
    'total_variation'     tanh(v) / 2               tanh(v) / 2
    'jensen_shannon'      log(2 / (1 + e^-v))       log((1 + e^v) / 2)
    'pearson'             v                         v^2 / 4 + v
    'kullback_leibler'    v                         e^(v - 1)

  Total variation is robust to the noise that `peer_loss` is robust to, of which
  it is the case of this g; the others under conditions that the paper gives.

  Trust weight p_y g'(p_y), and for the label of the peer -p_y df*(g(p_y))/dp_y:
  little while p_y is, so the official code begins with cross entropy.
  Bound: |l| <= 5 / 4. Not symmetric.

  As in the official code for CIFAR, where example and label of the second term
  come from different batches; that for Clothing1M draws labels evenly from all
  classes instead. For m see `peer_loss`.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf. The batch is all of `...`: call it once a device,
      not under a vmap over examples. Every example may be another's peer, so
      let none be padding.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. An integer outside 0 .. num_classes - 1 makes two
      losses NaN.
    key: the randomness, a new one for each step and device.
    divergence: one of the names above.

  Returns:
    One loss an example `[...]`, whose mean is that of the batch; float32 for
    logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if there is no such divergence, or the batch has only one
      example.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = f_divergence_loss(
    ...   logits, labels, key=jax.random.key(0), divergence='total_variation'
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['-0.294', '0.294']

  References:
    Wei and Liu, `When Optimizing f-Divergence is Robust with Label Noise
    <https://arxiv.org/abs/2011.03687>`_, 2021
  """
  _checks.logits_and_labels(logits, labels)
  if divergence not in _DIVERGENCES:
    names = ', '.join(map(repr, sorted(_DIVERGENCES)))
    raise ValueError(f'divergence must be one of {names}, got {divergence!r}')
  gain, cost = _DIVERGENCES[divergence]
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  logits = log_prob.widen(logits)
  own = expectation.over_labels(
    lambda label: -gain(jnp.exp(label)), logits, labels
  )
  of_peer = expectation.over_labels(
    lambda label: cost(jnp.exp(label)),
    logits,
    peers.labels_of(labels, own.shape, key),
  )
  return own + of_peer
