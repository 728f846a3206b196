"""Sparse over-parameterisation: each example has noise of its own to learn."""

from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows

# What a probability counts at least, the paper's epsilon.
_LEAST_PROB = 1e-4
# The standard deviation of u and v at the beginning: no noise, almost.
_INITIAL = 1e-8


class Memory(NamedTuple):
  """Attributes: u, float32 `[N, 1]`, and v, float32 `[N, num_classes]`."""

  u: chex.Array
  v: chex.Array


def sparse_over_parameterization(
  *, u_learning_rate: float, v_learning_rate: float, batch_size: int = 128
) -> method_lib.Method:
  """Sparse over-parameterisation (SOP).

    l = -log phi(p + s)_y,  p = softmax(logits),  s = u^2 e_y - v^2 (1 - e_y)
    phi(x) = max(x, 1e-4) / sum_k max(x_k, 1e-4)
    u <- clip(u - u_learning_rate / batch_size dl/du, -1, 1)
    v <- clip(v - v_learning_rate / batch_size dm/dv, -1, 1)
    m = sum_k (h + s - e_y)_k^2,  h one-hot at the most probable class

  with products and squares elementwise. s stands for what the noise added to
  the label. It begins at 0 and grows, the faster the larger it is, where the
  model keeps on disagreeing with the label, so that in the end p + s explains
  the label and p need not.

  Remembers: `Memory(u, v)`. u^2 near 1 tells of a wrong label, and v^2 of the
  true one: the largest entry of e_y - s is a guess of it. They are trained by
  gradient, but with plain stochastic gradient descent as in the paper, and only
  by the loss of their own example; so the method makes their steps itself, and
  they are sharded with the examples.

  The numbers that the paper gives are rates for the gradient of a mean over a
  batch: hence batch_size, which makes a step that does not depend on how many
  devices there are. An example that occurs twice makes both steps. u learns
  from l and v from m alone, as in the paper and the newer official code; in an
  older version of that, m has a gradient by u too. Squares are bounded by
  clipping u and v, as the paper projects them; the code clips the squares,
  whose gradient is then 0 for good.

  Args:
    u_learning_rate: in [0, inf). Official: 10 on CIFAR-10 with symmetric
      noise, 0.1 with asymmetric, 1 on CIFAR-100.
    v_learning_rate: in [0, inf). Official: 10 with symmetric noise, 100 with
      asymmetric.
    batch_size: the whole batch of the mean that the learning rates are meant
      for, an integer of at least 1; official 128. To use official rates, leave
      it, whatever your own batch.

  Returns:
    A `Method`; its metric `noise` is u^2.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Liu et al., `Robust Training under Label Noise by Over-parameterization
    <https://arxiv.org/abs/2202.14026>`_, 2022
  """
  _checks.in_range('u_learning_rate', u_learning_rate, '[0, inf)')
  _checks.in_range('v_learning_rate', v_learning_rate, '[0, inf)')
  _checks.at_least('batch_size', batch_size, 1)

  def init(key, num_examples, num_classes):
    u_key, v_key = jax.random.split(key)
    u = _INITIAL * jax.random.normal(u_key, (num_examples, 1))
    v = _INITIAL * jax.random.normal(v_key, (num_examples, num_classes))
    return method_lib.MethodState({}, Memory(u, v))

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    u, v = (values[batch['row']] for values in state.memory)
    label = jax.nn.one_hot(batch['label'], logits.shape[-1], dtype=u.dtype)
    given = lax.stop_gradient(logits), label
    by_u = jax.grad(lambda u: jnp.sum(_losses(*given, u, v)))(u)
    by_v = jax.grad(lambda v: jnp.sum(_square_errors(*given, u, v)))(v)
    memory = Memory(
      _step(state.memory.u, batch, u_learning_rate / batch_size * by_u),
      _step(state.memory.v, batch, v_learning_rate / batch_size * by_v),
    )
    return _losses(logits, label, u, v), (memory, {'noise': u[:, 0] ** 2})

  return method_lib.Method(init, loss, opinion=_opinion)


def _opinion(memory, labels):
  label = jax.nn.one_hot(labels, memory.v.shape[-1], dtype=memory.v.dtype)
  clean = label - _noise(label, memory.u, memory.v)
  return {'noise': memory.u[:, 0] ** 2, 'guess': jnp.argmax(clean, axis=-1)}


def _losses(logits, label, u, v):
  probs = jnp.exp(log_prob.log_probs(logits))
  explained = jnp.maximum(probs + _noise(label, u, v), _LEAST_PROB)
  of_label = jnp.sum(label * explained, axis=-1)
  return jnp.log(jnp.sum(explained, axis=-1)) - jnp.log(of_label)


def _square_errors(logits, label, u, v):
  top = jnp.argmax(logits, axis=-1)
  predicted = jax.nn.one_hot(top, logits.shape[-1], dtype=label.dtype)
  return jnp.sum((predicted + _noise(label, u, v) - label) ** 2, axis=-1)


def _noise(label, u, v):
  return label * u**2 - (1 - label) * v**2


def _step(values, batch, step):
  values = rows.add(values, batch, -step)
  # Of the batch alone: the memory may be large.
  return rows.write(values, batch, jnp.clip(values[batch['row']], -1, 1))
