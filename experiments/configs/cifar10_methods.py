r"""Five systems on CIFAR-10, with made and with human noise.

  python -m experiments.sweep --data_dir=DIR \
    --config=experiments/configs/cifar10_methods.py

trains the 8-layer network on 5,000 of the images for ten epochs, with
symmetric noise at 50% and with the worst human labels (`cifar10_n` must be
prepared). That is for machines without a GPU: ten minutes of a core with
AVX-512 for a run, an hour for DivideMix; several times that without AVX-512.
Papers train on all images, ten times as long.

  python -m experiments.sweep --data_dir=DIR \
    --config=experiments/configs/cifar10_methods.py:full

trains ResNet-34 on the worst human labels as long as papers do, for a GPU; SOP+
has a strongly augmented second view. No result of it is recorded yet. Both can
be stopped and go on.
"""

from typing import Any

import ml_collections

from experiments import errors
from experiments.configs import common

_WORST: dict[str, Any] = {
  'dataset': 'cifar10_n',
  'noise': {'column': 'worse_label'},
}
_NOISES: dict[str, dict[str, Any]] = {
  'symmetric_50': {'noise': {'name': 'symmetric', 'rate': 0.5}},
  'worst_human': _WORST,
}
# Without moved images, ten epochs are enough to begin to memorise labels.
_SHORT = {
  'num_examples': 5000,
  'model.name': 'cnn8',
  'batch_size': 64,
  'epochs': 10,
  'eval_every': 2,
  'augment.flip': True,
  'optimizer.learning_rate': 0.02,
  'optimizer.weight_decay': 1e-4,
  'optimizer.max_gradient_norm': 5.0,
}
_LONG = {
  'model.name': 'resnet34',
  'batch_size': 128,
  'augment.crop_padding': 4,
  'augment.flip': True,
}
_GCE = {'name': 'generalized_cross_entropy', 'q': 0.7}
_ELR = {'name': 'early_learning_regularization', 'beta': 0.7, 'weight': 3.0}
# By noise: the official settings for symmetric and for asymmetric noise, but
# that the rates of u and v are 30 times as large, since those are for 300
# epochs.
_SOP_RATES = {'symmetric_50': (300.0, 300.0), 'worst_human': (3.0, 3000.0)}
_UNLABELLED_WEIGHT = {'symmetric_50': 25.0, 'worst_human': 0.0}


def _short_systems(noise: str) -> dict[str, dict[str, Any]]:
  u_learning_rate, v_learning_rate = _SOP_RATES[noise]
  return {
    'cross_entropy': {},
    'generalized_cross_entropy': {'loss': _GCE},
    'early_learning_regularization': {'method': _ELR},
    'sparse_over_parameterization': {
      'method': {
        'name': 'sparse_over_parameterization',
        'u_learning_rate': u_learning_rate,
        'v_learning_rate': v_learning_rate,
      }
    },
    # A warm-up of two epochs, and not of ten, since there are ten in all.
    'divide_mix': {
      'method': {
        'name': 'divide_mix',
        'unlabelled_weight': _UNLABELLED_WEIGHT[noise],
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
    'loss': _GCE,
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
  config.seeds = 1
  sweeps = {
    name: _sweep(_SHORT, noise, _short_systems(name))
    for name, noise in _NOISES.items()
  }
  if how == 'full':
    config.seeds = 3
    sweeps = {'worst_human': _sweep(_LONG, _WORST, _FULL)}
  config.sweeps = ml_collections.ConfigDict(sweeps, sort_keys=False)
  return config


def _sweep(base, noise, systems):
  sweep = ml_collections.ConfigDict()
  sweep.seeds = 1
  sweep.base = common.get_config()
  sweep.base.dataset = 'cifar10'
  sweep.base.update(noise)
  sweep.base.checkpoint_every = 1
  sweep.base.optimizer.name = 'sgd'
  sweep.base.update_from_flattened_dict(base)
  sweep.systems = ml_collections.ConfigDict(systems, sort_keys=False)
  return sweep
