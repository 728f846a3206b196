"""Prepares a data set so that its records can be found by their index.

  python -m experiments.prepare --dataset=cifar10 --data_dir=DIRECTORY

What TFDS already prepared as tfrecord is converted: array_record files are
put beside it. Neither that nor most data sets need TensorFlow; where TFDS's
own code for a data set does, a line says so.
"""

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
import json
import os
import pathlib
import struct
import sys

import tensorflow_datasets as tfds
from tensorflow_datasets.core import file_adapters

from experiments.data import errors
from experiments.data import prepared


def prepare(
  name: str, data_dir: str | os.PathLike[str] | None = None
) -> pathlib.Path:
  """Downloads, prepares or converts a data set, whichever is missing.

  Args:
    name: `name`, `name/config` or `name/config:version`, as TFDS spells it.
    data_dir: Where TFDS keeps its data sets.

  Returns:
    The folder of the prepared files.

  Raises:
    DataError: If it cannot be done.
  """
  folder = prepared.data_directory(data_dir)
  try:
    builder = prepared.find(name, folder)
  except errors.NotPreparedError:
    builder = _download(name, folder)
  if prepared.ARRAY_RECORD not in builder.info.available_file_formats():
    _convert(builder)
  return pathlib.Path(builder.data_dir)


def _download(name: str, data_dir: pathlib.Path) -> tfds.core.DatasetBuilder:
  try:
    builder = tfds.builder(
      name, data_dir=str(data_dir), file_format=prepared.ARRAY_RECORD
    )
    builder.download_and_prepare()
  except ImportError as error:
    raise errors.DataError(
      f"TFDS's code for {name} needs the package {error.name}: run: pip "
      f'install {error.name}, and then the same command again'
    ) from error
  except Exception as error:  # Whatever a download or a builder can meet.
    reason = str(error).strip().split('\n')[0] or type(error).__name__
    raise errors.DataError(f'TFDS cannot prepare {name}: {reason}') from error
  return builder


def _convert(builder: tfds.core.DatasetBuilder) -> None:
  """Adds array_record files to those of a prepared data set.

  This is what `tfds convert_format` does, which needs TensorFlow and Beam.
  """
  info = builder.info
  if info.file_format is not tfds.core.FileFormat.TFRECORD:
    raise errors.DataError(
      f'cannot convert {prepared.full_name(builder)} from '
      f'{info.file_format.value}: delete {builder.data_dir} and run the same '
      'command again'
    )
  for split in info.splits.values():
    template = split.filename_template.replace(
      filetype_suffix=prepared.ARRAY_RECORD.file_suffix
    )
    targets = template.sharded_filepaths(num_shards=split.num_shards)
    for source, target in zip(split.filepaths, targets, strict=True):
      draft = pathlib.Path(f'{target}.draft')
      examples = enumerate(_tfrecords(pathlib.Path(source)))
      file_adapters.ArrayRecordFileAdapter.write_examples(draft, examples)
      draft.rename(target)
  # The metadata come last: until then the data set is as it was.
  path = pathlib.Path(builder.data_dir) / 'dataset_info.json'
  metadata = json.loads(path.read_text())
  formats = metadata.setdefault('alternativeFileFormats', [])
  formats.append(prepared.ARRAY_RECORD.value)
  draft = path.with_suffix('.draft')
  draft.write_text(json.dumps(metadata, indent=2, sort_keys=True))
  draft.rename(path)


def _tfrecords(path: pathlib.Path) -> Iterator[bytes]:
  """A file's records: length, checksum, data, checksum, one after another."""
  with path.open('rb') as file:
    while header := file.read(12):
      length = struct.unpack('<Q', header[:8])[0] if len(header) == 12 else 0
      record = file.read(length)
      if len(header) < 12 or len(record) < length or len(file.read(4)) < 4:
        raise errors.DataError(f'{path} is truncated: prepare it again')
      yield record


def main(argv: Sequence[str] | None = None) -> None:
  """Prepares what the arguments name, and says where it is."""
  # Not absl's flags: a second --data_dir would clash with the other programs'.
  parser = argparse.ArgumentParser(
    prog='python -m experiments.prepare',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
    allow_abbrev=False,
  )
  parser.add_argument(
    '--dataset',
    required=True,
    help='name, name/config or name/config:version, as TFDS spells it',
  )
  parser.add_argument(
    '--data_dir',
    help='where TFDS keeps its data sets; by default $TFDS_DATA_DIR, or '
    '~/tensorflow_datasets',
  )
  args = parser.parse_args(argv)
  try:
    print(prepare(args.dataset, args.data_dir))
  except errors.DataError as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()
