"""A run as its last checkpoint has it, on whatever devices there are here."""

import pathlib
from typing import Any
from typing import NamedTuple

import ml_collections
import numpy as np

from experiments import build
from experiments import checkpoint
from experiments import devices
from experiments import errors
from experiments import noise_estimate
from experiments import record
from experiments import train
from experiments.data import dataset


class Restored(NamedTuple):
  """A run that was finished or stopped.

  Attributes:
    config: its configuration.
    local: the devices where it is now.
    data: what it was trained on, but for who is trusted, which is left out.
    parts: what its step is made of.
    state: on the host.
    memory: what its method remembers, on the host, in the order of the
      training examples' indices.
  """

  config: ml_collections.ConfigDict
  local: devices.Local
  data: dataset.Dataset
  parts: train.Parts
  state: train.TrainState
  memory: Any


def load(
  workdir: pathlib.Path, *, data_dir: str | None, local: devices.Local
) -> Restored:
  """Reads a run from its directory, and its data.

  Args:
    workdir: the run's directory.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    local: all devices of the only process; their number need not be the run's.

  Returns:
    The run, to look at and not to go on with.

  Raises:
    UsageError: no run is there, or none that has a checkpoint.
    RunError: the run's labels are no longer those that it had.
    DataError: the data cannot be read.
  """
  config = record.read_config(workdir)
  folder = workdir / 'checkpoints'
  # Orbax would make the directory. What it has not saved yet has other names.
  if not any(path.name.isdigit() for path in folder.glob('*')):
    raise errors.UsageError(
      f'{workdir} has no checkpoint yet: let the run come to the end of an '
      'epoch of config.checkpoint_every'
    )
  anywhere = config.copy_and_resolve_references()
  # These must fit the devices where a run trains; here nothing does.
  anywhere.batch_size, anywhere.num_trusted = local.total, 0
  given, data = build.make_data(anywhere, data_dir, local)
  _check_labels(workdir, data)
  known = build.known(config, data, given)
  found = config.noise_estimate and noise_estimate.read(config, workdir)
  if found:
    known = build.estimated(data, found)
  if config.num_trusted:
    # Who is trusted counts in training alone.
    nobody = np.zeros(data.info.num_examples['train'], np.int32)
    known = {**known, 'trusted_labels': nobody}
  parts = build.make_parts(config, data, known)
  state, memory = train.create_train_state(
    parts,
    image_shape=data.train.image.shape[2:],
    num_rows=data.deal.rows,
    num_classes=data.info.num_classes,
    seed=config.seed,
  )
  checkpoints = checkpoint.Checkpoints(folder, data.deal)
  try:
    state, memory, _ = checkpoints.read(state, memory)
  finally:
    checkpoints.close()
  return Restored(config, local, data, parts, state, memory)


def _check_labels(workdir: pathlib.Path, data: dataset.Dataset) -> None:
  """Raises a `RunError` if the labels are not those that the run had."""
  summary = record.read_summary(workdir)
  counts = summary and summary['noise_counts']
  if counts and not np.array_equal(counts, data.counts):
    raise errors.RunError(
      f'the labels given are not those that {workdir} was trained on: has '
      'config.noise.file or the data set changed?'
    )
