"""What the given label and the prediction say of the true label together."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels.estimation import inputs


def posterior(
  log_probs: chex.Array, labels: chex.Array, transition: chex.Array
) -> chex.Array:
  """The distribution of the true label, by Bayes' rule.

    q_i = P(true i | given y, x) = p_i T[i, y] / sum_k p_k T[k, y]

  The gradient of forward-corrected cross entropy is p - q.

  Args:
    log_probs: logarithms of a model's P(true | x), floats `[..., K]`. Logits do
      as well: a constant added to a row changes nothing.
    labels: given classes, integers `[...]`.
    transition: T, floats `[K, K]` with rows that sum to 1.

  Returns:
    q, at least float32, `[..., K]`. NaN where the model and T exclude the label
    together, and for a traced label outside 0 .. K - 1. Memory: two `[..., K]`.

  Raises:
    ValueError: if the shapes do not fit, or a label is outside 0 .. K - 1.

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  log_probs, labels = jnp.asarray(log_probs), jnp.asarray(labels)
  transition = jnp.asarray(transition)
  num_classes = log_probs.shape[-1]
  if transition.shape != (num_classes, num_classes):
    raise ValueError(
      f'transition must have shape {(num_classes, num_classes)}, got '
      f'{transition.shape}'
    )
  if labels.shape != log_probs.shape[:-1]:
    raise ValueError(
      f'labels must have shape {log_probs.shape[:-1]}, got {labels.shape}'
    )
  if inputs.is_concrete(labels):
    known = np.asarray(labels).ravel()
    inputs.check_labels('labels', known, labels.size, num_classes)
  is_class = (labels >= 0) & (labels < num_classes)
  found = jax.nn.softmax(log_joint(log_probs, labels, transition), axis=-1)
  return jnp.where(is_class[..., None], found, jnp.nan)


def log_joint(
  log_probs: chex.Array, labels: chex.Array, transition: chex.Array
) -> chex.Array:
  """Log p_i + log T[i, y], at least float32 `[..., K]`."""
  wide = jnp.promote_types(log_probs.dtype, jnp.float32)
  columns = jnp.take(transition.T, labels, axis=0, mode='clip')
  return log_probs.astype(wide) + jnp.log(columns.astype(wide))
