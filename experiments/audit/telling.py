"""What is told of an audit: in files, in its report and in some lines."""

import pathlib

import ml_collections

from experiments import devices
from experiments import log
from experiments import loss_fields
from experiments import progress
from experiments import record
from experiments.audit import files
from experiments.audit import findings
from experiments.audit import options as options_lib
from experiments.audit import pictures as pictures_lib
from experiments.audit import sources
from experiments.audit import text
from experiments.configs import audit as audit_config

# Beyond so many sentences, the rest is in problems.txt.
_TOLD = 5
# What an audit of arrays reads of its configuration.
_OF_ARRAYS = ('noise_estimate', 'seed')
# When predictions are too bad to count by: a share that is wrong at least, and,
# where that is not known, one that is the given label.
_WEAK, _FEW = 0.1, 0.6
_COUNTED = (
  'Their mistakes are counted as wrong labels, so that fewer are wrong than '
  'estimated, perhaps far fewer; the first of the list are still those to look '
  'at first. More epochs, larger images, a larger network or, most of all, '
  '--probs of a pretrained one may help.'
)


def describe(data: sources.Data) -> str:
  """What is audited, in a line."""
  examples = text.count(len(data.labels), 'example')
  classes = text.count(len(data.class_names), 'class', 'classes')
  line = f'{text.visible(data.title)}: {examples} of {classes}'
  if data.problems:
    line += f', {text.count(len(data.problems), "problem")}'
  return line


def ignored(config: ml_collections.ConfigDict) -> str:
  """That nothing is trained of arrays, if a field was set that says how.

  Args:
    config: of an audit of arrays.

  Returns:
    A sentence; empty if there is nothing to say.
  """
  default = record.flat(audit_config.get_config().to_dict())
  changed = [
    f'config.{name}'
    for name, value in record.flat(config.to_dict()).items()
    if name not in _OF_ARRAYS and value != default.get(name)
  ]
  if not changed:
    return ''
  return (
    'With --labels and --probs nothing is trained: what is set in '
    f'{", ".join(changed)} changes nothing'
  )


def doubts(
  number: int,
  ends: tuple[int, int] | None,
  accuracy: float,
  least_error: float | None,
) -> list[str]:
  """Why the number of wrong labels should not be believed.

  Args:
    number: of them, as expected.
    ends: of its interval, if there is one.
    accuracy: of held-out predictions, against the given labels.
    least_error: the share of these that is wrong at least; None if unknown.

  Returns:
    Sentences.
  """
  sentences = []
  if least_error is not None and least_error >= _WEAK:
    sentences.append(
      f'The models are weak: they disagree so often that at least '
      f'{least_error:.0%} of what they predict is wrong, whatever the labels '
      f'are. {_COUNTED}'
    )
  elif least_error is None and accuracy < _FEW:
    sentences.append(
      f'The predictions are the given label of {accuracy:.0%} of the examples '
      f'alone. Unless most labels are wrong, the model is weak. {_COUNTED}'
    )
  if ends and not ends[0] <= number <= ends[1]:
    sentences.append(
      f'The expected number of wrong labels, {number:,}, is outside its own '
      f'interval, {ends[0]:,} to {ends[1]:,}: classes are too small for either '
      'to be trusted.'
    )
  return sentences


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
  *,
  title: str,
) -> None:
  """Writes the report, and the files beside it."""
  # Imported here because --help need not wait for it.
  from experiments.audit import page

  problems = [*found.doubts, *found.problems]
  log.write_text(workdir / 'problems.txt', '\n'.join([*problems, '']))
  rows = len(found.label) + len(found.transition)
  with progress.Progress(f'{title}: tables', total=rows) as bar:
    files.write(workdir, found, tick=bar.advance)
  page.write(
    workdir / 'report.html',
    found,
    data.pictures and _with_progress(data.pictures, f'{title}: pictures'),
    max_pictures=options.max_pictures,
  )


def _with_progress(
  pictures: pictures_lib.Pictures, title: str
) -> pictures_lib.Pictures:
  """The same pictures, one after the other."""

  def one_by_one(rows):
    drawn = []
    with progress.Progress(title, total=len(rows)) as bar:
      for row in rows:
        drawn += pictures(row[None])
        bar.advance()
      bar.say('writing the page')
    return drawn

  return one_by_one


def tell(workdir: pathlib.Path, found: findings.Findings) -> None:
  """Says what is most worth knowing."""
  between = ''
  if found.expected_interval:
    lower, upper = found.expected_interval
    between = f' ({lower:,} to {upper:,})'
  print(
    f'About {found.expected:,} of {len(found.label):,} labels are wrong'
    f'{between}; {int(found.is_issue.sum()):,} to look at:\n'
    f'  {text.file_name((workdir / "report.html").absolute())}\n'
    f'  {text.file_name(workdir / "issues.csv")}'
  )
  for doubt in found.doubts:
    print(f'  {doubt}')
  for problem in found.problems[:_TOLD]:
    print(f'  {problem}')
  rest = len(found.problems) - _TOLD
  if rest > 0:
    path = text.file_name(workdir / 'problems.txt')
    print(f'  {rest:,} more problems are in {path}')
