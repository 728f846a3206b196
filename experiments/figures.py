"""Figures as SVG text, to be put in a page that loads nothing."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib import figure as mpl_figure


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
  """Names the curves outside the axes, where there is no curve to hide."""
  figure.legend(frameon=False, loc='outside lower center', ncols=2)


def svg(figure: mpl_figure.Figure) -> str:
  """The figure as an <svg> element, the same text every time."""
  text = io.StringIO()
  with mpl.rc_context({'svg.hashsalt': 'noisy_labels'}):
    figure.savefig(text, format='svg', metadata={'Date': None})
  result = text.getvalue()
  return result[result.index('<svg') :]
