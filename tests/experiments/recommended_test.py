"""Every entry is a loss that can be built and evaluated."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import errors
from experiments import loss_fields
from experiments import named_losses
from experiments import noises
from experiments import recommended
from experiments.configs import common
from experiments.configs import recommended as recommended_config
from noisy_labels import losses

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
  if config.loss.name in losses.OF_BATCHES:
    loss = functools.partial(loss, key=jax.random.key(0))
  logits = 3 * jax.random.normal(jax.random.key(0), (20, num_classes))
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
    get('CE+LogitClip', 'cifar10', 'symmetric:0.5')
    == (row['cifar10:symmetric'])
  )
  assert get('CE+LogitClip', 'cifar100', 'symmetric:0.5') == row['cifar100']
  assert get('cross_entropy', 'anything').loss == {'name': 'cross_entropy'}


@pytest.mark.parametrize(
  ('what', 'message'),
  [
    (('NCE+RCEE', 'cifar10'), r"'NCE\+RCEE' is unknown; did you mean NCE\+RCE"),
    (('NCE+RCE', 'cifar11'), 'did you mean cifar10 or cifar100'),
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
  with pytest.raises(errors.UsageError, match='lacks a loss or a data set'):
    recommended_config.get_config('NCE+RCE')
