"""Four CPU devices, whatever the machine; must run before jax is imported."""

import itertools
import os
import sys
import tempfile

# Most of the time is compilation, and machine code need not be fast. Of two
# levels the last counts, so with XLA_FLAGS the suite tests what users run.
os.environ['XLA_FLAGS'] = (
  '--xla_backend_optimization_level=0 '
  + os.environ.get('XLA_FLAGS', '')
  + ' --xla_force_host_platform_device_count=4'
)
os.environ['JAX_PLATFORMS'] = 'cpu'
# What one worker or program has compiled, the others take. They inherit the
# name of the directory.
if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
  _cache = tempfile.TemporaryDirectory(prefix='noisy_labels-')
  os.environ['JAX_COMPILATION_CACHE_DIR'] = _cache.name
  os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0'
  os.environ['JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES'] = '-1'

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
  """Sends tests that share costly work to one worker, all others anywhere."""
  from xdist import scheduler

  class BySharedWork(scheduler.LoadScopeScheduling):
    def _split_scope(self, nodeid):
      return _shared_work(nodeid)

  return BySharedWork(config, log)


# A run or a sweep that all tests of the file look at.
_OF_ONE_RUN = (
  'export_test',
  'loop_test',
  'noise_estimate_test',
  'pipeline_test',
  'sweep_test',
)
# Every loss in turn, compiled once.
_OF_ONE_LOSS = ('conformance_test', 'contract_test', 'cost_test')


def _shared_work(nodeid):
  path, _, test = nodeid.partition('::')
  stem = os.path.basename(path).removesuffix('.py')
  if stem in _OF_ONE_RUN:
    return path
  parameters = test.partition('[')[2].rstrip(']').split('-')
  names = [name for name in parameters if name.isidentifier()]
  if stem in _OF_ONE_LOSS and 'losses' in path and names:
    return max(names, key=len)
  return nodeid


_ended = itertools.count(1)


def pytest_runtest_teardown(item):
  """Forgets from time to time what was compiled.

  Each program that is kept makes the next one slower to link, and is some dozen
  mappings of memory, of which a process may have 65,530.
  """
  if 'jax' in sys.modules and next(_ended) % 40 == 0:
    sys.modules['jax'].clear_caches()
