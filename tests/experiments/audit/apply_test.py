"""A review is applied, and what it is worth is told."""

import json
import shutil

import numpy as np
import pytest

from experiments import errors
from experiments import record
from experiments.audit import apply
from experiments.audit import pipeline
from experiments.configs import common
from tests.experiments.audit import toy_audit
from tests.experiments.audit import toy_folder


def test_a_gain_is_told_with_its_interval():
  assert apply.describe_gain(-0.01, 0.03) == '+1.00 points (-1.00 to +3.00)'


def test_runs_of_a_review_follow_its_directory(tmp_path):
  config = common.get_config()
  config.noise.file, config.exclude = 'old/labels.csv', 'old/removed.npy'
  record.claim_workdir(tmp_path / 'model', config)
  config.noise.file, config.exclude = 'new/labels.csv', 'new/removed.npy'
  with pytest.raises(errors.UsageError, match='holds a run with'):
    record.check_workdir(tmp_path / 'model', config)
  apply._follow(tmp_path, config)
  record.check_workdir(tmp_path / 'model', config)


def test_where_nothing_has_changed_there_is_no_interval():
  assert apply.describe_gain(0.0, 0.0) == ('both right on the same examples')


def _review(workdir, path, verdicts):
  lines = ['index,name,label,suggested,verdict,corrected']
  for row in toy_audit.rows(workdir / 'issues.csv'):
    verdict = verdicts(row)
    if verdict:
      given = (row['index'], row['name'], row['label'], row['suggested'])
      lines.append(','.join([*given, *verdict]))
  path.write_text('\n'.join(lines))
  return path


def test_a_review_is_applied(finished, photos, tmp_path, capsys):
  _, workdir = finished
  shutil.copytree(workdir, tmp_path / 'copy')
  workdir = tmp_path / 'copy'

  def verdicts(row):
    if row['name'] in toy_folder.WRONG:
      true = toy_folder.CLASSES.index(toy_folder.WRONG[row['name']])
      return 'wrong', str(true)
    if row['name'].endswith('03.png'):
      return 'right', ''
    if row['name'] == 'block/04.png':
      return 'wrong', 'remove'
    return ('unsure', '') if row['name'] == 'block/05.png' else None

  path = _review(workdir, tmp_path / 'reviewed.csv', verdicts)
  audit = toy_audit.run(workdir, photos, apply=path)
  result = apply.run(audit, path, workdir)
  assert json.loads((workdir / 'apply.json').read_text()) == result
  counts = {
    name: result[name]
    for name in ('corrected', 'removed', 'right', 'unsure', 'examples')
  }
  assert counts == {
    'corrected': 2,
    'removed': 1,
    'right': 3,
    'unsure': 1,
    'examples': 5,
  }
  assert 0 <= result['before'] <= result['after'] == 1
  lower, upper = result['gain_interval']
  assert lower <= result['gain'] == result['after'] - result['before'] <= upper
  assert 'held out (5 examples)' in capsys.readouterr().out
  model = record.read_config(
    workdir / result['model'].rsplit('/', 2)[1] / 'model'
  )
  before = record.read_config(workdir / 'model')
  assert model.seed == before.seed
  assert model.epochs == before.epochs
  counts = record.read_summary(workdir / result['model'])['noise_counts']
  assert np.sum(counts) == 35


def test_a_review_that_corrects_nothing(finished, tmp_path):
  audit, workdir = finished
  path = _review(workdir, tmp_path / 'reviewed.csv', lambda row: ('right', ''))
  with pytest.raises(errors.UsageError, match='corrects no label'):
    apply.run(audit, path, workdir)


def test_removed_images_alone_tell_nothing_of_folds(
  finished, photos, tmp_path, monkeypatch, capsys
):
  audit, workdir = finished
  shutil.copytree(workdir, tmp_path / 'copy')
  path = _review(
    workdir,
    tmp_path / 'reviewed.csv',
    lambda row: ('wrong', 'remove') if row['index'] == '3' else None,
  )
  trained = []
  monkeypatch.setattr(
    pipeline, 'train', lambda config, folder, *_: trained.append(folder.name)
  )
  result = apply.run(audit, path, tmp_path / 'copy')
  assert trained == ['model']
  assert (result['removed'], result['examples']) == (1, 0)
  assert 'the gain cannot be measured' in capsys.readouterr().out
