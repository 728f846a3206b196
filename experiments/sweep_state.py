"""How far the runs of a sweep have come, from what lies in their directories.

A row is a system, a column a seed. Whoever runs them does not matter: one
program after another, or the tasks of a job array.
"""

from collections.abc import Iterable
import pathlib
from typing import NamedTuple

from rich import console as rich_console
from rich import table as rich_table

from experiments import log
from experiments import progress
from experiments import record


class State(NamedTuple):
  """What is known of a run.

  Attributes:
    seconds: how long it has trained.
    share: of its epochs, how many are done, in [0, 1].
    is_finished: whether it came to its end.
    accuracy: on the test set, in the last epoch of a finished run that has one.
  """

  seconds: float
  share: float
  is_finished: bool = False
  accuracy: float | None = None


def of_run(workdir: pathlib.Path, epochs: int) -> State:
  """Reads what the run in this directory has written, if anything."""
  summary = record.read_summary(workdir)
  history = log.read(workdir / 'metrics.jsonl')
  seconds = sum(row.get('seconds', 0.0) for row in history)
  if summary is not None:
    return State(seconds, 1.0, True, summary['last']['test_accuracy'])
  share = history[-1]['epoch'] / epochs if history else 0.0
  return State(seconds, share)


def seconds_left(states: Iterable[State]) -> float | None:
  """How long what is left takes, one run after another, if that can be told.

  As much as the runs so far, by the share of their epochs; None before any has
  come to the end of an epoch.
  """
  states = list(states)
  share = sum(state.share for state in states)
  if not share:
    return None
  spent = sum(state.seconds for state in states)
  return spent / share * (len(states) - share)


def show(states: dict[tuple[str, int], State], name: str) -> None:
  """Prints the table of `name`, by system and seed, and the time left."""
  systems = list(dict.fromkeys(system for system, _ in states))
  seeds = sorted({seed for _, seed in states})
  table = rich_table.Table()
  table.add_column('', no_wrap=True, min_width=max(map(len, systems)))
  for seed in seeds:
    table.add_column(f'seed {seed}', justify='right')
  for system in systems:
    cells = [states.get((system, seed)) for seed in seeds]
    table.add_row(system, *(_cell(state) for state in cells))
  print(f'{name}: {_summary(states.values())}')
  print('Test accuracy in the last epoch, percent; "-": not begun')
  rich_console.Console().print(table)


def _summary(states: Iterable[State]) -> str:
  states = list(states)
  finished = sum(state.is_finished for state in states)
  text = f'{finished} of {len(states)} runs are finished'
  left = seconds_left(states)
  if finished < len(states) and left is not None:
    text += f', {progress.duration(left)} left if one after another'
  return text


def _cell(state: State | None) -> str:
  if state is None:
    return ''
  if state.accuracy is not None:
    return f'{100 * state.accuracy:.1f}'
  if state.is_finished:
    return 'finished'
  return f'at {state.share:.0%}' if state.share else '-'
