"""Finding what TFDS prepared, and telling what to do where it did not."""

import os
import pathlib
import shlex

import tensorflow_datasets as tfds
from tensorflow_datasets.core import naming
from tensorflow_datasets.core import read_only_builder
from tensorflow_datasets.core import registered

from experiments import errors as run_errors
from experiments.data import digits
from experiments.data import errors

ARRAY_RECORD = tfds.core.FileFormat.ARRAY_RECORD


def data_directory(data_dir: str | os.PathLike[str] | None) -> pathlib.Path:
  """`data_dir`, or else TFDS's: $TFDS_DATA_DIR or ~/tensorflow_datasets."""
  chosen = data_dir or os.environ.get('TFDS_DATA_DIR')
  return pathlib.Path(chosen or '~/tensorflow_datasets').expanduser()


def find(
  name: str, data_dir: str | os.PathLike[str] | None = None
) -> tfds.core.DatasetBuilder:
  """Find a prepared data set, in whichever format it is.

  Args:
    name: `name`, `name/config` or `name/config:version`, as TFDS spells it.
      `digits` is prepared on the spot.
    data_dir: Where TFDS keeps its data sets.

  Returns:
    A builder that reads files and downloads nothing.

  Raises:
    DataError: If there is no such data set, or it is not prepared.
  """
  folder = data_directory(data_dir)
  try:
    parsed, _ = naming.parse_builder_name_kwargs(name)
  except ValueError as error:
    raise errors.DataError(
      f"'{name}' is not a data set's name: write name, name/config or "
      'name/config:version'
    ) from error
  if parsed.name == digits.NAME:
    folder = digits.prepare(folder)
  try:
    return read_only_builder.builder_from_files(name, data_dir=str(folder))
  except registered.DatasetNotFoundError as error:
    raise _why_not(name, parsed.name, folder) from error
  except ValueError as error:  # Prepared, but its metadata are unreadable.
    reason = str(error).splitlines()[0]
    raise errors.DataError(
      f'data set {name} in {folder} cannot be read ({reason}): delete it and '
      f'run: {command(name, folder)}'
    ) from error


def find_random_access(
  name: str, data_dir: str | os.PathLike[str] | None = None
) -> tfds.core.DatasetBuilder:
  """As `find`, but the builder reads files whose records have an index.

  array_record alone counts: slices of TFDS's parquet files return everything.

  Raises:
    DataError: If there is no such data set, or not in that format.
  """
  builder = find(name, data_dir)
  formats = builder.info.available_file_formats()
  if ARRAY_RECORD not in formats:
    raise errors.DataError(
      f'data set {name} is prepared as '
      f'{", ".join(sorted(f.value for f in formats))} in {builder.data_dir}, '
      'which cannot be read at random; to add array_record files, run: '
      f'{command(name, data_directory(data_dir))}'
    )
  return tfds.builder_from_directory(builder.data_dir, file_format=ARRAY_RECORD)


def command(name: str, data_dir: pathlib.Path) -> str:
  """The command that prepares a data set, or converts it."""
  return shlex.join(
    [
      *('python', '-m', 'experiments.prepare'),
      *(f'--dataset={name}', f'--data_dir={data_dir}'),
    ]
  )


def names(data_dir: pathlib.Path) -> list[str]:
  """What can be loaded at once: names, with configs where there are some."""
  found = {digits.NAME}
  # A version's folder ends in its number, and holds the features it has.
  for path in (*data_dir.glob('*/*/'), *data_dir.glob('*/*/*/')):
    if (path / 'features.json').exists():
      found.add(path.parent.relative_to(data_dir).as_posix())
  return sorted(found)


def _why_not(
  name: str, plain_name: str, data_dir: pathlib.Path
) -> errors.DataError:
  known = names(data_dir)
  same = [other for other in known if other.split('/')[0] == plain_name]
  if same:
    have = ', '.join(
      f'{other}:{path.name}'
      for other in same
      for path in sorted((data_dir / other).glob('*.*.*'))
    )
    return errors.NotPreparedError(
      f'{name} is not prepared in {data_dir}, which has {have}: name one of '
      f'these, or run: {command(name, data_dir)}'
    )
  if _tfds_knows(plain_name):
    return errors.NotPreparedError(
      f'data set {name} is not prepared in {data_dir}: set --data_dir to where '
      f'it is, or run: {command(name, data_dir)}'
    )
  return errors.DataError(
    f"there is no data set '{name}' in {data_dir}, and TFDS knows none; "
    f'{run_errors.nearest(name, known)}'
  )


def _tfds_knows(name: str) -> bool:
  try:
    tfds.builder_cls(name)
  except registered.DatasetNotFoundError:
    return False
  return True
