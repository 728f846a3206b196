"""Time and memory of finding label issues, as the predictions grow.

  scripts/bench.sh detection_curves --out=runs/detection_curves

Both tools from numpy arrays to the issues in order, with default settings, but
cleanlab with n_jobs=1, which is faster for all of these on two cores, and whose
memory is all counted. Each cell is a process of its own, and is written to
`curves.csv` as it comes; what is there is not measured again. `curves.svg` and
`curves.png` show all of them.
"""

import argparse
import csv
import json
import pathlib
import resource
import subprocess
import sys
import time
import warnings

from experiments import figures
from experiments.bench import detection_tasks
from experiments.bench import estimation
from experiments.bench import usage

EXAMPLES = (1_000, 10_000, 100_000, 1_000_000)
CLASSES = (10, 100, 1_000, 10_000)
# What grows, by the classes or examples that stay.
BY_EXAMPLES = {k: [(n, k) for n in EXAMPLES] for k in (10, 100)}
BY_CLASSES = {10_000: [(10_000, k) for k in CLASSES]}
LINES = {**BY_EXAMPLES, **BY_CLASSES}
TOOLS = {'cleanlab': 'cleanlab', 'numpy': 'noisy_labels'}
FIELDS = ('examples', 'classes', 'tool', 'wall_ms', 'processor_ms', 'mib')
# After which no further call is made.
_ENOUGH_SECONDS = 10.0
_TASK = 'find_label_issues'


def main(arguments: list[str] | None = None) -> None:
  """Measure what is not in the file yet, and draw all of it."""
  options = _parse(arguments)
  if options.tool:
    resource.setrlimit(resource.RLIMIT_CPU, (options.seconds,) * 2)
    usage.limit_memory(options.gib)
    print(json.dumps(measure(options.tool, options.shape, options.calls)))
    return
  options.out.mkdir(parents=True, exist_ok=True)
  table = options.out / 'curves.csv'
  for shape in sorted({cell for line in LINES.values() for cell in line}):
    for tool in TOOLS:
      known = {key(row) for row in read(table)}
      if (*map(str, shape), tool) in known:
        continue
      cells = _in_a_process(tool, shape, options)
      with table.open('a', newline='') as file:
        writer = csv.writer(file)
        if not known:
          writer.writerow(FIELDS)
        writer.writerow((*shape, tool, *cells))
      print(*shape, tool, *cells, flush=True)
  draw(read(table), options.out)


def measure(
  tool: str, shape: tuple[int, int], calls: int
) -> tuple[float, float, float]:
  """Milliseconds of wall and processor time at best, and MiB that were added.

  The first call, in which things are compiled and loaded, counts for memory
  alone, unless it took so long that there is no other.
  """
  warnings.simplefilter('ignore')  # Of classes with few examples.
  arrays = estimation.problem(*shape)
  function = detection_tasks.function(tool, _TASK)
  assert function is not None
  before = usage.reset_peak()
  clocks = time.perf_counter, usage.processor_time
  times: list[list[float]] = []
  began = time.perf_counter()
  while len(times) <= calls:
    start = [clock() for clock in clocks]
    function(*arrays)
    pairs = zip(clocks, start, strict=True)
    times.append([1e3 * (clock() - then) for clock, then in pairs])
    if time.perf_counter() - began > _ENOUGH_SECONDS:
      break
  wall, processor = map(min, zip(*(times[1:] or times), strict=True))
  return wall, processor, usage.peak() - before


def read(table: pathlib.Path) -> list[dict[str, str]]:
  """The rows, if there is a file."""
  if not table.exists():
    return []
  with table.open(newline='') as file:
    return list(csv.DictReader(file))


def key(row: dict[str, str]) -> tuple[str, ...]:
  """Which cell a row is of."""
  return row['examples'], row['classes'], row['tool']


def draw(rows: list[dict[str, str]], folder: pathlib.Path) -> None:
  """Writes the figure; a cell that was not finished is not there."""
  found = {key(row): row for row in rows if row['wall_ms']}
  figure, axes = figures.new(9.0, 6.0, columns=2, rows=2)
  quantities = {
    'processor_ms': 'processor time, ms',
    'mib': 'memory added at the peak, MiB',
  }
  for across, (name, lines) in enumerate(
    (
      ('examples', BY_EXAMPLES),
      ('classes', BY_CLASSES),
    )
  ):
    for down, (field, title) in enumerate(quantities.items()):
      one = axes[down, across]
      for (fixed, cells), style in zip(lines.items(), '-:', strict=False):
        for tool, color in zip(TOOLS, ('tab:gray', 'tab:blue'), strict=True):
          points = [
            (cell[across], max(float(found[where][field]), 1))
            for cell in cells
            if (where := (*map(str, cell), tool)) in found
          ]
          other = 'classes' if across == 0 else 'examples'
          one.loglog(
            *zip(*points, strict=True),
            style,
            marker='o',
            color=color,
            label=f'{TOOLS[tool]}, {fixed:,} {other}',
          )
      one.set_xlabel(name)
      one.set_ylabel(title)
      if down == 0:
        one.legend(frameon=False)
  (folder / 'curves.svg').write_text(figures.svg(figure))
  figure.savefig(folder / 'curves.png', dpi=110)


def _in_a_process(tool, shape, options):
  """The three numbers; or none, if time or memory did not suffice."""
  flags = [f'--tool={tool}', f'--shape={shape[0]}x{shape[1]}']
  flags += [f'--calls={options.calls}', f'--seconds={options.seconds}']
  process = subprocess.run(
    [sys.executable, '-m', __spec__.name, *flags, f'--gib={options.gib}'],
    stdout=subprocess.PIPE,
    text=True,
  )
  if process.returncode:
    return '', '', ''
  return [round(value, 1) for value in json.loads(process.stdout)]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh detection_curves',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--out',
    type=pathlib.Path,
    default=pathlib.Path('runs/detection_curves'),
    help='folder of what is written (default: %(default)s)',
  )
  parser.add_argument(
    '--calls',
    type=int,
    default=3,
    help='at most, after the first (default: %(default)s)',
  )
  parser.add_argument(
    '--seconds',
    type=int,
    default=300,
    help='of processor time for a cell (default: %(default)s)',
  )
  parser.add_argument(
    '--gib',
    type=float,
    default=8.0,
    help='of memory that a cell may ask for (default: %(default)s)',
  )
  parser.add_argument('--tool', choices=TOOLS, help=argparse.SUPPRESS)
  parser.add_argument(
    '--shape', type=estimation.parse_shape, help=argparse.SUPPRESS
  )
  return parser.parse_args(arguments)


if __name__ == '__main__':
  main()
