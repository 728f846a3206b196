"""What models of folds predict for every example: those blind to its label."""

import pathlib
from typing import NamedTuple
import zipfile

import ml_collections
import numpy as np

from experiments import errors
from experiments import folds
from experiments.audit import text
from experiments.data import lanes

# By so many examples the models are judged at least.
_FEWEST = 30
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class Predictions(NamedTuple):
  """Of each example, by index.

  Attributes:
    index: identities, int64 `[N]`, ascending.
    label: given classes, int32 `[N]`.
    log_probs: log P(class | x), float32 `[N, K]`.
  """

  index: np.ndarray  # type: ignore[assignment]  # Also a method of tuples.
  label: np.ndarray
  log_probs: np.ndarray


def read(workdir: pathlib.Path) -> Predictions:
  """Reads what a run of folds wrote, for examples it trained on and others."""
  parts = []
  for name in ('predictions.npz', 'validation_predictions.npz'):
    try:
      # Of a damaged file numpy would forget to close what it has opened.
      with (workdir / name).open('rb') as file, np.load(file) as saved:
        # True labels are there too, where they are known. They stay there.
        parts.append({field: saved[field] for field in Predictions._fields})
    except _DAMAGED as error:
      raise errors.RunError(
        f'{workdir / name} cannot be read ({error}): remove {workdir}, and it '
        'is made again'
      ) from error
  whole = {
    name: np.concatenate([part[name] for part in parts]) for name in parts[0]
  }
  order = np.argsort(whole['index'], kind='stable')
  return Predictions(
    whole['index'][order].astype(np.int64),
    whole['label'][order].astype(np.int32),
    whole['log_probs'][order],
  )


def least_error(workdir: pathlib.Path) -> float | None:
  """How much of what models of folds predict is wrong, at least.

    (d - 1.96 s / sqrt(n)) / 2

  Where two models disagree one of them is wrong, whatever the label is. Of n
  examples whose labels no model has heard, d is the mean share of pairs of
  models that disagree, and s its standard deviation.

  Args:
    workdir: of a run of folds, which `read` can read.

  Returns:
    A share, not below 0; None of a run that has not noted what each model says,
    or of so few examples that s is by chance.
  """
  with np.load(workdir / 'validation_predictions.npz') as saved:
    if 'votes' not in saved.files:
      return None
    votes = saved['votes']
  number, size = votes.shape
  if number < _FEWEST:
    return None
  equal = (votes[:, :, None] == votes[:, None]).sum(axis=(1, 2)) - size
  apart = 1 - equal / (size * (size - 1))
  least = apart.mean() - 1.96 * apart.std() / number**0.5
  return max(float(least) / 2, 0.0)


def problems(
  labels: np.ndarray,
  class_names: tuple[str, ...],
  config: ml_collections.ConfigDict | None,
) -> list[str]:
  """Which classes some model of folds has not met.

  Args:
    labels: given classes, integers `[N]`.
    class_names: K names.
    config: of the run of folds; None if they were trained elsewhere.

  Returns:
    Sentences.
  """
  size = np.bincount(labels, minlength=len(class_names))
  unmet = _unmet(labels, len(class_names), config) if config else size < 0
  return [
    sentence
    for sentence in (
      _sentence(class_names, size == 0, 'has no example', 'have no example'),
      _sentence(
        class_names,
        size == 1,
        'has one example, whose label no model can judge',
        'have one example each, whose label no model can judge',
      ),
      _sentence(
        class_names,
        unmet & (size > 1),
        'is so small that a model had to judge it without having met it',
        'are so small that a model had to judge them without having met them',
      ),
    )
    if sentence
  ]


def _unmet(
  labels: np.ndarray, num_classes: int, config: ml_collections.ConfigDict
) -> np.ndarray:
  """The classes that a model had to judge and never heard of, bool `[K]`."""
  num_examples = len(labels)
  kept, _ = lanes.hold_out(
    num_examples, config.validation_fraction, seed=config.seed
  )
  own = folds.assign(num_examples, config.folds, seed=config.seed)
  # What each model hears is all but its own fold.
  counts = np.zeros((num_classes, config.folds), np.int64)
  np.add.at(counts, (labels[kept], own[kept]), 1)
  heard = counts.sum(axis=1, keepdims=True) - counts
  judged = np.zeros_like(counts)
  np.add.at(judged, (labels, own), 1)
  return ((heard == 0) & (judged > 0)).any(axis=1)


def _sentence(
  class_names: tuple[str, ...], chosen: np.ndarray, one: str, many: str
) -> str:
  names = [class_names[place] for place in np.flatnonzero(chosen)]
  if not names:
    return ''
  verb = one if len(names) == 1 else many
  classes = text.count(len(names), 'class', 'classes')
  return f'{classes} {verb}: {text.listed(names)}.'
