"""Which images a folder has: one sub-folder a class, and files in it.

As TFDS's `ImageFolder` reads a split, classes are in the order of their names,
and .jpg, .jpeg and .png count, in capitals too. Here files of deeper folders
belong to the class as well.
"""

from collections.abc import Iterator
import os
import pathlib
import stat
from typing import NamedTuple

from experiments import errors
from experiments.audit import text

SUFFIXES = ('.jpg', '.jpeg', '.png')
_SPLITS = {'test', 'train', 'training', 'val', 'valid', 'validation'}


class File(NamedTuple):
  """A file that may be an image.

  Attributes:
    path: relative to the folder; bytes that are no Unicode are surrogates.
    label: its class.
    size: in bytes.
    modified: when, in nanoseconds.
  """

  path: str
  label: int
  size: int
  modified: int


class Folder(NamedTuple):
  """What a folder has.

  Attributes:
    root: where it is.
    class_names: as the file system has them, sorted.
    files: by class, and by name.
    problems: what is not as it should be, a sentence each.
  """

  root: pathlib.Path
  class_names: tuple[str, ...]
  files: list[File]
  problems: list[str]


def scan(root: pathlib.Path) -> Folder:
  """Lists a folder without opening a file.

  Args:
    root: the folder.

  Returns:
    What it has.

  Raises:
    UsageError: it is no folder, or holds no image, or one class, or splits.
  """
  if not root.is_dir():
    what = 'is not a folder' if root.exists() else 'does not exist'
    raise errors.UsageError(f'--images={root} {what}')
  beside = _Kinds()
  names = []
  with _readable(root) as entries:
    for entry in sorted(entries, key=lambda entry: entry.name):
      if entry.name.startswith('.'):
        beside.hidden.append(entry.name)
      elif _is_folder(entry):
        names.append(entry.name)
      else:
        beside.outside.append(entry.name)
  _check_not_splits(root, names)
  classes: list[str] = []
  empty: list[str] = []
  files: list[File] = []
  for name in names:
    found = [
      File(path, len(classes), status.st_size, status.st_mtime_ns)
      for path, status in sorted(_images(root, name, beside))
    ]
    files += found
    (classes if found else empty).append(name)
  problems = beside.problems()
  if empty:
    problems.append(
      f'{text.count(len(empty), "folder has", "folders have")} no image, and '
      f'{"is no class" if len(empty) == 1 else "are no classes"} here: '
      f'{text.listed(empty)}.'
    )
  _check(root, classes, beside)
  return Folder(root, tuple(classes), files, problems)


class _Kinds:
  """What was found that is no image of a class, by what it is."""

  def __init__(self):
    self.outside: list[str] = []
    self.hidden: list[str] = []
    self.other: list[str] = []
    self.special: list[str] = []
    self.loops: list[str] = []
    self.closed: list[str] = []

  def problems(self) -> list[str]:
    """A sentence for each kind of which there is something."""
    sentences = (
      ('beside the folders of classes, and not looked at', self.outside),
      ('hidden, and not looked at', self.hidden),
      (f'not named {", ".join(SUFFIXES)}, and not looked at', self.other),
      ('no regular file, or a link to nothing', self.special),
      ('in a circle of links, and read once', self.loops),
      ('not to be listed', self.closed),
    )
    return [
      f'{text.count(len(names), "entry is", "entries are")} {what}: '
      f'{text.listed(names)}.'
      for what, names in sentences
      if names
    ]


def _images(
  root: pathlib.Path, name: str, kinds: _Kinds
) -> Iterator[tuple[str, os.stat_result]]:
  """The images of a class, at any depth; notes what is none."""

  def closed(error):
    kinds.closed.append(os.path.relpath(error.filename, root))

  above = os.stat(root)
  seen = {(above.st_dev, above.st_ino)}
  top = os.path.join(root, name)
  for folder, below, files in os.walk(top, onerror=closed, followlinks=True):
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:
      kinds.loops.append(os.path.relpath(folder, root))
      below.clear()
      continue
    seen.add((status.st_dev, status.st_ino))
    below[:] = sorted(one for one in below if not one.startswith('.'))
    for file in sorted(files):
      full = os.path.join(folder, file)
      path = os.path.relpath(full, root)
      if file.startswith('.'):
        kinds.hidden.append(path)
      elif not file.lower().endswith(SUFFIXES):
        kinds.other.append(path)
      else:
        found = _regular(full)
        if found is None:
          kinds.special.append(path)
        else:
          yield path, found


def _regular(path: str) -> os.stat_result | None:
  """The status of a regular file; opening a pipe, say, would wait for ever."""
  try:
    status = os.stat(path)
  except OSError:
    return None
  return status if stat.S_ISREG(status.st_mode) else None


def _is_folder(entry: os.DirEntry) -> bool:
  try:
    return entry.is_dir()
  except OSError:  # A link to itself.
    return False


def _readable(root: pathlib.Path):
  try:
    return os.scandir(root)
  except OSError as error:
    raise errors.UsageError(
      f'--images={root} cannot be listed: {error.strerror}'
    ) from None


def _check_not_splits(root: pathlib.Path, names: list[str]) -> None:
  """Raises where the sub-folders are splits, whose sub-folders are classes."""
  if not names or {name.lower() for name in names} - _SPLITS:
    return
  first = next(
    (name for name in names if name.lower()[:5] == 'train'), names[0]
  )
  raise errors.UsageError(
    f'--images={root} has the folders {", ".join(names)}, which are splits and '
    f'not classes: audit one of them, --images={root / first}'
  )


def _check(root: pathlib.Path, classes: list[str], kinds: _Kinds) -> None:
  if not classes:
    direct = [name for name in kinds.outside if name.lower().endswith(SUFFIXES)]
    also = (
      f'; {text.count(len(direct), "image lies", "images lie")} in it itself, '
      'where no folder says of which class'
      if direct
      else ''
    )
    raise errors.UsageError(
      f'--images={root} has no sub-folder with a .jpg, .jpeg or .png: there '
      f'must be one for each class{also}'
    )
  if len(classes) == 1:
    raise errors.UsageError(
      f'--images={root} has images of one class alone, '
      f'{text.visible(classes[0])}: with nothing to take it for, no label can '
      'be wrong'
    )
