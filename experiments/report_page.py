"""report.html: one page, self-contained, of finished runs."""

from collections.abc import Callable
import pathlib
from typing import Any

import jax
import jinja2
import numpy as np

from experiments import estimators
from experiments import figures
from experiments import groups as groups_lib
from experiments import heat_maps
from experiments import log
from experiments import loss_fields
from experiments import named_losses
from experiments import result_figures
from experiments import table
from experiments import trust
from noisy_labels import losses

Groups = dict[str, groups_lib.Group]

# As many systems as colours; more have further figures, in the table's order.
_MAX_CURVES = 10


def write(folder: pathlib.Path, groups: Groups) -> pathlib.Path:
  """Writes the page.

  Args:
    folder: where to, as report.html.
    groups: what to compare, by name.

  Returns:
    The path of the page.
  """
  curves = {
    name: [log.read(run / 'metrics.jsonl') for run in group.folders]
    for name, group in groups.items()
  }
  first = next(iter(groups.values())).summaries[0]
  num_classes = len(first['class_names'])
  functions = _losses(groups, num_classes)
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
  )
  page = environment.get_template('report.html').render(
    title=groups_lib.title(groups),
    columns=table.COLUMNS,
    rows=table.rows({name: g.summaries for name, g in groups.items()}),
    groups=groups,
    numbers={len(group.seeds) for group in groups.values()},
    describe=loss_fields.describe,
    max_curves=_MAX_CURVES,
    settings=_settings(groups),
    environments=_environments(groups),
    curves=[_draw_curves(some) for some in _parts(curves)],
    trust=[
      figures.svg(trust.draw(some, num_classes)) for some in _parts(functions)
    ],
    confusions=_confusions(groups),
    estimates=_estimates(groups),
    learned=_learned(groups),
  )
  path = folder / 'report.html'
  log.write_text(path, page)
  return path


def _draw_curves(curves: dict[str, Any]) -> dict[str, str]:
  """What they predict of the test split, and of wrong labels, by the epoch."""
  titles = {
    'test_accuracy': 'test accuracy',
    'memorised': 'wrong labels memorised',
  }
  return {
    measure: figures.svg(result_figures.draw_curves(curves, measure, title))
    for measure, title in titles.items()
  }


def _parts(items: dict[str, Any]) -> list[dict[str, Any]]:
  """In the same order, as many at a time as a figure shows."""
  names = list(items)
  return [
    {name: items[name] for name in names[begin : begin + _MAX_CURVES]}
    for begin in range(0, len(names), _MAX_CURVES)
  ]


def _losses(
  groups: Groups, num_classes: int
) -> dict[str, Callable[..., jax.Array]]:
  """The losses that have a trust weight: not those of whole batches."""
  return {
    name: named_losses.make(group.config.loss, _known(group.summaries[0]))
    for name, group in groups.items()
    if group.config.loss.name not in losses.OF_BATCHES
    and not group.config.method.name
    and len(group.summaries[0]['class_names']) == num_classes
    and _has_counts(group.summaries[0])
  }


def _has_counts(summary: dict[str, Any]) -> bool:
  """Whether the summary says who was given which label: not of many classes."""
  return summary['noise_counts'] is not None


def _known(summary: dict[str, Any]) -> dict[str, Any]:
  """What the loss of a run was told of its noise."""
  transition, estimate = summary['transition'], summary['noise_estimate']
  return named_losses.facts(
    None if transition is None else np.array(transition),
    np.array(summary['noise_counts']),
    rate=estimate and estimate['rate'],
  )


def _settings(groups: Groups) -> dict[str, list[str]]:
  """How they were trained, in words, and which of them were trained so."""
  settings: dict[str, list[str]] = {}
  for name, group in groups.items():
    settings.setdefault(_setting(group), []).append(name)
  return settings


def _setting(group: groups_lib.Group) -> str:
  config = group.config
  seeds = ', '.join(map(str, group.seeds))
  return (
    f'{config.model.name}, {config.optimizer.name} at '
    f'{config.optimizer.learning_rate} ({config.schedule.name}), batch '
    f'{config.batch_size}, {config.epochs} epochs, '
    f'seed{"s" if len(group.seeds) > 1 else ""} {seeds}'
  )


def _environments(groups: Groups) -> list[str]:
  """With which versions and devices the runs were begun."""
  paths = [
    folder / 'environment.txt'
    for group in groups.values()
    for folder in group.folders
  ]
  return sorted({path.read_text() for path in paths if path.exists()})


def _confusions(groups: Groups) -> list[dict[str, Any]]:
  """The wrong labels of each group's first run; if they are the same, once."""
  drawn: dict[str, dict[str, Any]] = {}
  for name, group in groups.items():
    summary = group.summaries[0]
    if not _has_counts(summary):
      continue
    # Runs of one seed and noise are given the same labels.
    drawn.setdefault(
      str(summary['noise_counts']),
      {'name': name, 'seed': group.seeds[0], 'summary': summary},
    )
  for one in drawn.values():
    one['figure'] = figures.svg(result_figures.draw_confusion(one['summary']))
  return list(drawn.values())


def _estimates(groups: Groups) -> dict[str, dict[str, Any]]:
  """What was estimated of the noise by each group, with its figure."""
  return {
    name: {
      **group.summaries[0]['noise_estimate'],
      'of_trusted': estimators.ESTIMATORS[
        group.summaries[0]['noise_estimate']['estimator']
      ].of_trusted,
      'seed': group.seeds[0],
      'made': group.summaries[0]['noise_rate'],
      'figure': _beside_what_was_made(
        group.summaries[0], 'estimated', 'transition'
      ),
    }
    for name, group in groups.items()
    if group.summaries[0]['noise_estimate'] is not None
  }


def _learned(groups: Groups) -> dict[str, dict[str, Any]]:
  """The transition matrix that each group has learnt, as a figure."""
  return {
    name: {
      'seed': group.seeds[0],
      'figure': _beside_what_was_made(
        group.summaries[0], 'learned', 'learned_transition'
      ),
    }
    for name, group in groups.items()
    if group.summaries[0].get('learned_transition') is not None
  }


def _beside_what_was_made(summary: dict[str, Any], name: str, key: str) -> str:
  if not _has_counts(summary):
    return ''
  counts = np.array(summary['noise_counts'])
  made = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
  maps = {'made': 100 * made, name: 100 * np.array(summary[key])}
  return figures.svg(heat_maps.draw(maps, summary['class_names']))
