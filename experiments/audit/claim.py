"""Whose working directory it is: one audit's, of one thing."""

import json
import pathlib
from typing import Any

import ml_collections

from experiments import devices
from experiments import errors
from experiments import log
from experiments import record

_NAME = 'audit.json'


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
    if before.get(field) != now[field]:
      raise errors.UsageError(
        f'--workdir={workdir} holds an audit with {field}='
        f'{before.get(field)!r}, not {now[field]!r}: choose another --workdir, '
        'or remove this one'
      )


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
