"""Seeds that train at once train as they would apart."""

import functools
import json

import jax
import ml_collections
import pytest

from experiments import devices
from experiments import errors
from experiments import interrupt
from experiments import loop
from experiments import sweep_runs
from experiments import together
from experiments.configs import common
from tests.experiments import programs
from tests.experiments import saved

SYSTEMS = {
  'generalized_cross_entropy': {'loss.name': 'generalized_cross_entropy'},
  'early_learning_regularization': {
    'method.name': 'early_learning_regularization',
    'method.beta': 0.7,
    'method.weight': 3.0,
  },
  # Two networks, two views, and what is done between epochs.
  'divide_mix': {
    'method.name': 'divide_mix',
    'method.warm_up_epochs': 1.0,
    'method.unlabelled_weight': 25.0,
    'method.ramp_epochs': 0.0,
  },
  'critical_parameters': {'method.name': 'critical_parameters'},
  # Its own optimiser, and what is done between epochs.
  'progressive_early_stopping': {
    'method.name': 'progressive_early_stopping',
    'method.first_epochs': 1,
    'method.second_epochs': 0,
    'method.third_epochs': 1,
    'method.late_learning_rate': 1e-3,
  },
  'sparse_over_parameterization_plus': {
    'method.name': 'sparse_over_parameterization_plus',
    'method.u_learning_rate': 10.0,
    'method.v_learning_rate': 10.0,
  },
  'truncated_pruning': {
    'method.name': 'truncated_pruning',
    'method.start_epochs': 1,
    'method.every': 1,
  },
}
QUICK = ('early_learning_regularization', 'progressive_early_stopping')


def _config(seed, **changes):
  config = common.get_config()
  config.update_from_flattened_dict(
    {
      'seed': seed,
      'epochs': 2,
      'model.name': 'mlp',
      'augment.crop_padding': 1,
      'checkpoint_every': 1,
      # Adam makes large steps of what rounding leaves of a small gradient.
      'optimizer.name': 'sgd',
      'optimizer.learning_rate': 0.05,
      **changes,
    }
  )
  if config.loss.name == 'generalized_cross_entropy':
    config.loss.q = 0.7
  return config


def _local(number=1):
  return devices.local(jax.local_devices()[:number])


def _run_together(folder, data_dir, changes, *, number=1):
  return loop.run_together(
    [_config(seed, **changes) for seed in (3, 4)],
    [folder / f'seed{seed}' for seed in (3, 4)],
    data_dir=data_dir,
    local=_local(number),
  )


@pytest.fixture(scope='module')
def apart(tmp_path_factory, data_dir):
  """The folders of runs that trained one by one, by the name of the system."""

  @functools.cache
  def run(name):
    folder = tmp_path_factory.mktemp(name)
    for seed in (3, 4):
      workdir = folder / f'seed{seed}'
      config = _config(seed, **SYSTEMS[name])
      loop.run(config, workdir, data_dir=data_dir, local=_local())
    return folder

  return run


def _assert_same_runs(one, other):
  for seed in ('seed3', 'seed4'):
    # What is rounded in another order grows a little in 40 steps: to 1e-4 in
    # code that is optimized, and not at all in that of the suite.
    saved.assert_close(one / seed, other / seed, rtol=1e-2, atol=1e-3)
    config, other_config = (
      json.loads((folder / seed / 'config.json').read_text())
      for folder in (one, other)
    )
    assert config == other_config
    assert (other / seed / 'summary.json').exists()


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in SYSTEMS
  ],
)
def test_together_is_apart(apart, tmp_path, data_dir, name):
  summaries = _run_together(tmp_path, data_dir, SYSTEMS[name])
  _assert_same_runs(apart(name), tmp_path)
  assert summaries[0]['noise_counts'] != summaries[1]['noise_counts']


