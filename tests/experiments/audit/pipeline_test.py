"""An audit of a folder from end to end."""

import os
import re
import shutil
import signal

import numpy as np
import pytest

from experiments import errors
from experiments import interrupt
from experiments import loop
from experiments import record
from experiments.audit import options
from experiments.audit import pipeline
from experiments.audit import search
from experiments.data import label_file
from tests.experiments.audit import toy_audit
from tests.experiments.audit import toy_folder


def test_what_lies_in_the_wrong_folder_is_found(finished):
  audit, workdir = finished
  rows = toy_audit.rows(workdir / 'issues.csv')
  assert len(rows) == 36
  first = {row['name']: row['suggested_name'] for row in rows[:2]}
  assert first == toy_folder.WRONG
  assert [row['is_issue'] for row in rows[:2]] == ['1', '1']
  labels = label_file.read(
    workdir / 'suggested_labels.csv', num_examples=36, num_classes=3
  )
  changed = {
    audit.found.names[row]: toy_folder.CLASSES[labels[row]]
    for row in np.flatnonzero(labels != audit.found.label)
  }
  assert changed.items() >= toy_folder.WRONG.items()
  lower, upper = audit.found.expected_interval
  assert lower <= audit.found.expected <= upper
  assert audit.found.accuracy > 0.8


def test_every_stage_says_how_far_it_is_and_comes_to_its_end(told):
  *_, lines = told
  for stage in range(1, 8):
    of_stage = [line for line in lines if line.startswith(f'[{stage}/7] ')]
    assert ': 100%' in of_stage[-1]
  assert any(re.search(r'^\[2/7\] .*: \d\d%, \d+ s left', s) for s in lines)
  assert any(': predicting: 100%' in line for line in lines)


def test_problems_are_listed(finished):
  audit, workdir = finished
  assert audit.found.problems == [
    '1 entry is beside the folders of classes, and not looked at: notes.txt.',
    'bars/broken.png cannot be read: it is no PNG or JPEG.',
  ]
  said = (workdir / 'problems.txt').read_text().splitlines()
  assert said == audit.found.problems


def test_the_report_and_a_trained_model_are_there(finished):
  audit, workdir = finished
  assert 'shapes' in (workdir / 'report.html').read_text()
  assert record.read_config(workdir / 'model').epochs == 12
  assert record.read_summary(workdir / 'model')['last']['train_accuracy'] > 0.8
  assert audit.found.settings['epochs'] == '12'
  pngs = audit.data.pictures(np.array([0, 35]))
  assert all(png.startswith(b'\x89PNG') for png in pngs)


def test_a_finished_audit_is_read_and_not_made_again(
  finished, photos, monkeypatch
):
  audit, workdir = finished
  monkeypatch.setattr(loop, '_prepare', None)
  monkeypatch.setattr(search.noise_estimate, 'estimate', None)
  monkeypatch.setattr(search.scoring, 'find', None)
  monkeypatch.setattr(search.neighbours, 'find', None)
  again = toy_audit.run(workdir, photos, max_pictures=1)
  for name in toy_audit.ARRAYS:
    np.testing.assert_array_equal(
      getattr(again.found, name), getattr(audit.found, name)
    )


def test_a_stopped_audit_goes_on_to_the_same_bits(
  finished, photos, tmp_path, monkeypatch
):
  audit, _ = finished
  with monkeypatch.context() as patch:
    patch.setattr(
      interrupt.Watch, 'should_stop', lambda watch, step: step == 11
    )
    with pytest.raises(errors.StoppedError, match='step 11'):
      toy_audit.run(tmp_path, photos)
  with monkeypatch.context() as patch:
    # Now it comes while the noise is estimated, which is finished.
    estimate = search.noise_estimate.estimate

    def slow(*args, **kwargs):
      os.kill(os.getpid(), signal.SIGTERM)
      return estimate(*args, **kwargs)

    patch.setattr(search.noise_estimate, 'estimate', slow)
    with pytest.raises(errors.StoppedError, match='what is finished is kept'):
      toy_audit.run(tmp_path, photos)
    patch.setattr(search.noise_estimate, 'estimate', None)
    patch.setattr(loop, '_prepare', None)
    patch.setattr(pipeline.telling, 'write', lambda *args: None)
    with pytest.raises(TypeError):  # Only the last model is not there.
      toy_audit.run(tmp_path, photos)
  again = pipeline.run(photos, toy_audit.config(), tmp_path, options.Options())
  for name in toy_audit.ARRAYS:
    np.testing.assert_array_equal(
      getattr(again.found, name), getattr(audit.found, name)
    )


def test_another_detector_trains_nothing_again(
  finished, photos, monkeypatch, tmp_path
):
  audit, workdir = finished
  shutil.copytree(workdir, tmp_path / 'copy')
  monkeypatch.setattr(loop, '_prepare', None)
  again = toy_audit.run(tmp_path / 'copy', photos, detector='normalized_margin')
  assert (again.found.score != audit.found.score).any()
  np.testing.assert_array_equal(again.found.is_issue, audit.found.is_issue)
