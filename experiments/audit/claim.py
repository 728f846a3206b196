"""Whose working directory it is: one audit's, of one thing."""

import hashlib
import json
import pathlib
from typing import Any

import ml_collections
import numpy as np

from experiments import devices
from experiments import errors
from experiments import log
from experiments import record

_NAME = 'audit.json'
# Which fact says by which files it is told: by their sizes and times.
_FILES = 'files'
_CONTENT = 'content'
_FLAGS = {
  'images': '--images',
  'dataset': '--dataset',
  'arrays': '--labels and --probs',
}


def check(
  workdir: pathlib.Path,
  facts: dict[str, Any],
  config: ml_collections.ConfigDict,
) -> None:
  """Raises a UsageError if the directory is of a run or another audit.

  Args:
    workdir: the directory.
    facts: what is known of the audit so far, as JSON has it.
    config: of a run.
  """
  if (workdir / 'config.json').exists():
    raise errors.UsageError(
      f'--workdir={workdir} holds a run, not an audit: choose another --workdir'
    )
  record.check_workdir(workdir, config)
  path = workdir / _NAME
  if not path.exists():
    return
  try:
    before = record.flat(json.loads(path.read_text()))
  except json.JSONDecodeError as error:
    raise errors.RunError(
      f'{path} is damaged ({error}): choose another --workdir, or remove it'
    ) from error
  now = record.flat(json.loads(json.dumps(facts)))
  for field in sorted(now):
    if before.get(field) == now[field]:
      continue
    if field == 'kind':
      held, asked = _FLAGS[before['kind']], _FLAGS[now['kind']]
      raise errors.UsageError(
        f'--workdir={workdir} holds an audit of {held}, not of {asked}: choose '
        'another --workdir, or remove this one'
      )
    section, _, name = field.partition('.')
    raise errors.UsageError(
      f'--workdir={workdir} holds an audit '
      + (
        _of_file(name, before.get(field), now[field])
        if section == _FILES
        else 'of other images or labels, or these have changed since'
        if field == _CONTENT
        else f'with {field}={before.get(field)!r}, not {now[field]!r}'
      )
      + ': choose another --workdir, or remove this one'
    )


def content(labels: np.ndarray, images: np.ndarray | None) -> str:
  """By what to know again what is audited, as a fact."""
  digest = hashlib.sha256(labels.tobytes())
  if images is not None:
    digest.update(repr(images.shape).encode())
    digest.update(np.ascontiguousarray(images).data)
  return digest.hexdigest()


def _of_file(name: str, before: Any, now: Any) -> str:
  if before is None or now is None:
    return f'{"without" if before is None else "with"} --{name}'
  return f'of another file --{name}, or this one was written again since'


def write(workdir: pathlib.Path, facts: dict[str, Any]) -> None:
  """Makes it this audit's directory."""
  try:
    workdir.mkdir(parents=True, exist_ok=True)
    log.write_json(workdir / _NAME, facts)
    log.write_text(workdir / 'environment.txt', devices.describe() + '\n')
  except OSError as error:
    raise errors.RunError(
      f'--workdir={workdir} cannot be written: {error.strerror}'
    ) from error
