"""Measures the confident joint and what follows from it against cleanlab.

  scripts/bench.sh estimation

From numpy arrays to the prior, the noise matrix and its inverse. Each tool runs
in a process of its own, one after the other. docs/estimation.md has the result.
"""

import argparse
from collections.abc import Callable
import json
import subprocess
import sys
import time

import numpy as np

from experiments.bench import usage

SHAPES = ((50_000, 10), (50_000, 1000), (1_000_000, 100))
TOOLS = ('cleanlab', 'numpy', 'jax')
_KIB = 1024
LEGEND = """\
first: milliseconds of the first call, with what is compiled in it
best: of the calls after it; ratio: cleanlab's best over it
peak: MiB of memory that calls added to the process with its imports and data
cleanlab: compute_confident_joint and estimate_latent, of numpy arrays
numpy: estimation.confident_joint of numpy arrays
jax: the same in jax.jit, of arrays that are on the device"""


def main(arguments: list[str] | None = None) -> None:
  """Print the table, or what one tool needs for one shape."""
  options = _parse(arguments)
  if options.tool:
    (shape,) = options.shape
    print(json.dumps(measure(options.tool, shape, options.calls)))
    return
  print(LEGEND)
  columns = ('examples', 'classes', 'tool', 'first', 'best', 'ratio', 'peak')
  print('\n' + ''.join(f'{column:>10}' for column in columns))
  for shape in options.shape or SHAPES:
    baseline = None
    for tool in TOOLS:
      first, best, peak = _in_a_process(tool, shape, options.calls)
      baseline = baseline or best
      print(
        f'{shape[0]:10}{shape[1]:10}{tool:>10}{1e3 * first:10.1f}'
        f'{1e3 * best:10.1f}{baseline / best:10.1f}{peak:10.0f}',
        flush=True,
      )


def problem(examples: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
  """Labels and float32 predictions; makes nothing larger on the way."""
  rng = np.random.default_rng(0)
  labels = rng.integers(classes, size=examples)
  probs = rng.random((examples, classes), np.float32)
  np.power(probs, 4, out=probs)
  rows = np.arange(examples)
  seen = np.where(rng.random(examples) < 0.8, labels, labels[::-1])
  probs[rows, seen] += 0.3 * classes * rng.random(examples, np.float32)
  probs /= probs.sum(axis=1, keepdims=True)
  return labels, probs


def measure(
  tool: str, shape: tuple[int, int], calls: int
) -> tuple[float, float, float]:
  """Return seconds of the first and best call, and MiB that they added."""
  function = _function(tool)
  # Kept, since what is freed would hide as much of what is made.
  arrays = host = problem(*shape)
  if tool == 'jax':
    import jax

    arrays = jax.block_until_ready(jax.device_put(host))
  before = usage.peak()
  times = []
  for _ in range(calls + 1):
    start = time.perf_counter()
    function(*arrays)
    times.append(time.perf_counter() - start)
  added = usage.peak() - before
  del host
  return times[0], min(times[1:]), added


def _function(tool: str) -> Callable:
  if tool == 'cleanlab':
    from cleanlab import count

    def by_cleanlab(labels, probs):
      joint = count.compute_confident_joint(labels, probs)
      return count.estimate_latent(joint, labels)

    return by_cleanlab
  import jax

  from noisy_labels import estimation

  def ours(labels, probs):
    estimate = estimation.confident_joint(labels, probs)
    return estimate.prior, estimate.transition, estimate.inverse

  if tool == 'numpy':
    return ours
  compiled = jax.jit(ours)
  return lambda *arrays: jax.block_until_ready(compiled(*arrays))


def _in_a_process(tool, shape, calls) -> tuple[float, float, float]:
  command = [sys.executable, '-m', 'experiments.bench.estimation']
  flags = [f'--tool={tool}', f'--calls={calls}', '--shape={}x{}'.format(*shape)]
  output = subprocess.run(
    [*command, *flags], check=True, capture_output=True, text=True
  )
  return tuple(json.loads(output.stdout))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh estimation',
    description='Time and memory of the confident joint against cleanlab.',
    epilog=LEGEND,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--shape',
    action='append',
    metavar='EXAMPLESxCLASSES',
    type=parse_shape,
    help='of the predictions; may be repeated (default: 50000x10, 50000x1000 '
    'and 1000000x100)',
  )
  parser.add_argument(
    '--calls',
    type=int,
    default=7,
    help='after the first, of which the best counts (default: %(default)s)',
  )
  parser.add_argument('--tool', choices=TOOLS, help=argparse.SUPPRESS)
  return parser.parse_args(arguments)


def parse_shape(text: str) -> tuple[int, int]:
  """The numbers of an argument such as 50000x10."""
  try:
    examples, classes = (int(number) for number in text.split('x'))
  except ValueError:
    raise argparse.ArgumentTypeError(f'{text!r} is not like 50000x10') from None
  return examples, classes


if __name__ == '__main__':
  main()
