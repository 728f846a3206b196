"""Audits of the toy folder, as several tests make them."""

import csv

from experiments.audit import options
from experiments.audit import pipeline
from experiments.configs import audit

ARRAYS = (
  'label',
  'score',
  'is_issue',
  'suggested',
  'confidence',
  'label_probability',
  'transition',
  'prior',
)


def config(**fields):
  small = audit.get_config()
  small.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'folds': 2,
      'epochs': 12,
      'batch_size': 12,
      'optimizer.learning_rate': 3e-3,
      **fields,
    }
  )
  return small


def run(workdir, request, changed=None, **how):
  return pipeline.run(
    request, changed or config(), workdir, options.Options(**how)
  )


def rows(path):
  with path.open(newline='') as file:
    return list(csv.DictReader(file))
