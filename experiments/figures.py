"""Figures as SVG text, to be put in a page that loads nothing."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib import figure as mpl_figure
from matplotlib.backends import backend_agg


def new(
  width: float = 6.4, height: float = 3.8, *, columns: int = 1, rows: int = 1
) -> tuple[mpl_figure.Figure, Any]:
  """An empty figure, in inches, and its axes: an array if there are several."""
  # Not pyplot: it keeps figures and chooses a screen, where there may be none.
  figure = mpl_figure.Figure(figsize=(width, height), layout='constrained')
  axes = figure.subplots(rows, columns)
  for one in figure.axes:
    one.spines[['top', 'right']].set_visible(False)
  return figure, axes


def legend_below(figure: mpl_figure.Figure) -> None:
  """Names the curves outside the axes, where there is no curve to hide.

  Long names are below each other, and smaller if they have to be.
  """
  renderer = backend_agg.FigureCanvasAgg(figure).get_renderer()
  for columns, size in ((2, 10), (1, 10), (1, 7)):
    legend = figure.legend(
      frameon=False, loc='outside lower center', ncols=columns, fontsize=size
    )
    if legend.get_window_extent(renderer).width <= figure.bbox.width:
      break
    if size > 7:
      legend.remove()
  if columns == 1:  # The axes stay as high as they were.
    lines = len(legend.get_texts())
    figure.set_figheight(figure.get_figheight() + lines / 2 * 1.5 * size / 72)


def svg(figure: mpl_figure.Figure) -> str:
  """The figure as an <svg> element, the same text every time."""
  text = io.StringIO()
  with mpl.rc_context({'svg.hashsalt': 'noisy_labels'}):
    figure.savefig(text, format='svg', metadata={'Date': None})
  result = text.getvalue()
  return result[result.index('<svg') :]
