"""A loss fused with the linear layer below it, for very many classes."""

from collections.abc import Callable
import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import blockwise
from noisy_labels.losses import log_prob


def fused_linear(
  features: chex.Array,
  weights: chex.Array,
  labels: chex.Array,
  *,
  loss: Callable[..., chex.Array],
  block_size: int,
  bias: chex.Array | None = None,
) -> chex.Array:
  """Loss of `features @ weights + bias`, without ever making those logits.

    fused_linear(x, W, y, loss=l, block_size=b) = l(x W, y)

  in value and in gradient, by features, weights, bias and by what the loss is
  bound to. Forward and backward pass go through the classes in blocks, and need
  memory for `[batch, block_size]` where logits would be `[batch,
  num_classes]`. It pays when those are what fills the memory, with some 30,000
  classes or more; it takes four products of matrices where logits that are kept
  take three.

  The loss is an ordinary one of this package, its hyper-parameters bound by
  `functools.partial` or a lambda. It is called with labels and with an object
  that stands for the logits, and may ask of it the log-probability of the label
  and the mean log-probability of all classes. So these fit:

    - every loss of the label's probability alone: cross entropy, clipped,
      mixture, generalized, symmetric, focal, Jensen-Shannon, ...
    - those of the mean as well: smoothed, confidence-regularized and normalized
      cross entropy
    - `forward_corrected_cross_entropy` with a structured transition
    - functions of such losses, as `active_passive`; each asks once more

  Any other loss is refused with a TypeError. Labels are integers only:
  distributions over so many classes are what it is meant to avoid.

  Trust weight and posterior are the loss's own.

  Args:
    features: what the layer reads, float `[..., dim]`.
    weights: float `[dim, num_classes]`, as a kernel in flax.
    labels: classes, integer `[...]`. One outside 0 .. num_classes - 1 makes the
      loss NaN, and with it the gradients of all weights.
    loss: `(logits, labels) -> losses`, as above.
    block_size: number of classes whose logits exist at a time; 4096 is a good
      start. It need not divide num_classes.
    bias: float `[num_classes]`, or None for none. A class may be masked by
      -inf.

  Returns:
    One loss an example `[...]`. Logits of features and weights of 16 bits are
    summed, and never rounded from, float32.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    TypeError: if the loss asks for more of the logits.
    ValueError: if block_size is not an integer of at least 1.

  Examples:
    >>> from noisy_labels import losses
    >>> features = jnp.array([[1.0, 0.0], [0.5, -0.5]])
    >>> weights = jnp.array([[2.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    >>> values = fused_linear(
    ...   features,
    ...   weights,
    ...   jnp.array([0, 1]),
    ...   loss=functools.partial(losses.mixture_cross_entropy, noise_rate=0.3),
    ...   block_size=2,
    ... )
    >>> [f'{value:.3f}' for value in values]
    ['0.570', '1.619']

  References:
    Wijmans et al., `Cut Your Losses in Large-Vocabulary Language Models
    <https://arxiv.org/abs/2411.09009>`_, 2025: cross entropy in blocks
  """
  _check(features, weights, labels, bias, block_size)
  features, weights = jnp.asarray(features), jnp.asarray(weights)
  bias = jnp.zeros_like(weights[0]) if bias is None else jnp.asarray(bias)
  block_size = min(int(block_size), weights.shape[-1])
  return loss(LinearLogits(features, weights, bias, block_size), labels)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class LinearLogits:
  """Stands for the logits of a linear layer, which are never made.

  A loss may look at shape and dtype, and call `log_prob.label_log_prob` and
  `log_prob.label_and_mean_log_prob`, which have their answers for it below. To
  anything else it says that the loss cannot be fused. It is a pytree, and so
  may be passed through jit.
  """

  features: chex.Array
  weights: chex.Array
  bias: chex.Array
  block_size: int = dataclasses.field(metadata={'static': True})

  @property
  def shape(self) -> tuple[int, ...]:
    """The shape of the logits."""
    return (*self.features.shape[:-1], self.weights.shape[-1])

  @property
  def ndim(self) -> int:
    """The number of their axes."""
    return len(self.shape)

  @property
  def dtype(self) -> jnp.dtype:
    """Their dtype."""
    return jnp.result_type(self.features, self.weights)

  def __jax_array__(self):
    raise _NeverMadeError

  def __getattr__(self, name):
    raise _NeverMadeError


class _NeverMadeError(TypeError, AttributeError):
  def __init__(self):
    super().__init__(
      'this loss looks at the logits themselves, and fused_linear makes none: '
      'it takes losses that depend on them by log p of the label and mean log '
      'p of the classes alone. Give the loss `features @ weights` instead'
    )


def _check(features, weights, labels, bias, block_size):
  chex.assert_type(
    [features, weights],
    float,
    custom_message='features and weights must be floating-point numbers',
  )
  chex.assert_rank(
    weights, 2, custom_message='weights must have shape [dim, num_classes]'
  )
  chex.assert_type(
    labels,
    int,
    custom_message='fused_linear takes integer labels only: distributions are '
    'as large as the logits that it avoids',
  )
  chex.assert_shape(
    features,
    (*labels.shape, weights.shape[0]),
    custom_message='features must have the shape of labels, and then dim',
  )
  if bias is not None:
    chex.assert_shape(
      bias,
      weights.shape[1:],
      custom_message='bias must have shape [num_classes]',
    )
  _checks.at_least('block_size', block_size, 1)


@log_prob.widen.register
def _(logits: LinearLogits):
  return logits  # What is found of them is wide already.


@log_prob.label_log_prob.register
def _(logits: LinearLogits, labels):
  return log_prob.label_and_mean_log_prob(logits, labels)[0]


@log_prob.label_and_mean_log_prob.register
def _(logits: LinearLogits, labels):
  features, weights, bias, labels = _vary_alike(
    logits.features, logits.weights, logits.bias, labels
  )
  values = blockwise.label_and_mean_log_prob(
    features.reshape(-1, features.shape[-1]),
    weights,
    bias,
    labels.reshape(-1),
    logits.block_size,
  )
  count = jnp.sum(bias > -jnp.inf, dtype=values[0].dtype)
  label, mean = (value.reshape(labels.shape) for value in values)
  return label, mean, jnp.full_like(label, count)


def _vary_alike(*arrays):
  """Make arrays vary over the same axes of a mesh, as scan in shard_map needs.

  The gradient of weights that are the same everywhere is summed by it. XLA
  removes the multiplication.
  """
  ones = (jnp.ones_like(array, bool, shape=()) for array in arrays)
  one = functools.reduce(jnp.logical_and, ones)
  return [array * one for array in arrays]
