import numpy as np

from experiments.audit import summary
from tests.experiments.audit import found


def test_shares_of_wrong_labels_are_those_of_bayes_rule():
  findings = _noisy()
  described = summary.class_quality(findings, most=10)
  joint = findings.prior[:, None] * findings.transition
  assert sorted(one.number for one in described) == list(range(4))
  for one in described:
    column = joint[:, one.number].copy()
    total, column[one.number] = column.sum(), 0
    np.testing.assert_allclose(one.wrong, column.sum() / total)
    assert one.mostly == column.argmax()
    np.testing.assert_allclose(one.mostly_share, column.max() / total)
    given = findings.label == one.number
    assert one.labels == given.sum()
    assert one.issues == (given & findings.is_issue).sum()
  wrong = [one.wrong * one.labels for one in described]
  assert wrong == sorted(wrong, reverse=True)


def test_only_the_worst_classes_are_described():
  findings = _noisy()
  assert (
    summary.class_quality(findings, most=2)
    == summary.class_quality(findings, most=10)[:2]
  )


def test_nothing_is_said_of_a_class_that_nobody_is_given():
  findings = found.make()
  label = np.where(findings.label == 2, 1, findings.label)
  for transition in (findings.transition, np.eye(4)):
    described = summary.class_quality(
      findings._replace(label=label, transition=transition), most=10
    )
    absent = next(one for one in described if one.number == 2)
    assert (absent.labels, absent.wrong, absent.mostly) == (0, None, None)
  assert all(one.mostly is None for one in described)


def test_pairs_are_the_largest_of_all():
  findings = _noisy()
  expected = len(findings.label) * findings.prior[:, None] * findings.transition
  np.fill_diagonal(expected, 0)
  pairs = summary.confused_pairs(findings, most=5)
  np.testing.assert_allclose(
    [pair.expected for pair in pairs], np.sort(expected, axis=None)[:-6:-1]
  )
  for pair in pairs:
    assert pair.expected == expected[pair.true, pair.given]
    assert pair.share == findings.transition[pair.true, pair.given]


def test_there_is_no_pair_without_noise():
  findings = found.make()._replace(transition=np.eye(4))
  assert summary.confused_pairs(findings, most=5) == []


def test_the_map_is_darkest_where_most_is_wrong_and_empty_where_nothing_is():
  transition = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.004, 0, 0.996]])
  cells = summary.heat_map(
    transition, np.full(len(transition), 1 / len(transition))
  )
  assert [[cell.percent for cell in row] for row in cells] == [
    ['90', '10', ''],
    ['20', '80', ''],
    ['', '', '100'],
  ]
  assert [[cell.level for cell in row] for row in cells] == [
    [0, 4, 0],
    [8, 0, 0],
    [0, 0, 0],
  ]
  assert [(cell.true, cell.given) for cell in cells[1]] == [
    (1, 0),
    (1, 1),
    (1, 2),
  ]


def _noisy():
  transition = np.random.default_rng(1).dirichlet(np.ones(4), 4)
  prior = np.array([0.1, 0.2, 0.3, 0.4])
  return found.make(400)._replace(transition=transition, prior=prior)
