"""How a label file is laid out, as CSV and as numpy's own format."""

import csv
import pathlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.data import errors

_COLUMNS = ('index', 'label')


class Pairs(NamedTuple):
  """What a label file says.

  Attributes:
    examples: the index of each example, int64 `[N]`.
    labels: its label, int64 `[N]`.
    places: where each of them stands in the file; None for the row's number.
  """

  examples: npt.NDArray[np.int64]
  labels: npt.NDArray[np.int64]
  places: list[str] | None = None

  def place(self, row: int) -> str:
    """Where a row stands in the file, for messages."""
    return self.places[row] if self.places else f'row {row}'


def save_csv(path: pathlib.Path, pairs: npt.NDArray[np.int64]) -> None:
  """Writes index and label, int64 `[N, 2]`, below a header."""
  lines = [','.join(_COLUMNS), *(f'{i},{label}' for i, label in pairs)]
  path.write_text('\n'.join(lines) + '\n')


def save_npy(path: pathlib.Path, pairs: npt.NDArray[np.int64]) -> None:
  """Writes index and label, int64 `[N, 2]`."""
  with path.open('wb') as file:  # numpy.save would add an ending to a name.
    np.save(file, pairs, allow_pickle=False)


def load_csv(path: pathlib.Path) -> Pairs:
  """Reads the columns `index` and `label`; raises a DataError or OSError."""
  # Spreadsheets put a byte order mark first, which utf-8-sig drops.
  with path.open(encoding='utf-8-sig', newline='') as file:
    reader = csv.reader(file)
    try:
      columns = _find_columns(path, next(reader, []))
      found = [
        (*_parse(path, line, columns, reader.line_num), reader.line_num)
        for line in reader
        if line
      ]
    except (csv.Error, UnicodeDecodeError) as error:
      raise errors.DataError(
        f'{path} is not a CSV file ({error}): save it as plain text, UTF-8'
      ) from error
  array = np.array(found, np.int64).reshape(-1, 3)
  places = [f'line {number}' for number in array[:, 2]]
  return Pairs(array[:, 0], array[:, 1], places)


def _find_columns(path: pathlib.Path, header: list[str]) -> list[int]:
  names = [name.strip() for name in header]
  for column in _COLUMNS:
    if column not in names:
      raise errors.DataError(
        f'{path}, line 1: there is no column {column!r} in '
        f'{",".join(header)!r}: begin with the line {",".join(_COLUMNS)}'
      )
  return [names.index(column) for column in _COLUMNS]


def _parse(
  path: pathlib.Path, line: list[str], columns: list[int], number: int
) -> list[int]:
  try:
    values = [int(line[column]) for column in columns]
    if not all(-(2**63) <= value < 2**63 for value in values):
      raise ValueError
  except (IndexError, ValueError):
    raise errors.DataError(
      f'{path}, line {number}: index and label must be integers, got '
      f'{",".join(line)!r}: mend or remove the line'
    ) from None
  return values


def load_npy(path: pathlib.Path) -> Pairs:
  """Reads integers `[N, 2]`; raises a DataError or OSError."""
  with path.open('rb') as file:
    try:
      array = np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
      raise errors.DataError(
        f'{path} is not a .npy file of numbers ({error}): save integers '
        '[N, 2] with numpy.save; what is pickled is not read'
      ) from error
  if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in 'iu':
    raise errors.DataError(
      f'{path} holds {array.dtype} {list(array.shape)}: save integers [N, 2], '
      'index and label'
    )
  examples, labels = array.astype(np.int64).T
  return Pairs(examples, labels)
