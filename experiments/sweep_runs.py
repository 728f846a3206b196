"""The runs of a sweep: every system with every seed."""

import itertools
import json
import math
import pathlib
import sys
from typing import Any
from typing import NamedTuple

import jax
import ml_collections

from experiments import build
from experiments import check_config
from experiments import errors
from experiments import grid
from experiments import loop
from experiments import record
from experiments import sweep_state
from experiments.data import errors as data_errors


class Run(NamedTuple):
  """One run of a sweep: of which system, how, where to, and its title."""

  system: str
  config: ml_collections.ConfigDict
  workdir: pathlib.Path
  title: str


def runs(sweep: ml_collections.ConfigDict, workdir: pathlib.Path) -> list[Run]:
  """Every system of `grid.systems` with every seed, as they are run.

  Args:
    sweep: `base`, the configuration that all share; `systems`, from a name to
      the fields that differ; `seeds`, how many; and, if there is one, `grid`.
    workdir: has a directory for each system and seed.

  Returns:
    The runs. Seeds go outside, so that a stopped sweep has every system.

  Raises:
    UsageError: there is no seed, the grid cannot be meant, a name of a run is
      unknown, or a number out of its range.
  """
  if sweep.seeds < 1:
    raise errors.UsageError(f'config.seeds={sweep.seeds} is less than 1')
  systems = grid.systems(sweep)
  pairs = list(itertools.product(range(sweep.seeds), systems.items()))
  found = [
    Run(
      name,
      build.one_config(sweep, fields, seed),
      workdir / name / f'seed{seed}',
      f'[{number}/{len(pairs)}] {name}, seed {seed}',
    )
    for number, (seed, (name, fields)) in enumerate(pairs, 1)
  ]
  # Now, and not when the runs before have been trained.
  for one in found:
    check_config.check(one.config)
  for one in found[: len(systems)]:
    build.check(one.config)
  return found


def run(
  sweep: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  data_dir: str | None,
  together: int = 1,
) -> tuple[dict[str, list[dict[str, Any]]], list[pathlib.Path]]:
  """Runs every system with every seed, or reads what is finished.

  In one process a run that fails, as where its loss is not finite, is left
  behind, and the others go on; unless it is the first, and what is wrong with
  it was known before it was trained.

  Args:
    sweep: see `runs`.
    workdir: holds a directory for each system and seed.
    data_dir: where TFDS keeps its data.
    together: how many seeds of a system to train at once.

  Returns:
    For each system, the summaries of its seeds; and the directories of the runs
    that failed, and so have none.

  Raises:
    UsageError, DataError: see `runs`; a directory holds another run; or the
      first run cannot be made.
  """
  summaries: dict[str, list[dict[str, Any]]] = {}
  failed: list[pathlib.Path] = []
  all_runs = runs(sweep, workdir)
  check_workdirs(all_runs, workdir)
  for some in _groups(all_runs, together):
    was_finished = all(record.read_summary(one.workdir) for one in some)
    results = _run_or_say(some, data_dir, is_first=not (summaries or failed))
    failed += [one.workdir for one in some if one.workdir not in results]
    if results:
      summaries.setdefault(some[0].system, []).extend(results.values())
    # No run can use what another compiled, and many fill the memory.
    jax.clear_caches()
    # In a file the lines of the runs say it, and tables would bury them.
    if sys.stdout.isatty() and jax.process_index() == 0 and not was_finished:
      show_state(all_runs, workdir)
  return json.loads(json.dumps(summaries)), failed


def check_workdirs(all_runs: list[Run], workdir: pathlib.Path) -> None:
  """Raises a `UsageError` if a directory holds what the sweep does not.

  Args:
    all_runs: of a sweep.
    workdir: of the sweep, or of several.
  """
  if (workdir / 'config.json').exists():
    raise errors.UsageError(
      f'--workdir={workdir} holds a run, and not a sweep: choose another '
      '--workdir'
    )
  for one in all_runs:
    record.check_workdir(one.workdir, one.config)


def _run_or_say(
  some: list[Run], data_dir: str | None, *, is_first: bool
) -> dict[pathlib.Path, dict[str, Any]]:
  """The summaries of some seeds of a system, but of those that fail."""
  try:
    summaries = run_some(some, data_dir)
    return dict(zip([one.workdir for one in some], summaries, strict=True))
  except (errors.RunError, errors.UsageError, data_errors.DataError) as error:
    # Of several processes, each would have to know that the others failed.
    if jax.process_count() > 1:
      raise
    # What all runs share is said once, and not by each of them.
    if is_first and not isinstance(error, errors.RunError):
      raise
    if len(some) == 1:
      print(f'{some[0].workdir} failed: {error}', file=sys.stderr, flush=True)
      return {}
  # What stopped one of them stopped all. Here, since where the error is known
  # it keeps their memory.
  parts = [
    _run_or_say([one], data_dir, is_first=is_first and one is some[0])
    for one in some
  ]
  return {folder: run for part in parts for folder, run in part.items()}


def show_state(all_runs: list[Run], workdir: pathlib.Path) -> None:
  """Prints how far the runs of one sweep have come.

  Args:
    all_runs: of the sweep.
    workdir: of the sweep.

  Raises:
    UsageError: there is a run in one's directory, and it is another.
  """
  check_workdirs(all_runs, workdir)
  if jax.process_index() != 0:
    return
  sweep_state.show(
    {
      (one.system, one.config.seed): sweep_state.of_run(
        one.workdir, one.config.epochs
      )
      for one in all_runs
    },
    str(workdir),
  )


def _groups(all_runs: list[Run], size: int) -> list[list[Run]]:
  """Seeds of one system to train at once, in the order of the first of them."""
  found: dict[tuple[str, int], list[Run]] = {}
  for one in all_runs:
    found.setdefault((one.system, one.config.seed // size), []).append(one)
  return list(found.values())


def run_some(some: list[Run], data_dir: str | None) -> list[dict[str, Any]]:
  """Runs several seeds of one system at once, and says a line of each.

  Args:
    some: the runs.
    data_dir: where TFDS keeps its data.

  Returns:
    Their summaries.
  """
  title = some[0].title
  if len(some) > 1:
    title += f' to {some[-1].config.seed}'
  summaries = loop.run_together(
    [one.config for one in some],
    [one.workdir for one in some],
    data_dir=data_dir,
    title=title,
  )
  if jax.process_index() == 0:
    for one, summary in zip(some, summaries, strict=True):
      print(f'{one.title}: {_describe(summary)}', flush=True)
  return summaries


def _describe(summary: dict[str, Any]) -> str:
  last, chosen = (
    _percent(summary[rule]['test_accuracy'])
    for rule in ('last', 'best_validation')
  )
  line = (
    f'test accuracy {last} in the last epoch, {chosen} in the best by noisy '
    'validation'
  )
  memorised = _percent(summary['last']['memorised'])
  if memorised == '-':
    return line
  return f'{line}, {memorised} of the wrong labels memorised'


def _percent(share: float | None) -> str:
  # NaN of a run, and None of one that is read, where there was nothing to
  # measure: no wrong label, or no test split.
  return '-' if share is None or math.isnan(share) else f'{share:.1%}'
