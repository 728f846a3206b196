"""Decoded examples on disk, so that decoding happens once.

The cache lies in the user's cache directory, beside nothing that TFDS owns,
and may be deleted at any time.
"""

from collections.abc import Callable
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
from typing import Any

import numpy as np
import platformdirs

from experiments.data import errors

_Arrays = tuple[np.ndarray, np.ndarray]


def directory() -> pathlib.Path:
  """$NOISY_LABELS_CACHE, or else the platform's cache directory."""
  chosen = os.environ.get('NOISY_LABELS_CACHE')
  return pathlib.Path(chosen or platformdirs.user_cache_dir('noisy_labels'))


def images_and_labels(
  name: str, key: dict[str, Any], make: Callable[[], _Arrays]
) -> _Arrays:
  """Maps two arrays from disk; if they are not there, makes them first.

  Args:
    name: What a person looking into the cache should read.
    key: Everything that the arrays depend on, as JSON can hold it.
    make: Returns the images and the labels.

  Returns:
    Images as a read-only memory map, and labels.

  Raises:
    DataError: If the cache cannot be written.
  """
  text = json.dumps(key, indent=2, sort_keys=True)
  digest = hashlib.sha256(text.encode()).hexdigest()[:16]
  folder = directory() / 'examples' / f'{name}-{digest}'
  found = _read(folder)
  if found is None:
    images, labels = make()
    try:
      _write(folder, text, images, labels)
    except OSError as error:
      raise errors.DataError(
        f'cannot write the cache of decoded images in {folder.parent} '
        f'({error.strerror}): make room there, or set NOISY_LABELS_CACHE to '
        'another folder'
      ) from error
    # Another process may be repairing the same folder.
    found = _read(folder) or (images, labels)
  return found


def _read(folder: pathlib.Path) -> _Arrays | None:
  try:
    images = np.load(folder / 'image.npy', mmap_mode='r')
    return images, np.load(folder / 'label.npy')
  except (OSError, ValueError, EOFError):  # Absent, or cut short.
    return None


def _write(
  folder: pathlib.Path, text: str, images: np.ndarray, labels: np.ndarray
) -> None:
  """Fills a folder that nobody reads, then gives it its name in one step."""
  folder.parent.mkdir(parents=True, exist_ok=True)
  draft = pathlib.Path(tempfile.mkdtemp(prefix='draft-', dir=folder.parent))
  try:
    (draft / 'key.json').write_text(text)
    np.save(draft / 'label.npy', labels)
    np.save(draft / 'image.npy', images)
    if _read(folder) is None:
      shutil.rmtree(folder, ignore_errors=True)
      try:
        draft.rename(folder)
      except OSError:
        if _read(folder) is None:  # Else another process was faster.
          raise
  finally:
    shutil.rmtree(draft, ignore_errors=True)
