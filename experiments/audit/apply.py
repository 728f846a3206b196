"""Trains again with the labels that a person corrected: what that is worth."""

import hashlib
import json
import pathlib
from typing import Any

import ml_collections
import numpy as np

from experiments import devices
from experiments import errors
from experiments import evaluate
from experiments import log
from experiments import restore
from experiments.audit import held_out
from experiments.audit import pipeline
from experiments.audit import plan
from experiments.audit import review as review_lib
from experiments.audit import text
from experiments.data import label_file

_TEST = 'the test split'
_REVIEWED = 'reviewed labels, held out'


def run(
  audit: pipeline.Audit, path: pathlib.Path, workdir: pathlib.Path
) -> dict[str, Any]:
  """Trains with a review of the labels, and writes apply.json.

  The model is trained as that of all labels as they are, from the same seed.
  Both are measured on the test split; where there is none, on the labels that
  were reviewed, by models of folds that have not heard them.

  Args:
    audit: finished.
    path: the review.
    workdir: of the audit.

  Returns:
    What is in apply.json.

  Raises:
    UsageError: the review cannot be meant, or corrects nothing.
    RunError: it cannot be done.
    StoppedError: SIGTERM or SIGINT came; the same command goes on.
  """
  review = review_lib.read(
    path,
    labels=audit.found.label,
    num_classes=len(audit.data.class_names),
  )
  if not len(review.corrected) + len(review.removed):
    raise errors.UsageError(
      f'--apply={path} corrects no label and removes no image: there is '
      'nothing to train again'
    )
  folder, config = _write_labels(audit, review, workdir)
  # Without a test split it is measured on the labels that are known now.
  num_known = len(review.corrected) + len(review.right)

  def train(title):
    pipeline.train(plan.of_model(config), folder / 'model', audit.data, title)
    if num_known and not audit.data.has_test:
      pipeline.train(
        plan.of_folds(config),
        folder / 'folds',
        audit.data,
        f'{title}, {config.folds} folds',
      )

  audit.stages.run('Training with the reviewed labels', train)
  measured = (
    _on_test(audit, folder, workdir)
    if audit.data.has_test
    else _on_reviewed(review, audit, folder, workdir)
    if num_known
    else {'measured_on': _REVIEWED, 'examples': 0}
  )
  result = {
    'review': str(path),
    'corrected': len(review.corrected),
    'removed': len(review.removed),
    'right': len(review.right),
    'unsure': review.unsure,
    'model': str(folder / 'model'),
    **measured,
  }
  log.write_json(workdir / 'apply.json', result)
  _tell(result)
  return result


def _write_labels(
  audit: pipeline.Audit, review: review_lib.Review, workdir: pathlib.Path
) -> tuple[pathlib.Path, ml_collections.ConfigDict]:
  """A folder for what this review changes, and what trains with it."""
  labels = audit.found.label.copy()
  labels[review.corrected] = review.labels
  digest = hashlib.sha256(labels.tobytes() + b'-' + review.removed.tobytes())
  folder = workdir / f'reviewed-{digest.hexdigest()[:8]}'
  folder.mkdir(exist_ok=True)
  config = audit.config.copy_and_resolve_references()
  path = folder / 'labels.csv'
  label_file.write(path, np.arange(len(labels)), labels)
  config.noise.column, config.noise.file = None, str(path)
  if len(review.removed):
    path = folder / 'removed.npy'
    with path.open('wb') as file:
      np.save(file, review.removed)
    config.exclude = str(path)
    config = plan.fit_without(config, len(labels), review.removed)
  _follow(folder, config)
  return folder, config


def _follow(folder: pathlib.Path, config: ml_collections.ConfigDict) -> None:
  """Tells runs of this review its files' paths, if these have moved since."""
  for path in folder.glob('*/config.json'):
    saved = json.loads(path.read_text())
    saved['noise']['file'] = config.noise.file
    saved['exclude'] = config.exclude
    log.write_json(path, saved)


def _on_test(
  audit: pipeline.Audit, folder: pathlib.Path, workdir: pathlib.Path
) -> dict[str, Any]:
  """What either model says of the test examples."""

  def right(run):
    restored = restore.load(
      run, data_dir=audit.data.data_dir, local=devices.local()
    )
    evaluator = evaluate.Evaluator(
      restored.parts, restored.config.eval_batch_size, restored.local
    )
    state = devices.replicate(restored.state, restored.local)
    said = evaluator.predict(state, restored.data.test)
    return np.argmax(said['log_probs'], axis=1) == said['label']

  return {
    'measured_on': _TEST,
    **_compare(right(workdir / 'model'), right(folder / 'model')),
  }


def _on_reviewed(
  review: review_lib.Review,
  audit: pipeline.Audit,
  folder: pathlib.Path,
  workdir: pathlib.Path,
) -> dict[str, Any]:
  """What models of folds say of the examples whose label is now known."""
  index = np.concatenate([review.right, review.corrected])
  labels = np.concatenate([audit.found.label[review.right], review.labels])

  def right(run):
    said = held_out.read(run)
    rows = np.searchsorted(said.index, index)
    return np.argmax(said.log_probs[rows], axis=1) == labels

  return {
    'measured_on': _REVIEWED,
    **_compare(right(workdir / 'folds'), right(folder / 'folds')),
  }


def _compare(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
  """Two accuracies on the same examples, and the difference.

  Its interval is of the examples that one of them has right: 1.96 standard
  deviations of the mean of differences -1, 0 and 1.
  """
  number = len(before)
  difference = after.astype(float) - before
  gain = float(difference.mean())
  half = 1.96 * float(difference.std()) / number**0.5
  return {
    'examples': number,
    'before': float(before.mean()),
    'after': float(after.mean()),
    'gain': gain,
    'gain_interval': [gain - half, gain + half],
  }


def describe_gain(lower: float, upper: float) -> str:
  """The middle of an interval of a difference of accuracies, and the interval.

  It has no width where both models have the same examples right.
  """
  if lower == upper == 0:
    return 'both right on the same examples'
  lower, upper = 100 * lower, 100 * upper
  gain = (lower + upper) / 2
  return f'{gain:+.2f} points ({lower:+.2f} to {upper:+.2f})'


def _tell(result: dict[str, Any]) -> None:
  print(
    f'{text.count(result["corrected"], "label")} corrected, '
    f'{text.count(result["removed"], "image")} removed, '
    f'{result["right"]:,} confirmed, {result["unsure"]:,} unsure'
  )
  if result['examples']:
    examples = text.count(result['examples'], 'example')
    print(
      f'Accuracy on {result["measured_on"]} ({examples}): '
      f'{result["before"]:.2%} before, {result["after"]:.2%} after, '
      f'{describe_gain(*result["gain_interval"])}'
    )
  else:
    print(
      'No example has a label that is known by now, and there is no test '
      'split: the gain cannot be measured'
    )
  if result['examples'] and result['measured_on'] == _REVIEWED:
    print(
      'These examples were chosen because models doubted them: the accuracy on '
      'others is higher, and the gain smaller'
    )
  print(f'Model: {text.file_name(result["model"])}')
