"""Two programs train on the same labels, by a file."""

import types

import numpy as np
import pytest

from experiments import errors
from experiments import loop
from experiments import make_labels
from experiments.configs import common
from experiments.data import label_file
from tests.experiments import programs


def test_a_run_on_the_file_is_the_run_that_made_it(tmp_path, data_dir):
  path = tmp_path / 'labels.npy'
  out, _ = programs.run(
    'experiments.make_labels',
    '--config.noise.name=asymmetric',
    '--config.noise.rate=0.4',
    f'--output={path}',
    f'--data_dir={data_dir}',
  )
  assert 'asymmetric noise at 40%' in out
  labels = label_file.read(path, num_examples=1437, num_classes=10)
  assert labels.shape == (1437,)

  config = common.get_config()
  config.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'epochs': 1,
      'noise.name': 'asymmetric',
      'noise.rate': 0.4,
    }
  )
  made = loop.run(config, tmp_path / 'made', data_dir=data_dir)
  config.noise.file = str(path)
  read = loop.run(config, tmp_path / 'read', data_dir=data_dir)
  assert made['noise_counts'] == read['noise_counts']
  assert made['last']['train_loss'] == read['last']['train_loss']
  assert read['transition'] is None
  np.testing.assert_allclose(np.sum(made['transition'], axis=1), 1)


def test_an_output_must_be_named(monkeypatch):
  flags = types.SimpleNamespace(config=common.get_config(), output=None)
  monkeypatch.setattr(make_labels, 'FLAGS', flags)
  with pytest.raises(errors.UsageError, match=r'--output=labels\.csv'):
    make_labels.main()
