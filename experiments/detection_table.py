"""How many wrong labels detectors find, ours and cleanlab's: a table.

  python -m experiments.detection_table --data_dir=DIR --workdir=runs/detection

Trains the models of folds for each problem of the configuration, gives both
tools the same held-out probabilities and the same labels, and compares what
they suspect with what is wrong. A command that was stopped goes on when it is
given again.
"""

import functools
import pathlib
import re
from typing import Any

from absl import flags
import ml_collections
import numpy as np

from experiments import detection_scores
from experiments import devices
from experiments import launch
from experiments import log
from experiments import loop

FLAGS = flags.FLAGS
# Rounding: scores of one definition, in another order of operations.
_EQUAL = 1e-4


def main() -> None:
  """Runs what the flags say."""
  config = FLAGS.config
  workdir = pathlib.Path(FLAGS.workdir or 'runs/detection')
  print(devices.describe(), flush=True)
  train = functools.partial(loop.run, data_dir=FLAGS.data_dir)
  results: dict[str, Any] = {}
  for name, fields in config.problems.items():
    run = ml_collections.ConfigDict(config.base.to_dict())
    run.update(fields)
    folder = workdir / re.sub(r'\W+', '_', name).strip('_')
    results[name] = _solve(run, folder, train, name)
    log.write_json(workdir / 'results.json', results)
  text = '\n\n'.join(tables(results))
  print(text)
  log.write_text(workdir / 'detection.md', text + '\n')


def _solve(run, folder, train, title) -> dict[str, Any]:
  """What each detector makes of one problem, which is kept in its folder."""
  train(run, folder, title=title)
  with np.load(folder / 'predictions.npz') as saved:
    return detection_scores.compare(
      saved['label'], np.exp(saved['log_probs']), saved['true_label']
    )


def tables(results: dict[str, Any]) -> list[str]:
  """Markdown: both numbers of the scores, the masks, the numbers of errors."""
  return [
    _scores(results, 'average_precision', 'Average precision'),
    _scores(results, 'precision', 'Precision at the true number of errors'),
    _masks(results),
    _expected(results),
  ]


def _scores(results, number, title):
  first = next(iter(results.values()))
  columns = [
    (tool, name)
    for tool in ('cleanlab', 'ours')
    for name in first[tool]['scores']
  ]
  rows = []
  for problem, result in results.items():
    values = {
      tool: {
        name: score[number] for name, score in result[tool]['scores'].items()
      }
      for tool in ('cleanlab', 'ours')
    }
    best = {tool: max(values[tool].values()) for tool in values}
    loses = '*' if best['ours'] < best['cleanlab'] - _EQUAL else ''
    cells = [f'{100 * values[tool][name]:.2f}' for tool, name in columns]
    rows.append((problem + loses, f'{100 * result["accuracy"]:.1f}', *cells))
  names = [f'{tool}: {name.replace("_", " ")}' for tool, name in columns]
  return f'{title}, %\n\n' + _markdown(('', 'accuracy', *names), rows)


def _masks(results):
  columns = ('number', 'precision', 'recall')
  rows = []
  for problem, result in results.items():
    for name in detection_scores.FILTERS:
      one, other = (
        result[tool]['masks'][name] for tool in ('cleanlab', 'ours')
      )
      cells = [
        f'{mask[column]}' if column == 'number' else f'{100 * mask[column]:.1f}'
        for mask in (one, other)
        for column in columns
      ]
      rows.append((problem, str(result['wrong']), f'`{name}`', *cells))
  names = [
    f'{tool}: {column}' for tool in ('cleanlab', 'ours') for column in columns
  ]
  header = ('', 'wrong', 'filter', *names)
  return 'Masks, precision and recall in %\n\n' + _markdown(header, rows)


def _expected(results):
  rows = []
  for problem, result in results.items():
    cells = [str(result['wrong']), f'{result["expected"][0]:.0f}']
    for kind in ('expected', 'calibrated'):
      _, lower, upper = result[kind]
      misses = '' if lower <= result['wrong'] <= upper else ' *'
      cells.append(f'{lower:.0f} to {upper:.0f}{misses}')
    rows.append((problem, *cells))
  header = ('', 'wrong', 'expected', '95% interval', 'calibrated')
  text = 'Number of wrong labels; * marks an interval without it'
  return f'{text}\n\n' + _markdown(header, rows)


def _markdown(header, rows):
  lines = [header, ['---'] * len(header), *rows]
  return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='detection_table.py', base='base.')
