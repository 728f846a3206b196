"""Given labels by noise of the example: functions of a range of the split."""

from collections.abc import Callable
import functools

import ml_collections
import numpy as np

from experiments import errors
from experiments import linear_classifier
from experiments.data import source
from noisy_labels import noise

Give = Callable[[source.Examples], np.ndarray]


def part_dependent(
  config: ml_collections.ConfigDict,
  num_classes: int,
  seed: int,
  load: Callable[[], source.Examples],
) -> Give:
  """Part-dependent noise, whose features are the pixels.

  Args:
    config: `config.noise` of a run.
    num_classes: K.
    seed: draws the projections and the labels.
    load: returns the whole training split; not called here.

  Returns:
    From a range of the training split to its given labels.
  """
  del load

  def give(examples):
    rows = noise.part_dependent(
      examples.image,
      examples.label,
      rate=config.rate,
      num_classes=num_classes,
      seed=seed,
      index=examples.index,
    )
    return noise.corrupt_by_row(
      examples.label, rows, seed=seed, index=examples.index
    ).labels

  return give


def margin_dependent(
  config: ml_collections.ConfigDict,
  num_classes: int,
  seed: int,
  load: Callable[[], source.Examples],
) -> Give:
  """Margin-dependent noise, by the margins of a linear classifier.

  The classifier, and the factor that gives the wanted rate, are of the whole
  training split, whatever range is asked for: every process reads all of it.

  Args:
    config: `config.noise` of a run.
    num_classes: K.
    seed: draws the labels.
    load: returns the whole training split; called once, by the first range.

  Returns:
    From a range of the training split to its given labels. It raises a
    `UsageError` if the classifier is too sure of itself for the rate.
  """

  @functools.cache
  def fit():
    whole = load()
    classifier = linear_classifier.fit(whole.image, whole.label, num_classes)
    probs = linear_classifier.probabilities(classifier, whole.image)
    try:
      factor = noise.margin_factor(
        whole.label, probs, kind=config.kind, rate=config.rate
      )
    except ValueError as error:
      raise errors.UsageError(f'config.noise: {error}') from None
    return classifier, factor

  def give(examples):
    classifier, factor = fit()
    rows = noise.margin_dependent(
      examples.label,
      linear_classifier.probabilities(classifier, examples.image),
      kind=config.kind,
      factor=factor,
    )
    return noise.corrupt_by_row(
      examples.label, rows, seed=seed, index=examples.index
    ).labels

  return give
