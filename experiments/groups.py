"""Finished runs, grouped: those of a group differ in the seed alone."""

from collections.abc import Sequence
import glob
import json
import pathlib
from typing import Any
from typing import NamedTuple

import ml_collections

from experiments import build
from experiments import errors
from experiments import grid
from experiments import noises
from experiments import record

Summary = dict[str, Any]

# What may differ within a group.
_WITHOUT_EFFECT = ('seed', 'checkpoint_every', 'eval_batch_size')


class Group(NamedTuple):
  """Runs of one configuration.

  Attributes:
    config: that of the first, with its seed.
    seeds: the seed of each.
    folders: the directory of each.
    summaries: the summary of each.
  """

  config: ml_collections.ConfigDict
  seeds: list[int]
  folders: list[pathlib.Path]
  summaries: list[Summary]


def of_run(
  workdir: pathlib.Path, config: ml_collections.ConfigDict, summary: Summary
) -> dict[str, Group]:
  """One run, under its name."""
  return {
    build.title(config): Group(config, [config.seed], [workdir], [summary])
  }


def of_sweep(
  workdir: pathlib.Path,
  sweep: ml_collections.ConfigDict,
  summaries: dict[str, list[Summary]],
) -> dict[str, Group]:
  """The systems of a sweep with their finished runs, as in `summaries`."""
  groups, systems = {}, grid.systems(sweep)
  for name, runs in summaries.items():
    folders = {
      seed: workdir / name / f'seed{seed}' for seed in range(sweep.seeds)
    }
    seeds = [seed for seed in folders if record.read_summary(folders[seed])]
    config = build.one_config(sweep, systems[name], seeds[0])
    groups[name] = Group(config, seeds, [folders[seed] for seed in seeds], runs)
  return groups


def find(
  patterns: Sequence[str],
) -> tuple[dict[str, Group], list[pathlib.Path]]:
  """Groups the runs of some directories.

  Args:
    patterns: directories of runs, or that have runs below them, such as a
      sweep's; `*`, `?` and `**` stand for what they do in a shell.

  Returns:
    The groups under names that tell them apart, and the directories of runs
    that are not finished.

  Raises:
    UsageError: no finished run is there, or one is there twice.
  """
  found: dict[str, list[tuple[ml_collections.ConfigDict, pathlib.Path]]] = {}
  unfinished = []
  for folder in _folders(patterns):
    config = record.read_config(folder)
    if record.read_summary(folder) is None:
      unfinished.append(folder)
    else:
      found.setdefault(_key(config), []).append((config, folder))
  if not found:
    raise errors.UsageError(
      f'--workdirs={",".join(patterns)}: no run there is finished'
    )
  groups = [_group(runs) for runs in found.values()]
  names = _names([group.config for group in groups])
  return dict(zip(names, groups, strict=True)), unfinished


def _folders(patterns: Sequence[str]) -> list[pathlib.Path]:
  """Each run's directory once, in the order of the patterns."""
  folders: dict[pathlib.Path, pathlib.Path] = {}
  for pattern in patterns:
    runs = [
      run
      for match in _matches(pattern)
      for run in record.find_runs(pathlib.Path(match))
    ]
    if not runs:
      raise errors.UsageError(f'--workdirs={pattern}: no run is there')
    for run in runs:
      folders.setdefault(run.resolve(), run)
  return list(folders.values())


def _matches(pattern: str) -> list[str]:
  # The name of a directory may have brackets, which are no pattern then.
  if pathlib.Path(pattern).exists():
    return [pattern]
  return sorted(glob.glob(pattern, recursive=True))


def _group(
  runs: list[tuple[ml_collections.ConfigDict, pathlib.Path]],
) -> Group:
  runs = sorted(runs, key=lambda run: run[0].seed)
  seeds = [config.seed for config, _ in runs]
  folders = [folder for _, folder in runs]
  for place in range(1, len(runs)):
    if seeds[place] == seeds[place - 1]:
      raise errors.UsageError(
        f'{folders[place - 1]} and {folders[place]} are the same run, seed '
        f'included: leave out one of them'
      )
  summaries = [record.read_summary(folder) or {} for folder in folders]
  return Group(runs[0][0], seeds, folders, summaries)


def _key(config: ml_collections.ConfigDict) -> str:
  return json.dumps(_fields(config), sort_keys=True)


def _fields(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The fields that make a run another one, by their full names."""
  fields = record.flat(config.to_dict())
  return {
    field: value
    for field, value in fields.items()
    if field not in _WITHOUT_EFFECT
    and (config.noise_estimate or not field.startswith('estimation.'))
  }


def _names(configs: list[ml_collections.ConfigDict]) -> list[str]:
  """What each trains with; and where that is not all, the other fields."""
  fields = [_fields(config) for config in configs]
  titles = [build.title(config) for config in configs]
  alike: dict[str, list[dict[str, Any]]] = {}
  for own, name in zip(fields, titles, strict=True):
    alike.setdefault(name, []).append(own)
  names = []
  for own, name in zip(fields, titles, strict=True):
    parts = [name]
    for field, value in own.items():
      # Other losses have other hyper-parameters as a matter of course.
      of_loss = field.startswith(('loss.', 'method.'))
      others = alike[name] if of_loss else fields
      differs = any(other.get(field, value) != value for other in others)
      if differs and value is not None:
        parts.append(f'{field}={value}')
    names.append(', '.join(parts))
  return names


def title(groups: dict[str, Group]) -> str:
  """What is compared, in a line."""
  configs = [group.config for group in groups.values()]
  made = sorted(
    {
      f'{100 * run["noise_rate"]:.1f}'
      for group in groups.values()
      for run in group.summaries
    },
    key=float,
  )
  numbers = sorted({len(group.seeds) for group in groups.values()})
  noise = _listed([noises.describe(config.noise) for config in configs])
  return (
    f'{_listed([_data(config) for config in configs])}, {noise}, '
    f'{_range(made)}% of the labels wrong, '
    f'{_range(numbers)} seed{"" if numbers == [1] else "s"}'
  )


def _data(config: ml_collections.ConfigDict) -> str:
  number = config.num_examples
  return (
    f'{number:,} examples of {config.dataset}' if number else config.dataset
  )


def _listed(words: list[str]) -> str:
  return ' and '.join(dict.fromkeys(words))


def _range(ordered: Sequence[Any]) -> str:
  first, last = ordered[0], ordered[-1]
  return f'{first}' if len(ordered) == 1 else f'{first} to {last}'
