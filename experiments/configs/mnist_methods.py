"""Every method on MNIST, symmetric 50% and pair flip 45%: ten epochs.

  python -m experiments.sweep --config=experiments/configs/mnist_methods.py \
      --data_dir=DIR --workdir=runs/mnist_methods

Can be stopped and goes on; --index=I runs one of its 138 runs, of minutes each.
Papers train for 200 epochs; what counts epochs counts fewer here.
"""

from typing import Any

import ml_collections

from experiments.configs import common

_NOISES: dict[str, dict[str, Any]] = {
  'symmetric_50': {'name': 'symmetric', 'rate': 0.5, 'exclude_true': True},
  'pair_flip_45': {'name': 'pair_flip', 'rate': 0.45},
}

_LOSSES: dict[str, dict[str, Any]] = {
  'cross_entropy': {},
  'generalized_cross_entropy': {'q': 0.7},
  'forward_corrected_cross_entropy': {},
}
# As the third of these, but nobody tells it T: networks of two folds, which are
# stopped before they memorise labels, are what it is estimated from.
_BY_ESTIMATE: dict[str, Any] = {
  'loss': {'name': 'forward_corrected_cross_entropy'},
  'noise_estimate': 'confident_joint',
  'estimation': {'folds': 2, 'epochs': 3},
}

# Official settings, but for what counts epochs. The rates of u and v are 30
# times the official ones, which are for 300 epochs.
_METHODS: dict[str, dict[str, Any]] = {
  'co_teaching': {'ramp_epochs': 5.0},
  'co_teaching_plus': {'warm_up_epochs': 2.0, 'ramp_epochs': 5.0},
  'confidence_regularized_sieve': {
    'start_epochs': 1.0,
    'ramp_epochs': 2.0,
    'sieve_epochs': 3.0,
  },
  'critical_parameters': {},
  'divide_mix': {
    'warm_up_epochs': 2.0,
    'unlabelled_weight': 25.0,
    'ramp_epochs': 4.0,
  },
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'early_learning_regularization_plus': {'beta': 0.7, 'weight': 3.0},
  'gold_loss_correction': {},
  'joint_training': {'ramp_epochs': 5.0},
  'learning_to_reweight': {},
  'meta_weight_net': {},
  'noise_adaptation_layer': {},
  'pro_mix': {
    'warm_up_epochs': 2.0,
    'ramp_epochs': 2.0,
    'guess_epochs': 6.0,
  },
  'progressive_early_stopping': {
    'first_epochs': 2,
    'second_epochs': 1,
    'third_epochs': 1,
  },
  'sparse_over_parameterization': {
    'u_learning_rate': 300.0,
    'v_learning_rate': 300.0,
  },
  'sparse_over_parameterization_plus': {
    'u_learning_rate': 300.0,
    'v_learning_rate': 300.0,
  },
  'transition_revision': {'warm_up_epochs': 2.0},
  'truncated_pruning': {'start_epochs': 2, 'every': 2},
  'volume_minimization': {},
}
# Where official settings are others for asymmetric noise.
_IF_ASYMMETRIC: dict[str, dict[str, Any]] = {
  'divide_mix': {'unlabelled_weight': 0.0, 'confidence_penalty': 1.0},
  'early_learning_regularization': {'beta': 0.9, 'weight': 1.0},
  'early_learning_regularization_plus': {'beta': 0.9, 'weight': 1.0},
  'pro_mix': {'confidence_penalty': 1.0},
  'sparse_over_parameterization': {
    'u_learning_rate': 3.0,
    'v_learning_rate': 3000.0,
  },
  'sparse_over_parameterization_plus': {
    'u_learning_rate': 3.0,
    'v_learning_rate': 3000.0,
  },
}
_OF_TRUSTED = (
  'gold_loss_correction',
  'learning_to_reweight',
  'meta_weight_net',
)
# It scales gradients, which Adam would undo, and leaves the other parameters to
# weight decay.
_DECAY = {'name': 'sgd', 'learning_rate': 0.01, 'weight_decay': 1e-3}
# It revises a model that is trained, at a rate of 5e-7: at a larger one, or
# from the beginning, it makes the network unlearn what it is told.
_REVISION = {'name': 'step', 'boundaries': (2,), 'factor': 5e-4}


def get_config() -> ml_collections.ConfigDict:
  """Two sweeps, one for each noise, of every method and some losses."""
  config = ml_collections.ConfigDict()
  config.seeds = 3
  config.sweeps = ml_collections.ConfigDict(
    {name: _sweep(fields) for name, fields in _NOISES.items()}, sort_keys=False
  )
  return config


def _sweep(noise):
  sweep = ml_collections.ConfigDict()
  sweep.seeds = 3
  sweep.sort = 'last'
  sweep.base = common.get_config()
  sweep.base.dataset = 'mnist'
  sweep.base.noise.update(noise)
  sweep.base.model.name = 'cnn4'
  sweep.base.batch_size = 128
  sweep.base.epochs = 10
  sweep.base.checkpoint_every = 5
  sweep.base.optimizer.learning_rate = 1e-3
  sweep.base.schedule.name = 'constant'
  systems: dict[str, Any] = {
    name: {'loss': {'name': name, **fields}} for name, fields in _LOSSES.items()
  }
  systems['forward_corrected_by_estimate'] = _BY_ESTIMATE
  is_symmetric = noise['name'] == 'symmetric'
  for name, fields in _METHODS.items():
    others = {} if is_symmetric else _IF_ASYMMETRIC.get(name, {})
    systems[name] = {'method': {'name': name, **fields, **others}}
    if name in _OF_TRUSTED:
      systems[name]['num_trusted'] = 1000
    if name == 'critical_parameters':
      systems[name]['optimizer'] = _DECAY
    if name == 'transition_revision':
      systems[name]['schedule'] = _REVISION
  sweep.systems = ml_collections.ConfigDict(systems, sort_keys=False)
  return sweep
