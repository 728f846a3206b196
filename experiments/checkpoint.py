"""Saving and resuming: state, memory in index order, and half-done sums."""

import pathlib
from typing import Any

import jax
import numpy as np
from orbax import checkpoint as orbax

from experiments import devices
from experiments.data import lanes


class Checkpoints:
  """The last checkpoints of a run, in a directory that all processes reach."""

  def __init__(self, directory: pathlib.Path, deal: lanes.Deal):
    """Opens the directory; `deal` says which device has which memory."""
    self._deal = deal
    self._manager = orbax.CheckpointManager(
      directory.absolute(),
      options=orbax.CheckpointManagerOptions(max_to_keep=2, create=True),
    )

  def save(self, step: int, state: Any, memory: Any, sums: Any) -> None:
    """Saves in the background; a checkpoint appears when it is complete.

    Args:
      step: how many steps were taken.
      state: as the step returned it, the same on every device.
      memory: as the step returned it, `[local_devices, rows, ...]`.
      sums: of the period that is under way, on the host.
    """
    if step == self._manager.latest_step():
      return
    memory = jax.tree.map(self._in_index_order, memory)
    self._manager.save(
      step,
      args=orbax.args.Composite(
        run=orbax.args.StandardSave(
          {'state': jax.tree.map(np.asarray, state), 'memory': memory}
        ),
        sums=orbax.args.JsonSave(sums),
      ),
    )

  def latest_step(self) -> int | None:
    """The step to resume from, or None."""
    return self._manager.latest_step()

  def restore(
    self, state: Any, memory: Any, local: devices.Local
  ) -> tuple[Any, Any, dict[str, float]]:
    """Reads the latest checkpoint.

    Args:
      state: a state of the same structure, shapes and dtypes.
      memory: the memory of one device, likewise.
      local: this process's devices.

    Returns:
      State, memory `[local_devices, rows, ...]` and sums, as host arrays.
    """
    state, memory, sums = self.read(state, memory)
    memory = jax.tree.map(lambda leaf: self._dealt(leaf, local.numbers), memory)
    return state, memory, sums

  def read(self, state: Any, memory: Any) -> tuple[Any, Any, dict[str, float]]:
    """As `restore`, but the memory is of all examples, in index order."""
    whole = jax.tree.map(
      lambda leaf: np.zeros(
        (self._deal.num_examples, *leaf.shape[1:]), leaf.dtype
      ),
      memory,
    )
    restored = self._manager.restore(
      self._manager.latest_step(),
      args=orbax.args.Composite(
        run=orbax.args.StandardRestore({'state': state, 'memory': whole}),
        sums=orbax.args.JsonRestore(),
      ),
    )
    state = jax.tree.map(np.asarray, restored['run']['state'])
    memory = jax.tree.map(np.asarray, restored['run']['memory'])
    return state, memory, restored['sums']

  def close(self) -> None:
    """Waits until everything is on disk."""
    self._manager.wait_until_finished()
    self._manager.close()

  def _in_index_order(self, leaf: jax.Array) -> np.ndarray:
    rows = devices.gather_rows(leaf)
    lengths = np.diff(self._deal.bounds(self._deal.num_devices))
    return np.concatenate(
      [row[:length] for row, length in zip(rows, lengths, strict=True)]
    )

  def _dealt(self, leaf: np.ndarray, numbers: range) -> np.ndarray:
    bounds = self._deal.bounds(self._deal.num_devices)
    out = np.zeros((len(numbers), self._deal.rows, *leaf.shape[1:]), leaf.dtype)
    for row, device in enumerate(numbers):
      share = leaf[bounds[device] : bounds[device + 1]]
      out[row, : len(share)] = share
    return out
