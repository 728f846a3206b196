"""The table of estimators on known noise."""

import json

import numpy as np
import pytest

from experiments import recovery
from experiments.configs import mnist_recovery
from tests.experiments import programs


def test_row_distance():
  one, other = np.eye(2), np.array([[0.7, 0.3], [0.1, 0.9]])
  assert recovery.row_distance(one, other) == pytest.approx(0.2)
  assert recovery.row_distance(other, other) == 0


def test_every_problem_of_the_issue_is_there():
  config = mnist_recovery.get_config()
  assert list(config.problems) == [
    'MNIST, symmetric 20%',
    'MNIST, symmetric 50%',
    'MNIST, symmetric 80%',
    'MNIST, pair flip 45%',
    'MNIST, asymmetric 40%',
    'CIFAR-10N worst (JPEG copy)',
  ]


def test_some_problems_by_how_their_names_begin():
  some = mnist_recovery.get_config('MNIST, s').problems
  assert list(some) == [
    'MNIST, symmetric 20%',
    'MNIST, symmetric 50%',
    'MNIST, symmetric 80%',
  ]
  with pytest.raises(ValueError, match="no problem begins with 'mnist'"):
    mnist_recovery.get_config('mnist')


def test_a_row_says_whether_the_interval_covers():
  found = {
    'row_distance': 0.1,
    'rate': 0.25,
    'rate_bias': 0.051,
    'rate_interval': (0.19, 0.31),
  }
  assert recovery._cells(0.2, found) == (
    '0.100', '20.0%', '25.0%', '+5.1%', '19.0% to 31.0%', 'yes'
  )  # fmt: skip
  assert recovery._cells(0.1, found)[-1] == 'no'
  found |= {'rate_bias': None, 'rate_interval': None}
  assert recovery._cells(0.2, found)[3:] == ('-', '-', '-')


@pytest.fixture
def small_config(tmp_path):
  path = tmp_path / 'small.py'
  path.write_text(
    'from experiments.configs import mnist_recovery\n'
    'def get_config():\n'
    '  config = mnist_recovery.get_config()\n'
    "  config.base.dataset = 'digits'\n"
    "  config.base.model.name = 'mlp'\n"
    '  config.base.batch_size = 64\n'
    "  config.estimators = ('confident_joint', 'anchor_points')\n"
    '  for name in list(config.problems)[1:]:\n'
    '    del config.problems[name]\n'
    '  return config\n'
  )
  return path


@pytest.mark.slow
def test_one_command_trains_compares_and_draws(
  small_config, tmp_path, data_dir
):
  flags = [
    f'--config={small_config}',
    f'--workdir={tmp_path / "run"}',
    f'--data_dir={data_dir}',
  ]
  out, _ = programs.run('experiments.recovery', *flags)
  assert 'MNIST, symmetric 20%' in out
  assert 'confident_joint' in out
  results = json.loads((tmp_path / 'run/results.json').read_text())
  ((_, result),) = results.items()
  assert result['rate'] == pytest.approx(0.2, abs=0.04)
  found = result['estimates']['confident_joint']
  assert found['row_distance'] < 0.15
  page = (tmp_path / 'run/recovery.html').read_text()
  assert page.count('<svg') == 1
  assert 'script' not in page
