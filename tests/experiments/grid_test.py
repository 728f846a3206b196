"""Every system with every combination of some values."""

import pathlib

import ml_collections
import numpy as np
import pytest

from experiments import build
from experiments import errors
from experiments import grid
from experiments import sweep_runs
from experiments.configs import common
from tests.experiments import programs


def _sweep(given=None):
  config = ml_collections.ConfigDict({'seeds': 2})
  config.base = common.get_config()
  config.systems = ml_collections.ConfigDict(
    {
      'gce': {'loss': {'name': 'generalized_cross_entropy', 'q': 0.7}},
      'ce': {'loss': {'name': 'cross_entropy'}, 'batch_size': 32},
    },
    sort_keys=False,
  )
  if given:
    config.grid = ml_collections.ConfigDict(given, sort_keys=False)
  return config


def test_every_system_has_every_combination_and_its_name_says_which():
  given = {'optimizer': {'learning_rate': (0.1, 1)}, 'epochs': (2, 3)}
  found = grid.systems(_sweep(given))
  assert list(found) == [
    f'{system}+optimizer.learning_rate={rate}+epochs={epochs}'
    for system in ('gce', 'ce')
    for rate in ('0.1', '1')
    for epochs in (2, 3)
  ]
  fields = found['ce+optimizer.learning_rate=1+epochs=3']
  config = build.one_config(_sweep(), fields, 1)
  expected = build.one_config(_sweep(), _sweep().systems['ce'], 1)
  expected.optimizer.learning_rate = 1.0
  expected.epochs = 3
  assert config == expected
  assert isinstance(config.optimizer.learning_rate, float)


def test_without_a_grid_there_are_the_systems():
  config = _sweep()
  assert grid.systems(config) == config.systems.to_dict()
  assert list(grid.systems(config)) == ['gce', 'ce']
  assert grid.systems(grid.add(config, [])) == config.systems.to_dict()


def test_the_grids_values_count_where_a_system_has_others():
  fields = grid.systems(_sweep({'loss': {'q': (0.5,)}}))['gce+loss.q=0.5']
  assert fields == {'loss': {'name': 'generalized_cross_entropy', 'q': 0.5}}


def test_a_flag_adds_fields_and_replaces_values_in_a_copy():
  config = _sweep({'epochs': (2, 3)})
  config.lock()
  changed = grid.add(config, ['epochs=5', 'augment.flip=True,False'])
  assert list(grid.systems(changed)) == [
    f'{system}+epochs=5+augment.flip={flip}'
    for system in ('gce', 'ce')
    for flip in (True, False)
  ]
  assert config.grid.to_dict() == {'epochs': (2, 3)}


@pytest.mark.parametrize(
  ('text', 'field', 'values'),
  [
    ('optimizer.learning_rate=1e-3,1', 'learning_rate', [0.001, 1.0]),
    ('optimizer.name=sgd,adam', 'name', ['sgd', 'adam']),
    ('batch_size=32', 'batch_size', [32]),
    ('augment.flip=False', 'flip', [False]),
    ('schedule.boundaries=(1,2),(3,)', 'boundaries', [(1, 2), (3,)]),
    # A placeholder has a type, too.
    ('loss.q=0.5', 'q', [0.5]),
  ],
)
def test_values_of_a_flag_have_the_type_of_their_field(text, field, values):
  systems = grid.systems(grid.add(grid.of_run(common.get_config(), ''), [text]))
  section = text.partition('=')[0].rpartition('.')[0]
  found = [
    fields[section][field] if section else fields[field]
    for fields in systems.values()
  ]
  assert found == values
  assert [type(value) for value in found] == [type(value) for value in values]


def test_numbers_of_numpy_will_do():
  given = {'optimizer': {'learning_rate': tuple(np.geomspace(1e-4, 1e-1, 4))}}
  names = list(grid.systems(_sweep(given)))[:4]
  assert names == [
    f'gce+optimizer.learning_rate={rate}'
    for rate in ('0.0001', '0.001', '0.01', '0.1')
  ]


