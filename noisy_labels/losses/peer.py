"""Peer loss: what an example's label says, beyond what any label would."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import baseline
from noisy_labels.losses import log_prob
from noisy_labels.losses import peers


def peer_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  key: chex.PRNGKey,
  alpha: chex.Numeric,
  loss: Callable[[chex.Array, chex.Array], chex.Array] = baseline.cross_entropy,
) -> chex.Array:
  """A loss, less the same with the label of another example.

    l_n = loss(z_n, y_n) - alpha loss(z_n, y_m),  m != n at random

  A classifier that does not look at the example cannot profit: with alpha = 1
  any constant prediction costs 0 on average. If noise moves every true class to
  class j with the same probability c_j (T[i, j] = c_j for i != j; any noise of
  two classes, symmetric noise of more), then with alpha = 1 its expectation is
  (1 - sum_j c_j) times that over clean labels, whatever the loss: the minimum
  is the same, and c need not be known.

  The paper draws two examples for each, m and m', and takes loss(z_m', y_m).
  Here m is the successor of n in a random cycle through the batch: pairs (n, m)
  are drawn evenly from those of different examples, as there, and the mean over
  the batch is one over such pairs, but no logits move.

  Trust: that of the loss, with the opposite sign for the label of the peer.
  Unbounded below if the loss is unbounded: the paper ramps alpha up, and bounds
  the loss. Not symmetric unless the loss is.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. The
      batch is all of `...`: call it once a device, not under a vmap over
      examples. Every example may be another's peer, so let none be padding.
    labels: as the loss takes them; linear in a distribution if the loss is. A
      label that is no class makes two losses NaN.
    key: the randomness, a new one for each step and device.
    alpha: in [0, inf). The paper's is 1 for balanced classes. A number or an
      array that broadcasts with the losses; differentiable.
    loss: `(logits, labels) -> losses`, its hyper-parameters bound.

  Returns:
    One loss an example `[...]`, whose mean is the peer loss of the batch.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if alpha is a Python or numpy number out of range, or the batch
      has only one example.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> losses = peer_loss(logits, labels, key=jax.random.key(0), alpha=1.0)
    >>> [f'{loss:.3f}' for loss in losses]
    ['-2.000', '2.000']

  References:
    Liu and Guo, `Peer Loss Functions: Learning from Noisy Labels without
    Knowing Noise Rates <https://arxiv.org/abs/1910.03231>`_, 2020
  """
  _checks.logits_and_labels(logits, labels)
  _checks.in_range('alpha', alpha, '[0, inf)')
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  logits = log_prob.widen(logits)
  own = loss(logits, labels)
  of_peer = loss(logits, peers.labels_of(labels, own.shape, key))
  return own - jnp.asarray(alpha, own.dtype) * of_peer
