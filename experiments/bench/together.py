"""Measures a step of several seeds in one program against as many steps.

  scripts/bench.sh together

Each with cross entropy, on whatever device jax finds.
"""

import argparse
from collections.abc import Callable
import pathlib
from typing import Any

import jax

from experiments import build
from experiments import devices
from experiments import models
from experiments import together
from experiments import training
from experiments.bench import measure
from experiments.configs import common


def main(arguments: list[str] | None = None) -> None:
  """Print the table."""
  options = _parse(arguments)
  print(
    f'jax {jax.__version__}, {jax.devices()[0].device_kind}, '
    f'{options.dataset}, batch {options.batch}, {options.seeds} seeds'
  )
  print(f'{"":12}ms apart  together  ratio')
  for model in options.models:
    apart, at_once = _steps(model, options)
    taken = measure.ratio(at_once, apart, (), options.seconds)
    milliseconds = 1e3 * taken.baseline
    print(
      f'{model:12}{milliseconds:8.2f}{taken.ratio * milliseconds:10.2f}'
      f'{taken.ratio:7.2f}',
      flush=True,
    )


def _steps(
  model: str, options: Any
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """What takes a step of each seed: one after the other, and all at once."""
  local = devices.local(jax.local_devices()[:1])
  members = [
    _member(model, seed, options, local) for seed in range(options.seeds)
  ]
  alone = [_Stepper([member], local) for member in members]
  at_once = _Stepper(members, local)
  return lambda: [stepper() for stepper in alone], at_once


class _Stepper:
  """Takes a step at each call, from where the last one ended."""

  def __init__(self, members: list[together.Member], local: devices.Local):
    self._steps = together.Steps(members, local)
    started = [training.start(member, local) for member in members]
    self._given = self._steps.join(started)
    self._row = self._steps.join_rows(
      [training.rows_of(member, local, epoch=0) for member in members]
    )[0]

  def __call__(self) -> Any:
    state, memory, _ = self._steps.take(*self._given, self._row)
    self._given = state, memory
    return self._given


def _member(
  model: str, seed: int, options: Any, local: devices.Local
) -> together.Member:
  config = common.get_config()
  config.dataset = options.dataset
  config.model.name = model
  config.batch_size = options.batch
  config.seed = seed
  given, data = build.make_data(config, options.data_dir, local)
  known = build.known(config, data, given)
  parts = build.make_parts(config, data, known)
  return together.Member(config, pathlib.Path(), data, known, parts)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh together',
    description='A step of several seeds at once against as many steps.',
  )
  parser.add_argument(
    '--models',
    default=('mlp', 'cnn4'),
    type=lambda text: tuple(text.split(',')),
    metavar='NAME,NAME',
    help=f'of {", ".join(models.MODELS)} (default: mlp,cnn4)',
  )
  parser.add_argument('--dataset', default='digits', help='(default: digits)')
  parser.add_argument('--data_dir', help='where TFDS keeps its data')
  parser.add_argument('--seeds', type=int, default=3, help='(default: 3)')
  parser.add_argument('--batch', type=int, default=64, help='(default: 64)')
  parser.add_argument(
    '--seconds',
    type=float,
    default=5.0,
    help='to spend on each, at least (default: %(default)s)',
  )
  return parser.parse_args(arguments)


if __name__ == '__main__':
  main()
