r"""Five systems on CIFAR-10, with made and with human noise.

  python -m experiments.sweep --data_dir=DIR \
    --config=experiments/configs/cifar10_methods.py

trains the 8-layer network for ten epochs, with symmetric noise at 50% and with
the worst human labels (`cifar10_n` must be prepared). It is for machines
without a GPU, where an epoch is minutes; papers train ten times as long.

  python -m experiments.sweep --data_dir=DIR \
    --config=experiments/configs/cifar10_methods.py:full

trains ResNet-34 on the worst human labels as long as papers do, for a GPU; SOP+
has a strongly augmented second view. Both can be stopped and go on. No result
of either is recorded yet.
"""

from typing import Any

import ml_collections

from experiments import errors
from experiments.configs import common

_CROP_AND_FLIP = {'crop_padding': 4, 'flip': True}
_NOISES: dict[str, dict[str, Any]] = {
  'symmetric_50': {'noise': {'name': 'symmetric', 'rate': 0.5}},
  'worst_human': {
    'dataset': 'cifar10_n',
    'noise': {'column': 'worse_label'},
  },
}
_ELR = {'name': 'early_learning_regularization', 'beta': 0.7, 'weight': 3.0}
_SYSTEMS: dict[str, dict[str, Any]] = {
  'cross_entropy': {},
  'generalized_cross_entropy': {
    'loss': {'name': 'generalized_cross_entropy', 'q': 0.7}
  },
  'early_learning_regularization': {'method': _ELR},
  'sparse_over_parameterization': {
    'method': {
      'name': 'sparse_over_parameterization',
      'u_learning_rate': 10.0,
      'v_learning_rate': 10.0,
    }
  },
  # A warm-up of two epochs, and not of ten, since there are ten in all.
  'divide_mix': {
    'method': {
      'name': 'divide_mix',
      'unlabelled_weight': 25.0,
      'warm_up_epochs': 2.0,
      'ramp_epochs': 4.0,
    }
  },
}


def _schedule(epochs: int, rate: float, decay: float, *, drop: float = 0.0):
  """SGD whose rate falls to a tenth after an epoch, or else along a cosine."""
  schedule: dict[str, Any] = {'name': 'cosine'}
  if drop:
    schedule = {'name': 'step', 'boundaries': (drop,), 'factor': 0.1}
  return {
    'epochs': epochs,
    'optimizer': {'learning_rate': rate, 'weight_decay': decay},
    'schedule': schedule,
  }


# The first as https://github.com/UCSC-REAL/cifar-10-100n trains it, the others
# as in docs/methods.md. ELR's official cosine begins anew every ten epochs.
_FULL: dict[str, dict[str, Any]] = {
  'cross_entropy': _schedule(100, 0.1, 5e-4, drop=60),
  'generalized_cross_entropy': {
    **_SYSTEMS['generalized_cross_entropy'],
    **_schedule(100, 0.1, 5e-4, drop=60),
  },
  'early_learning_regularization': {
    'method': _ELR,
    **_schedule(150, 0.02, 1e-3),
  },
  'sparse_over_parameterization_plus': {
    'method': {
      'name': 'sparse_over_parameterization_plus',
      'u_learning_rate': 0.1,
      'v_learning_rate': 100.0,
    },
    'second_view': {'operations': 2, 'magnitude': 0.5},
    **_schedule(300, 0.02, 1e-3),
  },
  'divide_mix': {
    'method': {
      'name': 'divide_mix',
      'unlabelled_weight': 0.0,
      'warm_up_epochs': 10.0,
    },
    **_schedule(300, 0.02, 5e-4, drop=150),
  },
}


def get_config(how: str = 'short') -> ml_collections.ConfigDict:
  """Two short sweeps, or a long one: `full`."""
  errors.check_name('cifar10_methods.py', how, ('full', 'short'))
  config = ml_collections.ConfigDict()
  if how == 'full':
    config.seeds = 3
    sweeps = {'worst_human': _sweep(_NOISES['worst_human'], _FULL, 'resnet34')}
  else:
    config.seeds = 1
    sweeps = {
      name: _sweep(noise, _SYSTEMS, 'cnn8') for name, noise in _NOISES.items()
    }
  config.sweeps = ml_collections.ConfigDict(sweeps, sort_keys=False)
  return config


def _sweep(noise, systems, model):
  sweep = ml_collections.ConfigDict()
  sweep.seeds = 1
  sweep.base = common.get_config()
  sweep.base.dataset = 'cifar10'
  sweep.base.update(noise)
  sweep.base.model.name = model
  sweep.base.batch_size = 128
  sweep.base.epochs = 10
  sweep.base.checkpoint_every = 1
  sweep.base.augment.update(_CROP_AND_FLIP)
  sweep.base.optimizer.name = 'sgd'
  sweep.base.optimizer.learning_rate = 0.01
  sweep.base.optimizer.weight_decay = 1e-4
  sweep.base.optimizer.max_gradient_norm = 5.0 if model == 'cnn8' else 0.0
  sweep.systems = ml_collections.ConfigDict(systems, sort_keys=False)
  return sweep
