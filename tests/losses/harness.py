"""Losses as the conformance suites run them: by name, compiled once a shape.

Everything of a shape goes through the same compiled function, with the
hyper-parameters as arguments, for most of a test's time is compilation.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import loss_cases

CASES = loss_cases.CASES
SHAPE = (24, 10)

ALL = [
  pytest.param(name, number, id=f'{name}-{number}')
  for name, case in CASES.items()
  for number in range(len(case.parameters))
]

# The suite takes the first parameters of each loss, and
# `scripts/test.sh -m slow` the rest.
first_parameter = pytest.mark.parametrize(
  ('name', 'number'),
  [
    pytest.param(
      *one.values, id=one.id, marks=[pytest.mark.slow] * bool(number)
    )
    for one in ALL
    for number in one.values[1:]
  ],
)
every_loss = pytest.mark.parametrize('name', CASES)


def loss_of(name):
  return CASES[name].loss or getattr(losses, name)


def parameters_of(name, num_classes=SHAPE[-1], number=0):
  return {
    key: value(num_classes) if callable(value) else value
    for key, value in CASES[name].parameters[number].items()
  }


def partial(name, num_classes=SHAPE[-1], number=0):
  parameters = parameters_of(name, num_classes, number)
  return functools.partial(loss_of(name), **parameters)


def inputs(shape=SHAPE, seed=0, scale=3.0):
  """Random logits, integer labels, and labels that do not sum to one."""
  rng = np.random.default_rng(seed)
  logits = scale * rng.normal(size=shape)
  labels = rng.integers(shape[-1], size=shape[:-1])
  return logits, labels, rng.uniform(size=shape)


def extreme_logits(shape=SHAPE):
  """Logits up to 1e4 in size, with and without ties."""
  rng = np.random.default_rng(0)
  choices = np.array([1e4, -1e4, 9999.0, -9999.5, 0.0, 1.0])
  logits = rng.choice(choices, shape)
  logits[0] = -1e4
  logits[1] = np.where(np.arange(shape[-1]) == 0, 1e4, -1e4)
  logits[2] = -logits[1]
  return logits


def value_and_grad(loss):
  """Losses, and their gradients by the logits."""

  def run(logits, labels, **parameters):
    values, pull = jax.vjp(lambda z: loss(z, labels, **parameters), logits)
    return values, pull(jnp.ones_like(values))[0]

  return run


def run(name, logits, labels, **parameters):
  """Losses and gradients, compiled."""
  static, numbers = split(name, parameters)
  arrays = (jnp.asarray(logits), jnp.asarray(labels))
  return _compiled(name, tuple(static.items()))(*arrays, **numbers)


@functools.cache
def _compiled(name, static):
  return jax.jit(
    value_and_grad(functools.partial(loss_of(name), **dict(static)))
  )


def split(name, parameters):
  """Hyper-parameters that are no numbers, and arrays of those that are."""
  fixed = CASES[name].static
  static = {key: parameters[key] for key in parameters if key in fixed}
  return static, {
    key: jnp.asarray(value)
    for key, value in parameters.items()
    if key not in fixed
  }


def second_order(name, logits, labels, directions, **parameters):
  """First derivatives, and those of their product with the directions.

  By logits, by parameters that are numbers, and by labels if they are floats;
  of the sum of the losses. The directions are a tree as the result is.
  """
  static, numbers = split(name, parameters)
  return _second_order(name, tuple(static.items()))(
    jnp.asarray(logits), jnp.asarray(labels), numbers, directions
  )


@functools.cache
def _second_order(name, static):
  loss = functools.partial(loss_of(name), **dict(static))

  @jax.jit
  def derivatives(logits, labels, numbers, directions):
    floats = jnp.issubdtype(labels.dtype, jnp.floating)
    arguments = (logits, labels if floats else None, numbers)

    def total(arguments):
      logits, soft, numbers = arguments
      return loss(logits, soft if floats else labels, **numbers).sum()

    def along(arguments):
      first = jax.grad(total)(arguments)
      products = jax.tree.map(jnp.vdot, first, directions)
      return sum(jax.tree.leaves(products)), first

    second, first = jax.grad(along, has_aux=True)(arguments)
    return first, second

  return derivatives
