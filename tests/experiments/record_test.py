"""Whose directory it is, and what is read of it."""

import json

import pytest

from experiments import errors
from experiments import loop
from experiments import record
from experiments.configs import common


def test_two_do_not_train_in_one_directory(tmp_path, data_dir):
  config = common.get_config()
  record.claim_workdir(tmp_path, config)
  with (
    record.claimed(tmp_path),
    pytest.raises(errors.RunError, match=f'is training in {tmp_path}: wait'),
  ):
    loop.run(config, tmp_path, data_dir=data_dir)
  assert not (tmp_path / 'metrics.jsonl').exists()


def test_a_claim_ends(tmp_path):
  record.claim_workdir(tmp_path, common.get_config())
  for _ in range(2):
    with pytest.raises(KeyError), record.claimed(tmp_path):
      raise KeyError


def test_a_field_of_a_method_that_is_not_here_may_be_unset(tmp_path):
  record.claim_workdir(tmp_path, common.get_config())
  path = tmp_path / 'config.json'
  known = json.loads(path.read_text())

  def read(method=None, **others):
    fields = {**known, 'method': {**known['method'], **(method or {})}}
    path.write_text(json.dumps({**fields, **others}))
    return json.loads(json.dumps(record.read_config(tmp_path).to_dict()))

  assert read(method={'cold_start': None}) == known
  with pytest.raises(errors.UsageError, match=r"field 'method\.cold_start'"):
    read(method={'cold_start': 3.0})
  with pytest.raises(errors.UsageError, match="field 'hidden_size'"):
    read(hidden_size=None)
