"""Four CPU devices, whatever the machine; must run before jax is imported."""

import os
import sys
import tempfile

# Most of the time is compilation, and machine code need not be fast: neither
# optimised, nor fused by MLIR, which takes two fifths of that, nor made in many
# small parts, for as many threads. Of flags said twice the last counts, so with
# XLA_FLAGS the suite tests what users run.
os.environ['XLA_FLAGS'] = (
  '--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false '
  '--xla_cpu_parallel_codegen_split_count=1 '
  + os.environ.get('XLA_FLAGS', '')
  + ' --xla_force_host_platform_device_count=4'
)
os.environ['JAX_PLATFORMS'] = 'cpu'
# What one worker or program has compiled, the others take, but for what is
# compiled sooner than kept. They inherit the name of the directory.
if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
  _cache = tempfile.TemporaryDirectory(prefix='noisy_labels-')
  os.environ['JAX_COMPILATION_CACHE_DIR'] = _cache.name
  os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0.3'
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


# Every loss, method and detector in turn, compiled once.
_OF_ONE_NAME = {
  'detection': ('conformance_test.py',),
  'losses': ('conformance_test.py', 'contract_test.py', 'cost_test.py'),
  'methods': ('conformance_test.py',),
}


def _shared_work(nodeid):
  """The name that a test of every loss is about; of other tests, the file."""
  path, _, test = nodeid.partition('::')
  folder, file = os.path.split(path)
  kind = os.path.basename(folder)
  if file not in _OF_ONE_NAME.get(kind, ()):
    return path
  parameters = test.partition('[')[2].rstrip(']').split('-')
  words = [text.partition(' ')[0] for text in parameters]
  names = [word for word in words if word.isidentifier()]
  return f'{kind} {max(names, key=len)}' if names else path


_ended = 0


def pytest_runtest_teardown(item, nextitem):
  """Forgets from time to time what was compiled, best where none is shared.

  Each program that is kept makes the next one slower to link, and is some dozen
  mappings of memory, of which a process may have 65,530.
  """
  global _ended
  _ended += 1
  goes_on = nextitem and _shared_work(nextitem.nodeid) == _shared_work(
    item.nodeid
  )
  if 'jax' in sys.modules and _ended >= (120 if goes_on else 40):
    sys.modules['jax'].clear_caches()
    _ended = 0
