import base64
import hashlib
from html import parser
import json
import re

import numpy as np
import pytest

from experiments.audit import findings as findings_lib
from experiments.audit import page
from experiments.audit import page_data
from tests.experiments.audit import found


class Reader(parser.HTMLParser):
  """What a browser would make of the page: elements, attributes, text."""

  def __init__(self, text):
    super().__init__()
    self.elements = []
    self.texts = []
    self._open = []
    self.contents = {'script': [], 'style': []}
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))
    self._open.append(tag)

  def handle_endtag(self, tag):
    while self._open and self._open.pop() != tag:
      pass

  def handle_data(self, data):
    inside = self._open[-1] if self._open else ''
    if inside in self.contents:
      self.contents[inside].append(data)
    else:
      self.texts.append(data)

  @property
  def text(self):
    return ' '.join(' '.join(self.texts).split())

  @property
  def data(self):
    return json.loads(self.contents['script'][0])


def write(folder, findings, pictures=None, **options):
  path = folder / 'report.html'
  page.write(path, findings, pictures, **options)
  return Reader(path.read_text(encoding='ascii'))


def test_the_first_screen_says_how_many_labels_are_wrong(tmp_path):
  text = write(tmp_path, found.make()).text
  assert 'About 20.0% of the labels are wrong' in text
  assert 'probably between 15.0% and 25.0%' in text
  assert 'about 8 of 40 labels, from 4 to 10' in text
  assert '12 labels are worth a look' in text
  assert 'agree with 70.0% of the given labels' in text


def test_numbers_are_explained(tmp_path):
  text = write(tmp_path, found.make()).text
  for words in (
    'What these numbers mean',
    'About 20.0% are wrong',
    'Between 15.0% and 25.0%',
    '12 labels worth a look',
    'Agree with 70.0%',
  ):
    assert words in text
  assert 'Do not trust' not in text


def test_a_count_that_cannot_be_believed_says_so_first(tmp_path):
  findings = found.make()._replace(doubts=['<b>weak</b> models'])
  text = write(tmp_path, findings).text
  assert 'By the count, about 20.0% of the labels are wrong' in text
  start = text.index('Do not trust this number. <b>weak</b> models')
  assert start < text.index('agree with 70.0% of the given labels')


def test_one_issue_and_unknown_intervals_are_told_as_they_are(tmp_path):
  findings = found.make(num_issues=1)._replace(
    rate_interval=None, accuracy=None, rate=0.0004
  )
  text = write(tmp_path, findings).text
  assert 'Less than 0.1% of the labels are wrong: about 8 of' in text
  assert '1 label is worth a look.' in text
  assert 'probably' not in text
  assert 'Held-out' not in text


def test_without_issues_there_is_nothing_to_review_and_no_script(tmp_path):
  findings = found.make(num_issues=0)._replace(
    expected=0, rate=0.0, transition=np.eye(4)
  )
  read = write(tmp_path, findings, found.pictures)
  assert 'No label seems to be wrong' in read.text
  assert 'none to review' in read.text
  assert read.contents['script'] == []


def test_the_policy_allows_this_style_and_script_and_nothing_else(tmp_path):
  read = write(tmp_path, found.make(), found.pictures)
  policy = next(
    attributes['content']
    for tag, attributes in read.elements
    if attributes.get('http-equiv') == 'Content-Security-Policy'
  )
  rules = dict(rule.split(' ', 1) for rule in policy.split('; '))
  assert rules['default-src'] == "'none'"
  assert rules['img-src'] == 'data:'
  assert rules['base-uri'] == rules['form-action'] == "'none'"
  (style,), (_, script) = read.contents['style'], read.contents['script']
  assert rules['style-src'] == _hash(style)
  assert rules['script-src'] == _hash(script)


def test_the_page_refers_to_nothing_outside_it(tmp_path):
  read = write(tmp_path, found.make(), found.pictures)
  for tag, attributes in read.elements:
    assert tag not in ('link', 'iframe', 'object', 'embed', 'base')
    assert 'style' not in attributes
    assert not [name for name in attributes if name.startswith('on')]
    for name in ('src', 'href', 'action', 'srcset'):
      assert attributes.get(name, '#').startswith('#')
  (style,), (_, script) = read.contents['style'], read.contents['script']
  assert 'url(' not in style
  assert '@import' not in style
  # Data become text, and only text.
  assert not re.findall(
    r'innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch',
    script,
  )


