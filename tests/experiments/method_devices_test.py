"""Methods on devices and processes: where they run changes nothing.

Those that draw, choose or mix among the examples of one device depend on how
many devices there are, and on nothing else.
"""

import functools
import os

import jax
import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import errors
from experiments import interrupt
from experiments import loop
from experiments import models
from experiments.configs import common
from noisy_labels import methods
from noisy_labels import noise
from tests.experiments import programs
from tests.experiments import saved
from tests.experiments import toy

T = noise.symmetric(toy.NUM_CLASSES, 0.3, exclude_true=True)
# They draw nothing on a device, and choose nothing among its examples.
METHODS = {
  'critical_parameters': {'noise_rate': 0.3},
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'gold_loss_correction': {
    'transition': T,
    'trusted_labels': np.arange(4 * toy.ROWS) % 4 - 1,
  },
  'noise_adaptation_layer': {'transition': T},
  'sparse_over_parameterization': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'transition_revision': {'transition': T, 'learning_rate': 0.01},
  'truncated_pruning': {'start_epochs': 1, 'every': 1},
  'volume_minimization': {},
}
# They do: another number of devices is another draw, choice or mixture.
DEVICES_MATTER = (
  'co_teaching',
  'co_teaching_plus',
  'confidence_regularized_sieve',
  'divide_mix',
  'early_learning_regularization_plus',
  'joint_training',
  'learning_to_reweight',
  'meta_weight_net',
  'pro_mix',
  'progressive_early_stopping',
  'sparse_over_parameterization_plus',
)
QUICK = ('early_learning_regularization', 'volume_minimization')


def test_of_every_method_it_is_said_whether_devices_matter():
  assert sorted([*METHODS, *DEVICES_MATTER]) == list(methods.METHODS)


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in METHODS
  ],
)
def test_one_device_takes_the_same_steps_as_four(name):
  method = getattr(methods, name)(**METHODS[name])
  parts = toy.parts(models.MLP(toy.NUM_CLASSES, width=8), method=method)
  parts = build.with_method(parts, method)
  one, four = (
    toy.run(
      parts,
      number,
      steps=5,
      mapped=functools.partial(
        devices.parallel, local=devices.local(jax.local_devices()[:number])
      ),
    )
    for number in (1, 4)
  )
  # Memory in the order of the examples.
  one, four = (
    (state, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), memory), sums)
    for state, memory, sums in (one, four)
  )
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4),
    one,
    four,
  )


# What config.method must be told; all is over within four epochs.
FIELDS = {
  'co_teaching': {'ramp_epochs': 2.0},
  'co_teaching_plus': {'warm_up_epochs': 1.0, 'ramp_epochs': 2.0},
  'confidence_regularized_sieve': {
    'start_epochs': 1.0,
    'ramp_epochs': 1.0,
    'sieve_epochs': 2.0,
  },
  'divide_mix': {'warm_up_epochs': 1.0, 'unlabelled_weight': 25.0},
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'early_learning_regularization_plus': {'beta': 0.7, 'weight': 3.0},
  'joint_training': {'ramp_epochs': 2.0},
  'pro_mix': {'warm_up_epochs': 1.0, 'ramp_epochs': 1.0, 'guess_epochs': 2.0},
  'progressive_early_stopping': {
    'first_epochs': 1,
    'second_epochs': 1,
    'third_epochs': 1,
  },
  'sparse_over_parameterization': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'sparse_over_parameterization_plus': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'truncated_pruning': {'start_epochs': 1, 'every': 1},
}


def _config(name):
  config = common.get_config()
  config.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'augment.crop_padding': 1,
      'epochs': 4,
      'num_trusted': 100,
      'method.name': name,
      **{f'method.{k}': v for k, v in FIELDS.get(name, {}).items()},
    }
  )
  return config


@pytest.fixture(scope='module')
def runs(tmp_path_factory, data_dir):
  """Trains with a method in a directory of its own, and says where."""
  folder = tmp_path_factory.mktemp('runs')

  def run(name, workdir, number):
    loop.run(
      _config(name),
      folder / name / workdir,
      data_dir=data_dir,
      local=devices.local(jax.local_devices()[:number]),
    )
    return folder / name / workdir

  return run


@pytest.mark.slow
@pytest.mark.parametrize('name', methods.METHODS)
def test_two_processes_of_two_devices_are_one_of_four(runs, data_dir, name):
  four = runs(name, 'four', 4)
  cluster_dir = four.parent / 'cluster'
  # The same compiler, which decides how sums are rounded.
  flags = os.environ['XLA_FLAGS'].replace('count=4', 'count=2')
  cluster = programs.start_cluster(
    'experiments.main',
    f'--config=experiments/configs/saved.py:{four / "config.json"}',
    f'--workdir={cluster_dir}',
    f'--data_dir={data_dir}',
    num_processes=2,
    num_devices=2,
    XLA_FLAGS=flags,
  )
  for process in cluster:
    programs.finish(process)
  saved.assert_close(four, cluster_dir, rtol=0.01, atol=0.01)


def _assert_close(one, other):
  programs.assert_close_curves(programs.curve(one), programs.curve(other))


def _stopped(run, name, workdir, number, monkeypatch):
  """Stops a run within its second epoch."""
  with monkeypatch.context() as patch:
    patch.setattr(interrupt.Watch, 'should_stop', lambda self, step: step == 27)
    with pytest.raises(errors.StoppedError, match='step 27,'):
      run(name, workdir, number)


@pytest.mark.slow
@pytest.mark.parametrize('name', methods.METHODS)
def test_stopped_and_resumed_is_never_stopped(runs, name, monkeypatch):
  _stopped(runs, name, 'stopped', 4, monkeypatch)
  saved.assert_same(runs(name, 'stopped', 4), runs(name, 'four', 4))


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_a_run_goes_on_with_other_devices(runs, name, monkeypatch):
  four = runs(name, 'four', 4)
  _assert_close(four, runs(name, 'one', 1))
  _stopped(runs, name, 'more', 1, monkeypatch)
  _assert_close(four, runs(name, 'more', 4))
