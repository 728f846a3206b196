r"""Finds the wrong labels of labelled images: a report, and a model meanwhile.

  python -m experiments.audit --images=photos --workdir=runs/photos

What to audit is one of:

  --images=DIR                       one sub-folder a class, .jpg, .jpeg, .png,
                                     of any size
  --dataset=NAME [--column=FEATURE]  `digits`, or a TFDS data set in --data_dir
  --labels=FILE --probs=FILE [--features=FILE]
                                     .npy: integers [N]; probabilities [N, K] of
                                     each class by a model that has not seen the
                                     example's label; features [N, dim]

Models of folds are trained first (unless there are --probs), and each example
is judged by the one that has not heard its label. --workdir then has

  report.html           open it in a browser; mark labels there, and export
                        reviewed.csv
  issues.csv            all examples, those to look at (is_issue) first
  transition.csv        the estimated P(label given | true class)
  suggested_labels.csv  --config.noise.file= of experiments.main reads it
  problems.txt          images that cannot be read, classes that are too small
  model/                a model of all labels as they are, as
                        experiments.main leaves one
  audit.json            what was asked for

An audit that was stopped goes on when the same command is given again. With
--apply=reviewed.csv it trains again with the labels that were corrected, and
says what that was worth. docs/audit.md explains the numbers.

Fields of --config that are otherwise here than below: noise.name=none,
noise_estimate=confident_joint, folds=5, epochs (20,000 by the number of
examples, from 3, of coloured images 10, to 60), batch_size (64, from 10,000
examples on 128), loss.name=generalized_cross_entropy, loss.q=0.5,
model.name=cnn4, validation_fraction=0.05, eval_every=5, checkpoint_every=5.
"""

import pathlib
import shlex
import sys

from absl import flags
import jax

from experiments import devices
from experiments import errors
from experiments import launch
from experiments.audit import apply as apply_lib
from experiments.audit import options as options_lib
from experiments.audit import pipeline
from experiments.audit import scoring
from experiments.audit import sources

FLAGS = flags.FLAGS
flags.DEFINE_string('images', None, 'A folder with one sub-folder a class.')
flags.DEFINE_string('dataset', None, '`digits`, or a TFDS data set.')
flags.DEFINE_string(
  'column',
  None,
  'The feature of the data set that has the labels, if not `label`, such as '
  'worse_label of cifar10_n.',
)
flags.DEFINE_string('labels', None, 'A .npy file of integers [N].')
flags.DEFINE_string(
  'probs', None, 'A .npy file of floats [N, K], rows that sum to 1.'
)
flags.DEFINE_string(
  'features',
  None,
  'A .npy file of floats [N, dim], for duplicates and outliers.',
)
flags.DEFINE_string(
  'detector',
  scoring.DEFAULT,
  'The score to sort by, or several with commas between, whose ranks are '
  f'averaged: {", ".join(scoring.NAMES)}. See docs/detection.md.',
)
flags.DEFINE_integer(
  'max_pictures', 1000, 'How many pictures the report has at most.'
)
flags.DEFINE_string(
  'apply',
  None,
  'A reviewed.csv as the report exports it: trains again with its labels.',
)


def main() -> None:
  """Audits what the flags say."""
  if jax.process_count() > 1:
    raise errors.UsageError('an audit is one process: start it alone')
  if FLAGS.workdir is None:
    raise errors.UsageError('--workdir is missing: --workdir=runs/NAME')
  if 'noise_estimate' not in FLAGS.config or 'base' in FLAGS.config:
    raise errors.UsageError(
      f'--config={launch.config_file()} describes a sweep, and not a run'
    )
  request = sources.Request(
    images=_path(FLAGS.images),
    dataset=FLAGS.dataset,
    column=FLAGS.column,
    labels=_path(FLAGS.labels),
    probs=_path(FLAGS.probs),
    features=_path(FLAGS.features),
    data_dir=FLAGS.data_dir,
  )
  options = options_lib.Options(
    detector=FLAGS.detector,
    max_pictures=FLAGS.max_pictures,
    apply=_path(FLAGS.apply),
    command=shlex.join(['python', '-m', 'experiments.audit', *sys.argv[1:]]),
  )
  workdir = pathlib.Path(FLAGS.workdir)
  print(devices.describe(), flush=True)
  try:
    audit = pipeline.run(request, FLAGS.config, workdir, options)
    if options.apply is not None:
      apply_lib.run(audit, options.apply, workdir)
  except OSError as error:
    raise errors.RunError(
      f'{error.filename or workdir}: {error.strerror or error}'
    ) from error
  except (MemoryError, jax.errors.JaxRuntimeError) as error:
    if 'RESOURCE_EXHAUSTED' not in str(error) and not isinstance(
      error, MemoryError
    ):
      raise
    raise errors.RunError(
      'there is not enough memory for so many examples and classes'
    ) from error


def _path(name: str | None) -> pathlib.Path | None:
  return None if name is None else pathlib.Path(name)


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='audit.py')
