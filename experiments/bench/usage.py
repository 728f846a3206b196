"""What a process uses: processor time, and memory at its peak."""

import pathlib
import resource

_KIB = 1024


def processor_time() -> float:
  """Seconds that all threads have used, and processes that have ended."""
  parts = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
  return sum(
    usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, parts)
  )


def limit_memory(gib: float) -> None:
  """Lets this process ask for so much and no more."""
  limit = int(gib * 2**30)
  resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def reset_peak() -> float:
  """Forgets the peak of memory, where Linux lets it, and returns the new."""
  try:
    pathlib.Path('/proc/self/clear_refs').write_text('5')
  except OSError:
    pass
  return peak()


def peak() -> float:
  """MiB, at most, since the start or the last `reset_peak`."""
  status = pathlib.Path('/proc/self/status')
  if status.exists():
    for line in status.read_text().splitlines():
      if line.startswith('VmHWM:'):
        return int(line.split()[1]) / _KIB
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB
