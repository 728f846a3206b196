"""Runs the programs as a user does: in processes of their own."""

import os
import pathlib
import socket
import subprocess
import sys

import pytest

from experiments import log

ROOT = pathlib.Path(__file__).parents[2]


def start(module, *flags, num_devices=1, stdout=None, **environment):
  """Starts `python -m module flags...` on a number of CPU devices."""
  return subprocess.Popen(
    [sys.executable, '-m', module, *flags],
    cwd=ROOT,
    env={
      **os.environ,
      'PYTHONPATH': str(ROOT),
      'JAX_PLATFORMS': 'cpu',
      # Compiles as the tests do, and so takes what they have compiled.
      'XLA_FLAGS': (
        os.environ['XLA_FLAGS']
        + f' --xla_force_host_platform_device_count={num_devices}'
      ),
      **environment,
    },
    stdout=stdout or subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def finish(process, code=0, timeout=300):
  """Waits for the exit code, and gives what was printed."""
  out, err = process.communicate(timeout=timeout)
  assert process.returncode == code, f'{process.returncode}\n{out}\n{err}'
  return out, err


def run(module, *flags, code=0, **options):
  """Starts and finishes."""
  return finish(start(module, *flags, **options), code)


def start_cluster(module, *flags, num_processes, num_devices, **environment):
  """Starts one process for each host of a cluster, all on this machine."""
  with socket.socket() as free:
    free.bind(('localhost', 0))
    address = f'localhost:{free.getsockname()[1]}'
  return [
    start(
      module,
      *flags,
      f'--coordinator_address={address}',
      f'--num_processes={num_processes}',
      f'--process_id={number}',
      num_devices=num_devices,
      **environment,
    )
    for number in range(num_processes)
  ]


def curve(workdir):
  """What a run measured, but for the time."""
  lines = log.read(workdir / 'metrics.jsonl')
  for line in lines:
    del line['seconds']
  return lines


def assert_close_curves(one, other):
  """Two runs are the same, but for rounding."""
  assert len(one) == len(other)
  for left, right in zip(one, other, strict=True):
    assert left.keys() == right.keys()
    for name, value in left.items():
      # An example near a boundary may fall to either side.
      close = 0.01 if 'loss' not in name else 1e-3
      assert value == pytest.approx(right[name], abs=close), name
