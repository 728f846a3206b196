"""A review is read strictly: each line that cannot be meant is named."""

import numpy as np
import pytest

from experiments import errors
from experiments.audit import review

LABELS = np.array([0, 1, 2, 0, 1])
HEADER = 'index,name,label,suggested,verdict,corrected'


def _read(path, *lines, header=HEADER):
  path = path / 'reviewed.csv'
  text = '\n'.join([header, *lines])
  path.write_bytes(text if isinstance(text, bytes) else text.encode())
  return review.read(path, labels=LABELS, num_classes=3)


def test_what_a_person_said(tmp_path):
  found = _read(
    tmp_path,
    '3,"a\nb,"".png",0,2,wrong,1',
    '0,,0,1,right,',
    '1,,1,0,unsure,',
    '4,x,1,0,wrong,remove',
    '2,x,2,0,wrong,0',
    '',
    header='\ufeff' + HEADER,
  )
  np.testing.assert_array_equal(found.right, [0])
  np.testing.assert_array_equal(found.corrected, [3, 2])
  np.testing.assert_array_equal(found.labels, [1, 0])
  np.testing.assert_array_equal(found.removed, [4])
  assert found.unsure == 1


@pytest.mark.parametrize(
  ('line', 'match'),
  [
    ('5,,0,1,right,', 'index 5 is not an example of the data: there are 5'),
    ('9' * 5000 + ',,0,1,right,', 'index 9+ is not an example'),
    ('-1,,0,1,right,', "index must be a number, got '-1'"),
    ('x,,0,1,right,', "index must be a number, got 'x'"),
    ('²,,0,1,right,', 'index must be a number'),
    ('0,,1,1,right,', 'has label 0 and not 1: this is a review of other data'),
    ('0,,9,1,right,', 'label 9 is not a class'),
    ('0,,0,9,right,', 'suggested 9 is not a class'),
    ('0,,0,1,Right,', "verdict 'Right' is none of wrong, right, unsure"),
    ('0,,0,1,,', "verdict '' is none of"),
    ('0,,0,1,right,1', "corrected is '1' though the verdict is right"),
    ('0,,0,1,unsure,remove', "corrected is 'remove' though"),
    ('0,,0,1,wrong,', 'corrected is empty though the verdict is wrong'),
    ('0,,0,1,wrong,3', 'corrected 3 is not a class'),
    ('0,,0,1,wrong,dog', "corrected must be a number or remove, got 'dog'"),
    ('0,,0,1,wrong,0', 'corrected is 0, the label that was given'),
    ('0,,0,1,right', 'more or fewer cells'),
    ('0,,0,1,right,,', 'more or fewer cells'),
    ('1,,1,0,right,', 'index 1 stands in line 2, too'),
  ],
)
def test_a_line_that_cannot_be_meant(tmp_path, line, match):
  with pytest.raises(errors.UsageError, match=match) as caught:
    _read(tmp_path, '1,,1,0,unsure,', line)
  assert ', line 3: ' in str(caught.value)
  assert '\n' not in str(caught.value)


def test_files_that_are_none(tmp_path):
  with pytest.raises(errors.UsageError, match='cannot be read: No such file'):
    review.read(tmp_path / 'nowhere', labels=LABELS, num_classes=3)
  with pytest.raises(errors.UsageError, match=r"line 1: .*column 'verdict'"):
    _read(tmp_path, header='index,name,label,suggested')
  with pytest.raises(errors.UsageError, match="column 'index'"):
    _read(tmp_path, header='')
  with pytest.raises(errors.UsageError, match='says nothing'):
    _read(tmp_path)
  (tmp_path / 'latin.csv').write_bytes(f'{HEADER}\n0,\xe9,'.encode('latin-1'))
  with pytest.raises(errors.UsageError, match='is not a CSV file'):
    review.read(tmp_path / 'latin.csv', labels=LABELS, num_classes=3)
  with pytest.raises(errors.UsageError, match='is not a CSV file'):
    _read(tmp_path, '0,"open,0,1,right,')
