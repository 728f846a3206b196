"""An optimiser that trains late parts of a network anew, after early ones."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import optax


class StagedState(NamedTuple):
  """The state of `staged`.

  Attributes:
    count: how many steps were taken, int32.
    initial: the parameters that training began with.
    whole: the state of the optimiser of the whole network.
    late: the state of the optimiser of its late parts.
  """

  count: chex.Array
  initial: Any
  whole: Any
  late: Any


def staged(
  optimizer: optax.GradientTransformation,
  *,
  part_of: Callable[[str], int],
  steps: Sequence[int],
  late_learning_rate: float,
) -> optax.GradientTransformation:
  """Trains everything, then parts 1 and 2 anew, then part 2 anew, then all.

  The first step of a stage that trains late parts anew only makes them what
  they were at the beginning. A stage without steps is left out.

  Args:
    optimizer: of everything. It rests in the stages between.
    part_of: from where a parameter is in the tree, its keys joined by slashes,
      to its part.
    steps: how many steps the first three stages have.
    late_learning_rate: of Adam, in the stages between.

  Returns:
    A transformation whose `update` must be given the parameters.
  """
  adam = optax.adam(late_learning_rate)
  ends = np.cumsum(steps)
  first, second, _ = ends

  def init(params):
    _parts(params, part_of)
    return StagedState(
      count=jnp.int32(0),
      initial=jax.tree.map(jnp.copy, params),
      whole=optimizer.init(params),
      late=adam.init(params),
    )

  def update(gradients, state, params=None):
    if params is None:
      raise ValueError('params must be given: update(gradients, state, params)')
    parts = _parts(params, part_of)

    def everything():
      updates, whole = optimizer.update(gradients, state.whole, params)
      return updates, whole, state.late

    def from_part(lowest, begin):
      updates, late = adam.update(gradients, state.late, params)
      begins = state.count == begin
      late = _choose(begins, adam.init(params), late)
      anew = jax.tree.map(lambda old, now: old - now, state.initial, params)
      updates = jax.tree.map(
        lambda part, update: (
          update if part >= lowest else jnp.zeros_like(update)
        ),
        parts,
        _choose(begins, anew, updates),
      )
      return updates, state.whole, late

    updates, whole, late = lax.switch(
      jnp.sum(state.count >= ends),
      [
        everything,
        lambda: from_part(1, first),
        lambda: from_part(2, second),
        everything,
      ],
    )
    return updates, StagedState(state.count + 1, state.initial, whole, late)

  return optax.GradientTransformation(init, update)


def _choose(condition, tree, other):
  return jax.tree.map(lambda a, b: jnp.where(condition, a, b), tree, other)


def _parts(params, part_of):
  """The part of each parameter, in a tree like that of the parameters."""

  def part(path, leaf):
    del leaf
    where = jax.tree_util.keystr(path, simple=True, separator='/')
    number = part_of(where)
    if number not in (0, 1, 2):
      raise ValueError(f'part_of({where!r}) must be 0, 1 or 2, got {number!r}')
    return number

  return jax.tree_util.tree_map_with_path(part, params)
