import os

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from experiments.data import errors
from experiments.data import label_file
from noisy_labels import noise

formats = pytest.mark.parametrize('name', ['labels.csv', 'labels.npy'])


@formats
@settings(deadline=None)
@given(data=st.data())
def test_reads_what_was_written_in_any_order(tmp_path_factory, name, data):
  labels = data.draw(st.lists(st.integers(0, 2**31 - 1), max_size=20))
  index = np.array(data.draw(st.permutations(range(len(labels)))), np.int64)
  path = tmp_path_factory.mktemp('labels') / name
  label_file.write(path, index, np.array(labels, np.int64)[index])
  read = label_file.read(path, num_examples=len(labels))
  assert read.dtype == np.int32
  np.testing.assert_array_equal(read, labels)
  np.testing.assert_array_equal(label_file.read(path), labels)


@formats
def test_keeps_corrupted_labels(tmp_path, name):
  corrupted = noise.corrupt(
    np.arange(100) % 10, noise.pair_flip(10, 0.45), seed=3
  )
  path = tmp_path / name
  label_file.write(path, np.arange(100), corrupted.labels)
  np.testing.assert_array_equal(
    label_file.read(path, num_examples=100, num_classes=10), corrupted.labels
  )


def test_files_are_what_they_say(tmp_path):
  """Anybody's tools can read them, and the same labels are the same bytes."""
  label_file.write(tmp_path / 'a.csv', [2, 0, 1], [7, 5, 6])
  assert (tmp_path / 'a.csv').read_text() == 'index,label\n0,5\n1,6\n2,7\n'
  label_file.write(str(tmp_path / 'a.npy'), [2, 0, 1], [7, 5, 6])
  array = np.load(tmp_path / 'a.npy', allow_pickle=False)
  assert array.dtype == np.int64
  np.testing.assert_array_equal(array, [[0, 5], [1, 6], [2, 7]])


@pytest.mark.parametrize(
  'text',
  [
    'label,index\n5,0\n6,1\n',
    '\ufeffindex,label\r\n0,5\r\n1,6\r\n',
    'name, index , label\ncat,1,6\n"dog, or\nwolf",0,5\n\n',
    'index,label\n 0 ,"5"\n1,6',
  ],
)
def test_reads_csv_of_others(tmp_path, text):
  path = tmp_path / 'labels.csv'
  path.write_bytes(text.encode())
  np.testing.assert_array_equal(label_file.read(path), [5, 6])


def test_reads_npy_of_any_integers(tmp_path):
  path = tmp_path / 'labels.npy'
  np.save(path, np.array([[1, 6], [0, 5]], np.uint8, order='F'))
  np.testing.assert_array_equal(label_file.read(path), [5, 6])


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('', r"line 1: there is no column 'index' in ''"),
    ('index,class\n0,1\n', r"line 1: there is no column 'label'"),
    ('0,1\n1,1\n', r"line 1: there is no column 'index' in '0,1'"),
    ('index,label\n0,1\n1,cat\n', r"line 3: .* integers, got '1,cat'"),
    ('index,label\n0,1.0\n', r"line 2: .* integers, got '0,1.0'"),
    ('index,label\n0\n', r"line 2: .* integers, got '0'"),
    ('index,label\n0,9999999999999999999\n', 'line 2: .* must be integers'),
    ('index,label\n0,1\n\n2,1\n', r'line 4: index 2 is not that of one of 2'),
    ('index,label\n-1,1\n', r'line 2: index -1 is not that of one of 1 exam'),
    ('index,label\n0,1\n1,1\n0,2\n', r'line 4: index 0 stands in line 2, too'),
    ('index,label\n0,1\n1,10\n', r'line 3: label 10 is not in 0\.\.9'),
    ('index,label\n0,-1\n', r'line 2: label -1 is not in 0\.\.9'),
  ],
)
def test_csv_says_which_line_is_wrong(tmp_path, text, message):
  path = tmp_path / 'labels.csv'
  path.write_text(text)
  with pytest.raises(errors.DataError, match=message) as error:
    label_file.read(path, num_classes=10)
  assert str(path) in str(error.value)
  assert '\n' not in str(error.value)