def test_names_are_names_of_directories():
  texts = ['noise.file=a/b c.csv,../d.csv', 'schedule.boundaries=(1,2)']
  names = list(grid.systems(grid.add(_sweep(), texts)))
  assert names[0] == 'gce+noise.file=a-b-c.csv+schedule.boundaries=1-2'
  for name in names:
    assert pathlib.Path(name).name == name
    assert not set(name) & set(', \'"()*?\\')


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'optimizer': {'lerning_rate': (0.1,)}}, r'optimizer\.learning_rate'),
    ({'base': {'epochs': (1,)}}, 'did you mean epochs'),
    ({'optimizer': (0.1,)}, 'is unknown'),
    ({'seed': (0, 1)}, '--seeds'),
    ({'epochs': 3}, r'tuple of them, or --grid=epochs=VALUE'),
    ({'epochs': ()}, 'no values of epochs'),
    ({'epochs': (1, 1.5)}, r'epochs=1\.5: give values of type int'),
    ({'epochs': (True,)}, r'epochs=True: give values of type int'),
    ({'augment': {'flip': (1,)}}, 'of type bool'),
    ({'loss': {'name': (None,)}}, 'of type str'),
    ({'ema_decay': ('0.9',)}, 'of type float'),
    ({'ema_decay': (1, 1.0)}, 'ema_decay=1 twice: leave out one'),
    # They would have the same directory.
    ({'noise': {'file': ('a/b', 'a-b')}}, 'noise.file=a-b twice'),
  ],
)
def test_what_cannot_be_meant_is_a_sentence(given, message):
  with pytest.raises(errors.UsageError, match=message):
    grid.systems(_sweep(given))


@pytest.mark.parametrize(
  ('texts', 'message'),
  [
    (['lerning_rate=1'], 'learning_rate'),
    (['seed=1,2'], '--seeds'),
    (['epochs=many'], r'--grid=epochs=many: give epochs values of type int'),
    (['epochs=1,,2'], 'with commas between them'),
    (['epochs=1', 'epochs=2'], 'all of its values in one'),
  ],
)
def test_a_flag_that_cannot_be_read_is_a_sentence(texts, message):
  with pytest.raises(errors.UsageError, match=message):
    grid.add(_sweep(), texts)


@pytest.mark.parametrize('text', ['epochs', 'epochs=', 'loss.name='])
def test_a_flag_without_values_is_a_sentence(text):
  with pytest.raises(errors.UsageError, match='no values of'):
    grid.systems(grid.add(_sweep(), [text]))


def test_a_run_that_has_a_seed_is_no_system():
  config = common.get_config()
  config.seed = 3
  with pytest.raises(errors.UsageError, match=r'--config\.seed=0'):
    grid.of_run(config, 'one')


def test_runs_have_their_own_directories_and_ranges_are_checked_first():
  config = _sweep({'epochs': (2, 3)})
  runs = sweep_runs.runs(config, pathlib.Path('runs'))
  assert [(run.system, run.config.epochs, run.config.seed) for run in runs] == [
    (f'{system}+epochs={epochs}', epochs, seed)
    for seed in (0, 1)
    for system in ('gce', 'ce')
    for epochs in (2, 3)
  ]
  assert len({run.workdir for run in runs}) == 8
  assert runs[1].workdir == pathlib.Path('runs/gce+epochs=3/seed0')
  config.grid.epochs = (2, 0)
  with pytest.raises(errors.UsageError, match=r'config\.epochs=0'):
    sweep_runs.runs(config, pathlib.Path('runs'))


def test_the_configuration_of_one_run_has_a_grid_and_seeds(tmp_path, data_dir):
  flags = [
    '--config=experiments/configs/digits.py',
    f'--workdir={tmp_path / "grid"}',
    f'--data_dir={data_dir}',
    '--config.epochs=1',
    '--config.model.name=mlp',
    '--seeds=2',
    '--grid=noise.rate=0.2,0.4',
  ]
  # A task of an array makes a run, which the next command finds.
  out, _ = programs.run('experiments.sweep', *flags, '--index=3')
  assert '[4/4] noise.rate=0.4, seed 1: test accuracy' in out
  last = tmp_path / 'grid/noise.rate=0.4/seed1/metrics.jsonl'
  before = last.stat().st_mtime_ns
  out, _ = programs.run('experiments.sweep', *flags, '--together=2')
  assert last.stat().st_mtime_ns == before
  rows = [line for line in out.splitlines() if line.startswith('│ noise.rate')]
  assert [row.split()[1] for row in rows] == [
    'noise.rate=0.2',
    'noise.rate=0.4',
  ]
  page = (tmp_path / 'grid/report.html').read_text()
  assert 'noise.rate=0.2' in page
  assert 'noise.rate=0.4' in page
  out, _ = programs.run('experiments.sweep', *flags, '--state')
  assert '4 of 4 runs are finished' in out
  _, err = programs.run('experiments.sweep', *flags, '--grid=epochs=', code=2)
  assert err.startswith('error: the grid has no values of epochs')
