"""Given labels in a file: which example has which, by its index.

Two formats, told by the name's ending. `.csv` has a header with the columns
`index` and `label`, in any order and beside others, which are ignored. `.npy`
holds integers `[N, 2]`: index and label. The examples may come in any order.
"""

import os
import pathlib

import numpy as np
import numpy.typing as npt

from experiments.data import errors
from experiments.data import label_formats


def write(
  path: str | os.PathLike[str], index: npt.ArrayLike, labels: npt.ArrayLike
) -> None:
  """Writes a label file, ordered by index: whole, or not at all.

  Args:
    path: where; ends in .csv or .npy.
    index: the identities of the examples, integers `[N]`.
    labels: their labels, integers `[N]`.

  Raises:
    DataError: the file cannot be written, or has another ending.
    ValueError: index and labels are not integers of one shape `[N]`.
  """
  path = pathlib.Path(path)
  index, labels = np.asarray(index), np.asarray(labels)
  for name, array in (('index', index), ('labels', labels)):
    if array.ndim != 1 or (array.size and array.dtype.kind not in 'iu'):
      raise ValueError(
        f'{name} must be integers [N], got {array.dtype} {array.shape}'
      )
  if index.shape != labels.shape:
    raise ValueError(
      f'labels must have the shape of index {index.shape}, got {labels.shape}'
    )
  pairs = np.column_stack([index, labels]).astype(np.int64)
  pairs = pairs[np.argsort(index, kind='stable')]
  save = (
    label_formats.save_npy
    if _suffix(path) == '.npy'
    else label_formats.save_csv
  )
  # A name of its own, so that processes which write at once do not mix.
  part = path.with_name(f'{path.name}.{os.getpid()}.part')
  try:
    save(part, pairs)
    os.replace(part, path)
  except OSError as error:
    part.unlink(missing_ok=True)
    raise errors.DataError(
      f'cannot write {path} ({error.strerror}): choose another file'
    ) from error


def read(
  path: str | os.PathLike[str],
  *,
  num_examples: int | None = None,
  num_classes: int | None = None,
) -> npt.NDArray[np.int32]:
  """Reads the labels of a whole data set or split.

  Args:
    path: a file as `write` makes it; ends in .csv or .npy.
    num_examples: how many examples there are; the file must have a label for
      each of 0..num_examples - 1. As many as the file has lines, if left out.
    num_classes: labels must be in 0..num_classes - 1, where it is known; and
      not negative, where not.

  Returns:
    int32 `[num_examples]`: label i is that of the example with index i.

  Raises:
    DataError: the file cannot be read, or not so; the message says where, and
      what to do.
  """
  path = pathlib.Path(path)
  load = (
    label_formats.load_npy
    if _suffix(path) == '.npy'
    else label_formats.load_csv
  )
  try:
    pairs = load(path)
  except OSError as error:
    raise errors.DataError(
      f'cannot read {path} ({error.strerror}): name a file with labels'
    ) from error
  size = len(pairs.examples) if num_examples is None else num_examples
  _check_index(path, pairs, size)
  _check_labels(path, pairs, num_classes)
  labels = np.empty(size, np.int32)
  labels[pairs.examples] = pairs.labels
  return labels


def _check_index(
  path: pathlib.Path, pairs: label_formats.Pairs, num_examples: int
) -> None:
  """Refuses indices that are not each of 0..N-1 once."""
  index = pairs.examples
  outside = (index < 0) | (index >= num_examples)
  if outside.any():
    row = int(np.argmax(outside))
    raise errors.DataError(
      f'{path}, {pairs.place(row)}: index {index[row]} is not that of one of '
      f'{num_examples} examples: count them from 0, in the order of the data'
    )
  again = np.ones(len(index), bool)
  again[np.unique(index, return_index=True)[1]] = False
  if again.any():
    row = int(np.argmax(again))
    first = int(np.argmax(index == index[row]))
    raise errors.DataError(
      f'{path}, {pairs.place(row)}: index {index[row]} stands in '
      f'{pairs.place(first)}, too: keep one of them'
    )
  missing = np.setdiff1d(np.arange(num_examples), index)
  if missing.size:
    raise errors.DataError(
      f'{path} has no label for {missing.size} of {num_examples} examples, '
      f'the first of them index {missing[0]}: give each a label'
    )


def _check_labels(
  path: pathlib.Path, pairs: label_formats.Pairs, num_classes: int | None
) -> None:
  labels = pairs.labels
  last = np.iinfo(np.int32).max if num_classes is None else num_classes - 1
  outside = (labels < 0) | (labels > last)
  if outside.any():
    row = int(np.argmax(outside))
    raise errors.DataError(
      f'{path}, {pairs.place(row)}: label {labels[row]} is not in 0..{last}: '
      'number the classes as the data set does'
    )


def _suffix(path: pathlib.Path) -> str:
  if path.suffix not in ('.csv', '.npy'):
    raise errors.DataError(
      f'{path} is not known as a file of labels: its name must end in .csv or '
      '.npy'
    )
  return path.suffix
