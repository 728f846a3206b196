"""A folder of images as a TFDS data set, so that a run can train on it.

Every image is decoded once, resized, and kept as a PNG in array_record files;
`examples.json` beside them says which file each example was. What cannot be
decoded is left out, and said.
"""

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import hashlib
import json
import os
import pathlib
from typing import Any
from typing import NamedTuple

from experiments import errors
from experiments import log
from experiments import progress
from experiments.audit import audited_images
from experiments.audit import folder as folder_lib
from experiments.audit import image_file
from experiments.audit import text

NAME = audited_images.NAME
# Images of one size that is no larger stay as they are; others get this size.
LARGEST = 64
DEFAULT_SIZE = (32, 32)
_CHUNK = 256
_THREADS = 4


class Prepared(NamedTuple):
  """A folder of images that a run can train on.

  Attributes:
    data_dir: what a run is told, with `NAME` as its data set.
    class_names: K names, as TFDS has them: visible.
    paths: of each example its file, relative to the folder.
    problems: what is wrong with the folder, a sentence each.
    image_size: height and width.
  """

  data_dir: pathlib.Path
  class_names: tuple[str, ...]
  paths: list[str]
  problems: list[str]
  image_size: tuple[int, int]


def prepare(
  root: pathlib.Path,
  data_dir: pathlib.Path,
  *,
  image_size: tuple[int, int] | None,
  should_stop: Callable[[], bool],
  title: str,
) -> Prepared:
  """Prepares a folder, unless that was done before.

  Args:
    root: the folder, one sub-folder a class.
    data_dir: where to put it.
    image_size: height and width to resize images to; if None, chosen.
    should_stop: asked from time to time.
    title: of the progress bars.

  Returns:
    What a run can train on.

  Raises:
    UsageError: there is nothing to audit, or data_dir has other images.
    RunError: no image can be read, or data_dir not be written.
    StoppedError: should_stop said so.
  """
  folder = folder_lib.scan(root)
  key = _fingerprint(folder, image_size)
  saved = _read(data_dir)
  if saved is not None:
    if saved['key'] != key:
      raise errors.UsageError(
        f'{data_dir} was made of other files than those in --images={root}, or '
        'some have changed: choose another --workdir'
      )
    return _prepared(data_dir, saved)
  with image_file.quiet():
    work = _Work(folder, should_stop, title)
    shape = work.choose_shape(image_size)
    _write(data_dir, work, shape)
  saved = {
    'key': key,
    'image_size': shape[:2],
    'class_names': work.class_names,
    'paths': work.paths,
    'problems': work.problems,
  }
  # The last to be written: with it everything is there.
  log.write_json(data_dir / 'examples.json', saved)
  return _prepared(data_dir, saved)


def _write(
  data_dir: pathlib.Path, work: '_Work', shape: tuple[int, int, int]
) -> None:
  """Decodes and keeps what can be read; raises if that is nothing."""
  try:
    audited_images.write(
      data_dir,
      lambda: work.examples(shape),
      class_names=work.class_names,
      shape=shape,
    )
  except Exception as error:
    # Of no example TFDS makes an error of its own.
    if work.is_done and not work.paths:
      raise errors.RunError(
        f'of {work.number:,} files with images none can be read; '
        f'{work.problems[-1]}'
      ) from None
    if not isinstance(error, OSError):
      raise
    raise errors.RunError(
      f'the images cannot be kept in {data_dir} ({error.strerror}): make '
      'room there, or choose another --workdir'
    ) from error


class _Work:
  """Two passes over the files: for their headers, and for their pixels."""

  def __init__(
    self,
    folder: folder_lib.Folder,
    should_stop: Callable[[], bool],
    title: str,
  ):
    self._root = folder.root
    self._files = folder.files
    self._should_stop = should_stop
    self._title = title
    self.class_names = tuple(map(text.visible, folder.class_names))
    self.problems = list(folder.problems)
    self.paths: list[str] = []
    self.number = len(self._files)
    self.is_done = False

  def choose_shape(
    self, image_size: tuple[int, int] | None
  ) -> tuple[int, int, int]:
    """Height, width and channels: gray images stay so if all are."""
    found = [
      one
      for _, one in self._each(image_file.header, 'looking at')
      if isinstance(one, image_file.Header)
    ]
    sizes = {(one.height, one.width) for one in found}
    if image_size is None:
      own = sizes.pop() if len(sizes) == 1 else DEFAULT_SIZE
      image_size = own if max(own) <= LARGEST else DEFAULT_SIZE
    gray = all(one.gray for one in found)
    return (*image_size, 1 if gray else 3)

  def examples(
    self, shape: tuple[int, int, int]
  ) -> Iterator[tuple[int, dict[str, Any]]]:
    """What TFDS writes; notes in `paths` what each was."""
    self.paths.clear()
    unreadable = []

    def encode(path):
      image = image_file.read(path, channels=shape[2], size=shape[1::-1])
      return image_file.png(image)

    for file, found in self._each(encode, 'reading'):
      if isinstance(found, Exception):
        unreadable.append(f'{text.visible(file.path)} cannot be read: {found}.')
        continue
      self.paths.append(file.path)
      yield len(self.paths) - 1, {'image': found, 'label': file.label}
    self.problems += unreadable
    self.is_done = True

  def _each(
    self, function: Callable[[str], Any], verb: str
  ) -> Iterator[tuple[folder_lib.File, Any]]:
    """Every file with what the function makes of it, or why it cannot."""

    def attempt(file):
      try:
        return file, function(os.path.join(self._root, file.path))
      except image_file.UnreadableError as error:
        return file, error

    title = f'{self._title}: {verb} {len(self._files):,} files'
    with (
      progress.Progress(title, total=len(self._files)) as bar,
      futures.ThreadPoolExecutor(_THREADS) as pool,
    ):
      for start in range(0, len(self._files), _CHUNK):
        chunk = self._files[start : start + _CHUNK]
        yield from pool.map(attempt, chunk)
        bar.advance(len(chunk))
        if self._should_stop():
          raise errors.StoppedError(
            'stopped while the images were read: the same command reads '
            'them again'
          )


def _read(data_dir: pathlib.Path) -> dict[str, Any] | None:
  path = data_dir / 'examples.json'
  if not path.exists():
    return None
  try:
    return json.loads(path.read_text())
  except json.JSONDecodeError as error:
    raise errors.RunError(
      f'{path} is damaged ({error}): remove {data_dir}, and it is made again'
    ) from error


def _prepared(data_dir: pathlib.Path, saved: dict[str, Any]) -> Prepared:
  return Prepared(
    data_dir,
    tuple(saved['class_names']),
    list(saved['paths']),
    list(saved['problems']),
    tuple(saved['image_size']),
  )


def _fingerprint(
  folder: folder_lib.Folder, image_size: tuple[int, int] | None
) -> str:
  digest = hashlib.sha256(repr((folder.class_names, image_size)).encode())
  for file in folder.files:
    digest.update(repr(tuple(file)).encode())
  return digest.hexdigest()
