"""Finding what TFDS prepared, and telling what to do where it did not."""

import difflib
import importlib.util
import os
import pathlib
import re
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
  """Finds a prepared data set, in whichever format it is.

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
  if importlib.util.find_spec('array_record') is None:
    # TFDS would say so in the middle of its own work, and not on every system
    # does installing TFDS install it.
    raise errors.DataError(
      'data sets cannot be read without the package array_record: run: pip '
      'install array_record'
    )
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
  except Exception as error:  # Of any type, if the metadata are damaged.
    reason = str(error).splitlines()[0]
    raise errors.DataError(
      f'the metadata of {name} in {folder} cannot be read ({reason}): delete '
      f'its folder and run: {command(name, folder)}'
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
    convertible = tfds.core.FileFormat.TFRECORD in formats
    remedy = 'to add array_record files' if convertible else 'delete it and'
    raise errors.DataError(
      f'data set {name} is prepared as '
      f'{", ".join(sorted(f.value for f in formats))} in {builder.data_dir}, '
      f'which cannot be read at random: {remedy} run: '
      f'{command(name, data_directory(data_dir))}'
    )
  builder.info.set_file_format(
    ARRAY_RECORD, override=True, override_if_initialized=True
  )
  return builder


def full_name(builder: tfds.core.DatasetBuilder) -> str:
  """`name[/config]:version`, which `find` understands."""
  name, _, version = builder.info.full_name.rpartition('/')
  return f'{name}:{version}'


def command(name: str, data_dir: pathlib.Path) -> str:
  """The command that prepares a data set, or converts it."""
  return shlex.join(
    [
      *('python', '-m', 'experiments.prepare'),
      *(f'--dataset={name}', f'--data_dir={data_dir}'),
    ]
  )


def available(data_dir: pathlib.Path) -> list[str]:
  """What is prepared in a folder, as `name[/config]:version`."""
  found = []
  for path in (*data_dir.glob('*/*/'), *data_dir.glob('*/*/*/')):
    is_version = tfds.core.Version.is_valid(path.name)
    if is_version and (path / 'features.json').exists():
      name = path.parent.relative_to(data_dir).as_posix()
      found.append(f'{name}:{path.name}')
  return sorted(found)


def _why_not(
  name: str, plain_name: str, data_dir: pathlib.Path
) -> errors.DataError:
  known = available(data_dir)
  same = [other for other in known if re.split('[/:]', other)[0] == plain_name]
  if same:
    return errors.NotPreparedError(
      f'{name} is not prepared in {data_dir}, which has {", ".join(same)}: '
      f'name one of these, or run: {command(name, data_dir)}'
    )
  if _tfds_knows(plain_name):
    return errors.NotPreparedError(
      f'data set {name} is not prepared in {data_dir}: set --data_dir to where '
      f'it is, or run: {command(name, data_dir)}'
    )
  names = {digits.NAME, *(other.split(':')[0] for other in known)}
  of_tfds = tfds.list_builders(with_community_datasets=False)
  names |= set(difflib.get_close_matches(name, of_tfds, n=3))
  return errors.DataError(
    f"neither {data_dir} nor TFDS has a data set '{name}'; "
    f'{run_errors.nearest(name, names)}'
  )


def _tfds_knows(name: str) -> bool:
  try:
    tfds.builder_cls(name)
  except registered.DatasetNotFoundError:
    return False
  return True
