"""An audit from end to end: of a folder, of a data set, of arrays."""

import contextlib
import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal

import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import errors
from experiments import interrupt
from experiments import loop
from experiments import progress
from experiments import record
from experiments.audit import apply
from experiments.audit import claim
from experiments.audit import image_folder
from experiments.audit import options
from experiments.audit import pipeline
from experiments.audit import plan
from experiments.audit import search
from experiments.audit import sources
from experiments.configs import audit as audit_config
from experiments.data import label_file
from experiments.data import source
from noisy_labels import detection
from tests.experiments.audit import toy_folder

ARRAYS = (
  'label',
  'score',
  'is_issue',
  'suggested',
  'confidence',
  'label_probability',
  'transition',
  'prior',
)


def _config(**fields):
  config = audit_config.get_config()
  config.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'folds': 2,
      'epochs': 12,
      'batch_size': 12,
      'optimizer.learning_rate': 3e-3,
      **fields,
    }
  )
  return config


def _audit(workdir, request, config=None, **how):
  return pipeline.run(
    request, config or _config(), workdir, options.Options(**how)
  )


@pytest.fixture(scope='module')
def photos(tmp_path_factory):
  root = toy_folder.make(tmp_path_factory.mktemp('photos') / 'shapes')
  (root / 'bars' / 'broken.png').write_text('')
  (root / 'notes.txt').write_text('')
  return sources.Request(images=root)


@pytest.fixture(scope='module')
def told(tmp_path_factory, photos):
  """A finished audit, its directory, and the lines of its progress."""
  workdir = tmp_path_factory.mktemp('audit')
  stderr = io.StringIO()
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(progress, '_SELDOM', 0)
    patch.setattr(progress, '_SHARE', 0)
    with contextlib.redirect_stderr(stderr):
      audit = _audit(workdir, photos)
  return audit, workdir, stderr.getvalue().splitlines()


@pytest.fixture(scope='module')
def finished(told):
  """A finished audit, and its directory."""
  return told[:2]


def _rows(path):
  with path.open(newline='') as file:
    return list(csv.DictReader(file))


def test_what_lies_in_the_wrong_folder_is_found(finished):
  audit, workdir = finished
  rows = _rows(workdir / 'issues.csv')
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
  again = _audit(workdir, photos, max_pictures=1)
  for name in ARRAYS:
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
      _audit(tmp_path, photos)
  with monkeypatch.context() as patch:
    # Now it comes while the noise is estimated, which is finished.
    estimate = search.noise_estimate.estimate

    def slow(*args, **kwargs):
      os.kill(os.getpid(), signal.SIGTERM)
      return estimate(*args, **kwargs)

    patch.setattr(search.noise_estimate, 'estimate', slow)
    with pytest.raises(errors.StoppedError, match='what is finished is kept'):
      _audit(tmp_path, photos)
    patch.setattr(search.noise_estimate, 'estimate', None)
    patch.setattr(loop, '_prepare', None)
    patch.setattr(pipeline.telling, 'write', lambda *args: None)
    with pytest.raises(TypeError):  # Only the last model is not there.
      _audit(tmp_path, photos)
  again = pipeline.run(photos, _config(), tmp_path, options.Options())
  for name in ARRAYS:
    np.testing.assert_array_equal(
      getattr(again.found, name), getattr(audit.found, name)
    )


def test_another_detector_trains_nothing_again(
  finished, photos, monkeypatch, tmp_path
):
  audit, workdir = finished
  shutil.copytree(workdir, tmp_path / 'copy')
  monkeypatch.setattr(loop, '_prepare', None)
  again = _audit(tmp_path / 'copy', photos, detector='normalized_margin')
  assert (again.found.score != audit.found.score).any()
  np.testing.assert_array_equal(again.found.is_issue, audit.found.is_issue)