def test_together_on_several_devices(apart, tmp_path, data_dir):
  name = 'early_learning_regularization'
  _run_together(tmp_path, data_dir, SYSTEMS[name], number=2)
  _assert_same_runs(apart(name), tmp_path)


def test_stopped_and_resumed_together(apart, tmp_path, data_dir, monkeypatch):
  name = 'early_learning_regularization'
  stop = 27
  monkeypatch.setattr(
    interrupt.Watch, 'should_stop', lambda self, step: step == stop
  )
  with pytest.raises(errors.StoppedError, match='step 27,'):
    _run_together(tmp_path, data_dir, SYSTEMS[name])
  stop = None
  _run_together(tmp_path, data_dir, SYSTEMS[name])
  _assert_same_runs(apart(name), tmp_path)


def test_one_that_lags_behind_catches_up(
  apart, tmp_path, data_dir, monkeypatch
):
  name = 'early_learning_regularization'
  monkeypatch.setattr(
    interrupt.Watch, 'should_stop', lambda self, step: step == 20
  )
  with pytest.raises(errors.StoppedError):
    loop.run(
      _config(3, **SYSTEMS[name]),
      tmp_path / 'seed3',
      data_dir=data_dir,
      local=_local(),
    )
  monkeypatch.undo()
  sizes = []
  before = together.Steps.__init__

  def count(self, members, local):
    sizes.append(len(members))
    before(self, members, local)

  monkeypatch.setattr(together.Steps, '__init__', count)
  _run_together(tmp_path, data_dir, SYSTEMS[name])
  assert sizes == [1, 2]
  _assert_same_runs(apart(name), tmp_path)


def test_what_one_program_cannot_train_is_trained_apart(
  tmp_path, data_dir, monkeypatch
):
  sizes = []
  monkeypatch.setattr(
    loop,
    '_train_all',
    lambda members, title, local: sizes.append(len(members)) or {},
  )
  # Which labels are trusted, it must look at.
  gold = {'method.name': 'gold_loss_correction', 'num_trusted': 50}
  _run_together(tmp_path / 'gold', data_dir, gold)
  _run_together(tmp_path / 'folds', data_dir, {'folds': 2})
  # Of a part, each seed holds out another number.
  _run_together(tmp_path / 'part', data_dir, {'num_examples': 300})
  assert sizes == [1] * 6
  # But nothing in the same matrix for all seeds.
  matrix = {'method.name': 'noise_adaptation_layer'}
  _run_together(tmp_path / 'matrix', data_dir, matrix)
  assert sizes[6:] == [2]


def test_a_sweep_trains_so_many_seeds_at_once(tmp_path, monkeypatch):
  config = common.get_config()
  asked = []

  def run_together(configs, workdirs, *, data_dir, title):
    del data_dir
    asked.append(
      ([one.seed for one in configs], workdirs[0].parent.name, title)
    )
    return [{'seed': one.seed} for one in configs]

  monkeypatch.setattr(loop, 'run_together', run_together)
  monkeypatch.setattr(sweep_runs, '_describe', str)
  whole = ml_collections.ConfigDict(
    {'base': config, 'seeds': 3, 'systems': {'one': {}, 'two': {}}}
  )
  summaries, _ = sweep_runs.run(whole, tmp_path, data_dir=None, together=2)
  assert asked == [
    ([0, 1], 'one', '[1/6] one, seed 0 to 1'),
    ([0, 1], 'two', '[2/6] two, seed 0 to 1'),
    ([2], 'one', '[5/6] one, seed 2'),
    ([2], 'two', '[6/6] two, seed 2'),
  ]
  assert [run['seed'] for run in summaries['two']] == [0, 1, 2]


def test_one_run_alone_is_not_several_at_once(tmp_path):
  _, err = programs.run(
    'experiments.sweep',
    f'--workdir={tmp_path / "sweep"}',
    '--index=0',
    '--together=2',
    code=2,
  )
  assert err.startswith('error: --index makes one run alone')
