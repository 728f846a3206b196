"""What an audit can be of, and what is refused of it."""

import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import errors
from experiments.audit import image_folder
from experiments.audit import sources
from experiments.data import label_file
from experiments.data import source
from tests.experiments.audit import toy_audit


def test_labels_of_one_class_alone(finished, tmp_path):
  _, workdir = finished
  path = tmp_path / 'given.csv'
  label_file.write(path, np.arange(36), np.zeros(36, int))
  with pytest.raises(errors.UsageError, match='all 36 labels are bars'):
    toy_audit.run(
      tmp_path / 'audit',
      sources.Request(
        dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
      ),
      toy_audit.config(**{'noise.file': str(path)}),
    )


def test_made_noise_is_not_for_folders(photos, tmp_path):
  config = toy_audit.config(**{'noise.name': 'symmetric'})
  with pytest.raises(errors.UsageError, match=r'config\.noise makes'):
    toy_audit.run(tmp_path, photos, config)


def test_noise_by_the_image_is_that_of_the_images_trained_on(
  tmp_path, data_dir
):
  config = toy_audit.config(
    **{
      'dataset': 'digits',
      'image_size': (16, 16),
      'noise.name': 'margin_dependent',
      'noise.rate': 0.2,
    }
  )
  data = sources.open_data(
    sources.Request(dataset='digits', data_dir=data_dir),
    config,
    tmp_path,
    should_stop=lambda: False,
    title='',
  )
  config.batch_size = 64
  _, trained = build.make_data(config, data_dir, devices.local())
  index = np.asarray(trained.train.index)[np.asarray(trained.train.mask) > 0]
  label = np.asarray(trained.train.label)[np.asarray(trained.train.mask) > 0]
  np.testing.assert_array_equal(data.labels[index], label)


def test_true_labels_change_nothing(finished, tmp_path, monkeypatch):
  audit, workdir = finished
  path = tmp_path / 'given.csv'
  label_file.write(path, audit.found.index, audit.found.label)
  load, met = source.load, []

  def load_anything(*args, **kwargs):
    examples = load(*args, **kwargs)
    met.append(1)
    other = np.random.default_rng(0).permutation(examples.label)
    return examples._replace(label=other)

  monkeypatch.setattr(source, 'load', load_anything)
  again = toy_audit.run(
    tmp_path / 'audit',
    sources.Request(
      dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
    ),
    toy_audit.config(**{'noise.file': str(path)}),
  )
  assert met
  for name in toy_audit.ARRAYS:
    np.testing.assert_array_equal(
      getattr(again.found, name), getattr(audit.found, name)
    )
  for name in ('rate', 'rate_interval', 'expected', 'expected_interval'):
    assert getattr(again.found, name) == getattr(audit.found, name)
  assert again.found.duplicates == audit.found.duplicates
  assert again.found.accuracy == audit.found.accuracy
