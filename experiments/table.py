"""Results as tables: means and standard deviations under the field's rules."""

from collections.abc import Mapping
from collections.abc import Sequence
import math
from typing import Any
from typing import NamedTuple

import numpy as np
from rich import console as rich_console
from rich import table as rich_table

from experiments import record


class Column(NamedTuple):
  """One number of a run: which measure, of the period that `rule` selects."""

  title: str
  rule: str
  measure: str


COLUMNS = (
  *(
    Column(f'test accuracy, {meaning}', rule, 'test_accuracy')
    for rule, meaning in record.RULES.items()
  ),
  Column('memorised wrong labels, last epoch', 'last', 'memorised'),
  Column('detector AUROC, last epoch', 'last', 'detector_auroc'),
)


class Cell(NamedTuple):
  """Percentages of some seeds: mean and sample standard deviation."""

  mean: float
  std: float

  def __str__(self) -> str:
    if math.isnan(self.mean):
      return '-'
    if math.isnan(self.std):
      return f'{self.mean:.1f}'
    return f'{self.mean:.1f} ± {self.std:.1f}'


def rows(
  runs: Mapping[str, Sequence[dict[str, Any]]],
) -> dict[str, list[Cell]]:
  """For each name and column, mean and deviation over the runs' summaries."""
  return {
    name: [_cell(summaries, column) for column in COLUMNS]
    for name, summaries in runs.items()
  }


def ranked(
  runs: dict[str, list[dict[str, Any]]], rule: str
) -> dict[str, list[dict[str, Any]]]:
  """The runs by test accuracy in the period that `rule` selects, best first.

  Those that were not measured, as there was no test split, come last.
  """

  def accuracy(name):
    cell = _cell(runs[name], Column('', rule, 'test_accuracy'))
    return -math.inf if math.isnan(cell.mean) else cell.mean

  return {name: runs[name] for name in sorted(runs, key=accuracy, reverse=True)}


def _cell(summaries: Sequence[dict[str, Any]], column: Column) -> Cell:
  values = [
    math.nan if value is None else 100 * value
    for value in (summary[column.rule][column.measure] for summary in summaries)
  ]
  std = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
  return Cell(float(np.mean(values)), std)


def show(runs: Mapping[str, Sequence[dict[str, Any]]], title: str) -> None:
  """Prints one row a name; the caption says what the numbers are."""
  table = rich_table.Table(title=title, title_justify='left')
  table.add_column('', no_wrap=True, min_width=max(map(len, runs)))
  for column in COLUMNS:
    table.add_column(column.title, justify='right')
  for name, cells in rows(runs).items():
    table.add_row(name, *map(str, cells))
  # Without a terminal rich would fold the table to 80 columns.
  console = rich_console.Console()
  if not console.is_terminal:
    width = max(120, 80 + max(map(len, runs)))
    console = rich_console.Console(width=width)
  console.print(table)


def show_run(name: str, summary: dict[str, Any]) -> None:
  """Prints the summary of one run, in percent."""
  show(
    {name: [summary]},
    f'Percent; {summary["noise_rate"]:.1%} of the labels given are wrong',
  )
