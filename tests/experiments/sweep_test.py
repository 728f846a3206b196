"""The program that runs sweeps, and its flags."""

import json
import types

import ml_collections
import pytest

from experiments import errors
from experiments import groups
from experiments import loop
from experiments import main
from experiments import record
from experiments import sweep
from experiments import sweep_runs
from experiments.configs import common
from experiments.configs import four_systems
from tests.experiments import programs
from tests.experiments import small_sweep


def _set_flags(monkeypatch, config, workdir, data_dir=None, index=None):
  """As though both programs had been started with these flags."""
  flags = types.SimpleNamespace(
    config=config,
    workdir=str(workdir),
    data_dir=data_dir,
    index=index,
    state=False,
    together=1,
    grid=None,
    seeds=None,
  )
  for program in (main, sweep):
    monkeypatch.setattr(program, 'FLAGS', flags)


def _four(seeds):
  config = four_systems.get_config()
  config.seeds = seeds
  config.base.update_from_flattened_dict({'epochs': 1, 'model.name': 'mlp'})
  return config


def test_one_command_prints_and_writes_and_does_not_repeat(
  tmp_path, data_dir, monkeypatch, capsys
):
  flags = [
    f'--workdir={tmp_path}',
    f'--data_dir={data_dir}',
    '--config.seeds=1',
    '--config.base.epochs=1',
    '--config.base.model.name=mlp',
  ]
  out, _ = programs.run('experiments.sweep', *flags)
  assert 'mixture_cross_entropy' in out
  assert str(tmp_path / 'report.html') in out
  assert (tmp_path / 'report.html').stat().st_size > 10_000
  results = json.loads((tmp_path / 'results.json').read_text())
  assert list(results) == [
    'cross_entropy',
    'clipped_cross_entropy',
    'mixture_cross_entropy',
    'smoothed_cross_entropy',
  ]
  before = (tmp_path / 'cross_entropy/seed0/metrics.jsonl').stat().st_mtime_ns
  # The other program takes a sweep as well.
  _set_flags(monkeypatch, _four(seeds=1), tmp_path, data_dir=data_dir)
  main.main()
  assert 'report.html' in capsys.readouterr().out
  after = (tmp_path / 'cross_entropy/seed0/metrics.jsonl').stat().st_mtime_ns
  assert before == after


def test_a_task_of_an_array_makes_one_run(
  tmp_path, data_dir, monkeypatch, capsys
):
  # The sixth: the second system with the second seed.
  _set_flags(monkeypatch, _four(seeds=2), tmp_path, data_dir, index=5)
  main.main()
  out = capsys.readouterr().out
  assert '[6/8] clipped_cross_entropy, seed 1: test accuracy' in out
  assert 'by noisy validation' in out
  assert 'Report' not in out
  found, unfinished = groups.find([str(tmp_path)])
  assert [group.folders for group in found.values()] == [
    [tmp_path / 'clipped_cross_entropy/seed1']
  ]
  assert not unfinished
  assert not (tmp_path / 'results.json').exists()


@pytest.mark.parametrize('index', [-1, 8])
def test_an_index_out_of_range_is_a_sentence(tmp_path, monkeypatch, index):
  config = four_systems.get_config()
  config.seeds = 2
  _set_flags(monkeypatch, config, tmp_path / 'sweep', index=index)
  message = rf'^--index={index} is not in 0\.\.7: the sweep has 8 runs$'
  with pytest.raises(errors.UsageError, match=message):
    sweep.main()
  assert not (tmp_path / 'sweep').exists()


def test_an_index_is_of_all_sweeps_together(tmp_path, monkeypatch):
  config = ml_collections.ConfigDict({'seeds': 2})
  config.sweeps = {'a': small_sweep.config(), 'b': small_sweep.config()}
  made = []
  monkeypatch.setattr(
    sweep_runs, 'run_some', lambda run, data_dir: made.extend(run)
  )
  _set_flags(monkeypatch, config, tmp_path, index=6)
  sweep.main()
  assert [run.workdir for run in made] == [tmp_path / 'b/cross_entropy/seed1']


