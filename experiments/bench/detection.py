"""Measures the detectors of predictions against cleanlab.

  scripts/bench.sh detection

From arrays to a mask or to scores. Each tool runs in a process of its own, one
after the other, each task in the same process but with its own peak of memory.
A task that takes too long ends its process, and another goes on after it.
docs/detection.md has the result.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any
import warnings

from experiments.bench import detection_tasks
from experiments.bench import estimation
from experiments.bench import usage

SHAPES = (
  (50_000, 10),
  (50_000, 1000),
  (1_000_000, 10),
  (1_000_000, 100),
  (10_000, 10_000),
)
LEGEND = """\
ms: the best call; first: the first call, with what is compiled in it
times: the faster of cleanlab's two over it; * where that is below 5
MiB: memory that calls added to the process with its imports and data
cleanlab: of numpy arrays, with n_jobs=1; default: without, several processes,
of whose memory only the first's is counted
numpy: noisy_labels.detection of numpy arrays
jax: the same in jax.jit, of arrays that are on the device
time: it took longer than is allowed; memory: it needed more"""
# Of one task, after which no further call is made.
_ENOUGH_SECONDS = 20.0


def main(arguments: list[str] | None = None) -> None:
  """Print the table, or what one tool needs for one shape."""
  options = _parse(arguments)
  if options.tool:
    (shape,) = options.shape
    usage.limit_memory(options.gib)
    for line in measure(options.tool, shape, options.task, options):
      print(json.dumps(line), flush=True)
    return
  print(f'Clock: {options.clock} time. {LEGEND}')
  for shape in options.shape or SHAPES:
    print(f'\n{shape[0]} examples, {shape[1]} classes\n{_HEADER}', flush=True)
    results = {
      tool: _in_processes(tool, shape, options)
      for tool in detection_tasks.TOOLS
    }
    for task in options.task:
      print(row(task, {tool: results[tool].get(task) for tool in results}))


_HEADER = (
  f'{"":28}{"------- ms -------":^38}{"first":>8}{"times":>16}'
  f'{"------ MiB ------":>22}\n'
  f'{"":28}{"cleanlab":>10}{"default":>9}{"numpy":>9}{"jax":>10}{"jax":>8}'
  f'{"numpy":>8}{"jax":>8}{"cleanlab":>9}{"numpy":>6}{"jax":>7}'
)


def row(task: str, results: dict[str, Any]) -> str:
  """One line of the table; a result is None, a word, or three numbers."""
  times = {tool: _number(result, 1) for tool, result in results.items()}
  theirs = [times[tool] for tool in ('cleanlab', 'default') if times[tool]]

  def ratio(tool):
    if not theirs or not times[tool]:
      return '-'
    faster = min(theirs) / times[tool]
    return f'{faster:.1f}' + ('*' if faster < 5 else ' ')

  def cell(tool, place):
    number = _number(results[tool], place)
    if number is None:
      return results[tool] or '-'
    return f'{number:.{1 if number < 100 and place < 2 else 0}f}'

  return (
    f'{task:28}{cell("cleanlab", 1):>10}{cell("default", 1):>9}'
    f'{cell("numpy", 1):>9}{cell("jax", 1):>10}{cell("jax", 0):>8}'
    f'{ratio("numpy"):>8}{ratio("jax"):>8}{cell("cleanlab", 2):>9}'
    f'{cell("numpy", 2):>6}{cell("jax", 2):>7}'
  )


def _number(result, place):
  return None if result is None or isinstance(result, str) else result[place]


def measure(tool, shape, tasks, options):
  """Yield [task, [ms of the first call, of the best, MiB added]] of each.

  Or a word in the place of the numbers, if it could not be done.
  """
  warnings.simplefilter('ignore')  # Of classes with few examples.
  arrays = estimation.problem(*shape)
  if tool == 'jax':
    import jax

    arrays = jax.block_until_ready(jax.device_put(arrays))
  for task in tasks:
    function = detection_tasks.function(tool, task)
    if function is None:
      continue
    # What is not handled ends the process, also in the middle of a call.
    signal.alarm(options.seconds)
    try:
      yield task, _measure(function, arrays, options)
    except MemoryError:
      yield task, 'memory'
    except RuntimeError as error:
      if 'RESOURCE_EXHAUSTED' not in str(error):
        raise
      yield task, 'memory'
    signal.alarm(0)


def _measure(function, arrays, options):
  now = _CLOCKS[options.clock]
  before = usage.reset_peak()
  times: list[float] = []
  began = time.monotonic()
  while len(times) <= options.calls:
    start = now()
    function(*arrays)
    times.append(1e3 * (now() - start))
    if len(times) > 1 and time.monotonic() - began > _ENOUGH_SECONDS:
      break
  # Where a first call took long, no other is waited for.
  return times[0], min(times[1:] or times), usage.peak() - before


def _in_processes(tool, shape, options) -> dict[str, Any]:
  """What each task gave; tasks that ended their process are 'time'."""
  results: dict[str, Any] = {}
  left = [task for task in options.task if detection_tasks.function(tool, task)]
  while left:
    flags = [
      f'--tool={tool}',
      f'--shape={shape[0]}x{shape[1]}',
      f'--calls={options.calls}',
      f'--seconds={options.seconds}',
      f'--gib={options.gib}',
      f'--clock={options.clock}',
      *(f'--task={task}' for task in left),
    ]
    process = subprocess.Popen(
      [sys.executable, '-m', 'experiments.bench.detection', *flags],
      stdout=subprocess.PIPE,
      text=True,
      start_new_session=True,
    )
    for line in process.stdout or ():
      task, result = json.loads(line)
      results[task] = result
    code = process.wait()
    left = [task for task in left if task not in results]
    if left:
      stopped = code == -signal.SIGALRM
      results[left.pop(0)] = 'time' if stopped else 'memory'
      if code > 0:
        raise SystemExit(f'{tool} failed')
    _end_group(process.pid)
  return results


def _end_group(group):
  """Ends the workers of a process that was ended."""
  try:
    os.killpg(group, signal.SIGKILL)
  except ProcessLookupError:
    pass


_CLOCKS = {'wall': time.perf_counter, 'processor': usage.processor_time}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh detection',
    description='Time and memory of detectors against cleanlab.',
    epilog=LEGEND,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  shapes = ', '.join(f'{n}x{k}' for n, k in SHAPES)
  parser.add_argument(
    '--shape',
    action='append',
    metavar='EXAMPLESxCLASSES',
    type=estimation.parse_shape,
    help=f'of the predictions; may be repeated (default: {shapes})',
  )
  parser.add_argument(
    '--task',
    action='append',
    choices=detection_tasks.TASKS,
    help='may be repeated (default: all)',
  )
  parser.add_argument(
    '--calls',
    type=int,
    default=3,
    help='at most, after the first, of which the best counts (default: '
    '%(default)s)',
  )
  parser.add_argument(
    '--seconds',
    type=int,
    default=300,
    help='for one task of one tool, at most (default: %(default)s)',
  )
  parser.add_argument(
    '--gib',
    type=float,
    default=8.0,
    help='of memory that a tool may ask for (default: %(default)s)',
  )
  parser.add_argument(
    '--clock',
    choices=_CLOCKS,
    default='wall',
    help='processor: what all threads and processes of a tool use, on a '
    'machine that has other work too (default: %(default)s)',
  )
  parser.add_argument(
    '--tool', choices=detection_tasks.TOOLS, help=argparse.SUPPRESS
  )
  options = parser.parse_args(arguments)
  options.task = options.task or list(detection_tasks.TASKS)
  return options


if __name__ == '__main__':
  main()
