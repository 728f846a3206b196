"""How to audit, and what cannot be meant."""

import inspect
import pathlib
from typing import NamedTuple

import ml_collections

from experiments import check_config
from experiments import errors
from experiments import loss_fields
from experiments import noise_estimate
from experiments.audit import scoring
from experiments.audit import sources
from noisy_labels import losses


class Options(NamedTuple):
  """How to audit, but for what and with which models.

  Attributes:
    detector: see `scoring.find`.
    max_pictures: of the report.
    apply: a review of the labels, to train again with; None if there is none.
    command: what the user has typed, for the report.
  """

  detector: str = scoring.DEFAULT
  max_pictures: int = 1000
  apply: pathlib.Path | None = None
  command: str = ''


def check(
  request: sources.Request,
  config: ml_collections.ConfigDict,
  options: Options,
) -> None:
  """Raises a UsageError for what cannot be meant, before anything is begun."""
  sources.check(request)
  scoring.check(options.detector)
  check_config.check(config)
  if options.max_pictures < 0:
    raise errors.UsageError(
      f'--max_pictures={options.max_pictures} is negative'
    )
  if options.apply is not None and request.labels is not None:
    raise errors.UsageError(
      '--apply trains again, which takes images: with --labels and --probs, '
      'train with suggested_labels.csv in your own program'
    )
  if options.apply is not None and not options.apply.is_file():
    raise errors.UsageError(
      f'--apply={options.apply} is not a file: name the reviewed.csv that the '
      'report has exported'
    )
  errors.check_name(
    'config.noise_estimate', str(config.noise_estimate), noise_estimate.UNTOLD
  )
  parts = loss_fields.PARTS.get(config.loss.name, ())
  for name in (config.loss.name, *(config.loss[part] for part in parts)):
    known = getattr(losses, str(name), None)
    if known and 'transition' in inspect.signature(known).parameters:
      raise errors.UsageError(
        f'config.loss: {name} has to be told the noise, which an audit '
        'estimates from models that are trained already: choose another loss'
      )
  if config.num_trusted or config.num_examples or config.exclude is not None:
    raise errors.UsageError(
      'config.num_trusted, config.num_examples and config.exclude are not for '
      'an audit, which knows of no label that it is right, and looks at all '
      'examples'
    )
  if config.method.name is not None:
    raise errors.UsageError(
      'config.method is not for an audit, whose models of folds are trained '
      'with a loss of single examples: set config.loss'
    )