def test_csv_that_is_not_text(tmp_path):
  path = tmp_path / 'labels.csv'
  path.write_bytes(b'index,label\n\xff\xfe,1\n')
  with pytest.raises(errors.DataError, match=r'is not a CSV file .* UTF-8'):
    label_file.read(path)


@pytest.mark.parametrize(
  ('array', 'message'),
  [
    (np.zeros(3, int), r'holds int64 \[3\]: save integers \[N, 2\]'),
    (np.zeros((3, 3), int), r'holds int64 \[3, 3\]'),
    (np.zeros((3, 2)), r'holds float64 \[3, 2\]'),
    (np.array([[0, 1], [2, 1]]), 'row 1: index 2 is not that of one of 2'),
    (np.array([[0, 1], [0, 1]]), 'row 1: index 0 stands in row 0, too'),
    (np.array([[0, 1], [1, 10]]), r'row 1: label 10 is not in 0\.\.9'),
  ],
)
def test_npy_says_what_is_wrong(tmp_path, array, message):
  path = tmp_path / 'labels.npy'
  np.save(path, array)
  with pytest.raises(errors.DataError, match=message) as error:
    label_file.read(path, num_classes=10)
  assert str(path) in str(error.value)


class Harm:
  """Leaves a trace where it is unpickled."""

  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return os.mkdir, (str(self.path),)


def test_pickles_are_refused_unopened(tmp_path):
  path = tmp_path / 'labels.npy'
  np.save(path, np.array([[Harm(tmp_path / 'trace'), 0]], dtype=object))
  with pytest.raises(errors.DataError, match='what is pickled is not read'):
    label_file.read(path)
  assert not (tmp_path / 'trace').exists()


@pytest.mark.parametrize('content', [b'', b'no numpy file', b'PK\x03\x04'])
def test_other_files_are_refused(tmp_path, content):
  path = tmp_path / 'labels.npy'
  path.write_bytes(content)
  with pytest.raises(errors.DataError, match=r'is not a \.npy file of numbers'):
    label_file.read(path)


def test_files_cut_short_are_refused(tmp_path):
  path = tmp_path / 'labels.npy'
  label_file.write(path, np.arange(50), np.arange(50))
  path.write_bytes(path.read_bytes()[:-100])
  with pytest.raises(errors.DataError, match=r'is not a \.npy file of numbers'):
    label_file.read(path)


@formats
def test_says_what_is_missing(tmp_path, name):
  path = tmp_path / name
  label_file.write(path, [0, 3, 4], [1, 1, 1])
  with pytest.raises(
    errors.DataError, match=r'no label for 3 of 6 examples, .* index 1'
  ):
    label_file.read(path, num_examples=6)
  with pytest.raises(errors.DataError, match='index 4 is not that of one of 4'):
    label_file.read(path, num_examples=4)


def test_files_that_are_not_there(tmp_path):
  with pytest.raises(errors.DataError, match=r'cannot read .*No such file'):
    label_file.read(tmp_path / 'none.csv')
  with pytest.raises(errors.DataError, match=r'cannot write .*No such file'):
    label_file.write(tmp_path / 'none' / 'labels.csv', [0], [1])
  for call in (
    lambda path: label_file.read(path),
    lambda path: label_file.write(path, [0], [1]),
  ):
    with pytest.raises(errors.DataError, match=r'must end in \.csv or \.npy'):
      call(tmp_path / 'labels.txt')


@formats
def test_a_failed_write_leaves_the_file_before(tmp_path, name, monkeypatch):
  path = tmp_path / name
  label_file.write(path, [0], [1])
  before = path.read_bytes()

  def no_room(*_):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(os, 'replace', no_room)
  with pytest.raises(errors.DataError, match='No space left on device'):
    label_file.write(path, [0], [2])
  assert path.read_bytes() == before
  assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
  ('index', 'labels', 'message'),
  [
    ([0.5], [1], r'index must be integers \[N\], got float64 \(1,\)'),
    ([0], [[1]], r'labels must be integers \[N\], got int64 \(1, 1\)'),
    ([0, 1], [1], r'labels must have the shape of index \(2,\), got \(1,\)'),
  ],
)
def test_write_rejects_bad_arrays(tmp_path, index, labels, message):
  with pytest.raises(ValueError, match=message):
    label_file.write(tmp_path / 'labels.csv', index, labels)
