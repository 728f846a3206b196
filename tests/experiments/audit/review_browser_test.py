"""A review in a browser: what a person does with it, by mouse and by keys."""

import numpy as np

from experiments.audit import page_data
from tests.experiments.audit import found
from tests.experiments.audit import tabs


def test_filters_leave_what_they_say(opened):
  findings = found.make(200, num_issues=90)
  tab = opened(findings)
  rows = page_data.by_suspicion(findings)
  label, suggested = findings.label[rows], findings.suggested[rows]
  shown = tabs.indices(tab)
  assert shown == findings.index[rows][: len(shown)].tolist()
  tab.select_option('#filter-given', '2')
  assert tabs.indices(tab) == findings.index[rows[label == 2]].tolist()
  tab.select_option('#filter-suggested', '0')
  both = rows[(label == 2) & (suggested == 0)]
  assert tabs.indices(tab) == findings.index[both].tolist()
  assert tab.inner_text('#shown') == f'{len(both)} shown'
  tab.fill('#filter-name', f'EEL/{both[1]}.')
  assert tabs.indices(tab) == [findings.index[both[1]]]
  tab.fill('#filter-name', 'nothing is called so')
  assert tabs.indices(tab) == []
  assert tab.is_hidden('.panel')
  tab.click('#clear')
  assert len(tabs.indices(tab)) > len(both)
  # A number of the summary is a filter, too.
  tab.locator('td[data-given="1"] button').click()
  assert tabs.indices(tab) == findings.index[rows[label == 1]].tolist()
  tab.locator('#map td[data-true="0"][data-given="2"]').click()
  assert tabs.indices(tab) == findings.index[both].tolist()


def test_marks_by_keys_are_kept_and_exported(opened):
  findings = found.make()
  rows = page_data.by_suspicion(findings)
  tab = opened(findings)
  tab.keyboard.press('w')  # Outside the review, keys do nothing.
  assert tab.inner_text('#count') == '0 of 12 reviewed'
  tab.click('#start')
  for key in 'wruwjx':
    tab.keyboard.press(key)
  tab.keyboard.press('ArrowLeft')
  tab.keyboard.press('Backspace')
  tab.keyboard.press('z')
  tab.keyboard.press('k')
  tab.keyboard.press('u')
  tab.keyboard.press('z')
  assert tab.inner_text('#count') == '5 of 12 reviewed'
  label, suggested = findings.label[rows], findings.suggested[rows]
  expected = [
    (0, 'wrong', str(suggested[0])),
    (1, 'right', ''),
    (2, 'unsure', ''),
    (3, 'wrong', str(suggested[3])),
    (5, 'wrong', 'remove'),
  ]
  expected = sorted(
    (
      [
        str(findings.index[rows[rank]]),
        findings.names[rows[rank]],
        str(label[rank]),
        str(suggested[rank]),
        verdict,
        corrected,
      ]
      for rank, verdict, corrected in expected
    ),
    key=lambda line: int(line[0]),
  )
  assert tabs.export(tab) == [
    ['index', 'name', 'label', 'suggested', 'verdict', 'corrected'],
    *expected,
  ]
  tab.reload()
  assert tab.inner_text('#count') == '5 of 12 reviewed'
  assert tab.locator('#issues [data-mark="remove"]').count() == 1
  assert tabs.export(tab)[1:] == expected
  # Marks of other labels are not mixed in.
  stored = tab.evaluate('Object.keys(localStorage)')
  assert stored == [page_data.key(findings)]


def test_marked_examples_leave_a_filter_and_come_back(opened):
  findings = found.make()
  rows = page_data.by_suspicion(findings)
  tab = opened(findings)
  tab.select_option('#filter-state', 'none')
  tab.click('#start')
  for key in 'wr':
    tab.keyboard.press(key)
  assert tabs.indices(tab) == findings.index[rows[2:]].tolist()
  assert tabs.focused(tab) == findings.index[rows[2]]
  tab.keyboard.press('z')
  assert tabs.indices(tab) == findings.index[rows[1:]].tolist()
  assert tabs.focused(tab) == findings.index[rows[1]]
  tab.select_option('#filter-state', 'wrong')
  assert tabs.indices(tab) == [findings.index[rows[0]]]


def test_buttons_mark_too_and_keep_the_focus(opened):
  tab = opened(found.make())
  button = tab.locator('[data-verdict="right"]')
  button.click()
  assert tab.inner_text('#count') == '1 of 12 reviewed'
  tab.keyboard.press('Enter')
  assert tab.inner_text('#count') == '2 of 12 reviewed'
  tab.locator('#issues .tile').first.click()
  assert button.get_attribute('aria-pressed') == 'true'
  button.click()
  assert tab.inner_text('#count') == '1 of 12 reviewed'
  tab.click('#undo')
  assert tab.inner_text('#count') == '2 of 12 reviewed'
  tab.locator('#issues .tile').first.press('?')
  assert tab.is_visible('#keys')
  tab.keyboard.press('Escape')
  assert tab.is_hidden('#keys')


