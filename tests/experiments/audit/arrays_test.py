"""Arrays of others are read as they are, or refused in a sentence."""

import numpy as np
import pytest

from experiments import errors
from experiments.audit import arrays

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
