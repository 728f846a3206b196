"""Digits and MNIST with 30% symmetric noise, for ours and cleanlab's recipe.

python -m experiments.end_to_end --data_dir=DIR --workdir=runs/end_to_end
"""

import ml_collections

from experiments.configs import common


def get_config() -> ml_collections.ConfigDict:
  """What `experiments/end_to_end.py` runs."""
  config = ml_collections.ConfigDict()
  # Of `experiments.end_to_end.RECIPES`; `skorch` needs PyTorch.
  config.recipes = ('logistic regression', 'MLP')
  config.base = common.get_config()
  config.base.folds = 5
  config.base.eval_every = 100  # Only at the end.
  problems = {
    'digits': {'epochs': 15},
    'MNIST': {
      'dataset': 'mnist',
      'model': {'name': 'mlp'},
      'batch_size': 256,
      'optimizer': {'learning_rate': 1e-3},
      'epochs': 3,
    },
  }
  config.problems = ml_collections.ConfigDict(problems, sort_keys=False)
  return config
