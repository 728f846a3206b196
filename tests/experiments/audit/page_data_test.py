import base64
import json

import numpy as np

from experiments.audit import findings as findings_lib
from experiments.audit import page_data
from tests.experiments.audit import found


def test_issues_come_by_falling_score_and_others_not_at_all():
  findings = found.make()
  data = _data(findings)
  rows = [data['examples'][place]['index'] - 100 for place in data['issues']]
  assert sorted(rows) == np.flatnonzero(findings.is_issue).tolist()
  assert np.all(np.diff(findings.score[rows]) <= 0)
  first = data['examples'][0]
  assert first['name'] == findings.names[rows[0]]
  assert first['label'] == findings.label[rows[0]]
  assert first['suggested'] == findings.suggested[rows[0]]


def test_equal_scores_are_ordered_by_the_labels_probability_and_then_the_row():
  findings = found.make()._replace(score=np.ones(40))
  rows = page_data.by_suspicion(findings)
  assert np.all(np.diff(findings.label_probability[rows]) >= 0)
  findings = findings._replace(label_probability=np.zeros(40))
  rows = page_data.by_suspicion(findings)
  assert np.all(np.diff(rows) > 0)


def test_only_the_most_suspicious_are_in_it_and_each_picture_once():
  findings = found.make()._replace(
    duplicates=[
      findings_lib.Duplicate(3, 7, 0.2),
      findings_lib.Duplicate(7, 3, 0.2),
      findings_lib.Duplicate(5, 3, 0.1),
    ],
    outliers=[findings_lib.Outlier(3, 1.0), findings_lib.Outlier(9, 2.0)],
  )
  asked = []

  def pictures(rows):
    asked.append(rows)
    return found.pictures(rows)

  data = page_data.make(findings, pictures, max_issues=4, max_others=100)
  (rows,) = asked
  assert len(data['issues']) == 4
  assert len(set(rows.tolist())) == len(rows) == len(data['examples'])
  indices = [example['index'] - 100 for example in data['examples']]
  assert indices == rows.tolist()
  assert [example['picture'] for example in data['examples']] == [
    base64.b64encode(picture).decode() for picture in found.pictures(rows)
  ]
  pairs = [(indices[a], indices[b], far) for a, b, far in data['pairs']]
  assert pairs == [(5, 3, 0.1), (3, 7, 0.2)]
  assert [indices[place] for place, _ in data['outliers']] == [9, 3]


def test_no_pictures_are_asked_for_where_there_is_nothing_to_see():
  findings = found.make(num_issues=0)
  data = page_data.make(
    findings, lambda rows: 1 / 0, max_issues=9, max_others=9
  )
  assert data['examples'] == []


def test_what_is_no_number_and_what_is_no_text_can_be_written():
  findings = found.make()
  score = np.where(findings.is_issue, np.nan, findings.score)
  names = ['bad\udcff/\ud800.png'] * 40
  data = _data(findings._replace(score=score, names=names))
  text = json.dumps(data, allow_nan=False)
  assert '\\ud' not in text
  assert data['examples'][0]['score'] is None


def test_a_class_without_a_name_is_known_by_its_number():
  findings = found.make(class_names=('', ' ', 'eel'))
  assert page_data.class_names(findings) == ['class 0', 'class 1', 'eel']


def test_the_key_is_of_the_labels_and_not_of_what_is_thought_of_them():
  findings = found.make()
  key = page_data.key(findings)
  again = findings._replace(
    score=findings.score / 2,
    suggested=findings.label,
    is_issue=~findings.is_issue,
    label=findings.label.astype(np.int64),
  )
  assert page_data.key(again) == key
  label = findings.label.copy()
  label[0] = (label[0] + 1) % 4
  for other in (
    findings._replace(label=label),
    findings._replace(index=findings.index[::-1]),
    findings._replace(title='dogs'),
    findings._replace(names=None),
    findings._replace(class_names=findings.class_names[::-1]),
  ):
    assert page_data.key(other) != key


def _data(findings):
  return page_data.make(findings, None, max_issues=100, max_others=100)
