"""Known noise on MNIST, and human noise on CIFAR-10, for every detector.

python -m experiments.detection_table --data_dir=DIR --workdir=runs/detection
"""

from typing import Any

import ml_collections

from experiments.configs import common

# Symmetric noise excludes the true class, as in most papers' tables.
_NOISES = {
  'symmetric 20%': {'name': 'symmetric', 'rate': 0.2},
  'symmetric 40%': {'name': 'symmetric', 'rate': 0.4},
  'pair flip 20%': {'name': 'pair_flip', 'rate': 0.2},
  'asymmetric 40%': {'name': 'asymmetric', 'rate': 0.4},
  'part-dependent 20%': {'name': 'part_dependent', 'rate': 0.2},
}
_COLUMNS = {
  'aggregate': 'aggre_label',
  'random 1': 'random_label1',
  'worst': 'worse_label',
}


def get_config() -> ml_collections.ConfigDict:
  """What `experiments/detection_table.py` runs."""
  config = ml_collections.ConfigDict()
  config.base = common.get_config()
  config.base.dataset = 'mnist'
  config.base.model.name = 'mlp'
  config.base.batch_size = 256
  config.base.optimizer.learning_rate = 1e-3
  config.base.folds = 5
  config.base.epochs = 3
  config.base.eval_every = 10  # Only at the end.
  problems: dict[str, Any] = {
    f'MNIST, {name}': {'noise': noise} for name, noise in _NOISES.items()
  }
  problems['MNIST, asymmetric 40%, GCE'] = {
    'noise': _NOISES['asymmetric 40%'],
    'loss': {'name': 'generalized_cross_entropy', 'q': 0.7},
  }
  for name, column in _COLUMNS.items():
    problems[f'CIFAR-10N {name}'] = {
      'dataset': 'cifar10_n',
      'noise': {'column': column},
      'augment': {'flip': True},
      'epochs': 10,
    }
  config.problems = ml_collections.ConfigDict(problems, sort_keys=False)
  return config
