"""config.method: every method trains in the loop, and what is refused."""

import functools

import jax
import numpy as np
import pytest

from experiments import build
from experiments import check_config
from experiments import devices
from experiments import errors
from experiments import groups
from experiments import interrupt
from experiments import loop
from experiments import models
from experiments import named_losses
from experiments import named_methods
from experiments import optimizers
from experiments import report_page
from experiments import train
from experiments.configs import cifar10_methods
from experiments.configs import common
from experiments.configs import mnist_methods
from noisy_labels import methods
from noisy_labels import noise
from tests.experiments import toy

K = toy.NUM_CLASSES
KNOWN = {
  **named_losses.facts(noise.symmetric(K, 0.3, exclude_true=True), np.eye(K)),
  'part_of': models.part_of('mlp'),
  'steps_per_epoch': 1,
  'trusted_labels': toy.shards(1, 24).trusted_label[0],
}
FIELDS = {
  'co_teaching_plus': {'warm_up_epochs': 1.0},
  'divide_mix': {'warm_up_epochs': 1.0, 'unlabelled_weight': 25.0},
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'early_learning_regularization_plus': {'beta': 0.7, 'weight': 3.0},
  'sparse_over_parameterization': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'sparse_over_parameterization_plus': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
}


def _config(name, **fields):
  config = common.get_config()
  config.method.name = name
  config.method.update({**FIELDS.get(name, {}), **fields})
  return config


def test_all_can_be_named():
  assert named_methods.names() == methods.METHODS


@pytest.mark.parametrize('name', methods.METHODS)
def test_no_hyper_parameter_must_be_said(name):
  config = common.get_config()
  config.method.name = name
  assert named_methods.make(config.method, KNOWN).loss


@pytest.mark.parametrize(
  ('name', 'epochs', 'kind'),
  [('confidence_regularized_sieve', 1.5, float), ('truncated_pruning', 2, int)],
)
def test_epochs_may_be_whole_or_not(name, epochs, kind):
  config = common.get_config()
  config.update_from_flattened_dict(
    {'method.name': name, 'method.start_epochs': epochs}
  )
  assert named_methods.make(config.method, KNOWN).loss
  wanted = named_methods.parameters(name)['start_epochs'].annotation
  assert (wanted is int) == (kind is int)


def test_half_an_epoch_is_refused_where_epochs_are_whole():
  with pytest.raises(errors.UsageError, match='start_epochs must be'):
    named_methods.make(
      _config('truncated_pruning', start_epochs=1.5).method, KNOWN
    )


# One of each kind: alone, with two networks, with parameters of its own.
QUICK = ('early_learning_regularization', 'co_teaching', 'volume_minimization')


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in named_methods.names()
  ],
)
def test_every_method_takes_a_step(name):
  method = named_methods.make(_config(name).method, KNOWN)
  parts = toy.parts(models.MLP(K, width=8), method=method)
  parts = build.with_method(parts, method)
  state, memory = toy.create(parts, 24)
  memory = jax.tree.map(lambda leaf: leaf[None], memory)
  step = jax.jit(
    jax.vmap(
      functools.partial(train.train_step, parts),
      axis_name=devices.AXIS,
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
    ),
    # What could not be taken over would be a warning, which is an error.
    donate_argnums=(0, 1),
  )
  rows = np.arange(16, dtype=np.int32)[None]
  for _ in range(2):
    before = jax.device_put((state, memory))
    state, memory, sums = step(*before, toy.shards(1, 24), rows)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(before))
  assert np.isfinite(sums['loss'])
  for leaf in jax.tree.leaves((state.params, memory)):
    assert np.isfinite(leaf).all()


def test_rates_are_those_of_wrong_labels():
  known = named_losses.facts(None, np.eye(K), rate=0.25)
  assert known['wrong_share'] == 0.25
  assert KNOWN['wrong_share'] == pytest.approx(0.3)
  with pytest.raises(errors.UsageError, match=r'method\.noise_rate is missing'):
    named_methods.make(
      _config('co_teaching').method, named_losses.facts(None, np.eye(K))
    )


@pytest.mark.parametrize(
  ('name', 'fields', 'message'),
  [
    ('co_teching', {}, 'did you mean co_teaching'),
    ('co_teaching', {'beta': 0.5}, r'method\.beta is set, but co_teaching'),
    ('early_learning_regularization', {'beta': 1.5}, 'beta must be in'),
    ('co_teaching', {'mixup_alpha': -1.0}, 'alpha must be in'),
    ('meta_weight_net', {'mixup_alpha': 1.0}, 'its batch alone'),
    ('gold_loss_correction', {'num_trusted': 5}, 'num_trusted is set, but'),
    ('sparse_over_parameterization_plus', {'warm_up_epochs': 1.0}, 'views'),
    ('volume_minimization', {'warm_up_epochs': -1.0}, 'epochs must be in'),
    (
      'divide_mix',
      {'track_margins': True},
      'config.method.track_margins: track_margins takes .* two views',
    ),
  ],
)
def test_what_cannot_be_meant(name, fields, message):
  with pytest.raises(errors.UsageError, match=message):
    named_methods.make(_config(name, **fields).method, KNOWN)


@pytest.mark.parametrize(
  ('name', 'estimator'),
  [
    ('transition_revision', 'confident_joint'),
    ('gold_loss_correction', 'trusted_transition'),
  ],
)
def test_unknown_noise_must_be_estimated(name, estimator):
  message = rf'config\.noise_estimate={estimator} '
  with pytest.raises(errors.UsageError, match=message):
    named_methods.make(
      _config(name).method, named_losses.facts(None, np.eye(K))
    )


