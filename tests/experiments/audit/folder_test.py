"""What a folder has is read, and what it should not have is said."""

import os

import pytest

from experiments import errors
from experiments.audit import folder
from tests.experiments.audit import toy_folder


def _touch(root, *paths):
  for path in paths:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(b'')


def _scan(root):
  found = folder.scan(root)
  return found, ' '.join(found.problems)


def test_classes_and_files_are_in_the_order_of_their_names(tmp_path):
  _touch(tmp_path, 'b/2.png', 'b/1.JPG', 'B/0.jpeg', 'a b/deep/er/x.Png')
  found, problems = _scan(tmp_path)
  assert found.class_names == ('B', 'a b', 'b')
  assert [(file.path, file.label) for file in found.files] == [
    ('B/0.jpeg', 0),
    ('a b/deep/er/x.Png', 1),
    ('b/1.JPG', 2),
    ('b/2.png', 2),
  ]
  assert problems == ''


def test_what_is_no_image_of_a_class_is_said(tmp_path):
  _touch(tmp_path, 'a/1.png', 'b/1.png', 'c/notes.txt', 'top.png', 'a/.x.png')
  _touch(tmp_path, '.git/config')
  (tmp_path / 'empty').mkdir()
  os.mkfifo(tmp_path / 'a' / 'pipe.png')
  (tmp_path / 'a' / 'dead.png').symlink_to('nowhere')
  (tmp_path / 'itself').symlink_to('itself')
  found, problems = _scan(tmp_path)
  assert found.class_names == ('a', 'b')
  assert len(found.files) == 2
  for words in (
    '2 folders have no image, and are no classes here: c, empty.',
    '2 entries are beside the folders of classes, and not looked at: itself, '
    'top.png.',
    '2 entries are hidden, and not looked at: .git, a/.x.png.',
    'c/notes.txt',
    '2 entries are no regular file, or a link to nothing: a/dead.png, '
    'a/pipe.png.',
  ):
    assert words in problems


def test_circles_of_links_end(tmp_path):
  _touch(tmp_path, 'a/1.png', 'b/1.png', 'b/below/2.png')
  (tmp_path / 'a' / 'up').symlink_to('..')
  (tmp_path / 'b' / 'below' / 'again').symlink_to('..')
  found, problems = _scan(tmp_path)
  assert len(found.files) == 3
  assert 'in a circle of links, and read once: a/up, b/below/again' in problems


def test_a_class_may_be_a_link(tmp_path):
  _touch(tmp_path, 'photos/a/1.png', 'elsewhere/2.png')
  (tmp_path / 'photos' / 'b').symlink_to('../elsewhere')
  found, _ = _scan(tmp_path / 'photos')
  assert [file.path for file in found.files] == ['a/1.png', 'b/2.png']


def test_names_may_be_any_bytes(tmp_path):
  root = os.fsencode(tmp_path)
  for name in (b'\xff', b'a\nb', b'<script>alert(1)<'):
    os.makedirs(root + b'/' + name)
    with open(root + b'/' + name + b'/\xfe\n.png', 'wb'):
      pass
  found, _ = _scan(tmp_path)
  assert len(found.files) == len(found.class_names) == 3


@pytest.mark.parametrize(
  ('paths', 'match'),
  [
    ((), 'has no sub-folder with a .jpg'),
    (('1.png', '2.png'), '2 images lie in it itself'),
    (('a/1.gif',), 'has no sub-folder'),
    (('only/1.png', 'other/notes.txt'), 'of one class alone, only:'),
    (('test/a/1.png', 'train/a/1.png'), 'are splits .* --images=.*/train'),
  ],
)
def test_nothing_to_audit_is_said_in_a_sentence(tmp_path, paths, match):
  _touch(tmp_path, *paths)
  with pytest.raises(errors.UsageError, match=match):
    folder.scan(tmp_path)


def test_a_folder_that_is_none(tmp_path):
  with pytest.raises(errors.UsageError, match='does not exist'):
    folder.scan(tmp_path / 'nowhere')
  _touch(tmp_path, 'file')
  with pytest.raises(errors.UsageError, match='is not a folder'):
    folder.scan(tmp_path / 'file')


def test_very_many_classes(tmp_path):
  names = [f'c{number:04}' for number in range(500)]
  toy_folder.make(tmp_path, classes=names, each=1)
  found, problems = _scan(tmp_path)
  assert found.class_names == tuple(names)
  assert problems == ''
