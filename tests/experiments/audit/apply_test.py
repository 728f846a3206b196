"""What a review is worth, in words; pipeline_test.py applies one."""

import pytest

from experiments import errors
from experiments import record
from experiments.audit import apply
from experiments.configs import common


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
