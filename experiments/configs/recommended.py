r"""A loss or method as its paper's code sets it, and the training that it has.

`recommended.py:NAME,DATASET[,NOISE]`, such as

  python -m experiments.main \
    --config=experiments/configs/recommended.py:NCE+RCE,cifar10,symmetric:0.4
  python -m experiments.main \
    --config=experiments/configs/recommended.py:divide_mix,cifar10,symmetric:0.5

NOISE is `symmetric`, over all classes where the paper's code has it so,
`asymmetric`, `dependent` (on the image; part_dependent here) or `human` (the
labels of CIFAR-10N and CIFAR-100N); or `symmetric:0.4`, with its rate. A method
is trained as official_methods.toml says. Of losses, network, optimiser and
epochs are those of the tables that they are compared in: Ma et al. (2020),
`Normalized Loss Functions for Deep Learning with Noisy Labels
<https://arxiv.org/abs/2006.13554>`_, and its successors. For MNIST they use a
CNN of four layers, here it is LeNet-5. Other data sets keep the defaults.
"""

import ml_collections

from experiments import errors
from experiments import noises
from experiments import recommended
from experiments.configs import common

_CROP_AND_FLIP = {'crop_padding': 4, 'flip': True}

# What entries call a noise, where config.noise has another name for it.
_NOISES = {'dependent': 'part_dependent'}
_HUMAN = {'cifar10': 'worse_label', 'cifar100': 'noise_label'}

PROTOCOLS = {
  'mnist': {
    'model': {'name': 'lenet5'},
    'epochs': 50,
    'optimizer': {'learning_rate': 0.01, 'weight_decay': 1e-3},
  },
  'cifar10': {
    'model': {'name': 'cnn8'},
    'epochs': 120,
    'optimizer': {'learning_rate': 0.01, 'weight_decay': 1e-4},
    'augment': _CROP_AND_FLIP,
  },
  'cifar100': {
    'model': {'name': 'resnet34'},
    'epochs': 200,
    'optimizer': {'learning_rate': 0.1, 'weight_decay': 1e-5},
    'augment': _CROP_AND_FLIP,
  },
}


def get_config(what: str = '') -> ml_collections.ConfigDict:
  """The fields of the loss or method, and of its training on the data set."""
  name, _, rest = what.partition(',')
  dataset, _, noise = rest.partition(',')
  if not dataset:
    raise errors.UsageError(
      f'recommended.py:{what} lacks a loss or method, or a data set: give it '
      'as recommended.py:NAME,DATASET or recommended.py:NAME,DATASET,NOISE, '
      'such as recommended.py:NCE+RCE,cifar10,symmetric:0.4'
    )
  config = common.get_config()
  config.dataset = dataset
  if noise:
    kind, _, rate = noise.partition(':')
    errors.check_name('noise', kind, (*noises.NAMES, *_NOISES, 'human'))
    if kind == 'human':
      config.dataset = f'{dataset}_n'
      config.noise.column = _HUMAN.get(dataset)
    else:
      config.noise.name = _NOISES.get(kind, kind)
    if rate:
      config.noise.rate = recommended.rate_of(rate)
  entry = recommended.recommended(name, dataset, noise or None)
  config.loss.update(entry.loss)
  config.method.update(entry.method)
  config.update(entry.training)
  if entry.loss and dataset in PROTOCOLS:
    config.batch_size = 128
    config.optimizer.name = 'sgd'
    config.optimizer.max_gradient_norm = 5.0
    config.update(PROTOCOLS[dataset])
  return config
