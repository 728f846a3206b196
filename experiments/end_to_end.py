"""From images to suspicious labels: our folds against cleanlab's usual recipe.

  python -m experiments.end_to_end --data_dir=DIR --workdir=runs/end_to_end

No probabilities are given. Ours trains the models of folds by the loop, and
ranks the labels by what they predict; cleanlab's `CleanLearning` does so round
a model of scikit-learn, of the same images with the same labels, with as many
folds. Times are of everything, data and compilation included. What is finished
is not done again. With PyTorch (EXTRAS=bench), the recipe `skorch` trains our
networks in it:

  python -m experiments.end_to_end --config.recipes="('skorch',)" ...
"""

from collections.abc import Callable
from collections.abc import Sequence
import functools
import json
import pathlib
import re
import time
from typing import Any
import warnings

from absl import flags
import jax
import ml_collections
import numpy as np
from sklearn import linear_model
from sklearn import neural_network

from experiments import build
from experiments import detection_scores
from experiments import devices
from experiments import errors
from experiments import launch
from experiments import log
from experiments import loop
from experiments.bench import usage
from noisy_labels import detection

FLAGS = flags.FLAGS


def _skorch(config, pixels, num_classes):
  from experiments import end_to_end_skorch  # Needs PyTorch.

  return end_to_end_skorch.classifier(config, pixels, num_classes)


# Functions of the configuration of our run, and the numbers of pixels and
# classes.
RECIPES: dict[str, Callable[..., Any]] = {
  'logistic regression': lambda *_: linear_model.LogisticRegression(
    max_iter=100
  ),
  'MLP': lambda *_: neural_network.MLPClassifier((256, 256), max_iter=20),
  'skorch': _skorch,
}


def main() -> None:
  """Runs what the flags say."""
  config = FLAGS.config
  workdir = pathlib.Path(FLAGS.workdir or 'runs/end_to_end')
  for name in config.recipes:
    errors.check_name('config.recipes', name, RECIPES)
  print(devices.describe(), flush=True)
  results: dict[str, Any] = {}
  for name, fields in config.problems.items():
    run = ml_collections.ConfigDict(config.base.to_dict())
    run.update(fields)
    folder = workdir / re.sub(r'\W+', '_', name).strip('_')
    results[name] = solve(run, folder, config.recipes, FLAGS.data_dir)
  text = table(results)
  print(text)
  log.write_text(workdir / 'end_to_end.md', text + '\n')


def solve(
  config: ml_collections.ConfigDict,
  folder: pathlib.Path,
  recipes: Sequence[str],
  data_dir: str | None,
) -> dict[str, Any]:
  """What ours and each recipe took and found, which is kept in the folder.

  Args:
    config: of the run that trains our folds; recipes get its data and number of
      folds.
    folder: for everything that is written.
    recipes: names in `RECIPES`.
    data_dir: where TFDS keeps its data.

  Returns:
    For each, `seconds`, `processor` seconds of all threads, and the qualities
    of `detection_scores.score_quality`.

  Raises:
    RunError: the folds were stopped before, so that their time is not known.
  """
  tools = {'ours': functools.partial(_ours, config, folder, data_dir)}
  for name in recipes:
    tools[name] = functools.partial(_recipe, name, config, data_dir)
  results = {}
  for name, tool in tools.items():
    path = folder / f'{name.replace(" ", "_")}.json'
    if not path.exists():
      start = time.perf_counter(), usage.processor_time()
      wrong, score = tool()
      took = time.perf_counter() - start[0], usage.processor_time() - start[1]
      quality = detection_scores.score_quality(wrong, score)
      folder.mkdir(parents=True, exist_ok=True)
      log.write_json(
        path, {'seconds': took[0], 'processor': took[1], **quality}
      )
    results[name] = json.loads(path.read_text())
  return results


def _ours(config, folder, data_dir):
  workdir = folder / 'folds'
  if workdir.exists():
    raise errors.RunError(
      f'{workdir} was stopped, and its time is lost: remove it, and it is made '
      'again'
    )
  loop.run(config, workdir, data_dir=data_dir, title='folds')
  with np.load(workdir / 'predictions.npz') as saved:
    labels, probs = saved['label'], np.exp(saved['log_probs'])
    wrong = labels != saved['true_label']
  score = detection_scores.our_scores(labels, probs)['ensemble']
  detection.find_label_issues(labels, probs, scores=score)
  return wrong, score


def _recipe(name, config, data_dir):
  from cleanlab import classification

  _, data = build.make_data(config, data_dir, devices.local())
  shards = jax.tree.map(
    lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:]), data.train
  )
  rows = np.flatnonzero(shards.mask)
  images = shards.image[rows].reshape(len(rows), -1) / np.float32(255)
  labels = shards.label[rows].astype(np.int64)  # PyTorch takes no others.
  cleaner = classification.CleanLearning(
    RECIPES[name](config, images.shape[1], data.info.num_classes),
    cv_n_folds=config.folds,
    seed=config.seed,
  )
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # That it has not converged.
    issues = cleaner.find_label_issues(images, labels)
  return labels != shards.true_label[rows], 1 - issues['label_quality'].values


def table(results: dict[str, Any]) -> str:
  """Markdown, one row a problem and tool."""
  columns = 'seconds', 'processor', 'average_precision', 'precision'
  lines = [
    ('', '', 'seconds', 'of processor', 'average precision, %', 'precision, %'),
    ['---'] * 6,
  ]
  for problem, tools in results.items():
    for tool, result in tools.items():
      one = [result[column] for column in columns]
      cells = [f'{one[0]:.1f}', f'{one[1]:.1f}']
      cells += [f'{100 * one[2]:.2f}', f'{100 * one[3]:.2f}']
      lines.append((problem, tool, *cells))
  return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='end_to_end.py', base='base.')