def test_the_state_of_a_sweep_runs_nothing(tmp_path, monkeypatch, capsys):
  _set_flags(monkeypatch, small_sweep.config(), tmp_path)
  monkeypatch.setattr(sweep.FLAGS, 'state', True)
  monkeypatch.setattr(loop, '_prepare', None)
  sweep.main()
  assert f'{tmp_path}: 0 of 4 runs are finished' in capsys.readouterr().out


def test_one_run_has_no_index(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run', index=0)
  with pytest.raises(errors.UsageError, match=r'^--index chooses'):
    main.main()
  assert not (tmp_path / 'run').exists()


def test_one_run_has_no_state_of_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run')
  monkeypatch.setattr(main.FLAGS, 'state', True)
  with pytest.raises(errors.UsageError, match=r'^--state is of a sweep'):
    main.main()


def test_a_run_is_not_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run')
  with pytest.raises(errors.UsageError, match=r'python -m experiments\.main'):
    sweep.main()
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('index', [None, 0])
def test_several_sweeps_take_no_directory_of_a_run(
  tmp_path, monkeypatch, index
):
  record.claim_workdir(tmp_path, common.get_config())
  config = ml_collections.ConfigDict({'seeds': 1})
  config.sweeps = {'a': small_sweep.config()}
  _set_flags(monkeypatch, config, tmp_path, index=index)
  with pytest.raises(errors.UsageError, match='holds a run, and not a sweep'):
    sweep.main()
  assert not (tmp_path / 'a').exists()


def test_one_run_with_seeds_is_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path)
  monkeypatch.setattr(sweep.FLAGS, 'seeds', 2)
  ((folder, one),) = sweep._sweeps(sweep.FLAGS.config).items()
  assert [run.workdir for run in sweep_runs.runs(one, folder)] == [
    tmp_path / 'cross_entropy/seed0',
    tmp_path / 'cross_entropy/seed1',
  ]


def test_seeds_and_a_grid_are_of_each_of_several_sweeps(tmp_path, monkeypatch):
  config = ml_collections.ConfigDict({'seeds': 1})
  config.sweeps = {'a': small_sweep.config(), 'b': small_sweep.config()}
  config.lock()
  _set_flags(monkeypatch, config, tmp_path)
  monkeypatch.setattr(sweep.FLAGS, 'seeds', 3)
  monkeypatch.setattr(sweep.FLAGS, 'grid', ['batch_size=32,64'])
  sweeps = sweep._sweeps(config)
  assert list(sweeps) == [tmp_path / 'a', tmp_path / 'b']
  for folder, one in sweeps.items():
    assert len(sweep_runs.runs(one, folder)) == 2 * 2 * 3


def test_a_grid_that_nothing_would_read_is_refused(tmp_path, monkeypatch):
  config = ml_collections.ConfigDict(
    {'seeds': 1, 'grid': {'batch_size': (32,)}}
  )
  config.sweeps = {'a': small_sweep.config()}
  _set_flags(monkeypatch, config, tmp_path)
  with pytest.raises(errors.UsageError, match=r'give it to each of them'):
    sweep.main()


def test_a_run_that_fails_is_said_at_the_end_of_all(
  tmp_path, data_dir, monkeypatch, capsys
):
  config = _four(seeds=1)
  config.systems = {
    'bad': {
      'optimizer': {'name': 'sgd', 'learning_rate': 1e38},
      'schedule': {'name': 'constant'},
    },
    'good': {},
  }
  _set_flags(monkeypatch, config, tmp_path, data_dir=data_dir)
  with pytest.raises(errors.RunError, match=r'^1 of the runs .*bad/seed0\. '):
    sweep.main()
  assert 'report.html' in capsys.readouterr().out
  assert list(json.loads((tmp_path / 'results.json').read_text())) == ['good']
