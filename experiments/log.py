"""What a run writes: its metrics, and files that are whole or not there."""

import json
import math
import os
import pathlib
from typing import Any


class Metrics:
  """metrics.jsonl, one line a period, and the same as TensorBoard events."""

  def __init__(self, workdir: pathlib.Path, *, resume_step: int, write: bool):
    """Opens the files and drops what was written after `resume_step`.

    Args:
      workdir: the run's directory.
      resume_step: the step that the run continues from.
      write: whether this process writes; the others only remember.
    """
    self._path = workdir / 'metrics.jsonl'
    self.history = [
      line for line in read(self._path) if line['step'] <= resume_step
    ]
    self._events = None
    if write:
      write_text(
        self._path, ''.join(_dump(line) + '\n' for line in self.history)
      )
      # Imported here because it is slow, and --help need not wait for it.
      import tensorboardX

      self._events = tensorboardX.SummaryWriter(
        str(workdir / 'tensorboard'), purge_step=resume_step + 1
      )

  def add(self, line: dict[str, Any]) -> None:
    """Appends one period's measures; they are on disk when this returns."""
    self.history.append(line)
    if self._events is None:
      return
    with self._path.open('a') as file:
      file.write(_dump(line) + '\n')
      file.flush()
      os.fsync(file.fileno())
    for name, value in line.items():
      if name != 'step' and math.isfinite(value):
        self._events.add_scalar(name, value, line['step'])
    self._events.flush()

  def close(self) -> None:
    """Closes the event file."""
    if self._events is not None:
      self._events.close()


def read(path: pathlib.Path) -> list[dict[str, Any]]:
  """The lines of a metrics.jsonl; a last one that was cut off is dropped."""
  if not path.exists():
    return []
  lines = []
  for text in path.read_text().splitlines():
    try:
      line = json.loads(text)
    except json.JSONDecodeError:
      break
    lines.append({k: math.nan if v is None else v for k, v in line.items()})
  return lines


def write_text(path: pathlib.Path, text: str) -> None:
  """Writes a file whole or not at all."""
  part = path.with_name(path.name + '.part')
  part.write_text(text)
  os.replace(part, path)


def write_json(path: pathlib.Path, value: Any) -> None:
  """Writes a value whole or not at all; NaN becomes null."""
  write_text(path, json.dumps(_finite(value), indent=2) + '\n')


def _dump(line: dict[str, Any]) -> str:
  return json.dumps(_finite(line), allow_nan=False)


def _finite(value: Any) -> Any:
  if isinstance(value, dict):
    return {k: _finite(v) for k, v in value.items()}
  if isinstance(value, list | tuple):
    return [_finite(v) for v in value]
  return (
    None if isinstance(value, float) and not math.isfinite(value) else value
  )
