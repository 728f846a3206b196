"""How well estimators find noise that is known: a table, and heat maps.

  python -m experiments.recovery --data_dir=DIR --workdir=runs/recovery

Only some of the problems, by how their names begin:

  --config=experiments/configs/mnist_recovery.py:CIFAR-10N

Trains the models of folds for each problem of the configuration, runs every
estimator on what they predict, and compares with the labels' true noise. A
command that was stopped goes on when it is given again.
"""

import functools
import html
import pathlib
import re
from typing import Any

from absl import flags
import ml_collections
import numpy as np
from rich import console as rich_console
from rich import table as rich_table

from experiments import devices
from experiments import launch
from experiments import log
from experiments import loop
from experiments import noise_estimate
from noisy_labels import noise

FLAGS = flags.FLAGS
COLUMNS = (
  'row distance',
  'rate',
  'estimate',
  'its bias',
  '95% interval',
  'covers',
)


def main() -> None:
  """Runs what the flags say."""
  config = FLAGS.config
  workdir = pathlib.Path(FLAGS.workdir or 'runs/recovery')
  print(devices.describe(), flush=True)
  train = functools.partial(loop.run, data_dir=FLAGS.data_dir)
  results: dict[str, Any] = {}
  for name, fields in config.problems.items():
    run = ml_collections.ConfigDict(config.base.to_dict())
    run.update(fields)
    folder = workdir / re.sub(r'\W+', '_', name).strip('_')
    results[name] = _solve(run, folder, config.estimators, train, name)
    log.write_json(workdir / 'results.json', results)
  show(results)
  print(f'Heat maps: {write_page(workdir, results).absolute()}')


def _solve(run, folder, estimators, train, title) -> dict[str, Any]:
  """The noise of one problem, and what each estimator made of it."""
  result: dict[str, Any] = {'estimates': {}}
  for estimator in estimators:
    run.noise_estimate = estimator
    found = noise_estimate.find(run, folder, train=train, title=title)
    if 'transition' not in result:
      predictions = next(folder.glob('noise_estimate/*/predictions.npz'))
      with np.load(predictions) as saved:
        made = noise.measure(
          saved['true_label'], saved['label'], num_classes=len(found.prior)
        )
      result['transition'] = made.transition.tolist()
      result['rate'] = made.rate
    result['estimates'][estimator] = {
      'transition': found.transition.tolist(),
      'rate': found.rate,
      'rate_bias': found.rate_bias,
      'rate_interval': found.rate_interval,
      'row_distance': row_distance(result['transition'], found.transition),
    }
  return result


def row_distance(one: Any, other: Any) -> float:
  """The mean total variation distance of the rows, in [0, 1]."""
  return float(np.abs(np.asarray(one) - np.asarray(other)).sum(1).mean() / 2)


def show(results: dict[str, Any]) -> None:
  """Prints one row a problem and estimator."""
  table = rich_table.Table(
    title='Row distance: mean total variation distance of the rows of T',
    title_justify='left',
  )
  table.add_column('', no_wrap=True)
  table.add_column('', no_wrap=True)
  for column in COLUMNS:
    table.add_column(column, justify='right')
  for problem, result in results.items():
    for estimator, found in result['estimates'].items():
      table.add_row(problem, estimator, *_cells(result['rate'], found))
  console = rich_console.Console()
  if not console.is_terminal:
    console = rich_console.Console(width=120)
  console.print(table)


def _cells(rate: float, found: dict[str, Any]) -> tuple[str, ...]:
  bias, interval = found['rate_bias'], found['rate_interval']
  covers, ends = '-', '-'
  if interval:
    covers = 'yes' if interval[0] <= rate <= interval[1] else 'no'
    ends = f'{interval[0]:.1%} to {interval[1]:.1%}'
  return (
    f'{found["row_distance"]:.3f}',
    f'{rate:.1%}',
    f'{found["rate"]:.1%}',
    '-' if bias is None else f'{bias:+.1%}',
    ends,
    covers,
  )


def write_page(workdir: pathlib.Path, results: dict[str, Any]) -> pathlib.Path:
  """Writes heat maps of every T, true and estimated, in one page."""
  # Imported here because plots are slow, and --help need not wait for them.
  from experiments import figures
  from experiments import heat_maps

  parts = []
  for problem, result in results.items():
    maps = {'true': 100 * np.array(result['transition'])}
    for name, found in result['estimates'].items():
      maps[name] = 100 * np.array(found['transition'])
    classes = [str(i) for i in range(len(maps['true']))]
    figure = figures.svg(heat_maps.draw(maps, classes))
    parts.append(f'<h2>{html.escape(problem)}</h2>{figure}')
  path = workdir / 'recovery.html'
  log.write_text(
    path,
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<title>Noise, true and estimated</title>'
    '<style>body { font: 16px system-ui, sans-serif; margin: 1rem; }'
    ' svg { max-width: 100%; height: auto; }</style>'
    '<h1>Noise, true and estimated</h1>' + ''.join(parts) + '</html>\n',
  )
  return path


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='mnist_recovery.py', base='base.')
