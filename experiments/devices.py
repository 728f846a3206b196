"""Devices and processes: the only place that knows how many there are."""

from collections.abc import Callable
from collections.abc import Sequence
from importlib import metadata
import os
import platform
from typing import Any
from typing import NamedTuple

import jax
from jax.experimental import multihost_utils
import numpy as np

from experiments import errors
from experiments.data import cache

AXIS = 'devices'


class Local(NamedTuple):
  """The devices of this process, and their place among those of all processes.

  Attributes:
    devices: the devices that are used here.
    numbers: their consecutive numbers among all.
    total: how many are used in all processes together.
  """

  devices: list[jax.Device]
  numbers: range
  total: int


def local(devices: list[jax.Device] | None = None) -> Local:
  """Says which devices to use: all, or some of the only process's."""
  if devices and jax.process_count() > 1:
    raise ValueError('devices can be chosen in a run of one process alone')
  if not devices and jax.device_count() != (
    jax.local_device_count() * jax.process_count()
  ):
    raise errors.RunError(
      f'process {jax.process_index()} has {jax.local_device_count()} of '
      f'{jax.device_count()} devices: every process needs equally many'
    )
  devices = devices or jax.local_devices()
  first = len(devices) * jax.process_index()
  return Local(
    devices,
    range(first, first + len(devices)),
    len(devices) * jax.process_count(),
  )


def connect(
  coordinator_address: str | None = None,
  num_processes: int | None = None,
  process_id: int | None = None,
) -> None:
  """Joins the other processes of a run; on one machine alone, does nothing.

  Args:
    coordinator_address: `host:port` of process 0; None asks the cluster.
    num_processes: how many processes take part; None asks the cluster.
    process_id: which of them this one is, from 0; None asks the cluster.
  """
  jax.config.update('jax_cpu_collectives_implementation', 'gloo')
  try:
    jax.distributed.initialize(coordinator_address, num_processes, process_id)
  except (IndexError, RuntimeError, ValueError) as error:
    raise errors.RunError(
      f'cannot join the processes at {coordinator_address} as number '
      f'{process_id} of {num_processes}: {error}'
    ) from error


def cache_compilations() -> None:
  """Keeps compiled programs in the user's cache directory between launches."""
  if 'JAX_COMPILATION_CACHE_DIR' in os.environ:  # The user has chosen one.
    return
  jax.config.update('jax_compilation_cache_dir', str(cache.directory() / 'xla'))
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)


def parallel(
  step: Callable[..., Any],
  *,
  in_axes: tuple[int | None, ...],
  out_axes: Any,
  donate_argnums: tuple[int, ...] = (),
  local: Local | None = None,
) -> Callable[..., Any]:
  """Runs `step` on every device; axis None means the same on each of them.

  Args:
    step: a pure function that may use collectives over the axis `AXIS`.
    in_axes: for each argument 0 (one slice a device) or None (replicated).
    out_axes: the same for the results. None asserts that the devices agree,
      which nothing checks here: tests run every step under `jax.vmap` as well,
      which does.
    donate_argnums: arguments whose memory the results may take over.
    local: the devices to use; all by default.

  Returns:
    The compiled function.
  """
  # Named devices would be taken for those of all processes.
  chosen = local.devices if local and jax.process_count() == 1 else None
  return jax.pmap(
    step,
    axis_name=AXIS,
    in_axes=in_axes,
    out_axes=out_axes,
    donate_argnums=donate_argnums,
    devices=chosen,
  )


def keep_pace(results: Sequence[Any]) -> None:
  """Lets the host run ahead of the devices, by two steps.

  That hides the host's work, and not how far a run has come; nor does a run
  that is asked to stop first take dozens of steps that were asked for already.

  Devices that share one CPU also share its few threads. Steps in flight take
  them all, each waiting in a collective for a device that gets none: so there
  the host waits for each step.

  Args:
    results: of the steps so far, in order.
  """
  shared = jax.default_backend() == 'cpu' and jax.device_count() > 1
  ahead = 0 if shared else 2
  if len(results) > ahead:
    jax.block_until_ready(results[-1 - ahead])


def replicate(tree: Any, local: Local) -> Any:
  """Puts host arrays on the devices, the same on each.

  A step takes host arrays as well, but it is compiled for them, and a second
  time for what it returns.
  """
  return _put(tree, None, local)


def place(tree: Any, local: Local) -> Any:
  """Puts `[local_devices, ...]` host arrays on the devices, a slice on each."""
  return _put(tree, 0, local)


def _put(tree: Any, axis: int | None, local: Local) -> Any:
  # Trees may be empty, but something must be mapped, and be returned.
  numbers = np.arange(len(local.devices))
  copy = parallel(
    lambda *trees: trees, in_axes=(axis, 0), out_axes=(axis, 0), local=local
  )
  return copy(tree, numbers)[0]


def gather_rows(shards: jax.Array) -> np.ndarray:
  """`[devices, rows, ...]` of all processes, on the host of each."""
  local = np.asarray(shards)
  if jax.process_count() == 1:
    return local
  everyone = multihost_utils.process_allgather(local)
  return everyone.reshape((-1, *local.shape[1:]))


def add_over_processes(value: Any) -> np.ndarray:
  """The sum of a host array over all processes, in its own dtype."""
  value = np.asarray(value)
  if jax.process_count() == 1:
    return value
  # Collectives know 32 bits unless x64 is on, so 64 travel as bytes.
  everyone = multihost_utils.process_allgather(
    np.frombuffer(value.tobytes(), np.uint8)
  )
  parts = np.asarray(everyone).view(value.dtype)
  return np.sum(parts, axis=0).reshape(value.shape)


def describe() -> str:
  """What a run used: versions, processes and devices, in one line."""
  kinds = sorted({device.device_kind for device in jax.devices()})
  packages = ('noisy-labels', 'jax', 'jaxlib', 'flax', 'optax', 'numpy')
  versions = [f'{name} {_version(name)}' for name in packages]
  return (
    f'Python {platform.python_version()}, {", ".join(versions)}; '
    f'{jax.process_count()} process(es), {jax.device_count()} device(s): '
    f'{", ".join(kinds)}'
  )


def _version(package: str) -> str:
  try:
    return metadata.version(package)
  except metadata.PackageNotFoundError:  # Run from a checkout, uninstalled.
    return 'unknown'
