"""Log-probabilities of labels: the custom derivatives that losses stand on.

d log p_k / dz = e_k - p, with p = softmax(z). Each backward pass rebuilds p
from the logits and two numbers an example, their largest and the sum of
exp(z - largest): nothing of shape `[..., num_classes]` is kept for it but the
logits themselves. It does so in the form

  p * g = exp(z - largest) * (g / total)

because the left factor is then the very expression of the forward pass, which
lets XLA compute it once, in the buffer of the gradient. With the one subtrahend
log(total) + largest instead, [4096, 1000] takes 1.7 times as long on a CPU.

Derivatives are in reverse mode, of any order: `jax.grad` of `jax.grad`,
`jax.jacrev` of `jax.jacrev`. The backward passes are plain JAX on residuals
that are themselves differentiable, so none is silently zero.
"""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np


@jax.custom_vjp
def label_log_prob(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """Return log p_label: `[..., num_classes]`, integer `[...]` -> `[...]`.

  A label outside 0 .. num_classes - 1 makes value and gradient NaN.
  """
  return _label_log_prob_fwd(logits, labels)[0]


def _label_log_prob_fwd(logits, labels):
  wide = logits.astype(wide_dtype(logits))
  largest = _largest(wide)
  total = jnp.sum(_exp(wide, largest), axis=-1)
  log_prob = _choose(wide, labels) - largest - jnp.log(total)
  return log_prob, (logits, labels, largest, total)


def _label_log_prob_bwd(residuals, g):
  logits, labels, largest, total = residuals
  g = _nan_unless_class(labels, logits, g)
  shares = _exp(logits, largest) * (g / total)[..., None]
  gradient = jnp.where(_hits(labels, logits), g[..., None], 0) - shares
  return gradient.astype(logits.dtype), _no_tangent(labels)


label_log_prob.defvjp(_label_log_prob_fwd, _label_log_prob_bwd)


@jax.custom_vjp
def log_probs(logits: chex.Array) -> chex.Array:
  """Return log p of every class, `[..., num_classes]`."""
  return _log_probs_fwd(logits)[0]


def _log_probs_fwd(logits):
  wide = logits.astype(wide_dtype(logits))
  largest = _largest(wide)
  total = jnp.sum(_exp(wide, largest), axis=-1)
  log_prob = wide - largest[..., None] - jnp.log(total)[..., None]
  return log_prob, (logits, largest, total)


def _log_probs_bwd(residuals, g):
  logits, largest, total = residuals
  scale = jnp.sum(g, axis=-1) / total
  gradient = g - _exp(logits, largest) * scale[..., None]
  return (gradient.astype(logits.dtype),)


log_probs.defvjp(_log_probs_fwd, _log_probs_bwd)


@jax.custom_vjp
def label_and_mean_log_prob(
  logits: chex.Array, labels: chex.Array
) -> tuple[chex.Array, chex.Array]:
  """Return `label_log_prob` and the mean of log p over the classes.

  The mean is over the classes that are not masked: one whose logit is -inf has
  no part in it, as if it did not exist. Together they cost one more sum over
  the logits than the label's alone; apart, a CPU would take another pass.
  """
  return _label_and_mean_fwd(logits, labels)[0]


def _label_and_mean_fwd(logits, labels):
  wide = logits.astype(wide_dtype(logits))
  largest = _largest(wide)
  total = jnp.sum(_marked_exp(wide, largest), axis=-1)
  mean, count = _mean_and_count(wide)
  label = _choose(wide, labels) - largest - jnp.log(total)
  mean = mean - largest - jnp.log(total)
  return (label, mean), (logits, labels, largest, total, count)


def _label_and_mean_bwd(residuals, gs):
  logits, labels, largest, total, count = residuals
  of_label, of_mean = _nan_unless_class(labels, logits, gs[0]), gs[1]
  each = (of_mean / count)[..., None]
  gradient = jnp.where(_hits(labels, logits), of_label[..., None] + each, each)
  exps = _marked_exp(logits.astype(total.dtype), largest)
  gradient -= exps * ((of_label + of_mean) / total)[..., None]
  gradient = jnp.where(exps < 0, 0, gradient)
  return gradient.astype(logits.dtype), _no_tangent(labels)


label_and_mean_log_prob.defvjp(_label_and_mean_fwd, _label_and_mean_bwd)


def _marked_exp(logits, largest):
  """Return exp(logits - largest), and a negative number for masked classes.

  One so small that it is lost in the sum, which is at least 1. It spares the
  backward pass to read the logits again to see which are masked.
  """
  exps = jnp.exp(logits - largest[..., None])
  return jnp.where(logits > -jnp.inf, exps, -1e-30)


@jax.custom_jvp
def _mean_and_count(logits):
  """Return mean and number of the finite entries of the last axis, `[...]`.

  Where none is masked, a plain sum does, and costs a CPU far less than one that
  looks at every entry. It is -inf if an entry is.
  """
  size = logits.shape[-1]
  total = jnp.sum(logits, axis=-1)

  def plain():
    return total, jnp.full_like(total, size)

  def careful():
    # Together, for XLA's CPU compiler would write out the input of either.
    finite = logits > -jnp.inf
    return lax.reduce(
      (jnp.where(finite, logits, 0), finite.astype(logits.dtype)),
      (np.zeros((), logits.dtype),) * 2,
      lambda left, right: (left[0] + right[0], left[1] + right[1]),
      (logits.ndim - 1,),
    )

  total, count = lax.cond(jnp.all(total > -jnp.inf), plain, careful)
  return total / count, count


@_mean_and_count.defjvp
def _mean_and_count_jvp(primals, tangents):
  (logits,), (tangent,) = primals, tangents
  mean, count = _mean_and_count(logits)
  tangent = jnp.sum(jnp.where(logits > -jnp.inf, tangent, 0), axis=-1) / count
  return (mean, count), (tangent, jnp.zeros_like(count))


def _largest(logits):
  # It cancels out of every result, and so is a constant. It and the logarithm
  # of the sum are kept apart: added, they would round off what tells the
  # classes apart when the logits are large.
  return lax.stop_gradient(jnp.max(logits, axis=-1))


def _exp(logits, largest):
  return jnp.exp(logits.astype(largest.dtype) - largest[..., None])


def _choose(logits, labels):
  """Return the logit of the label, NaN where there is none."""
  chosen = jnp.take_along_axis(logits, labels[..., None], axis=-1, mode='clip')
  return _nan_unless_class(labels, logits, chosen[..., 0])


def _nan_unless_class(labels, logits, values):
  # Indexing alone would count negative labels from the end.
  labels = _comparable(labels)
  is_class = (labels >= 0) & (labels < logits.shape[-1])
  return jnp.where(is_class, values, jnp.nan)


def _hits(labels, logits):
  labels = _comparable(labels)
  return labels[..., None] == jnp.arange(logits.shape[-1], dtype=labels.dtype)


def _comparable(labels):
  """Widen integers too narrow to be compared with the number of classes."""
  return labels.astype(jnp.int32) if labels.dtype.itemsize < 4 else labels


def _no_tangent(labels):
  return np.zeros(labels.shape, jax.dtypes.float0)  # Integers have none.


def wide_dtype(logits: chex.Array) -> jnp.dtype:
  """Return the dtype to compute in: at least float32."""
  return jnp.promote_types(logits.dtype, jnp.float32)
