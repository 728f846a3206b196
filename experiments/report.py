r"""Compares any finished runs: tables for a paper, and one page with figures.

  python -m experiments.report --workdirs='runs/elr*,runs/four_systems' \
    --output=runs/report

Runs that differ in the seed alone are one row. A directory stands for the runs
below it, such as those of a sweep. Writes

  table.md, table.tex, table.csv  mean and standard deviation over the seeds, in
                                  percent: accuracy on the test split in the
                                  last epoch, the best by noisy validation and
                                  the best on test; memorised labels; detector
                                  AUROC; the number of seeds
  report.html                     self-contained: the table, the curves of
                                  learning and memorising, trust weights, the
                                  noise and its estimates

Runs that are not finished are named and left out.
"""

import argparse
from collections.abc import Sequence
import pathlib
import sys

from experiments import errors
from experiments import groups as groups_lib
from experiments import launch
from experiments import record
from experiments import report_page
from experiments import table
from experiments import table_files


def main(argv: Sequence[str] | None = None) -> None:
  """Writes what the arguments say."""
  # Not absl's flags, which are for programs with a configuration.
  parser = argparse.ArgumentParser(
    prog='python -m experiments.report',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
    allow_abbrev=False,
  )
  parser.add_argument(
    '--workdirs', required=True, help='DIR,DIR,...; * and ? as in a shell'
  )
  parser.add_argument(
    '--output', type=pathlib.Path, required=True, help='a directory'
  )
  parser.add_argument(
    '--sort', help=f'best first, by one of: {", ".join(record.RULES)}'
  )
  args = parser.parse_args(argv)
  launch.guard(lambda: report(args.workdirs.split(','), args.output, args.sort))


def report(
  patterns: Sequence[str], output: pathlib.Path, sort: str | None = None
) -> None:
  """Writes the tables and the page, and prints the table."""
  if sort:
    errors.check_name('--sort', sort, record.RULES)
  groups, unfinished = groups_lib.find(patterns)
  for folder in unfinished:
    print(f'{folder} is not finished, and left out', file=sys.stderr)
  summaries = {name: group.summaries for name, group in groups.items()}
  if sort:
    summaries = table.ranked(summaries, sort)
    groups = {name: groups[name] for name in summaries}
  title = groups_lib.title(groups)
  try:
    output.mkdir(parents=True, exist_ok=True)
    paths = table_files.write(output, summaries, title)
    paths.append(report_page.write(output, groups))
  except OSError as error:
    raise errors.RunError(
      f'--output={output} cannot be written: {error.strerror}'
    ) from error
  table.show(summaries, f'{title}\nPercent, mean ± deviation')
  print('\n'.join(str(path.absolute()) for path in paths))


if __name__ == '__main__':
  main()
