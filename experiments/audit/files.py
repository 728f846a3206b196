"""What an audit found, as CSV files for other programs."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import csv
import os
import pathlib
from typing import Any

import numpy as np

from experiments import errors
from experiments.audit import findings as findings_lib
from experiments.audit import text
from experiments.data import label_file

_BLOCK = 256
ISSUES = (
  'index',
  'name',
  'label',
  'label_name',
  'suggested',
  'suggested_name',
  'score',
  'confidence',
  'label_probability',
  'is_issue',
)


def write(
  workdir: pathlib.Path,
  found: findings_lib.Findings,
  *,
  tick: Callable[[int], None] = lambda rows: None,
) -> None:
  """Writes issues.csv, transition.csv and suggested_labels.csv.

  All examples are in issues.csv, those with `is_issue` 1 first. Numbers have
  six digits. Names are safe for spreadsheets, as in reviewed.csv: see
  `text.cell`.

  Args:
    workdir: where to.
    found: by an audit.
    tick: called with how many rows are written, which adds up to those of
      issues.csv and transition.csv.

  Raises:
    RunError: the files cannot be written.
  """
  _write(workdir / 'issues.csv', ISSUES, _counted(_issues(found), tick))
  names = [*map(text.cell, found.class_names)]
  _write(
    workdir / 'transition.csv',
    ('true', *names),
    _counted(
      (
        [name, *_shorts(row)]
        for name, row in zip(names, found.transition, strict=True)
      ),
      tick,
    ),
  )
  label_file.write(
    workdir / 'suggested_labels.csv',
    found.index,
    np.where(found.is_issue, found.suggested, found.label),
  )


def rank(found: findings_lib.Findings) -> np.ndarray:
  """The rows: issues first, and each part by falling score.

  Of equal scores the one with the less probable label comes first: 1 - p rounds
  to 1 where p does not round to 0. Of those, the first row.
  """
  return np.lexsort((found.label_probability, -found.score, ~found.is_issue))


def _issues(found: findings_lib.Findings) -> Iterable[Sequence[Any]]:
  names = [*map(text.cell, found.class_names)]
  for row in rank(found):
    label, suggested = found.label[row], found.suggested[row]
    yield (
      found.index[row],
      text.cell(found.names[row]) if found.names else '',
      label,
      names[label],
      suggested,
      names[suggested],
      _short(found.score[row]),
      _short(found.confidence[row]),
      _short(found.label_probability[row]),
      int(found.is_issue[row]),
    )


def _short(value: float) -> str:
  return f'{value:.6g}'


def _shorts(row: np.ndarray) -> list[str]:
  """Of many classes, most numbers are 0."""
  cells = ['0'] * len(row)
  for place in np.flatnonzero(row):
    cells[place] = _short(row[place])
  return cells


def _counted(
  rows: Iterable[Sequence[Any]], tick: Callable[[int], None]
) -> Iterable[Sequence[Any]]:
  number = 0
  for number, row in enumerate(rows, 1):
    yield row
    if number % _BLOCK == 0:
      tick(_BLOCK)
  tick(number % _BLOCK)


def _write(
  path: pathlib.Path, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
  """Writes a CSV file, whole or not at all."""
  part = path.with_name(path.name + '.part')
  try:
    with part.open('w', newline='', encoding='utf-8') as file:
      # Also quotes a lone carriage return, which ends a line for readers.
      writer = csv.writer(file, lineterminator='\r\n')
      writer.writerow(header)
      writer.writerows(rows)
    os.replace(part, path)
  except OSError as error:
    raise errors.RunError(
      f'{path} cannot be written: {error.strerror}'
    ) from error
