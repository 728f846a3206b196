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
