"""report.html: one page, self-contained, of a sweep's results."""

from collections.abc import Callable
import pathlib
from typing import Any

import jax
import jinja2
from matplotlib import figure as mpl_figure
from matplotlib import ticker
import ml_collections
import numpy as np

from experiments import build
from experiments import devices
from experiments import figures
from experiments import heat_maps
from experiments import log
from experiments import loss_fields
from experiments import named_losses
from experiments import noises
from experiments import table
from experiments import trust
from noisy_labels import losses

Summaries = dict[str, list[dict[str, Any]]]

# As many systems as colours; of more, the first in the table are drawn.
_MAX_CURVES = 10


def write(
  workdir: pathlib.Path,
  sweep: ml_collections.ConfigDict,
  summaries: Summaries,
) -> pathlib.Path:
  """Writes the report of a finished sweep.

  Args:
    workdir: the sweep's directory, with its runs.
    sweep: its configuration.
    summaries: for each system, the summaries of its seeds.

  Returns:
    The path of the page.
  """
  folders = {
    name: [workdir / name / f'seed{seed}' for seed in range(len(runs))]
    for name, runs in summaries.items()
  }
  return _write(workdir, sweep, summaries, folders)


def write_run(
  workdir: pathlib.Path,
  config: ml_collections.ConfigDict,
  summary: dict[str, Any],
) -> pathlib.Path:
  """Writes the report of one run, as of a sweep of one system and seed."""
  name = build.title(config)
  sweep = ml_collections.ConfigDict({'seeds': 1, 'systems': {name: {}}})
  sweep.base = config
  return _write(workdir, sweep, {name: [summary]}, {name: [workdir]})


def _write(
  workdir: pathlib.Path,
  sweep: ml_collections.ConfigDict,
  summaries: Summaries,
  folders: dict[str, list[pathlib.Path]],
) -> pathlib.Path:
  drawn = list(summaries)[:_MAX_CURVES]
  curves = {
    name: [log.read(folder / 'metrics.jsonl') for folder in folders[name]]
    for name in drawn
  }
  first = next(iter(summaries.values()))[0]
  configs = {
    name: build.one_config(sweep, fields, sweep.base.seed)
    for name, fields in sweep.systems.items()
  }
  functions = _losses({name: configs[name] for name in drawn}, summaries)
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
  )
  page = environment.get_template('report.html').render(
    title=title(sweep, summaries),
    columns=table.COLUMNS,
    rows=table.rows(summaries),
    losses={
      name: config.method if config.method.name else config.loss
      for name, config in configs.items()
    },
    describe=loss_fields.describe,
    drawn=len(drawn),
    base=sweep.base,
    seeds=sweep.seeds,
    environment=devices.describe(),
    noise_rate=first['noise_rate'],
    accuracy=figures.svg(
      _draw_curves(curves, 'test_accuracy', 'test accuracy')
    ),
    memorised=figures.svg(
      _draw_curves(curves, 'memorised', 'wrong labels memorised')
    ),
    trust=functions
    and figures.svg(trust.draw(functions, len(first['class_names']))),
    confusion=figures.svg(_draw_confusion(first)),
    estimates=_estimates(summaries),
  )
  path = workdir / 'report.html'
  log.write_text(path, page)
  return path


def title(sweep: ml_collections.ConfigDict, summaries: Summaries) -> str:
  """What the sweep compares, in a line."""
  made = sorted(
    {
      f'{100 * run["noise_rate"]:.1f}'
      for runs in summaries.values()
      for run in runs
    },
    key=float,
  )
  rates = made[0] if len(made) == 1 else f'{made[0]} to {made[-1]}'
  seeds = 'seed' if sweep.seeds == 1 else 'seeds'
  return (
    f'{sweep.base.dataset}, {noises.describe(sweep.base.noise)}, '
    f'{rates}% of the labels wrong, {sweep.seeds} {seeds}'
  )


def _losses(
  configs: dict[str, ml_collections.ConfigDict], summaries: Summaries
) -> dict[str, Callable[..., jax.Array]]:
  """The losses that have a trust weight: not those of whole batches."""
  return {
    name: named_losses.make(config.loss, _known(summaries[name][0]))
    for name, config in configs.items()
    if config.loss.name not in losses.OF_BATCHES and not config.method.name
  }


def _known(summary: dict[str, Any]) -> dict[str, Any]:
  """What the loss of a run was told of its noise."""
  transition, estimate = summary['transition'], summary['noise_estimate']
  return named_losses.facts(
    None if transition is None else np.array(transition),
    np.array(summary['noise_counts']),
    rate=estimate and estimate['rate'],
  )


def _estimates(summaries: Summaries) -> dict[str, dict[str, Any]]:
  """What was estimated of the noise by each system, with its figure."""
  result = {}
  for name, (first, *_) in summaries.items():
    if first['noise_estimate'] is None:
      continue
    counts = np.array(first['noise_counts'])
    made = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    maps = {
      'made': 100 * made,
      'estimated': 100 * np.array(first['transition']),
    }
    figure = figures.svg(heat_maps.draw(maps, first['class_names']))
    result[name] = {**first['noise_estimate'], 'figure': figure}
  return result


def _draw_curves(
  curves: dict[str, list[list[dict[str, Any]]]], measure: str, label: str
) -> mpl_figure.Figure:
  figure, axes = figures.new()
  for name, runs in curves.items():
    epochs = [line['epoch'] for line in runs[0]]
    values = np.array([[line[measure] for line in run] for run in runs])
    mean = np.mean(values, axis=0)
    (curve,) = axes.plot(epochs, mean, label=name.replace('_', ' '))
    if len(runs) > 1:
      std = np.std(values, axis=0, ddof=1)
      axes.fill_between(
        epochs, mean - std, mean + std, color=curve.get_color(), alpha=0.2
      )
  axes.set_xlabel('epoch')
  axes.set_ylabel(label)
  axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=0))
  figures.legend_below(figure)
  return figure


def _draw_confusion(summary: dict[str, Any]) -> mpl_figure.Figure:
  counts = np.array(summary['noise_counts'])
  names = summary['class_names']
  figure, axes = figures.new(height=4.6)
  image = axes.imshow(np.where(np.eye(len(counts)) > 0, np.nan, counts))
  figure.colorbar(image, ax=axes, label='wrong labels')
  if len(names) <= 20:
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    middle = np.nanmax(image.get_array()) / 2
    for (i, j), count in np.ndenumerate(counts):
      dark = i == j or count > middle
      axes.text(
        j,
        i,
        str(count),
        ha='center',
        va='center',
        fontsize=8,
        color='black' if dark else 'white',
      )
  axes.set_xlabel('label given')
  axes.set_ylabel('true class')
  return figure
