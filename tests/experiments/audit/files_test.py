"""CSV files say what was found, whatever the names are."""

import csv

import numpy as np

from experiments.audit import files
from experiments.audit import findings
from experiments.data import label_file

CLASSES = ('<script>alert(1)<', 'a,"b"', 'c\\nd')
NAMES = ['a\nb.png', '=1+1.png', '"q",.png', 'é\\xff.png']


def _found(**changes):
  fields = {
    'title': 'photos',
    'class_names': CLASSES,
    'names': NAMES,
    'index': np.arange(4),
    'label': np.array([0, 1, 2, 0], np.int32),
    'score': np.array([0.1, 0.9, 0.99, 0.5]),
    'is_issue': np.array([False, True, False, True]),
    'suggested': np.array([0, 2, 2, 1], np.int32),
    'confidence': np.array([0.9, 0.8, 0.7, 0.6]),
    'label_probability': np.array([0.9, 1e-9, 0.7, 0.25]),
    'rate': 0.4,
    'rate_interval': None,
    'expected': 2,
    'expected_interval': (1, 3),
    'transition': np.array([[0.9, 0.1, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]]),
    'prior': np.full(3, 1 / 3),
    'duplicates': [],
    'outliers': [],
    'num_outliers': 0,
    'doubts': [],
    'problems': [],
    'settings': {},
    'accuracy': None,
  }
  return findings.Findings(**{**fields, **changes})


def _read(path):
  with path.open(newline='', encoding='utf-8') as file:
    return list(csv.reader(file))


def test_issues_come_first_and_all_examples_follow(tmp_path):
  files.write(tmp_path, _found())
  header, *rows = _read(tmp_path / 'issues.csv')
  assert tuple(header) == files.ISSUES
  assert [row[0] for row in rows] == ['1', '3', '2', '0']
  assert [row[-1] for row in rows] == ['1', '1', '0', '0']
  assert rows[0] == [
    *('1', "'=1+1.png", '1', CLASSES[1], '2', CLASSES[2]),
    *('0.9', '0.8', '1e-09', '1'),
  ]
  assert [row[1] for row in rows[1:]] == [NAMES[i] for i in (3, 2, 0)]


def test_every_row_is_counted(tmp_path, monkeypatch):
  monkeypatch.setattr(files, '_BLOCK', 3)
  done = []
  files.write(tmp_path, _found(), tick=done.append)
  assert done == [3, 1, 3, 0]


def test_the_transition_has_the_classes_names(tmp_path):
  files.write(tmp_path, _found())
  rows = _read(tmp_path / 'transition.csv')
  assert rows[0] == ['true', *CLASSES]
  assert [row[0] for row in rows[1:]] == list(CLASSES)
  assert rows[1][1:] == ['0.9', '0.1', '0']
  assert rows[3][1] == '0.333333'


def test_no_name_is_a_formula(tmp_path):
  names = ('=1', '@x', "'+1")
  files.write(tmp_path, _found(class_names=names, names=[*names, "'s.png"]))
  safe = ["'=1", "'@x", "''+1"]
  assert _read(tmp_path / 'transition.csv')[0][1:] == safe
  rows = {int(row[0]): row for row in _read(tmp_path / 'issues.csv')[1:]}
  assert [rows[i][1] for i in range(4)] == [*safe, "'s.png"]
  assert [rows[i][3] for i in range(3)] == safe
  assert rows[1][5] == safe[2]


def test_line_breaks_in_names_tear_no_row(tmp_path):
  names = ['a\r=1+1.png', 'b\n=1.png', 'c,"d".png', 'e.png']
  files.write(tmp_path, _found(names=names))
  rows = {int(row[0]): row for row in _read(tmp_path / 'issues.csv')[1:]}
  assert [rows[i][1] for i in range(4)] == names


def test_suggested_labels_are_a_label_file(tmp_path):
  files.write(tmp_path, _found(names=None))
  labels = label_file.read(
    tmp_path / 'suggested_labels.csv', num_examples=4, num_classes=3
  )
  # What is no issue stays, whatever is more probable.
  np.testing.assert_array_equal(labels, [0, 2, 2, 1])
  assert _read(tmp_path / 'issues.csv')[1][1] == ''
