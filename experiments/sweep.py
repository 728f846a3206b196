"""Trains several systems with several seeds, and compares them.

  python -m experiments.sweep --config=experiments/configs/four_systems.py

Prints a table and writes report.html. A sweep that was stopped goes on when the
same command is given again: finished runs are not run again. --config.seeds
says how many seeds, --config.base.FIELD changes what all systems share.
"""

import itertools
import json
import pathlib
from typing import Any

from absl import flags
import jax
import ml_collections

from experiments import build
from experiments import devices
from experiments import errors
from experiments import launch
from experiments import log
from experiments import loop
from experiments import record
from experiments import table

FLAGS = flags.FLAGS


def main() -> None:
  """Runs what the flags say."""
  config = FLAGS.config
  if not {'systems', 'sweeps'} & set(config):
    raise errors.UsageError(
      '--config describes one run, not a sweep: give it to '
      'python -m experiments.main'
    )
  workdir = pathlib.Path(FLAGS.workdir or f'runs/{launch.config_file().stem}')
  if jax.process_index() == 0:
    print(devices.describe(), flush=True)
  if 'systems' in config:
    _run_and_report(config, workdir)
    return
  for name, sweep in config.sweeps.items():
    sweep.seeds = config.seeds
    _run_and_report(sweep, workdir / name)


def _run_and_report(
  sweep: ml_collections.ConfigDict, workdir: pathlib.Path
) -> None:
  if sweep.get('sort'):
    errors.check_name('config.sort', sweep.sort, record.RULES)
  summaries = run(sweep, workdir, data_dir=FLAGS.data_dir)
  if jax.process_index() != 0:
    return
  # Imported here because plots are slow, and --help need not wait for them.
  from experiments import report

  if sweep.get('sort'):
    summaries = table.ranked(summaries, sweep.sort)
  log.write_json(workdir / 'results.json', summaries)
  path = report.write(workdir, sweep, summaries)
  table.show(
    summaries, f'{report.title(sweep, summaries)}\nPercent, mean ± deviation'
  )
  print(f'Report: {path.absolute()}')


def run(
  sweep: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  data_dir: str | None,
) -> dict[str, list[dict[str, Any]]]:
  """Runs every system with every seed, or reads what is finished.

  Args:
    sweep: `base`, the configuration that all share; `systems`, from a name to
      the fields that differ; `seeds`, how many.
    workdir: holds a directory for each system and seed.
    data_dir: where TFDS keeps its data.

  Returns:
    For each system, the summaries of its seeds.
  """
  if sweep.seeds < 1:
    raise errors.UsageError(f'config.seeds={sweep.seeds} is less than 1')
  configs = {
    name: [build.one_config(sweep, fields, seed) for seed in range(sweep.seeds)]
    for name, fields in sweep.systems.items()
  }
  summaries: dict[str, list[dict[str, Any]]] = {name: [] for name in configs}
  total = len(configs) * sweep.seeds
  # Seeds go outside, so that a stopped sweep has every system.
  order = itertools.product(range(sweep.seeds), configs)
  for number, (seed, name) in enumerate(order, 1):
    directory = pathlib.Path(workdir) / name / f'seed{seed}'
    title = f'[{number}/{total}] {name}, seed {seed}'
    summary = loop.run(
      configs[name][seed], directory, data_dir=data_dir, title=title
    )
    summaries[name].append(summary)
    # No run can use what another compiled, and many fill the memory.
    jax.clear_caches()
    if jax.process_index() == 0:
      accuracy = summary['last']['test_accuracy']
      print(f'{title}: test accuracy {accuracy:.1%} in the last epoch')
  return json.loads(json.dumps(summaries))


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='four_systems.py', base='base.')
