"""Writes what a run thinks of each training label, to find the wrong ones.

  python -m experiments.export --workdir=runs/elr --output=labels.csv

The run is taken from its last checkpoint, finished or stopped, on any number of
devices. The file has a line for each example of the training split that takes
part (config.num_examples, config.exclude), by index:

  index                  its place in the split, as TFDS reads it; digits are
                         split by experiments/data/digits.py
  label                  the label given
  predicted              the most probable class
  label_probability      of the label given
  predicted_probability  of the most probable class
  loss                   cross entropy of the label given: sort by it, and the
                         first are the most suspicious
  true_label             what the data set says; left out where it says no more
                         than the label given (config.noise.name=none)
  held_out               1 if the run has not heard the label (those of the
                         validation split; all, by a run of folds), otherwise 0

and then what the method says itself, of the examples that it was trained with:

  guess, target          early_learning_regularization and _plus: the class that
                         has most of its target, and how much the label has
  guess, noise           sparse_over_parameterization and _plus: the most
                         probable class by u and v, and u^2, near 1 for wrong
                         labels
  clean                  divide_mix: the probability that the label is right
  kept                   truncated_pruning, confidence_regularized_sieve,
                         progressive_early_stopping: 1 if it believes the
                         label, otherwise 0; pro_mix: which share of the two
                         networks does; co_teaching, joint_training,
                         learning_to_reweight: how often they chose it, of its
                         visits; co_teaching_plus: how often they would have,
                         of all examples
  margin, forgotten      any, with config.method.track_margins: by how much the
                         label was ahead on average, and how often it was no
                         more predicted (the visits, if it never was)

See docs/methods.md. Classes are numbered as the data set does. Networks that
are trained together predict with the mean of their probabilities. A run reads
the file with --config.noise.file=labels.csv, if all take part.
"""

import argparse
from collections.abc import Sequence
import csv
import os
import pathlib

import numpy as np

from experiments import devices
from experiments import errors
from experiments import label_table
from experiments import launch
from experiments import restore


def main(argv: Sequence[str] | None = None) -> None:
  """Writes what the arguments say."""
  # Not absl's flags: --workdir and --data_dir would clash with launch's.
  parser = argparse.ArgumentParser(
    prog='python -m experiments.export',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
    allow_abbrev=False,
  )
  parser.add_argument(
    '--workdir', type=pathlib.Path, required=True, help='of the run'
  )
  parser.add_argument(
    '--output',
    type=pathlib.Path,
    help='the file, .csv; by default labels.csv in the workdir',
  )
  parser.add_argument(
    '--data_dir',
    help='where TFDS keeps its data sets; by default $TFDS_DATA_DIR, or '
    '~/tensorflow_datasets',
  )
  args = parser.parse_args(argv)
  launch.guard(lambda: export(args.workdir, args.output, args.data_dir))


def export(
  workdir: pathlib.Path,
  output: pathlib.Path | None = None,
  data_dir: str | None = None,
) -> None:
  """Writes the file, and says in a line what is in it."""
  output = output or workdir / 'labels.csv'
  if output.suffix != '.csv':
    raise errors.UsageError(f'--output={output} does not end in .csv')
  if output.is_dir():
    raise errors.UsageError(f'--output={output} is a directory')
  run = restore.load(workdir, data_dir=data_dir, local=devices.local())
  columns = label_table.columns(run)
  write(output, columns)
  disagree = np.mean(columns['predicted'] != columns['label'])
  print(
    f'{output}: the model disagrees with {disagree:.2%} of '
    f'{len(columns["index"])} labels'
  )


def write(path: pathlib.Path, columns: dict[str, np.ndarray]) -> None:
  """Writes the columns as CSV, whole or not at all; NaN is an empty cell."""
  part = path.with_name(path.name + '.part')
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    with part.open('w', newline='') as file:
      writer = csv.writer(file, lineterminator='\n')
      writer.writerow(columns)
      writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    os.replace(part, path)
  except OSError as error:
    raise errors.RunError(
      f'--output={path} cannot be written: {error.strerror}'
    ) from error


def _cells(values: np.ndarray) -> list[str]:
  """Numbers as short as they can be without becoming others."""
  if values.dtype.kind != 'f':
    return values.astype(str).tolist()
  return [
    '' if np.isnan(value) else str(int(value) if value % 1 == 0 else value)
    for value in values
  ]


if __name__ == '__main__':
  main()
