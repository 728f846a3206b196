"""Figures of finished runs: what they learnt, epoch by epoch, and from what."""

from collections.abc import Sequence
from typing import Any

from matplotlib import figure as mpl_figure
from matplotlib import ticker
import numpy as np

from experiments import figures


def draw_curves(
  curves: dict[str, list[list[dict[str, Any]]]], measure: str, label: str
) -> mpl_figure.Figure:
  """Draws a measure by the epoch: the mean and deviation over the seeds.

  Args:
    curves: from names to the metrics of each seed. Where some seeds ended
      early, an epoch's mean and deviation are those of the others.
    measure: which of the metrics.
    label: of the vertical axis.

  Returns:
    The figure.
  """
  figure, axes = figures.new()
  for name, runs in curves.items():
    epochs, mean, std = _by_epoch(runs, measure)
    (curve,) = axes.plot(epochs, mean, label=name.replace('_', ' '))
    if len(runs) > 1:
      axes.fill_between(
        epochs, mean - std, mean + std, color=curve.get_color(), alpha=0.2
      )
  axes.set_xlabel('epoch')
  axes.set_ylabel(label)
  # As many decimals as tell the ticks apart; and there are no half epochs.
  axes.yaxis.set_major_formatter(ticker.PercentFormatter(1))
  axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
  figures.legend_below(figure)
  return figure


def _by_epoch(
  runs: Sequence[Sequence[dict[str, Any]]], measure: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
  """The epochs that any seed measured, their means and deviations."""
  values: dict[int, list[float]] = {}
  for run in runs:
    for line in run:
      values.setdefault(line['epoch'], []).append(line[measure])
  epochs = sorted(values)
  mean = [np.mean(values[epoch]) for epoch in epochs]
  # Of one seed there is no deviation, and no band.
  std = [
    np.std(values[epoch], ddof=1) if len(values[epoch]) > 1 else np.nan
    for epoch in epochs
  ]
  return epochs, np.array(mean), np.array(std)


def draw_confusion(summary: dict[str, Any]) -> mpl_figure.Figure:
  """Draws how many labels of each class a run was given as each other."""
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
