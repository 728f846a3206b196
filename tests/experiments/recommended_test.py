"""Every entry is a loss or a run that can be built; of losses, evaluated."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import build
from experiments import check_config
from experiments import errors
from experiments import loss_fields
from experiments import models
from experiments import named_losses
from experiments import noises
from experiments import optimizers
from experiments import recommended
from experiments.configs import common
from experiments.configs import recommended as recommended_config
from noisy_labels import losses
from noisy_labels import methods

NUM_CLASSES = {'cifar100': 100, 'webvision': 50, 'clothing1m': 14}
ENTRIES = [
  (loss, key) for loss, row in recommended.table().items() for key in row
]


@pytest.mark.parametrize(('name', 'key'), ENTRIES)
def test_every_entry_is_a_loss(name, key):
  dataset, _, noise = key.partition(':')
  entry = recommended.recommended(name, dataset, noise or None)
  assert entry == recommended.table()[name][key]
  assert entry.source.startswith('https://')
  num_classes = NUM_CLASSES.get(dataset, 10)
  config = common.get_config()
  config.loss.update(entry.loss)
  transition = noises.make_transition(config.noise, num_classes)
  known = named_losses.facts(transition, transition)
  loss = named_losses.make(config.loss, known)
  # Plain losses, with any numbers, are tested by the suites of the losses.
  if name in losses.PER_EXAMPLE or key != next(iter(recommended.table()[name])):
    return
  shape = (20, num_classes)
  if config.loss.name in loss_fields.OF_VIEWS:
    shape = (2, *shape)
  elif config.loss.name in losses.OF_BATCHES:
    loss = functools.partial(loss, key=jax.random.key(0))
  logits = 3 * jax.random.normal(jax.random.key(0), shape)
  labels = jnp.arange(20) % num_classes
  mean_loss = jax.jit(
    jax.value_and_grad(lambda logits: jnp.mean(loss(logits, labels)))
  )
  values, gradient = mean_loss(logits)
  assert np.isfinite(values)
  assert np.all(np.isfinite(gradient))
  assert np.any(gradient != 0)


def test_every_loss_that_can_be_named_is_in_the_table():
  named = {
    entry.loss['name']
    for row in recommended.table().values()
    for entry in row.values()
  }
  assert named == set(loss_fields.names())


def test_the_closest_entry_is_found():
  row = recommended.table()['CE+LogitClip']
  get = recommended.recommended
  assert get('CE+LogitClip', 'cifar10', 'symmetric:0.2').loss == {
    'name': 'cross_entropy',
    'max_logit_norm': 1.0,
  }
  assert (
    get('CE+LogitClip', 'cifar10', 'symmetric:0.3')
    == (row['cifar10:symmetric'])
  )
  assert get('CE+LogitClip', 'cifar100', 'symmetric:0.5') == row['cifar100']
  assert get('cross_entropy', 'anything').loss == {'name': 'cross_entropy'}


@pytest.mark.parametrize(
  ('what', 'message'),
  [
    (('NCE+RCEE', 'cifar10'), r"'NCE\+RCEE' is unknown; did you mean NCE\+RCE"),
    (('NCE+RCE', 'cifar11'), 'did you mean cifar10 or cifar100'),
    (('divide_mx', 'cifar10'), 'did you mean divide_mix'),
    (('divide_mix', 'mnist'), 'data set for divide_mix=.*cifar10, cifar100'),
    (('divide_mix', 'cifar10'), r'say which of symmetric:0\.2, '),
    (
      ('divide_mix', 'cifar10', 'symmetric:0.3'),
      r'divide_mix on cifar10=.* did you mean symmetric:0',
    ),
    (('pro_mix', 'cifar10', 'pair_flip:0.4'), 'there are: asymmetric, symm'),
    (('CE_eps+MAE', 'cifar10'), 'say which of symmetric, asymmetric'),
    (
      ('CE_eps+MAE', 'cifar100', 'asymmetric:0.5'),
      'did you mean asymmetric:0',
    ),
  ],
)
def test_unknown_names_get_the_nearest(what, message):
  with pytest.raises(errors.UsageError, match=message):
    recommended.recommended(*what)


def test_a_configuration_has_the_protocol_of_its_data_set():
  config = recommended_config.get_config('NCE+RCE,cifar10,symmetric:0.4')
  assert config.loss.passive == 'reverse_cross_entropy'
  assert (config.loss.alpha, config.loss.beta) == (1.0, 1.0)
  assert (config.noise.name, config.noise.rate) == ('symmetric', 0.4)
  assert (config.model.name, config.epochs) == ('cnn8', 120)
  assert config.optimizer.momentum == 0.9
  with pytest.raises(errors.UsageError, match='lacks a loss or method, or'):
    recommended_config.get_config('NCE+RCE')


def test_noises_are_called_as_the_experiments_call_them():
  config = recommended_config.get_config('CE+LogitClip,cifar10,dependent:0.4')
  assert (config.noise.name, config.noise.rate) == ('part_dependent', 0.4)
  config = recommended_config.get_config('CE+LogitClip,cifar10,human')
  assert (config.dataset, config.noise.column) == ('cifar10_n', 'worse_label')
  check_config.check(config)
  config = recommended_config.get_config(
    'generalized_jensen_shannon,cifar10,symmetric:0.6'
  )
  assert not config.noise.exclude_true


@pytest.mark.parametrize(
  ('rate', 'norm'), [('.4', 1.0), ('0.40', 1.0), ('0.1', 1.0), ('.80', 1.5)]
)
def test_rates_are_numbers_and_not_text(rate, norm):
  config = recommended_config.get_config(
    f'CE+LogitClip,cifar10,symmetric:{rate}'
  )
  assert config.loss.max_logit_norm == norm
  assert config.noise.rate == float(rate)


@pytest.mark.parametrize(
  ('what', 'match'),
  [
    ('cross_entropy,mnist,typo:0.4', "noise='typo' is unknown"),
    ('cross_entropy,mnist,symmetric:lots', "'lots' is no rate"),
  ],
)
def test_noises_that_cannot_be_meant_are_a_sentence(what, match):
  with pytest.raises(errors.UsageError, match=match):
    recommended_config.get_config(what)


METHOD_ENTRIES = [
  (name, key) for name, row in recommended.method_table().items() for key in row
]


def _method_config(name, key):
  """The configuration of an entry, with a rate wherever it has none."""
  noise = key.partition(':')[2]
  what = f'{name},{key.partition(":")[0]}'
  return recommended_config.get_config(f'{what},{noise}' if noise else what)


@pytest.mark.parametrize(('name', 'key'), METHOD_ENTRIES)
def test_every_method_entry_is_a_run_that_can_be_built(name, key):
  dataset, _, noise_name = key.partition(':')
  entry = recommended.recommended(name, dataset, noise_name or None)
  assert entry == recommended.method_table()[name][key]
  assert entry.source.startswith('https://')
  # The network is never the official one for sure.
  assert entry.note
  config = _method_config(name, key)
  check_config.check(config)
  assert config.method.name == name
  assert config.model.name in models.MODELS
  transition = noises.make_transition(
    config.noise, NUM_CLASSES.get(dataset, 10), dataset=dataset
  )
  known = {
    **named_losses.facts(transition, transition),
    'part_of': models.part_of(config.model.name),
    'steps_per_epoch': 351,
  }
  if config.num_trusted:
    known['trusted_labels'] = np.zeros(20, int)
  method = build.make_method(config, known)
  assert method.loss
  assert bool(method.num_trusted) == bool(config.num_trusted)
  assert bool(config.second_view.operations) <= method.two_views
  assert optimizers.make(config, 351).update


def test_no_method_has_a_loss_of_its_name():
  assert {*recommended.method_table()} <= {*methods.METHODS}
  assert not {*recommended.method_table()} & {*recommended.table()}


def test_a_method_has_the_training_of_its_data_set_and_noise():
  config = _method_config('early_learning_regularization_plus', 'cifar100')
  assert (config.epochs, config.model.name) == (250, 'resnet18')
  assert config.optimizer.to_dict() == {
    **common.get_config().optimizer.to_dict(),
    'name': 'sgd',
    'learning_rate': 0.02,
    'weight_decay': 5e-4,
  }
  assert not config.noise.exclude_true
  config = _method_config('divide_mix', 'cifar10:symmetric:0.9')
  assert (config.method.unlabelled_weight, config.method.threshold) == (50, 0.6)
  assert (config.noise.name, config.noise.rate) == ('symmetric', 0.9)
  assert config.schedule.boundaries == (150,)
  assert (config.augment.crop_padding, config.augment.flip) == (4, True)
