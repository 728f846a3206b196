"""Measures every loss of `losses.PER_EXAMPLE` against plain cross entropy.

  scripts/bench.sh losses

Value and gradient of the mean loss of a batch, compiled, on whatever device jax
finds. docs/benchmarks.md has the results, and what was tried.
"""

import argparse
import importlib
import importlib.util
import pathlib
import sys
from types import ModuleType

import jax

from experiments.bench import comparison
from experiments.bench import parameters
from noisy_labels import losses

SHAPES = ((65536, 10), (4096, 1000), (512, 32000), (128, 128256))
DTYPES = ('float32', 'bfloat16')


def main(arguments: list[str] | None = None) -> None:
  """Print the tables."""
  options = _parse(arguments)
  torch_forms: ModuleType | None = None
  if (reason := _without_torch()) is None:
    torch_forms = importlib.import_module('experiments.bench.torch_forms')
  device = jax.devices()[0].device_kind
  said: list[str] = []

  def say(line):
    print(line, flush=True)
    said.append(line)

  say(f'jax {jax.__version__}, {device}' + (f'; {reason}' if reason else ''))
  say(comparison.LEGEND)
  shapes, dtypes = options.shape or SHAPES, options.dtype or DTYPES
  numbers = len(options.losses) * (3 if torch_forms else 2)
  minutes = len(shapes) * len(dtypes) * numbers * (options.seconds + 1) / 60
  print(
    f'{len(shapes)} shapes, {len(dtypes)} dtypes, {numbers} numbers each of '
    f'{options.seconds:g} s and their compilation: about {minutes:.0f} min',
    file=sys.stderr,
  )
  for shape in shapes:
    for dtype in dtypes:
      say('')
      for line in comparison.lines(
        options.losses, shape, dtype, options.seconds, torch_forms
      ):
        say(line)
  if options.output:
    options.output.write_text('\n'.join(said) + '\n')


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh losses',
    description='Time and memory of the losses against plain cross entropy.',
    epilog=comparison.LEGEND,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--losses',
    default=losses.PER_EXAMPLE,
    type=_names,
    metavar='NAME,NAME',
    help='which to measure (default: all)',
  )
  parser.add_argument(
    '--shape',
    action='append',
    metavar='BATCHxCLASSES',
    type=_shape,
    help='of the logits, for example 4096x1000; may be repeated '
    '(default: four, from 65536x10 to 128x128256)',
  )
  parser.add_argument(
    '--dtype',
    action='append',
    choices=('float32', 'bfloat16', 'float16'),
    help='of the logits; may be repeated (default: float32 and bfloat16)',
  )
  parser.add_argument(
    '--seconds',
    type=float,
    default=1.0,
    help='to spend on each number (default: %(default)s)',
  )
  parser.add_argument(
    '--output', type=pathlib.Path, help='file to write the tables to as well'
  )
  options = parser.parse_args(arguments)
  unknown = [name for name in options.losses if name not in losses.PER_EXAMPLE]
  if unknown:
    parser.error(f'not in losses.PER_EXAMPLE: {", ".join(unknown)}')
  missing = [name for name in options.losses if name not in parameters.ENTRIES]
  if missing:
    parser.error(
      f'experiments/bench/parameters.py has no entry for {", ".join(missing)}'
    )
  return options


def _names(text: str) -> tuple[str, ...]:
  return tuple(text.split(','))


def _shape(text: str) -> tuple[int, int]:
  try:
    batch, classes = (int(number) for number in text.split('x'))
  except ValueError:
    raise argparse.ArgumentTypeError(
      f'{text!r} is not like 4096x1000'
    ) from None
  return batch, classes


def _without_torch() -> str | None:
  """Return why PyTorch is not measured, or None if it is."""
  if importlib.util.find_spec('torch') is None:
    return 'no PyTorch: pip install "noisy-labels[bench]"'
  if jax.default_backend() != 'cpu':
    return 'no PyTorch, which is measured on CPUs only'
  return None


if __name__ == '__main__':
  main()
