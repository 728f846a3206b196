"""The report in a browser: what a person does with it, by mouse and by keys."""

import contextlib
import csv
import shutil

import numpy as np
import pytest

from experiments.audit import findings as findings_lib
from experiments.audit import page
from experiments.audit import page_data
from tests.experiments.audit import found

sync_api = pytest.importorskip(
  'playwright.sync_api', reason='needs the package playwright'
)

_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
_PHONE = {'width': 375, 'height': 812}
# Of every visible text: its contrast with what is behind it (WCAG 1.4.3).
_LOW_CONTRAST = """() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = ({ rgb, a }, below) =>
    rgb.map((value, i) => a * value + (1 - a) * below[i]);
  const linear = (value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const parent = element.parentElement;
    const color = parse(getComputedStyle(element).backgroundColor);
    return over(color, parent ? behind(parent) : [255, 0, 0]);
  };
  const low = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode;
    if (!data.trim() || !element.checkVisibility()) continue;
    if (element.closest('script, style, :disabled')) continue;
    texts += 1;
    const back = behind(element);
    const front = over(parse(getComputedStyle(element).color), back);
    const [a, b] = [back, front].map(luminance).sort((x, y) => x - y);
    const ratio = (b + 0.05) / (a + 0.05);
    if (ratio < 4.5) low.push(`${data}: ${ratio.toFixed(2)}`);
  }
  return { low, texts };
}"""


@pytest.fixture(scope='module')
def browser():
  path = next(filter(None, map(shutil.which, _BROWSERS)), None)
  if path is None:
    pytest.skip('needs Chromium on PATH')
  with sync_api.sync_playwright() as playwright:
    browser = playwright.chromium.launch(
      executable_path=path,
      args=[
        '--no-sandbox',  # Which there is none of for root.
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-gpu',
        '--no-first-run',
      ],
    )
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, tmp_path):
  """Opens findings as a page, which must not complain nor ask a network."""
  with contextlib.ExitStack() as stack:
    seen = []

    def open_page(findings, pictures=found.pictures, **options):
      path = tmp_path / 'report.html'
      if not path.exists():
        page.write(path, findings, pictures)
      context = browser.new_context(**options)
      stack.callback(context.close)
      tab = context.new_page()
      tab.set_default_timeout(20_000)
      tab.on('console', lambda message: seen.append(message.text))
      tab.on('pageerror', lambda error: seen.append(str(error)))
      tab.on('dialog', lambda dialog: seen.append(dialog.message))
      tab.on(
        'request',
        lambda request: (
          None
          if request.url.startswith(('data:', 'blob:', path.as_uri()))
          else seen.append(request.url)
        ),
      )
      tab.goto(path.as_uri())
      return tab

    yield open_page
    assert seen == []


def test_filters_leave_what_they_say(opened):
  findings = found.make(200, num_issues=90)
  tab = opened(findings)
  rows = page_data.by_suspicion(findings)
  label, suggested = findings.label[rows], findings.suggested[rows]
  assert _indices(tab) == findings.index[rows][: len(_indices(tab))].tolist()
  tab.select_option('#filter-given', '2')
  assert _indices(tab) == findings.index[rows[label == 2]].tolist()
  tab.select_option('#filter-suggested', '0')
  both = rows[(label == 2) & (suggested == 0)]
  assert _indices(tab) == findings.index[both].tolist()
  assert tab.inner_text('#shown') == f'{len(both)} shown'
  tab.fill('#filter-name', f'EEL/{both[1]}.')
  assert _indices(tab) == [findings.index[both[1]]]
  tab.fill('#filter-name', 'nothing is called so')
  assert _indices(tab) == []
  assert tab.is_hidden('.panel')
  tab.click('#clear')
  assert len(_indices(tab)) > len(both)
  # A number of the summary is a filter, too.
  tab.locator('td[data-given="1"] button').click()
  assert _indices(tab) == findings.index[rows[label == 1]].tolist()
  tab.locator('#map td[data-true="0"][data-given="2"]').click()
  assert _indices(tab) == findings.index[both].tolist()


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
  assert _export(tab) == [
    ['index', 'name', 'label', 'suggested', 'verdict', 'corrected'],
    *expected,
  ]
  tab.reload()
  assert tab.inner_text('#count') == '5 of 12 reviewed'
  assert tab.locator('#issues [data-mark="remove"]').count() == 1
  assert _export(tab)[1:] == expected
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
  assert _indices(tab) == findings.index[rows[2:]].tolist()
  assert _focused(tab) == findings.index[rows[2]]
  tab.keyboard.press('z')
  assert _indices(tab) == findings.index[rows[1:]].tolist()
  assert _focused(tab) == findings.index[rows[1]]
  tab.select_option('#filter-state', 'wrong')
  assert _indices(tab) == [findings.index[rows[0]]]


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
    assert _focused(tab) == order[place], key


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
  by_index = {int(line[0]): line[4:] for line in _export(tab)[1:]}
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
  before = _export(tab)
  tab.evaluate('localStorage.clear()')
  tab.reload()
  assert tab.inner_text('#count') == '0 of 12 reviewed'
  _import(tab, tmp_path, before)
  assert tab.inner_text('#count') == '4 of 12 reviewed'
  # What the page does not show is kept.
  other = int(np.flatnonzero(~findings.is_issue)[0])
  more = [str(findings.index[other]), 'a', '1', '1', 'wrong', '2']
  _import(tab, tmp_path, [before[0], more])
  assert tab.inner_text('#count') == '4 of 12 reviewed, and 1 more'
  assert sorted(_export(tab)) == sorted([*before, more])
  tab.click('#undo')
  assert _export(tab) == before
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
    _import(tab, tmp_path, [before[0], line], 'is not taken')
    assert message in tab.inner_text('#status')
  _import(tab, tmp_path, before[1:], 'the first line must be index,name')
  assert _export(tab) == before


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_all_text_has_contrast(opened, scheme):
  findings = _everything()
  transition = np.array(
    [[0.6, 0.4, 0, 0], [0.1, 0.7, 0.2, 0], [0, 0.3, 0.7, 0], [0.05, 0, 0, 0.95]]
  )
  findings = findings._replace(transition=transition, doubts=['It is weak.'])
  tab = opened(findings, color_scheme=scheme)
  tab.click('#start')
  for key in 'wrux':
    tab.keyboard.press(key)
  tab.eval_on_selector_all('details', 'all => all.forEach(d => d.open = true)')
  measured = tab.evaluate(_LOW_CONTRAST)
  assert measured['texts'] > 100
  assert measured['low'] == []
  page_colour = tab.evaluate('getComputedStyle(document.body).backgroundColor')
  assert (page_colour == 'rgb(255, 255, 255)') == (scheme == 'light')


