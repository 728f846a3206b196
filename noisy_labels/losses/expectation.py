"""From a function of log p to a loss of integers and of distributions."""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def over_labels(
  phi: Callable[..., chex.Array],
  logits: chex.Array,
  labels: chex.Array,
  *parameters: chex.Numeric,
) -> chex.Array:
  """Return the loss phi(log p_k) of a label k, expected under the label.

  sum_k labels_k phi(log p_k), hence linear in the distribution, which need not
  sum to one; for an integer label, phi(log p_label). The gradient is a trust
  weight times cross entropy's:

    sum_k labels_k w(p_k) (p - e_k),  w = -dphi / dlog p

  A class with label 0 and logit -inf contributes nothing, though phi may be
  infinite there.

  Args:
    phi: function of a log-probability and the parameters, elementwise.
    logits: float `[..., num_classes]`.
    labels: integer `[...]` or float distributions `[..., num_classes]`.
    *parameters: numbers or arrays that broadcast with the losses, `[...]`.
      Python floats, arrays and tracers, all with their true gradients.

  Returns:
    The losses `[...]`, in float32 if the logits are narrower.
  """
  # Of the leaves, for logits may be what stands for them in `fused_linear`.
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  dtype = rounding.wide_dtype(logits)
  values = [jnp.asarray(parameter, dtype) for parameter in parameters]
  if jnp.issubdtype(labels.dtype, jnp.integer):
    return phi(log_prob.label_log_prob(logits, labels), *values)
  log_probs = log_prob.log_probs(logits)
  values = [value[..., None] for value in values]
  # Both `where`s are needed: 0 * inf is NaN in the value, and again in the
  # gradient of a phi that is evaluated, even if its value is not used.
  absent = (labels == 0) & jnp.isneginf(log_probs)
  losses = phi(jnp.where(absent, 0, log_probs), *values)
  return jnp.sum(jnp.where(absent, 0, labels.astype(dtype) * losses), axis=-1)