@pytest.mark.parametrize(
  'name', ['gold_loss_correction', 'learning_to_reweight', 'meta_weight_net']
)
def test_methods_of_trusted_examples_need_some(name):
  known = {k: v for k, v in KNOWN.items() if k != 'trusted_labels'}
  message = rf"'{name}' learns from .*: set config\.num_trusted"
  with pytest.raises(errors.UsageError, match=message):
    build.make_method(_config(name), known)


def test_every_system_of_the_sweeps_of_methods_can_be_built():
  known = {
    **named_losses.facts(
      noise.symmetric(10, 0.5, exclude_true=True), np.eye(10)
    ),
    'part_of': models.part_of('cnn4'),
    'steps_per_epoch': 421,
    'trusted_labels': np.zeros(20, int),
  }
  for how in ('short', 'full'):
    for sweep in cifar10_methods.get_config(how).sweeps.values():
      for fields in sweep.systems.values():
        config = build.one_config(sweep, fields, 0)
        check_config.check(config)
        assert build.make_method(config, known).loss
        assert optimizers.make(config, 421).update
  for sweep in mnist_methods.get_config().sweeps.values():
    named = {
      fields.get('method', {}).get('name') for fields in sweep.systems.values()
    }
    assert {*methods.METHODS} == named - {None}
    for fields in sweep.systems.values():
      config = build.one_config(sweep, fields, 0)
      assert build.make_method(config, known).loss


def _one_step(config, visits):
  method = build.make_method(config, KNOWN)
  size = 4
  batch = {
    'image': np.linspace(-2, 2, size * K, dtype=np.float32).reshape(size, K),
    'label': np.arange(size) % K,
    'index': np.arange(size),
    'row': np.arange(size),
    'mask': np.ones(size, np.float32),
  }
  state = method.init(jax.random.key(0), size, K)
  for _ in range(visits):
    losses, (memory, _) = method.loss(
      lambda images, key: images, batch, state, jax.random.key(0)
    )
    state = state._replace(memory=memory)
  return losses


def test_any_method_can_be_warmed_up():
  warm = _config('transition_revision', warm_up_epochs=2.0)
  plain = _config(None)
  plain.loss.name = 'cross_entropy'
  cross_entropy = _one_step(plain, 1)
  for visits in (1, 2):
    np.testing.assert_allclose(_one_step(warm, visits), cross_entropy)
  late = _one_step(_config('transition_revision'), 1)
  np.testing.assert_allclose(_one_step(warm, 3), late)
  assert np.abs(late - cross_entropy).max() > 0.1


def test_a_loss_can_be_mixed_too():
  config = _config(None, mixup_alpha=1.0)
  config.loss.name = 'mean_absolute_error'
  shown = []

  def predict(images, key):
    shown.append(images)
    return images

  size = 30
  images = np.eye(K, dtype=np.float32)[np.arange(size) % K]
  batch = {
    'image': images,
    'label': np.arange(size) % K,
    'index': np.arange(size),
    'row': np.arange(size),
    'mask': np.ones(size),
  }
  method = build.make_method(config, KNOWN)
  method.loss(predict, batch, methods.MethodState({}, {}), jax.random.key(0))
  assert np.any(np.abs(shown[0] - images) > 0.01)


def test_a_method_and_a_loss_are_one_too_many():
  config = _config('co_teaching')
  config.loss.name = 'mean_absolute_error'
  with pytest.raises(errors.UsageError, match='leave out one of the two'):
    build.make_method(config, KNOWN)


@pytest.mark.parametrize(
  'name',
  [
    'divide_mix',
    'volume_minimization',
    pytest.param('co_teaching', marks=pytest.mark.slow),
    pytest.param('progressive_early_stopping', marks=pytest.mark.slow),
    pytest.param('sparse_over_parameterization', marks=pytest.mark.slow),
  ],
)
def test_memory_and_networks_survive_a_stop(
  tmp_path, data_dir, monkeypatch, name
):
  config = _config(name)
  config.update({'epochs': 2, 'model': {'name': 'mlp'}, 'eval_every': 2})
  run = functools.partial(
    loop.run,
    config,
    data_dir=data_dir,
    local=devices.local(jax.local_devices()[:1]),
  )
  whole = run(tmp_path / 'whole')
  stop = 25
  monkeypatch.setattr(
    interrupt.Watch, 'should_stop', lambda self, step: step == stop
  )
  with pytest.raises(errors.StoppedError):
    run(tmp_path / 'parts')
  stop = None
  again = run(tmp_path / 'parts')
  del whole['last']['seconds'], again['last']['seconds']
  assert whole['last'] == again['last']
  assert whole['last']['test_accuracy'] > 0.6
  one = groups.of_run(tmp_path / 'parts', config, again)
  page = report_page.write(tmp_path, one).read_text()
  # A method has no trust weight to draw.
  learns = name == 'volume_minimization'
  assert page.count('<svg') == 3 + learns
  assert (again['learned_transition'] is not None) == learns
  if learns:
    np.testing.assert_allclose(
      np.sum(again['learned_transition'], axis=1), 1, rtol=1e-5
    )
  for field, value in FIELDS.get(name, {}).items():
    assert f'{field}={value:.6g}' in page
