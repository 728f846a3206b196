"""Noise that is learnt for each example, in sparse over-parameterisation."""

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


class Rates(NamedTuple):
  """The learning rates of u and v, for the mean over so large a batch."""

  u: float
  v: float
  batch_size: int

  def check(self) -> None:
    """Raises a ValueError for a number that is out of range."""
    _checks.in_range('u_learning_rate', self.u, '[0, inf)')
    _checks.in_range('v_learning_rate', self.v, '[0, inf)')
    _checks.at_least('batch_size', self.batch_size, 1)


def init(
  key: chex.PRNGKey, num_examples: int, num_classes: int
) -> method_lib.MethodState:
  """The state of a method that learns the noise: almost none yet."""
  u_key, v_key = jax.random.split(key)
  u = _INITIAL * jax.random.normal(u_key, (num_examples, 1))
  v = _INITIAL * jax.random.normal(v_key, (num_examples, num_classes))
  return method_lib.MethodState({}, Memory(u, v))


def opinion(memory: Memory, labels: chex.Array) -> dict[str, chex.Array]:
  """The noise u^2 of each label, and a guess of the true one."""
  label = jax.nn.one_hot(labels, memory.v.shape[-1], dtype=memory.v.dtype)
  clean = label - _noise(label, memory.u, memory.v)
  return {'noise': memory.u[:, 0] ** 2, 'guess': jnp.argmax(clean, axis=-1)}


def explain(
  logits: chex.Array,
  batch: dict[str, chex.Array],
  memory: Memory,
  rates: Rates,
) -> tuple[chex.Array, Memory, chex.Array]:
  """Losses of the labels given the noise, which makes its own step.

  Args:
    logits: 0 for padding, float `[batch, num_classes]`.
    batch: of one device.
    memory: of all examples.
    rates: of the step.

  Returns:
    Losses `[batch]`, the memory after the step, and u^2 before it, `[batch]`.
  """
  u, v = (values[batch['row']] for values in memory)
  label = jax.nn.one_hot(batch['label'], logits.shape[-1], dtype=u.dtype)
  given = lax.stop_gradient(logits), label
  by_u = jax.grad(lambda u: jnp.sum(_losses(*given, u, v)))(u)
  by_v = jax.grad(lambda v: jnp.sum(_square_errors(*given, u, v)))(v)
  stepped = Memory(
    _step(memory.u, batch, rates.u / rates.batch_size * by_u),
    _step(memory.v, batch, rates.v / rates.batch_size * by_v),
  )
  return _losses(logits, label, u, v), stepped, u[:, 0] ** 2


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
