"""The steps of an epoch: of one run, or of several seeds in one program.

Several are vmapped over the seed. Everything that differs between them is an
array with a leading axis of runs, of what is the same on every device, and
behind the axis of the devices, of what lies there.
"""

from collections.abc import Callable
from collections.abc import Sequence
import functools
import pathlib
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments import build
from experiments import devices
from experiments import noise_estimate
from experiments import train
from experiments.data import dataset


class Member(NamedTuple):
  """What a run is made of.

  Attributes:
    config: its configuration.
    workdir: holds everything that it writes.
    data: what it is trained on.
    known: what it is told of its noise.
    parts: what its own step is made of.
    found: the estimate of its noise, if one was made.
  """

  config: ml_collections.ConfigDict
  workdir: pathlib.Path
  data: dataset.Dataset
  known: dict[str, Any]
  parts: train.Parts
  found: noise_estimate.NoiseEstimate | None = None


class Steps:
  """What takes the steps of some runs, compiled once."""

  def __init__(self, members: Sequence[Member], local: devices.Local):
    """Prepares the step, and puts the runs' examples side by side.

    Args:
      members: one run, or several that `differ_in_arrays`.
      local: this process's devices.
    """
    self._size = len(members)
    self._local = local
    if self._size == 1:
      (only,) = members
      step: Callable[..., Any] = functools.partial(train.train_step, only.parts)
      self._shards = only.data.train
    else:
      step = _vmapped_step(members)
      self._stack = self._copy(_stack)
      self._unstack = self._copy(functools.partial(_unstack, self._size))
      no_states: tuple[Any, ...] = ({},) * self._size
      shards = tuple(member.data.train for member in members)
      # Beside those of each run, by which it is measured.
      _, self._shards = self._stack(no_states, shards)
    self._step = devices.parallel(
      step,
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
      donate_argnums=(0, 1),
      local=local,
    )

  def join(self, runs: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """State and memory for `take`, from those of each run."""
    if self._size == 1:
      return runs[0]
    return self._stack(*zip(*runs, strict=True))

  def part(self, state: Any, memory: Any) -> list[tuple[Any, Any]]:
    """The reverse of `join`."""
    if self._size == 1:
      return [(state, memory)]
    return list(zip(*self._unstack(state, memory), strict=True))

  def join_rows(self, rows: Sequence[np.ndarray]) -> np.ndarray:
    """The rows of each run's steps, `[steps, devices, ...]`, for `take`."""
    return rows[0] if self._size == 1 else np.stack(rows, axis=2)

  def take(self, state: Any, memory: Any, rows: np.ndarray) -> Any:
    """One step: state, memory, and sums that are still on the devices."""
    return self._step(state, memory, self._shards, rows)

  def part_sums(self, sums: list[Any]) -> list[list[dict[str, Any]]]:
    """The sums of each run's steps, on the host, from those of `take`."""
    fetched = jax.device_get(sums)
    if self._size == 1:
      return [fetched]
    return [
      [jax.tree.map(lambda leaf, i=i: leaf[i], one) for one in fetched]
      for i in range(self._size)
    ]

  def _copy(self, change):
    # Trees may be empty, but something must be mapped.
    numbers = np.arange(len(self._local.devices))
    changed = devices.parallel(
      lambda state, memory, _: change(state, memory),
      in_axes=(None, 0, 0),
      out_axes=(None, 0),
      local=self._local,
    )
    return lambda state, memory: changed(state, memory, numbers)


def differ_in_arrays(members: Sequence[Member]) -> bool:
  """Whether one program can take the steps of all these runs.

  Args:
    members: runs of one configuration but for the seed.

  Returns:
    False if a method must look at the numbers in which the runs differ, such as
    which labels are trusted, if models are trained on folds, or if the runs
    have other numbers of examples, as where a random part is used.
  """
  if members[0].config.folds or len({one.data.deal for one in members}) > 1:
    return False
  same, stacked = _divide(members)
  make = _parts_of(members[0], same)
  try:
    # Making the parts is what is tried; they are no arrays to be returned.
    jax.eval_shape(jax.vmap(lambda own: (make(own), own)[1]), stacked)
  except jax.errors.JAXTypeError:
    return False
  return True


def _vmapped_step(members: Sequence[Member]) -> Callable[..., Any]:
  same, stacked = _divide(members)
  make = _parts_of(members[0], same)

  def step(own, state, memory, shards, rows):
    return train.train_step(make(own), state, memory, shards, rows)

  return functools.partial(jax.vmap(step), stacked)


def _parts_of(
  member: Member, same: dict[str, Any]
) -> Callable[[dict[str, Any]], train.Parts]:
  """From what is a run's own to what its step is made of."""

  def make(own):
    facts = {**same, **own}
    mean, std = facts.pop('mean'), facts.pop('std')
    data = member.data._replace(mean=mean, std=std)
    return build.make_parts(member.config, data, facts)

  return make


def _divide(
  members: Sequence[Member],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
  """What all runs know alike, and what not, with a leading axis of runs."""
  each = [
    {**member.known, 'mean': member.data.mean, 'std': member.data.std}
    for member in members
  ]
  same, stacked = {}, {}
  for name, value in each[0].items():
    values = [facts[name] for facts in each]
    if all(np.array_equal(value, other) for other in values):
      same[name] = value
    else:
      stacked[name] = np.stack(values)
  return same, stacked


def _stack(states, memories):
  return (
    jax.tree.map(lambda *leaves: jnp.stack(leaves), *states),
    jax.tree.map(lambda *leaves: jnp.stack(leaves), *memories),
  )


def _unstack(size, state, memory):
  def each(tree):
    return tuple(
      jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(size)
    )

  return each(state), each(memory)
