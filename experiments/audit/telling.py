"""What is told of an audit: in files, in its report and in some lines."""

import pathlib

import ml_collections

from experiments import devices
from experiments import log
from experiments import loss_fields
from experiments.audit import files
from experiments.audit import findings
from experiments.audit import options as options_lib
from experiments.audit import sources
from experiments.audit import text

# Beyond so many sentences, the rest is in problems.txt.
_TOLD = 5


def describe(data: sources.Data) -> str:
  """What is audited, in a line."""
  examples = text.count(len(data.labels), 'example')
  classes = text.count(len(data.class_names), 'class', 'classes')
  line = f'{text.visible(data.title)}: {examples} of {classes}'
  if data.problems:
    line += f', {text.count(len(data.problems), "problem")}'
  return line


def doubts(number: int, ends: list[int]) -> list[str]:
  """What to say of a number that other examples would not repeat."""
  if ends[0] <= number <= ends[1]:
    return []
  return [
    f'The expected number of wrong labels, {number:,}, is outside its own '
    f'interval, {ends[0]:,} to {ends[1]:,}: classes are too small for either '
    'to be trusted.'
  ]


def settings(
  config: ml_collections.ConfigDict,
  data: sources.Data,
  options: options_lib.Options,
) -> dict[str, str]:
  """What was run, by name."""
  common = {
    'command': options.command,
    'estimator of the noise': config.noise_estimate,
    'detector': options.detector,
    'seed': str(config.seed),
    'versions': devices.describe(),
  }
  if data.images is None:
    return common
  height, width, channels = data.images.shape[1:]
  loss = ', '.join(
    f'{name}={value}'
    for name, value in loss_fields.describe(config.loss).items()
  )
  return {
    **common,
    'model': config.model.name,
    'loss': f'{config.loss.name} {loss}'.strip(),
    'folds': str(config.folds),
    'epochs': str(config.epochs),
    'batch size': str(config.batch_size),
    'images': f'{height}x{width}, {text.count(channels, "channel")}',
  }


def write(
  workdir: pathlib.Path,
  found: findings.Findings,
  data: sources.Data,
  options: options_lib.Options,
) -> None:
  """Writes the report, and the files beside it."""
  # Imported here because --help need not wait for it.
  from experiments.audit import page

  log.write_text(workdir / 'problems.txt', '\n'.join([*found.problems, '']))
  files.write(workdir, found)
  page.write(
    workdir / 'report.html',
    found,
    data.pictures,
    max_pictures=options.max_pictures,
  )


def tell(workdir: pathlib.Path, found: findings.Findings) -> None:
  """Says what is most worth knowing."""
  lower, upper = found.expected_interval
  print(
    f'About {found.expected:,} of {len(found.label):,} labels are wrong '
    f'({lower:,} to {upper:,}); {int(found.is_issue.sum()):,} to look at:\n'
    f'  {(workdir / "report.html").absolute()}\n'
    f'  {workdir / "issues.csv"}'
  )
  for problem in found.problems[:_TOLD]:
    print(f'  {problem}')
  rest = len(found.problems) - _TOLD
  if rest > 0:
    print(f'  {rest:,} more problems are in {workdir / "problems.txt"}')