def test_untrusted_names_stay_text(tmp_path):
  quiet = write(tmp_path, found.make(class_names=('a',) * 10))
  findings = found.make(class_names=found.HOSTILE)._replace(
    title=found.HOSTILE[0],
    problems=[*found.HOSTILE, 'bad\udcff'],
    settings={found.HOSTILE[1]: found.HOSTILE[1]},
  )
  read = write(tmp_path, findings)
  tags = [tag for tag, _ in read.elements]
  assert set(tags) == {tag for tag, _ in quiet.elements} | {
    'details',
    'ul',
    'li',
  }
  assert tags.count('script') == 2
  assert read.data['class_names'] == [*found.HOSTILE[:-1], 'class 9']
  assert '<script>alert(1)</script>' in read.text
  assert '{{ 7 * 7 }}' in read.text
  source = (tmp_path / 'report.html').read_text()
  assert '\u2028' not in source
  assert '<!--' not in source


def test_a_page_is_the_same_every_time(tmp_path):
  for name in 'ab':
    page.write(tmp_path / name, found.make(), found.pictures)
  assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_more_issues_than_the_page_has_room_for_are_named(tmp_path):
  read = write(tmp_path, found.make(), max_pictures=5)
  assert len(read.data['issues']) == 5
  assert 'The 5 most suspicious of 12 are on this page' in read.text
  assert '12 labels are worth a look' in read.text


def test_pairs_outliers_and_problems_have_limits_that_are_told(tmp_path):
  findings = found.make(500, num_issues=3)._replace(
    duplicates=[findings_lib.Duplicate(i, i + 1, 0.0) for i in range(300)],
    outliers=[findings_lib.Outlier(i, float(i)) for i in range(100)],
    num_outliers=300,
    problems=[f'{i}.txt is no image' for i in range(1000)],
  )
  read = write(tmp_path, findings)
  assert len(read.data['pairs']) == len(read.data['outliers']) == 100
  assert '300 pairs' in read.text
  assert 'The closest 100 are shown' in read.text
  assert '300 examples' in read.text
  assert 'strangest 100' in read.text
  assert '1,000 problems' in read.text
  assert 'and 900 more, in problems.txt' in read.text


@pytest.mark.parametrize('num_classes', [2, 30, 31])
def test_many_classes_have_a_table_of_pairs_in_the_place_of_the_map(
  tmp_path, num_classes
):
  names = tuple(f'n{i}' for i in range(num_classes))
  read = write(tmp_path, found.make(4000, names))
  cells = [a for tag, a in read.elements if tag == 'td' and 'data-true' in a]
  if num_classes <= 30:
    assert len(cells) == num_classes**2
  else:
    assert len(cells) == 30
    assert 'The 30 pairs of classes' in read.text


def test_thousands_of_classes_and_a_million_examples_make_a_small_page(
  tmp_path,
):
  names = tuple(f'class number {i}' for i in range(5000))
  million = found.make(1_000_000, names[:10], num_issues=50_000, named=False)
  wide = found.make(20_000, names, num_issues=2000)
  for findings in (million, wide):
    read = write(tmp_path, findings)
    assert (tmp_path / 'report.html').stat().st_size < 500_000
    assert len(read.data['examples']) == 1000
  assert 'with the most wrong labels, of 5,000' in read.text
  assert len(read.data['class_names']) == 5000


def test_the_pieces_of_the_page_are_ascii():
  folder = page_data.__file__.rsplit('/', 1)[0]
  for name in ('page.css', *page._SCRIPTS):
    with open(f'{folder}/{name}', encoding='ascii') as file:
      assert '</' not in file.read(), name


@pytest.mark.parametrize(
  ('share', 'text'),
  [(0, '0.0%'), (1e-5, '<0.1%'), (0.0005, '0.1%'), (1, '100.0%')],
)
def test_shares_are_told_in_percent(share, text):
  assert page.percent(share) == text


def _hash(content):
  digest = hashlib.sha256(content.encode()).digest()
  return f"'sha256-{base64.b64encode(digest).decode()}'"
