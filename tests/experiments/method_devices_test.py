"""Methods on devices and processes: where they run changes nothing.

Those that draw, choose or mix among the examples of one device depend on how
many devices there are, and on nothing else.
"""

import functools
import signal
import time

import jax
import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import log
from experiments import models
from noisy_labels import methods
from noisy_labels import noise
from tests.experiments import programs
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
QUICK = ('early_learning_regularization', 'volume_minimization')


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
MAIN = 'experiments.main'


class Runs:
  """Runs of four epochs in directories of their own, by their first name."""

  def __init__(self, folder, data_dir):
    self.folder, self.data_dir = folder, data_dir

  def flags(self, name, workdir):
    fields = FIELDS.get(name, {})
    return [
      f'--workdir={self.folder / name / workdir}',
      f'--data_dir={self.data_dir}',
      '--config.model.name=mlp',
      '--config.epochs=4',
      '--config.checkpoint_every=1',
      '--config.augment.crop_padding=1',
      '--config.num_trusted=100',
      f'--config.method.name={name}',
      *(f'--config.method.{k}={v}' for k, v in fields.items()),
    ]

  def curve(self, name, workdir):
    return programs.curve(self.folder / name / workdir)

  def on_four(self, name):
    """What a run on four devices of one process measures."""
    if not (self.folder / name / 'four').exists():
      programs.run(MAIN, *self.flags(name, 'four'), num_devices=4)
    return self.curve(name, 'four')

  def killed(self, name, workdir, num_devices):
    """Starts a run and kills it when it has measured itself twice."""
    flags = self.flags(name, workdir)
    process = programs.start(MAIN, *flags, num_devices=num_devices)
    deadline = time.monotonic() + 300
    while len(log.read(self.folder / name / workdir / 'metrics.jsonl')) < 2:
      assert process.poll() is None, process.communicate()
      assert time.monotonic() < deadline
      time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope='module')
def runs(tmp_path_factory, data_dir):
  return Runs(tmp_path_factory.mktemp('runs'), data_dir)


@pytest.mark.slow
@pytest.mark.parametrize('name', methods.METHODS)
def test_two_processes_of_two_devices_are_one_of_four(runs, name):
  cluster = programs.start_cluster(
    MAIN, *runs.flags(name, 'cluster'), num_processes=2, num_devices=2
  )
  for process in cluster:
    programs.finish(process)
  programs.assert_close_curves(runs.on_four(name), runs.curve(name, 'cluster'))


@pytest.mark.slow
@pytest.mark.parametrize('name', methods.METHODS)
def test_killed_and_resumed_is_never_stopped(runs, name):
  runs.killed(name, 'killed', num_devices=4)
  programs.run(MAIN, *runs.flags(name, 'killed'), num_devices=4)
  assert runs.curve(name, 'killed') == runs.on_four(name)


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_a_run_goes_on_with_other_devices(runs, name):
  programs.run(MAIN, *runs.flags(name, 'one'))
  programs.assert_close_curves(runs.on_four(name), runs.curve(name, 'one'))
  runs.killed(name, 'more', num_devices=1)
  programs.run(MAIN, *runs.flags(name, 'more'), num_devices=4)
  programs.assert_close_curves(runs.on_four(name), runs.curve(name, 'more'))
