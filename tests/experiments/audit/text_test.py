"""Names of others are shown in a line, and no two of them alike."""

import os

from experiments.audit import text


def test_common_names_stay():
  for name in ('cat', 'Ångström 3', '<script>alert(1)<', '猫', "it's"):
    assert text.visible(name) == name


def test_other_names_are_one_printable_line_each_their_own():
  names = ['a\nb', 'a\\nb', 'a\\\\nb', ' a', 'a', 'a ', ' ', '', '\x1b[31m']
  names += ['\u2028', '\u202egnp', os.fsdecode(b'\xff'), '\\udcff', '\t']
  shown = [text.visible(name) for name in names]
  assert len(set(shown)) == len(names)
  for name in shown:
    assert name.isprintable()
    assert name == name.strip()
    name.encode()


def test_file_names_are_unicode_whatever_their_bytes():
  assert text.file_name('cats/1.png') == 'cats/1.png'
  assert text.file_name(os.fsdecode(b'\xff/\xe7\x8c\xab')) == '\\xff/猫'


def test_lists_end_in_a_count():
  assert text.listed(['a', 'b']) == 'a, b'
  assert text.listed(list('abcdefg')) == 'a, b, c, d, e and 2 more'
  assert text.count(1, 'entry', 'entries') == '1 entry'
  assert text.count(2000, 'image') == '2,000 images'
