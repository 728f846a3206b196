"""Records of one split by index; whatever fails names the file."""

import bisect
from collections.abc import Sequence
import itertools
import pathlib
from typing import Any

import tensorflow_datasets as tfds

from experiments.data import errors
from experiments.data import prepared


class Records:
  """A split's records, the images among them as the bytes in the file."""

  def __init__(self, builder: tfds.core.DatasetBuilder, split: str):
    info = builder.info.splits[split]
    self.title = f'{prepared.full_name(builder)} {split}'
    self.files = [pathlib.Path(path) for path in info.filepaths]
    self._ends = list(itertools.accumulate(info.shard_lengths))
    self._remedy = 'delete its folder and run: ' + prepared.command(
      prepared.full_name(builder), _root(builder)
    )
    for path in self.files:
      if not path.exists():
        raise errors.DataError(f'{path} is missing: {self._remedy}')
    try:
      self._source = builder.as_data_source(
        split,
        # Pillow decodes for us: TFDS's decoder depends on what is installed.
        decoders={'image': tfds.decode.SkipDecoding()},
        file_format=prepared.ARRAY_RECORD,
      )
      len(self._source)  # Opens every file.
    except RuntimeError as error:
      raise self._damaged(self._first_unreadable(), error) from error

  def read(self, indices: Sequence[int]) -> list[dict[str, Any]]:
    """Reads the records at these places of the split.

    Raises:
      DataError: If one of them is damaged.
    """
    # Damage shows as an error of the reader's (RuntimeError), of the protocol
    # buffers' or of TFDS's; there is no common type below Exception.
    try:
      return list(self._source.__getitems__(indices))
    except Exception:
      for index in indices:
        try:
          self._source[index]
        except Exception as error:
          raise self.damaged(index, error) from error
      raise

  def damaged(self, index: int, error: Exception) -> errors.DataError:
    """The error that says which file holds the damaged record."""
    return self._damaged(self.files[bisect.bisect(self._ends, index)], error)

  def _damaged(self, path: pathlib.Path, error: Exception) -> errors.DataError:
    reason = str(error).split(';')[0].split('\n')[0]
    return errors.DataError(
      f'{path} is truncated or corrupt ({reason}): {self._remedy}'
    )

  def _first_unreadable(self) -> pathlib.Path:
    for path in self.files:
      try:
        tfds.core.file_adapters.ArrayRecordFileAdapter.num_examples(path)
      except RuntimeError:
        return path
    return self.files[0].parent


def _root(builder: tfds.core.DatasetBuilder) -> pathlib.Path:
  """The data directory: `root/name[/config]/version` without the rest."""
  depth = builder.info.full_name.count('/')
  return pathlib.Path(builder.data_dir).parents[depth]