@pytest.mark.parametrize(
  ('num_classes', 'pictures'), [(4, found.pictures), (40, None)]
)
def test_a_phone_shows_everything_without_scrolling_sideways(
  opened, num_classes, pictures
):
  names = tuple(f'{"a long name " * 9}{i}' for i in range(num_classes))
  findings = _everything(names)
  tab = opened(findings, pictures, viewport=_PHONE)
  tab.click('#start')
  tab.locator('[data-verdict="wrong"]').click()
  tab.eval_on_selector_all('details', 'all => all.forEach(d => d.open = true)')
  assert tab.evaluate('document.documentElement.scrollWidth') == 375
  panel = tab.locator('.panel').bounding_box()
  assert panel['y'] + panel['height'] <= 812
  assert tab.inner_text('#count').startswith('1 of')


def test_hostile_names_are_shown_and_do_nothing(opened):
  findings = found.make(60, found.HOSTILE, num_issues=30)
  names = [found.HOSTILE[row % 10] or 'x' for row in range(60)]
  tab = opened(findings._replace(names=names, title=found.HOSTILE[0]))
  assert tab.inner_text('h1') == '<script>alert(1)</script>'
  assert tab.locator('script').count() == 2
  assert tab.locator('.sheet img:not(.frame img)').count() == 0
  tab.click('#start')
  for _ in range(30):
    tab.keyboard.press('w')
  tab.keyboard.press('c')
  tab.keyboard.press('Escape')
  exported = {line[0]: line[1] for line in _export(tab)[1:]}
  assert len(exported) == 30
  for index, name in exported.items():
    original = names[int(index) - 100]
    # What a spreadsheet would run has an apostrophe in front.
    assert name == (f"'{original}" if original[0] == '=' else original)
  assert any(name.startswith("'=cmd") for name in exported.values())
  tab.reload()
  assert tab.inner_text('#count') == '30 of 30 reviewed'


def test_a_thousand_pictures_are_drawn_as_they_come_into_sight(opened):
  tab = opened(found.make(1200, num_issues=1200))
  assert 60 <= tab.locator('#issues .tile').count() < 300
  tab.click('#start')
  tab.keyboard.press('End')
  assert tab.locator('#issues .tile').count() == 1000
  assert tab.inner_text('#chosen-rank').startswith('1,000, score')
  assert (
    tab.locator('.panel img').evaluate(
      'image => image.decode().then(() => image.naturalWidth)'
    )
    == 8
  )


def test_pairs_and_outliers_stand_apart_and_share_their_marks(opened):
  findings = _everything()
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


def test_without_scripts_the_summary_is_there(opened):
  tab = opened(found.make(), java_script_enabled=False)
  assert tab.is_visible('text=About 20.0% of the labels are wrong')
  assert 'allow this page to run' in tab.locator('noscript').text_content()
  assert tab.is_visible('#map')
  assert tab.is_hidden('#review')
  assert tab.is_hidden('#start')


def _everything(names=found.CLASS_NAMES):
  findings = found.make(class_names=names)
  quiet = np.flatnonzero(~findings.is_issue)
  other = next(
    row for row in quiet if findings.label[row] != findings.label[quiet[0]]
  )
  return findings._replace(
    duplicates=[findings_lib.Duplicate(int(quiet[0]), int(other), 0.0004)],
    outliers=[
      findings_lib.Outlier(int(page_data.by_suspicion(findings)[4]), 2.0)
    ],
    problems=['a/very/long/path/' * 20 + '.png cannot be read'],
  )


def _indices(tab):
  """Of the suspicious examples that are shown, by their names or numbers."""
  labels = tab.eval_on_selector_all(
    '#issues .tile',
    "(all) => all.map((tile) => tile.getAttribute('aria-label'))",
  )
  return [_index(label) for label in labels]


def _focused(tab):
  return _index(
    tab.evaluate("document.activeElement.getAttribute('aria-label')")
  )


def _index(label):
  # '3: 17.png, given ...': the file's name is the row.
  return 100 + int(label.split(': ')[1].split('.png')[0])


def _export(tab):
  with tab.expect_download() as download:
    tab.click('#export')
  assert download.value.suggested_filename == 'reviewed.csv'
  with open(download.value.path(), newline='', encoding='utf-8') as file:
    return list(csv.reader(file))


def _import(tab, folder, lines, told='marks are read'):
  path = folder / 'reviewed.csv'
  with path.open('w', newline='') as file:
    csv.writer(file).writerows(lines)
  tab.evaluate("document.getElementById('status').textContent = ''")
  tab.set_input_files('#file', path)
  tab.wait_for_function(
    "(told) => document.getElementById('status').textContent.includes(told)",
    arg=told,
  )
