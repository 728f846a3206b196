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


def tables(results):
  return []


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='detection_table.py', base='base.')
