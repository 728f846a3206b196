"""The command line: what it says, and how it refuses."""

import functools

import pytest

from experiments import errors
from experiments.configs import common
from tests.experiments import programs

MAIN = 'experiments.main'
slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def _fields(config, prefix='config.'):
  for name, value in config.items():
    if hasattr(value, 'items'):
      yield from _fields(value, f'{prefix}{name}.')
    else:
      yield prefix + name


def test_help_names_every_flag_and_every_field_with_its_meaning():
  out, _ = programs.run(MAIN, '--help')
  for flag in (
    'config',
    'workdir',
    'data_dir',
    'coordinator_address',
    'num_processes',
    'process_id',
    'distributed',
  ):
    assert f'--{flag}' in out or f'--[no]{flag}' in out
  for field in _fields(common.get_config()):
    assert f'--{field}=' in out
  assert 'mixture_cross_entropy' in out
  assert 'small_cnn' in out


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--config.loss.nme=x'], 'name'),
    slow(['--config.bach_size=32'], 'batch_size'),
    (['--config.batch_size=many'], 'batch_size'),
    slow(['--config=experiments/configs/digts.py'], 'digits.py'),
    (['--config=nofile.py'], 'experiments/configs/digits.py'),
    (
      ['--config=experiments/configs/saved.py'],
      'saved.py:runs/elr/config.json',
    ),
    slow(['--config.loss.name=mixture'], 'mixture_cross_entropy'),
    (['--confg=x'], 'config'),
    (['--num_processes=2'], '--coordinator_address is missing'),
    (['left', 'over'], 'left'),
  ],
)
def test_wrong_usage_is_one_line_with_the_right_name(
  tmp_path, data_dir, flags, message
):
  _, err = programs.run(
    MAIN,
    *flags,
    f'--workdir={tmp_path / "run"}',
    f'--data_dir={data_dir}',
    code=2,
  )
  lines = err.strip().splitlines()
  assert len(lines) == 1, err
  assert lines[0].startswith('error: ')
  assert message in lines[0]
  assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
  ('name', 'expected'),
  [
    ('mixture_cros_entropy', 'did you mean mixture_cross_entropy'),
    ('zzz', 'there are: cross_entropy, mixture_cross_entropy'),
  ],
)
def test_nearest_names(name, expected):
  known = ['mixture_cross_entropy', 'cross_entropy']
  with pytest.raises(errors.UsageError, match=expected):
    errors.check_name('config.loss.name', name, known)
  errors.check_name('config.loss.name', known[0], known)
