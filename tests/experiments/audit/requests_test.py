"""Requests that cannot be meant are refused before anything is written."""

import pathlib

import numpy as np
import pytest

from experiments import errors
from experiments.audit import claim
from experiments.audit import image_folder
from experiments.audit import pipeline
from experiments.audit import plan
from experiments.audit import sources
from experiments.data import label_file
from experiments.data import source
from tests.experiments.audit import toy_audit


def test_other_requests_are_refused(finished, photos, tmp_path):
  _, workdir = finished
  before = (workdir / 'audit.json').read_bytes()
  with pytest.raises(errors.UsageError, match=r'config\.folds=2, not 3'):
    toy_audit.run(workdir, photos, toy_audit.config(folds=3))
  with pytest.raises(errors.UsageError, match='of --images, not of --dataset'):
    toy_audit.run(workdir, sources.Request(dataset='digits'))
  with pytest.raises(errors.UsageError, match='holds a run, not an audit'):
    toy_audit.run(workdir / 'model', photos)
  (tmp_path / 'file').write_text('')
  review = tmp_path / 'reviewed.csv'
  review.write_text('index,verdict\n')
  with pytest.raises(errors.UsageError, match='there is no column'):
    toy_audit.run(tmp_path / 'new', photos, apply=review)
  assert not (tmp_path / 'new' / 'folds').exists()
  request = sources.Request(dataset='digits', column='lable')
  with pytest.raises(source.DataError, match="no class label 'lable'"):
    toy_audit.run(tmp_path / 'other', request)
  with pytest.raises(errors.UsageError, match='is not a directory'):
    toy_audit.run(tmp_path / 'file' / 'below', photos)
  assert (workdir / 'audit.json').read_bytes() == before


REQUESTS = sources.Request


@pytest.mark.parametrize(
  ('request_', 'fields', 'how', 'match'),
  [
    (REQUESTS(), {}, {}, 'say what to audit'),
    (REQUESTS(dataset='digits', images='x'), {}, {}, '--images and --dataset'),
    (REQUESTS(labels='x'), {}, {}, '--labels goes with --probs'),
    (REQUESTS(images='x', column='y'), {}, {}, '--column goes with --dataset'),
    (REQUESTS(dataset='digits', probs='y'), {}, {}, '--probs goes with'),
    (REQUESTS(dataset='digits'), {}, {'detector': 'x'}, '--detector'),
    (REQUESTS(dataset='digits'), {}, {'max_pictures': -1}, 'is negative'),
    (REQUESTS(dataset='digits'), {'num_trusted': 3}, {}, 'config.num_trusted'),
    (REQUESTS(dataset='digits'), {'num_examples': 9}, {}, 'num_examples'),
    (
      REQUESTS(dataset='digits'),
      {'noise_estimate': 'trusted_transition'},
      {},
      'config.noise_estimate',
    ),
    (REQUESTS(dataset='digits'), {'method.name': 'elr'}, {}, 'config.method'),
    (REQUESTS(dataset='digits'), {'epochs': 0}, {}, 'config.epochs=0'),
    (
      REQUESTS(dataset='digits'),
      {'loss.name': 'forward_corrected_cross_entropy'},
      {},
      'has to be told the noise',
    ),
    (
      REQUESTS(dataset='digits'),
      {'loss.name': 'backward_corrected', 'loss.base': 'cross_entropy'},
      {},
      'has to be told the noise',
    ),
    (REQUESTS(labels='x', probs='y'), {}, {'apply': 'z'}, '--apply trains'),
    (
      REQUESTS(dataset='digits'),
      {},
      {'apply': pathlib.Path('no/reviewed.csv')},
      'is not a file',
    ),
  ],
)
def test_what_cannot_be_meant_is_said_at_once(
  tmp_path, request_, fields, how, match
):
  with pytest.raises(errors.UsageError, match=match):
    toy_audit.run(
      tmp_path / 'audit', request_, toy_audit.config(**fields), **how
    )
  assert not (tmp_path / 'audit').exists()


def test_labels_that_have_changed_are_another_audit(
  finished, tmp_path, monkeypatch
):
  audit, workdir = finished
  path = tmp_path / 'given.csv'
  label_file.write(path, audit.found.index, audit.found.label)
  request = sources.Request(
    dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
  )
  config = toy_audit.config(**{'noise.file': str(path)})
  data = sources.open_data(
    request, config, tmp_path, should_stop=lambda: False, title=''
  )
  fitted = plan.fit(data.config, 36, has_color=data.images.shape[-1] > 1)
  facts = {
    'kind': 'dataset',
    'files': None,
    'content': claim.content(data.labels, data.images),
    'config': fitted.to_dict(),
  }
  claim.write(tmp_path / 'audit', facts)
  claim.check(tmp_path / 'audit', facts, config)
  label_file.write(path, audit.found.index, np.roll(audit.found.label, 1))
  monkeypatch.setattr(pipeline, 'train', None)
  with pytest.raises(errors.UsageError, match='other images or labels'):
    toy_audit.run(tmp_path / 'audit', request, config)
