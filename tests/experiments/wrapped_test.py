"""What any loss or method can be put under, in runs: `track_margins`, views."""

import csv

import jax
import numpy as np
import pytest

from experiments import devices
from experiments import errors
from experiments import export
from experiments import label_table
from experiments import loop
from experiments.configs import common

ELR = {
  'method.name': 'early_learning_regularization',
  'method.beta': 0.7,
  'method.weight': 3.0,
}


def _run(workdir, data_dir, **changes):
  config = common.get_config()
  config.update_from_flattened_dict(
    {'model.name': 'mlp', 'epochs': 4, 'eval_every': 4, **changes}
  )
  local = devices.local(jax.local_devices()[:1])
  return loop.run(config, workdir, data_dir=data_dir, local=local)


def _exported(workdir, data_dir):
  export.export(workdir, data_dir=data_dir)
  with (workdir / 'labels.csv').open() as file:
    rows = list(csv.DictReader(file))
  return {
    name: np.array([row[name] or 'nan' for row in rows], float)
    for name in rows[0]
  }


@pytest.mark.parametrize(
  ('fields', 'columns'),
  [
    ({}, []),
    ({'loss.name': 'peer_loss', 'loss.alpha': 0.5}, []),
    ({'method.mixup_alpha': 0.1, **ELR}, ['guess', 'target']),
    pytest.param(
      {'method.name': 'co_teaching'}, ['kept'], marks=pytest.mark.slow
    ),
  ],
)
def test_margins_are_remembered_and_exported(
  tmp_path, data_dir, fields, columns
):
  _run(tmp_path, data_dir, **{'method.track_margins': True, **fields})
  table = _exported(tmp_path, data_dir)
  assert {*table} == {*label_table.COLUMNS, 'margin', 'forgotten', *columns}
  trained = table['held_out'] == 0
  assert np.isnan(table['margin'][~trained]).all()
  wrong = (table['label'] != table['true_label'])[trained]
  margin = table['margin'][trained]
  # The area under the margin tells them apart, after four epochs already.
  ranks = np.empty(len(margin))
  ranks[np.argsort(margin)] = np.arange(len(margin))
  right, others = np.sum(~wrong), np.sum(wrong)
  above = np.sum(ranks[~wrong]) - right * (right - 1) / 2
  assert above / (right * others) > 0.9
  forgotten = table['forgotten'][trained]
  assert ((forgotten >= 0) & (forgotten <= 4)).all()
  assert forgotten[wrong].mean() > forgotten[~wrong].mean()


def test_without_the_field_there_are_no_margins(tmp_path, data_dir):
  _run(tmp_path, data_dir, epochs=1, **{'method.track_margins': False})
  assert list(_exported(tmp_path, data_dir)) == [*label_table.COLUMNS]


def test_models_of_folds_have_no_margins(tmp_path, data_dir):
  with pytest.raises(errors.UsageError, match='not for the models of'):
    _run(tmp_path, data_dir, folds=2, **{'method.track_margins': True})


@pytest.mark.parametrize(
  'field', ['loss.warm_up_epochs', 'loss.ramp_epochs', 'method.mixup_alpha']
)
def test_what_models_of_folds_would_leave_out_is_refused(
  tmp_path, data_dir, field
):
  with pytest.raises(errors.UsageError, match=rf'{field}=1\.0 is not for'):
    _run(tmp_path, data_dir, folds=2, **{field: 1.0})


VIEWS = {
  'loss.name': 'generalized_jensen_shannon',
  'loss.weights': (0.3, 0.35, 0.35),
  'second_view.operations': 1,
  'second_view.magnitude': 0.3,
}


def test_a_loss_of_two_views_trains(tmp_path, data_dir):
  summary = _run(tmp_path, data_dir, **VIEWS)
  assert summary['last']['test_accuracy'] > 0.8
  table = _exported(tmp_path, data_dir)
  assert list(table) == [*label_table.COLUMNS]


def test_a_loss_of_two_views_has_no_margins(tmp_path, data_dir):
  with pytest.raises(errors.UsageError, match='track_margins takes a method'):
    _run(tmp_path, data_dir, **{'method.track_margins': True, **VIEWS})
