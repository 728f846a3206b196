"""What a run leaves in its working directory, and whose directory it is."""

from collections.abc import Iterator
import contextlib
import errno
import fcntl
import json
import pathlib
from typing import Any

import jax
import ml_collections
import numpy as np

from experiments import devices
from experiments import errors
from experiments import log
from experiments import noise_estimate
from experiments.configs import common
from experiments.data import dataset

# Beyond so many classes, K^2 numbers are not written as text.
_MAX_CLASSES = 1000

# What file systems say that have no locks.
_KNOWS_NO_CLAIMS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

# How a run's number is chosen from its periods; a table says which it shows.
RULES = {
  'last': 'last epoch',
  'best_validation': 'best by noisy validation',
  'best_test': 'best on test',
}


def check_workdir(
  workdir: pathlib.Path, config: ml_collections.ConfigDict
) -> None:
  """Raises a `UsageError` if the directory holds another config's run."""
  path = workdir / 'config.json'
  for folder in (workdir, *workdir.parents):
    if folder.exists() and not folder.is_dir():
      raise errors.UsageError(
        f'--workdir={workdir}: {folder} is not a directory'
      )
  if not path.exists():
    return
  before, now = flat(_read(path)), flat(_plain(config))
  for field in sorted(before.keys() | now.keys()):
    if before.get(field) != now.get(field):
      raise errors.UsageError(
        f'--workdir={workdir} holds a run with config.{field}='
        f'{before.get(field)!r}, not {now.get(field)!r}: choose another '
        '--workdir, or remove this one'
      )


def claim_workdir(
  workdir: pathlib.Path, config: ml_collections.ConfigDict
) -> None:
  """Makes it the directory of this run: config.json says of which."""
  if jax.process_index() != 0:
    return
  try:
    workdir.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise errors.RunError(
      f'--workdir={workdir} cannot be made: {error.strerror}'
    ) from error
  if not (workdir / 'config.json').exists():
    log.write_json(workdir / 'config.json', _plain(config))


@contextlib.contextmanager
def claimed(workdir: pathlib.Path) -> Iterator[None]:
  """Keeps others from training in a run's directory; says what trains there.

  The claim ends with the process, however that ends. Of a cluster the first
  process makes it, and the others are not told where it cannot.

  Args:
    workdir: the run's directory.

  Raises:
    RunError: another process is training there.
  """
  if jax.process_index() != 0:
    yield
    return
  # Open for writing, or NFS gives no claim.
  with (workdir / 'lock').open('ab') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      raise errors.RunError(
        f'another process is training in {workdir}: wait for its end, or '
        'choose another --workdir'
      ) from error
    except OSError as error:
      if error.errno not in _KNOWS_NO_CLAIMS:
        raise
    log.write_text(workdir / 'environment.txt', devices.describe() + '\n')
    yield


def read_config(workdir: pathlib.Path) -> ml_collections.ConfigDict:
  """The configuration of the run in this directory.

  Args:
    workdir: the run's directory.

  Returns:
    Its configuration; a field that it does not have is as in common.py. What
    it leaves unset may be a field of a loss or method that is not here.

  Raises:
    UsageError: no run of this program is there.
  """
  path = workdir / 'config.json'
  if not path.is_file():
    raise errors.UsageError(_no_run(workdir))
  fields, config = _read(path), common.get_config()
  try:
    known, given = flat(config.to_dict()), flat(fields)
    unknown = {
      name
      for name, value in given.items()
      if name not in known
      and not (value is None and name.startswith(('loss.', 'method.')))
    }
    if unknown:
      raise TypeError(f'it has a field {min(unknown)!r}')
    config.update_from_flattened_dict(
      {name: value for name, value in given.items() if name in known}
    )
  except (AttributeError, TypeError) as error:
    raise errors.UsageError(f'{path} is not of a run: {error}') from None
  return config


def find_runs(folder: pathlib.Path) -> list[pathlib.Path]:
  """The directories of runs here and below, but not those within a run."""
  if (folder / 'config.json').is_file():
    return [folder]
  below = sorted(path for path in folder.glob('*') if path.is_dir())
  return [run for path in below for run in find_runs(path)]


def _no_run(workdir: pathlib.Path) -> str:
  if not workdir.is_dir():
    return f'{workdir} does not exist, or is not a directory'
  runs = find_runs(workdir)
  also = f', but {runs[0]} has one' if runs else ''
  return f'{workdir} has no config.json, so no run is there{also}'


def read_summary(workdir: pathlib.Path) -> dict[str, Any] | None:
  """The summary of the run in this directory, if it came to its end."""
  path = workdir / 'summary.json'
  return _read(path) if path.exists() else None


def write_arrays(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
  """Writes an .npz file, in one step."""
  draft = path.with_suffix('.draft.npz')
  np.savez(draft, allow_pickle=False, **arrays)
  draft.rename(path)


def write_summary(
  workdir: pathlib.Path,
  history: list[dict[str, Any]],
  data: dataset.Dataset,
  known: dict[str, Any],
  found: noise_estimate.NoiseEstimate | None,
  learned: np.ndarray | None,
) -> dict[str, Any]:
  """Writes summary.json: the three selection rules, and the noise.

  Args:
    workdir: the run's directory.
    history: the measures of every period.
    data: what the run was trained and measured on.
    known: what the loss was told of the noise.
    found: the estimate of the noise, if one was made.
    learned: the transition matrix that was trained, if one was.

  Returns:
    What was written. Matrices of very many classes are left out.
  """

  def listed(matrix):
    small = matrix is not None and len(matrix) <= _MAX_CLASSES
    return np.asarray(matrix).tolist() if small else None

  summary = {
    **select(history),
    'noise_rate': data.noise_rate,
    'noise_counts': listed(data.counts),
    'class_names': list(data.info.class_names),
    'transition': listed(known.get('transition')),
    'learned_transition': listed(learned),
    'noise_estimate': None
    if found is None
    else {
      'estimator': found.estimator,
      'rate': found.rate,
      'rate_interval': found.rate_interval,
      'rate_bias': found.rate_bias,
    },
  }
  if jax.process_index() == 0:
    log.write_json(workdir / 'summary.json', summary)
  return summary


def select(history: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
  """The period that each of `RULES` chooses; of equals, the earliest.

  Without a test split no period is the best on it, and the last one stands in.
  """
  validation = [line['validation_accuracy'] for line in history]
  test = [line['test_accuracy'] for line in history]
  return {
    'last': history[-1],
    'best_validation': history[int(np.argmax(validation))],
    'best_test': history[-1 if np.isnan(test).all() else int(np.argmax(test))],
  }


def _read(path: pathlib.Path) -> dict[str, Any]:
  try:
    return json.loads(path.read_text())
  except json.JSONDecodeError as error:
    raise errors.RunError(
      f'{path} is damaged ({error}): choose another --workdir, or remove it'
    ) from error


def _plain(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The configuration as JSON has it: tuples become lists."""
  return json.loads(json.dumps(config.to_dict()))


def flat(value: dict[str, Any], prefix: str = '') -> dict[str, Any]:
  """The fields of a configuration by their full names, as in `loss.name`."""
  fields = {}
  for name, item in value.items():
    if isinstance(item, dict):
      fields.update(flat(item, f'{prefix}{name}.'))
    else:
      fields[prefix + name] = item
  return fields
