"""What a person said of labels, as the report exports it: reviewed.csv."""

import csv
import pathlib
from typing import NamedTuple

import numpy as np

from experiments import errors

COLUMNS = ('index', 'name', 'label', 'suggested', 'verdict', 'corrected')
VERDICTS = ('wrong', 'right', 'unsure')
REMOVE = 'remove'


class Review(NamedTuple):
  """What was said.

  Attributes:
    right: indices of labels that are right, int64 `[n]`.
    corrected: indices of those that are not, `[m]`.
    labels: what they should be, int32 `[m]`.
    removed: indices of examples that are of no class, `[l]`.
    unsure: of how many examples nothing can be said.
  """

  right: np.ndarray
  corrected: np.ndarray
  labels: np.ndarray
  removed: np.ndarray
  unsure: int


class _Line(NamedTuple):
  example: int
  verdict: str
  corrected: str


def read(path: pathlib.Path, *, labels: np.ndarray, num_classes: int) -> Review:
  """Reads a review of these labels, strictly.

  Args:
    path: of a CSV file with `COLUMNS`.
    labels: given classes, by index, integers `[N]`.
    num_classes: K.

  Returns:
    What it says.

  Raises:
    UsageError: a line cannot be meant so, or is of other labels; the message
      says which.
  """
  lines: dict[int, tuple[_Line, int]] = {}
  try:
    # Spreadsheets put a byte order mark first, which utf-8-sig drops.
    with path.open(encoding='utf-8-sig', newline='') as file:
      reader = csv.DictReader(file, strict=True)
      _check_header(path, reader.fieldnames)
      for cells in reader:
        number = reader.line_num
        try:
          line = _line(cells, labels, num_classes)
          if line.example in lines:
            raise _WrongError(
              f'index {line.example} stands in line '
              f'{lines[line.example][1]}, too: keep one of them'
            )
        except _WrongError as error:
          raise errors.UsageError(
            f'--apply={path}, line {number}: {error}'
          ) from None
        lines[line.example] = line, number
  except OSError as error:
    raise errors.UsageError(
      f'--apply={path} cannot be read: {error.strerror}'
    ) from None
  except (csv.Error, UnicodeDecodeError) as error:
    raise errors.UsageError(
      f'--apply={path} is not a CSV file ({error}): save it as plain text, '
      'UTF-8'
    ) from None
  if not lines:
    raise errors.UsageError(f'--apply={path} says nothing of any label')
  return _sorted([line for line, _ in lines.values()])


class _WrongError(Exception):
  """What a line says cannot be meant."""


def _check_header(path: pathlib.Path, names) -> None:
  missing = [name for name in COLUMNS if name not in (names or ())]
  if missing:
    raise errors.UsageError(
      f'--apply={path}, line 1: there is no column {missing[0]!r}: begin with '
      f'the line {",".join(COLUMNS)}'
    )


def _line(cells, labels, num_classes) -> _Line:
  if None in cells or None in cells.values():
    raise _WrongError('it has more or fewer cells than the header')
  index = _number(cells, 'index', len(labels), 'an example of the data')
  label = _number(cells, 'label', num_classes, 'a class')
  if label != labels[index]:
    raise _WrongError(
      f'example {index} has label {labels[index]} and not {label}: this is a '
      'review of other data, or the labels have changed since'
    )
  _number(cells, 'suggested', num_classes, 'a class')
  verdict, corrected = cells['verdict'], cells['corrected']
  if verdict not in VERDICTS:
    raise _WrongError(f'verdict {verdict!r} is none of {", ".join(VERDICTS)}')
  if verdict != 'wrong':
    if corrected:
      raise _WrongError(
        f'corrected is {corrected!r} though the verdict is {verdict}: leave it '
        'empty, or say wrong'
      )
  elif corrected != REMOVE:
    if not corrected:
      raise _WrongError(
        f'corrected is empty though the verdict is wrong: give a class, or '
        f'{REMOVE} for an image that is of none'
      )
    if _number(cells, 'corrected', num_classes, 'a class') == label:
      raise _WrongError(
        f'corrected is {corrected}, the label that was given, though the '
        'verdict is wrong'
      )
  return _Line(index, verdict, corrected)


def _number(cells, name: str, size: int, what: str) -> int:
  value = cells[name]
  if not (value.isascii() and value.isdigit()):
    also = f' or {REMOVE}' if name == 'corrected' else ''
    raise _WrongError(f'{name} must be a number{also}, got {value!r}')
  # Python refuses to read thousands of digits.
  if len(value) > 18 or int(value) >= size:
    raise _WrongError(
      f'{name} {value[:20]} is not {what}: there are {size}, from 0'
    )
  return int(value)


def _sorted(lines: list[_Line]) -> Review:
  wrong = [line for line in lines if line.verdict == 'wrong']
  corrected = [line for line in wrong if line.corrected != REMOVE]

  def indices(chosen):
    return np.array([line.example for line in chosen], np.int64)

  return Review(
    right=indices(line for line in lines if line.verdict == 'right'),
    corrected=indices(corrected),
    labels=np.array([int(line.corrected) for line in corrected], np.int32),
    removed=indices(line for line in wrong if line.corrected == REMOVE),
    unsure=sum(line.verdict == 'unsure' for line in lines),
  )
