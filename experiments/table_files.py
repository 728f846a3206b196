"""Results as files: a table in Markdown, LaTeX and CSV."""

from collections.abc import Mapping
from collections.abc import Sequence
import csv
import io
import math
import pathlib
import re
from typing import Any

from experiments import log
from experiments import table

Runs = Mapping[str, Sequence[dict[str, Any]]]

_NOTE = 'Percent, mean and standard deviation over the seeds.'
_LATEX = {
  '\\': r'\textbackslash{}',
  '~': r'\textasciitilde{}',
  '^': r'\textasciicircum{}',
  '<': r'\textless{}',
  '>': r'\textgreater{}',
  **{character: f'\\{character}' for character in '&%$#_{}'},
}


def write(folder: pathlib.Path, runs: Runs, title: str) -> list[pathlib.Path]:
  """Writes table.md, table.tex and table.csv.

  Args:
    folder: where to.
    runs: from names to the summaries of their seeds.
    title: what is compared, in a line.

  Returns:
    The paths of the files.
  """
  texts = {
    'table.md': markdown(runs, title),
    'table.tex': latex(runs, title),
    'table.csv': comma_separated(runs),
  }
  for name, text in texts.items():
    log.write_text(folder / name, text)
  return [folder / name for name in texts]


def markdown(runs: Runs, title: str) -> str:
  """A table as GitHub and most others read it."""
  heads = ['', 'seeds', *(column.title for column in table.COLUMNS)]
  lines = [
    *(f'{_escape_markdown(title)}.  ', _NOTE, ''),
    _markdown_row(heads),
    _markdown_row(['---', *['---:'] * (len(heads) - 1)]),
  ]
  for name, cells in table.rows(runs).items():
    row = [_escape_markdown(name), str(len(runs[name])), *map(str, cells)]
    lines.append(_markdown_row(row))
  return '\n'.join(lines) + '\n'


def _markdown_row(cells):
  return f'| {" | ".join(cells)} |'


def _escape_markdown(text: str) -> str:
  return re.sub(r'([\\`*_\[\]<>|&#~])', r'\\\1', _one_line(text))


def latex(runs: Runs, title: str) -> str:
  """A tabular of the package booktabs, with two lines of heads."""
  # `measure, rule`: the measures of neighbours are one head.
  heads = [column.title.split(', ') for column in table.COLUMNS]
  measures = [measure for measure, _ in heads]
  first, rules, place = [], [], 3
  for measure in dict.fromkeys(measures):
    width = measures.count(measure)
    first.append(rf'\multicolumn{{{width}}}{{c}}{{{_escape_latex(measure)}}}')
    rules.append(rf'\cmidrule(lr){{{place}-{place + width - 1}}}')
    place += width
  lines = [
    f'% {_one_line(title)}',
    f'% {_NOTE} Needs \\usepackage{{booktabs}}.',
    rf'\begin{{tabular}}{{lr{"r" * len(heads)}}}',
    r'  \toprule',
    f'  & & {" & ".join(first)} \\\\',
    f'  {" ".join(rules)}',
    f'  & seeds & {" & ".join(_escape_latex(rule) for _, rule in heads)} \\\\',
    r'  \midrule',
  ]
  for name, cells in table.rows(runs).items():
    row = [_escape_latex(name), str(len(runs[name])), *map(_latex_cell, cells)]
    lines.append(f'  {" & ".join(row)} \\\\')
  lines += [r'  \bottomrule', r'\end{tabular}']
  return '\n'.join(lines) + '\n'


def _latex_cell(cell: table.Cell) -> str:
  text = str(cell).replace('±', r'\pm')
  return '--' if text == '-' else f'${text}$'


def _escape_latex(text: str) -> str:
  return ''.join(
    _LATEX.get(character, character) for character in _one_line(text)
  )


def comma_separated(runs: Runs) -> str:
  """The same numbers, not rounded; a cell is empty where there is none."""
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  heads = [f'{column.rule}_{column.measure}' for column in table.COLUMNS]
  writer.writerow(
    [
      'name',
      'seeds',
      *(f'{h}_{part}' for h in heads for part in table.Cell._fields),
    ]
  )
  for name, cells in table.rows(runs).items():
    numbers = [number for cell in cells for number in cell]
    writer.writerow(
      [name, len(runs[name]), *('' if math.isnan(n) else n for n in numbers)]
    )
  return text.getvalue()


def _one_line(text: str) -> str:
  return ' '.join(text.split())
