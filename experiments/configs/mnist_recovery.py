"""Known noise on MNIST, and human noise on CIFAR-10, for every estimator.

python -m experiments.recovery --data_dir=DIR --workdir=runs/recovery
"""

from typing import Any

import ml_collections

from experiments import noise_estimate
from experiments.configs import common

_NOISES = {
  'symmetric 20%': {'name': 'symmetric', 'rate': 0.2},
  'symmetric 50%': {'name': 'symmetric', 'rate': 0.5},
  'symmetric 80%': {'name': 'symmetric', 'rate': 0.8},
  'pair flip 45%': {'name': 'pair_flip', 'rate': 0.45},
  'asymmetric 40%': {'name': 'asymmetric', 'rate': 0.4},
}


def get_config(only: str = '') -> ml_collections.ConfigDict:
  """What `experiments/recovery.py` runs.

  Args:
    only: how the names of the problems begin that are wanted; all, if empty.

  Returns:
    The configuration.

  Raises:
    ValueError: if there is no such problem.
  """
  config = ml_collections.ConfigDict()
  config.estimators = noise_estimate.NAMES
  config.base = common.get_config()
  config.base.dataset = 'mnist'
  config.base.model.name = 'mlp'
  config.base.batch_size = 256
  config.base.optimizer.learning_rate = 1e-3
  config.base.estimation.epochs = 3
  # For the one estimator that is told of true labels.
  config.base.num_trusted = 1000
  # Symmetric noise excludes the true class, as in the papers' tables of T.
  problems: dict[str, Any] = {
    f'MNIST, {k}': {'noise': v} for k, v in _NOISES.items()
  }
  problems['CIFAR-10N worst (JPEG copy)'] = {
    'dataset': 'cifar10_n',
    'noise': {'column': 'worse_label'},
    'model': {'name': 'cnn4'},
    'batch_size': 128,
    'optimizer': {'learning_rate': 2e-3},
    'augment': {'flip': True},
    'estimation': {'folds': 3, 'epochs': 6},
  }
  wanted = {k: v for k, v in problems.items() if k.startswith(only)}
  if not wanted:
    raise ValueError(f'no problem begins with {only!r}: {list(problems)}')
  config.problems = ml_collections.ConfigDict(wanted, sort_keys=False)
  return config