def test_arrows_go_through_rows_and_columns(opened):
  findings = found.make(400, num_issues=100)
  tab = opened(findings)
  tab.click('#start')
  tops = tab.eval_on_selector_all(
    '#issues .tile', '(tiles) => tiles.map((tile) => tile.offsetTop)'
  )
  columns = tops.count(tops[0])
  assert columns > 2
  order = findings.index[page_data.by_suspicion(findings)]
  for key, place in (
    ('ArrowRight', 1),
    ('ArrowDown', 1 + columns),
    ('j', 2 + columns),
    ('ArrowUp', 2),
    ('k', 1),
    ('ArrowLeft', 0),
    ('ArrowUp', 0),
    ('End', 99),
    ('ArrowRight', 99),
    ('Home', 0),
  ):
    tab.keyboard.press(key)
    assert tabs.focused(tab) == order[place], key


def test_another_class_is_chosen_by_its_name(opened):
  names = tuple(f'class number {i}' for i in range(300))
  findings = found.make(60, names)
  tab = opened(findings)
  tab.click('#start')
  tab.keyboard.press('c')
  first = page_data.by_suspicion(findings)[0]
  options = tab.locator('#chooser-list li')
  assert options.count() == 100
  suggested = names[findings.suggested[first]]
  assert options.first.locator('bdi').inner_text() == suggested
  tab.fill('#chooser-search', 'NUMBER 29')
  tab.keyboard.press('ArrowDown')
  tab.keyboard.press('Enter')
  assert tab.is_hidden('#chooser')
  tab.keyboard.press('c')
  tab.fill('#chooser-search', 'nothing')
  tab.keyboard.press('Enter')
  tab.keyboard.press('Escape')
  assert tab.is_hidden('#chooser')
  tab.keyboard.press('c')
  # Who chooses the given class says that it is right.
  second = page_data.by_suspicion(findings)[1]
  tab.fill('#chooser-search', names[findings.label[second]])
  tab.keyboard.press('Enter')
  by_index = {int(line[0]): line[4:] for line in tabs.export(tab)[1:]}
  assert by_index == {
    findings.index[first]: ['wrong', '290'],
    findings.index[second]: ['right', ''],
  }


def test_a_review_is_read_again_and_one_of_other_data_refused(opened, tmp_path):
  findings = found.make()
  rows = page_data.by_suspicion(findings)
  tab = opened(findings)
  tab.click('#start')
  for key in 'wxru':
    tab.keyboard.press(key)
  before = tabs.export(tab)
  tab.evaluate('localStorage.clear()')
  tab.reload()
  assert tab.inner_text('#count') == '0 of 12 reviewed'
  tabs.import_review(tab, tmp_path, before)
  assert tab.inner_text('#count') == '4 of 12 reviewed'
  # What the page does not show is kept.
  other = int(np.flatnonzero(~findings.is_issue)[0])
  more = [str(findings.index[other]), 'a', '1', '1', 'wrong', '2']
  tabs.import_review(tab, tmp_path, [before[0], more])
  assert tab.inner_text('#count') == '4 of 12 reviewed, and 1 more'
  assert sorted(tabs.export(tab)) == sorted([*before, more])
  tab.click('#undo')
  assert tabs.export(tab) == before
  first = rows[0]
  index, label = str(findings.index[first]), int(findings.label[first])
  for line, message in (
    ([index, '', str((label + 1) % 4), '0', 'right', ''], 'row 2: example'),
    ([index, '', str(label), '9', 'right', ''], '9 is no class'),
    ([index, '', str(label), '0', 'maybe', ''], 'maybe is no verdict'),
    ([index, '', str(label), '0', 'wrong', ''], 'nothing is no other class'),
    ([index, '', str(label), '0', 'wrong', str(label)], 'no other class'),
    (['x', '', str(label), '0', 'right', ''], 'x is no index'),
  ):
    tabs.import_review(tab, tmp_path, [before[0], line], 'is not taken')
    assert message in tab.inner_text('#status')
  tabs.import_review(
    tab, tmp_path, before[1:], 'the first line must be index,name'
  )
  assert tabs.export(tab) == before


def test_pairs_and_outliers_stand_apart_and_share_their_marks(opened):
  findings = found.everything()
  tab = opened(findings)
  row = findings.duplicates[0].position
  assert not findings.is_issue[row]
  assert tab.locator('#pairs .pair').count() == 1
  assert tab.locator('#outliers .tile').count() == 1
  tile = tab.locator('#pairs .tile').first
  tile.click()
  assert tab.inner_text('#chosen-name') == findings.names[row]
  tab.keyboard.press('r')
  assert tile.get_attribute('data-mark') == 'right'
  assert tab.inner_text('#count') == '0 of 12 reviewed, and 1 more'
  # The model agrees with this label: if it is wrong, what is it?
  tile.click()
  tab.keyboard.press('w')
  assert tab.is_visible('#chooser')
  tab.keyboard.press('Escape')
  # One example, in two places.
  outlier = tab.locator('#outliers .tile')
  outlier.click()
  tab.keyboard.press('x')
  assert outlier.get_attribute('data-mark') == 'remove'
  assert tab.locator('#issues [data-mark="remove"]').count() == 1
