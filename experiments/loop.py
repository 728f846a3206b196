"""The training loop: one for every loss, method, data set and device count."""

from collections.abc import Sequence
import contextlib
import functools
import pathlib
import time
from typing import Any

import jax
import ml_collections

from experiments import build
from experiments import check_config
from experiments import devices
from experiments import errors
from experiments import interrupt
from experiments import noise_estimate
from experiments import progress as progress_lib
from experiments import record
from experiments import together
from experiments import training


def run(
  config: ml_collections.ConfigDict,
  workdir: str | pathlib.Path,
  *,
  data_dir: str | None = None,
  title: str = 'training',
  local: devices.Local | None = None,
) -> dict[str, Any]:
  """Trains one model, or goes on where a run in `workdir` stopped.

  Args:
    config: the fields of `experiments/configs/common.py`.
    workdir: holds everything that the run writes.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    title: what the progress bar is called.
    local: the devices to use; all by default.

  Returns:
    The run's summary, as in its summary.json.

  Raises:
    UsageError: the configuration or the working directory does not fit.
    RunError: the loss is not finite, and the last good checkpoint stays; or
      another process is training in `workdir`.
    DataError: the data cannot be read.
    StoppedError: SIGTERM or SIGINT came, and the state is saved.
  """
  (summary,) = run_together(
    [config], [workdir], data_dir=data_dir, title=title, local=local
  )
  return summary


def run_together(
  configs: Sequence[ml_collections.ConfigDict],
  workdirs: Sequence[str | pathlib.Path],
  *,
  data_dir: str | None = None,
  title: str = 'training',
  local: devices.Local | None = None,
) -> list[dict[str, Any]]:
  """As `run`, for several seeds of one configuration at once.

  Each run leaves in its own directory what it would have left alone, but for
  rounding. Where one program cannot train them all, they run one by one.

  Args:
    configs: they differ in the seed alone.
    workdirs: of each run.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    title: what the progress bar is called.
    local: the devices to use; all by default.

  Returns:
    The summary of each run.

  Raises:
    UsageError, RunError, DataError, StoppedError: see `run`. What stops one run
      stops all.
  """
  local = local or devices.local()
  summaries, members = {}, []
  for config, folder in zip(configs, workdirs, strict=True):
    workdir = pathlib.Path(folder)
    record.check_workdir(workdir, config)
    finished = record.read_summary(workdir)
    summaries[workdir] = finished or {}
    if not finished:
      members.append(_prepare(config, workdir, data_dir, title, local))
  at_once = len(members) > 1 and together.differ_in_arrays(members)
  for group in [members] if at_once else [[member] for member in members]:
    summaries |= _train_all(group, title, local)
  return list(summaries.values())


def _prepare(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  data_dir: str | None,
  title: str,
  local: devices.Local,
) -> together.Member:
  """What a run is made of; the directory is then this run's."""
  check_config.check(config)
  given, data = build.make_data(config, data_dir, local)
  known, found = build.known(config, data, given), None
  # Raises for what cannot be meant, before anything is written.
  parts = build.make_parts(config, data, known)
  record.claim_workdir(workdir, config)
  if config.noise_estimate is not None:
    found = noise_estimate.find(
      config,
      workdir,
      train=functools.partial(run, data_dir=data_dir, local=local),
      title=title,
    )
    known = build.estimated(data, found)
    parts = build.make_parts(config, data, known)
  return together.Member(config, workdir, data, known, parts, found)


def _train_all(
  members: list[together.Member], title: str, local: devices.Local
) -> dict[pathlib.Path, dict[str, Any]]:
  """Trains runs that one program can train; their summaries."""
  with contextlib.ExitStack() as stack:
    for member in members:
      stack.enter_context(record.claimed(member.workdir))
    return _train_claimed(members, title, local)


def _train_claimed(
  members: list[together.Member], title: str, local: devices.Local
) -> dict[pathlib.Path, dict[str, Any]]:
  with interrupt.Watch() as watch:
    loops: list[training.Training] = []
    try:
      for member in members:
        loops.append(training.Training(member, local))
      with progress_lib.Progress(
        title,
        total=sum(loop.total_steps for loop in loops),
        done=sum(loop.step for loop in loops),
        show=jax.process_index() == 0,
      ) as progress:
        _take_turns(loops, watch, progress, local)
      for loop in loops:
        loop.write_predictions(f'{title}: predicting')
    except errors.RunError as error:
      if not watch.asked:
        raise
      # Or a sweep would go on with the next run.
      raise errors.StoppedError(f'stopped, as this run failed: {error}') from (
        error
      )
    finally:
      for loop in loops:
        loop.close()
    summaries = {loop.member.workdir: loop.write_summary() for loop in loops}
  if watch.asked:  # Too late to stop these runs, but not what would follow.
    raise errors.StoppedError(
      'stopped; this run is finished and saved, and the same command goes on '
      'with what comes after it'
    )
  return summaries


def _take_turns(
  loops: list[training.Training],
  watch: interrupt.Watch,
  progress: progress_lib.Progress,
  local: devices.Local,
) -> None:
  """Runs all to their last epochs; those that lag behind come first."""
  steps: together.Steps | None = None
  before: list[training.Training] = []
  while running := [loop for loop in loops if not loop.is_finished()]:
    least = min(loop.step for loop in running)
    abreast = [loop for loop in running if loop.step == least]
    if steps is None or abreast != before:
      steps = together.Steps([loop.member for loop in abreast], local)
      before = abreast
    stop = _train_epoch(abreast, steps, watch, progress)
    for loop in abreast:
      loop.end_epoch(progress, stop=stop)
    if stop:
      raise errors.StoppedError(
        f'stopped at step {abreast[0].step}, which is saved: the same '
        'command goes on from there'
      )


def _train_epoch(
  loops: list[training.Training],
  steps: together.Steps,
  watch: interrupt.Watch,
  progress: progress_lib.Progress,
) -> bool:
  """Takes an epoch's steps; returns whether it was asked to stop."""
  rows = steps.join_rows([loop.rows() for loop in loops])
  started = time.perf_counter()
  state, memory = steps.join([loop.give() for loop in loops])
  pending, stop = [], False
  for taken, row in enumerate(rows, 1):
    state, memory, sums = steps.take(state, memory, row)
    pending.append(sums)
    devices.keep_pace(pending)
    progress.advance(len(loops))
    stop = watch.should_stop(loops[0].step + taken)
    if stop:
      break
  parted = steps.part(state, memory)
  sums_of_each = steps.part_sums(pending)
  seconds = (time.perf_counter() - started) / len(loops)
  for loop, own, sums in zip(loops, parted, sums_of_each, strict=True):
    loop.receive(*own, sums, seconds)
  return stop