def test_other_requests_are_refused(finished, photos, tmp_path):
  _, workdir = finished
  before = (workdir / 'audit.json').read_bytes()
  with pytest.raises(errors.UsageError, match=r'config\.folds=2, not 3'):
    _audit(workdir, photos, _config(folds=3))
  with pytest.raises(errors.UsageError, match='of --images, not of --dataset'):
    _audit(workdir, sources.Request(dataset='digits'))
  with pytest.raises(errors.UsageError, match='holds a run, not an audit'):
    _audit(workdir / 'model', photos)
  (tmp_path / 'file').write_text('')
  review = tmp_path / 'reviewed.csv'
  review.write_text('index,verdict\n')
  with pytest.raises(errors.UsageError, match='there is no column'):
    _audit(tmp_path / 'new', photos, apply=review)
  assert not (tmp_path / 'new' / 'folds').exists()
  request = sources.Request(dataset='digits', column='lable')
  with pytest.raises(source.DataError, match="no class label 'lable'"):
    _audit(tmp_path / 'other', request)
  with pytest.raises(errors.UsageError, match='is not a directory'):
    _audit(tmp_path / 'file' / 'below', photos)
  assert (workdir / 'audit.json').read_bytes() == before


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
  again = _audit(
    tmp_path / 'audit',
    sources.Request(
      dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
    ),
    _config(**{'noise.file': str(path)}),
  )
  assert met
  for name in ARRAYS:
    np.testing.assert_array_equal(
      getattr(again.found, name), getattr(audit.found, name)
    )
  for name in ('rate', 'rate_interval', 'expected', 'expected_interval'):
    assert getattr(again.found, name) == getattr(audit.found, name)
  assert again.found.duplicates == audit.found.duplicates
  assert again.found.accuracy == audit.found.accuracy


def test_labels_that_have_changed_are_another_audit(
  finished, tmp_path, monkeypatch
):
  audit, workdir = finished
  path = tmp_path / 'given.csv'
  label_file.write(path, audit.found.index, audit.found.label)
  request = sources.Request(
    dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
  )
  config = _config(**{'noise.file': str(path)})
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
    _audit(tmp_path / 'audit', request, config)


def _review(workdir, path, verdicts):
  lines = ['index,name,label,suggested,verdict,corrected']
  for row in _rows(workdir / 'issues.csv'):
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
  audit = _audit(workdir, photos, apply=path)
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


def test_arrays_are_judged_as_the_library_does(finished, tmp_path, capsys):
  audit, workdir = finished
  probs = search.predictions(audit.data, workdir)
  labels = audit.found.label
  features = np.random.default_rng(0).normal(size=(36, 4))
  paths = {}
  for name, array in (
    ('labels', labels),
    ('probs', probs),
    ('features', features),
  ):
    paths[name] = tmp_path / f'{name}.npy'
    np.save(paths[name], array)
  found = _audit(
    tmp_path / 'audit',
    sources.Request(**paths),
    detector='self_confidence',
  ).found
  issues = detection.find_label_issues(labels, probs)
  np.testing.assert_array_equal(found.score[issues.index], issues.score)
  np.testing.assert_array_equal(found.is_issue[issues.index], issues.is_issue)
  assert found.expected == round(float(issues.expected.number))
  for name in ARRAYS:
    if name != 'score':
      np.testing.assert_allclose(
        getattr(found, name), getattr(audit.found, name), atol=1e-6
      )
  assert found.names is None
  assert len(found.outliers) <= 36
  assert sorted(path.name for path in (tmp_path / 'audit').iterdir()) == [
    'audit.json',
    'environment.txt',
    'issues.csv',
    'neighbours.npz',
    'noise_estimate.npz',
    'problems.txt',
    'report.html',
    'scores.npz',
    'suggested_labels.csv',
    'transition.csv',
  ]
  other = _audit(
    tmp_path / 'other',
    sources.Request(**paths),
    _config(noise_estimate='anchor_points'),
  ).found
  # The count is of the estimator that says the rate.
  assert other.rate != found.rate
  assert other.expected == round(36 * other.rate)
  ends = tuple(round(36 * end) for end in other.rate_interval)
  assert other.expected_interval == ends
  np.save(paths['labels'], np.roll(labels, 1))
  with pytest.raises(errors.UsageError, match='another file --labels'):
    _audit(tmp_path / 'audit', sources.Request(**paths))
  np.save(paths['labels'], labels)
  del paths['features']
  with pytest.raises(errors.UsageError, match='with --features'):
    _audit(tmp_path / 'audit', sources.Request(**paths))


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
    _audit(tmp_path / 'audit', request_, _config(**fields), **how)
  assert not (tmp_path / 'audit').exists()


def test_noise_by_the_image_is_that_of_the_images_trained_on(
  tmp_path, data_dir
):
  config = _config(
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


def test_made_noise_is_not_for_folders(photos, tmp_path):
  config = _config(**{'noise.name': 'symmetric'})
  with pytest.raises(errors.UsageError, match=r'config\.noise makes'):
    _audit(tmp_path, photos, config)


def test_labels_of_one_class_alone(finished, tmp_path):
  _, workdir = finished
  path = tmp_path / 'given.csv'
  label_file.write(path, np.arange(36), np.zeros(36, int))
  with pytest.raises(errors.UsageError, match='all 36 labels are bars'):
    _audit(
      tmp_path / 'audit',
      sources.Request(
        dataset=image_folder.NAME, data_dir=str(workdir / 'prepared')
      ),
      _config(**{'noise.file': str(path)}),
    )
