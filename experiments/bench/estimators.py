"""Measures every estimator of the noise on predictions for very many classes.

  scripts/bench.sh estimators

Each estimator runs in a process of its own, one after the other, jitted, on
arrays that are there before. docs/estimation.md has the result. HOC's steps
take K^3 each, of which it needs hundreds: a few show what one costs.
"""

import argparse
from collections.abc import Callable
import json
import subprocess
import sys
import time

import jax
import jax.numpy as jnp

from experiments.bench import estimation as bench
from experiments.bench import usage
from noisy_labels import estimation

SHAPE = (20_000, 10_000)
EM_STEPS = HOC_STEPS = 2
# What HOC looks for neighbours by.
_NUM_FEATURES = 64
LEGEND = f"""\
first: seconds of the first call, with what is compiled in it
second: of the call after it
peak: MiB of memory that the calls added to the process with its imports and
data; K^2: the same in units of one [K, K] of float32
em_transition takes {EM_STEPS} steps, hoc {HOC_STEPS}"""
_MATRIX = 4 / 2**20
# Jitted all; the first of numpy arrays, by numpy, too.
_ESTIMATORS: dict[str, Callable] = {
  'confident_joint': estimation.confident_joint,
  'anchor_points': lambda labels, probs: estimation.anchor_points(
    probs, percentile=97.0
  ),
  'dual_transition': estimation.dual_transition,
  'trusted_transition': estimation.trusted_transition,
  'em_transition': lambda labels, probs: estimation.em_transition(
    labels, jnp.log(probs), num_steps=EM_STEPS
  ),
  'hoc': lambda labels, probs: estimation.hoc(
    probs[:, :_NUM_FEATURES],
    labels,
    num_classes=probs.shape[1],
    num_steps=HOC_STEPS,
  ),
}
NAMES = ('confident_joint (numpy)', *_ESTIMATORS)


def main(arguments: list[str] | None = None) -> None:
  """Print the table, or what one estimator needs."""
  options = _parse(arguments)
  if options.estimator:
    print(json.dumps(measure(options.estimator, options.shape)))
    return
  print(f'{LEGEND}\n\nexamples x classes: {"{}x{}".format(*options.shape)}')
  print(f'{"":24}{"first":>10}{"second":>10}{"peak":>10}{"K^2":>10}')
  for name in NAMES:
    first, second, peak = _in_a_process(name, options.shape)
    matrices = peak / (_MATRIX * options.shape[1] ** 2)
    print(
      f'{name:24}{first:10.2f}{second:10.2f}{peak:10.0f}{matrices:10.1f}',
      flush=True,
    )


def measure(name: str, shape: tuple[int, int]) -> tuple[float, float, float]:
  """Return seconds of the first and second call, and MiB that they added."""
  # Kept, since what is freed would hide as much of what is made.
  arrays = host = bench.problem(*shape)
  function = _ESTIMATORS[name.partition(' ')[0]]
  if not name.endswith('(numpy)'):
    function = jax.jit(function)
    arrays = jax.block_until_ready(jax.device_put(host))
  before = usage.peak()
  times = []
  for _ in range(2):
    start = time.perf_counter()
    jax.block_until_ready(function(*arrays))
    times.append(time.perf_counter() - start)
  added = usage.peak() - before
  del host
  return times[0], times[1], added


def _in_a_process(name, shape) -> tuple[float, float, float]:
  command = [sys.executable, '-m', 'experiments.bench.estimators']
  flags = [f'--estimator={name}', '--shape={}x{}'.format(*shape)]
  output = subprocess.run(
    [*command, *flags], check=True, capture_output=True, text=True
  )
  return tuple(json.loads(output.stdout))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh estimators',
    description='Time and memory of the estimators with very many classes.',
    epilog=LEGEND,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--shape',
    default=SHAPE,
    metavar='EXAMPLESxCLASSES',
    type=bench.parse_shape,
    help='of the predictions (default: {}x{})'.format(*SHAPE),
  )
  parser.add_argument('--estimator', choices=NAMES, help=argparse.SUPPRESS)
  return parser.parse_args(arguments)


if __name__ == '__main__':
  main()
