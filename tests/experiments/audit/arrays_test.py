"""Arrays of others are read as they are, or refused in a sentence."""

import numpy as np
import pytest

from experiments import errors
from experiments.audit import arrays
from experiments.audit import search
from experiments.audit import sources
from noisy_labels import detection
from tests.experiments.audit import toy_audit

LABELS = np.array([0, 1, 2, 1])
PROBS = np.full((4, 3), 1 / 3)


def _read(folder, labels=LABELS, probs=PROBS, features=None):
  paths = []
  for name, array in (
    ('labels', labels),
    ('probs', probs),
    ('features', features),
  ):
    path = folder / f'{name}.npy'
    if isinstance(array, bytes):
      path.write_bytes(array)
    elif array is not None:
      np.save(path, array)
    paths.append(path)
  return arrays.read(*paths[:2], paths[2] if features is not None else None)


def test_what_is_read(tmp_path):
  features = np.ones((4, 5), np.float16)
  for kind in (np.int64, np.uint8):
    given = _read(tmp_path, LABELS.astype(kind), features=features)
    np.testing.assert_array_equal(given.labels, LABELS)
    assert given.labels.dtype == np.int32
    assert given.probs.dtype == np.float32
    np.testing.assert_allclose(given.probs, PROBS)
    np.testing.assert_array_equal(given.features, features)


def test_bytes_in_the_order_of_other_machines(tmp_path):
  features = np.ones((4, 5), '>f4')
  given = _read(tmp_path, LABELS.astype('>i4'), PROBS.astype('>f4'), features)
  for array in (given.labels, given.probs, given.features):
    assert array.dtype.isnative
  np.testing.assert_allclose(given.probs, PROBS)


def test_other_files_are_known(tmp_path):
  one = _read(tmp_path).files
  other = _read(tmp_path, probs=PROBS.astype(np.float32)).files
  assert one['probs'] != other['probs']
  assert one['features'] is None


def _with(array, place, value):
  array = np.array(array)
  array[place] = value
  return array


@pytest.mark.parametrize(
  ('changes', 'match'),
  [
    ({'labels': LABELS * 1.0}, r'--labels=.* float64 \[4\]: save integers'),
    ({'labels': LABELS[None]}, r'int64 \[1, 4\]: save integers'),
    ({'labels': LABELS[:3]}, 'has 3 labels, and --probs=.* 4 rows'),
    ({'labels': _with(LABELS, 1, 3)}, 'position 1; --probs has 3 columns'),
    ({'labels': _with(LABELS, 1, -1)}, 'got -1 at position 1'),
    ({'labels': np.array(['a', 'b'])}, 'save integers'),
    ({'labels': np.array([None, 1])}, 'is not a .npy file of numbers'),
    ({'labels': b'hello'}, 'is not a .npy file of numbers'),
    ({'labels': b''}, 'is not a .npy file of numbers'),
    ({'probs': LABELS}, r'--probs=.*save floats \[N, K\]'),
    ({'probs': np.ones((4, 3), int)}, r'save floats \[N, K\]'),
    ({'probs': np.ones((4, 1))}, 'K > 1'),
    ({'probs': np.ones((0, 3))}, 'N > 0'),
    ({'probs': _with(PROBS, (2, 0), np.nan)}, 'at position 2'),
    ({'probs': _with(PROBS, (2, 0), -0.1)}, 'at position 2'),
    ({'probs': PROBS * 7}, 'are they logits'),
    ({'features': np.ones((3, 2))}, 'has 3 rows, and --labels 4'),
    ({'features': np.ones(4)}, r'save floats \[N, dim\]'),
    ({'features': _with(np.ones((4, 2)), (1, 1), np.inf)}, 'at row 1'),
  ],
)
def test_what_cannot_be_read_is_said(tmp_path, changes, match):
  with pytest.raises(errors.UsageError, match=match) as caught:
    _read(tmp_path, **changes)
  assert '\n' not in str(caught.value)


def test_files_that_are_not_there(tmp_path):
  with pytest.raises(errors.UsageError, match='cannot be read: No such file'):
    arrays.read(tmp_path / 'a.npy', tmp_path / 'b.npy', None)
  with pytest.raises(errors.UsageError, match='cannot be read: Is a dir'):
    arrays.read(tmp_path, tmp_path, None)


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
  found = toy_audit.run(
    tmp_path / 'audit',
    sources.Request(**paths),
    detector='self_confidence',
  ).found
  issues = detection.find_label_issues(labels, probs)
  np.testing.assert_array_equal(found.score[issues.index], issues.score)
  np.testing.assert_array_equal(found.is_issue[issues.index], issues.is_issue)
  assert found.expected == round(float(issues.expected.number))
  for name in toy_audit.ARRAYS:
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
  other = toy_audit.run(
    tmp_path / 'other',
    sources.Request(**paths),
    toy_audit.config(noise_estimate='anchor_points'),
  ).found
  # The count is of the estimator that says the rate.
  assert other.rate != found.rate
  assert other.expected == round(36 * other.rate)
  ends = tuple(round(36 * end) for end in other.rate_interval)
  assert other.expected_interval == ends
  np.save(paths['labels'], np.roll(labels, 1))
  with pytest.raises(errors.UsageError, match='another file --labels'):
    toy_audit.run(tmp_path / 'audit', sources.Request(**paths))
  np.save(paths['labels'], labels)
  del paths['features']
  with pytest.raises(errors.UsageError, match='with --features'):
    toy_audit.run(tmp_path / 'audit', sources.Request(**paths))
