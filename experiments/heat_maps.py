"""Transition matrices as heat maps, side by side."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from matplotlib import figure as mpl_figure
import numpy as np

from experiments import figures

# Names and numbers are legible up to so many classes.
_FEW = 12


def draw(
  matrices: Mapping[str, np.ndarray], class_names: Sequence[str]
) -> mpl_figure.Figure:
  """Draws matrices with one scale of colours.

  Args:
    matrices: from titles to `[K, K]` in percent, row i of true class i.
    class_names: K names.

  Returns:
    The figure.
  """
  figure, axes = figures.new(4.2 * len(matrices), 4.0, columns=len(matrices))
  few = len(class_names) <= _FEW
  image: Any = None
  for one, (title, matrix) in zip(
    np.atleast_1d(axes), matrices.items(), strict=True
  ):
    image = one.imshow(matrix, vmin=0, vmax=100)
    one.set_title(title, fontsize=10)
    one.set_xlabel('label given')
    if one is np.atleast_1d(axes)[0]:
      one.set_ylabel('true class')
    if few:
      one.set_xticks(range(len(class_names)), class_names, rotation=90)
      one.set_yticks(range(len(class_names)), class_names)
      _write_numbers(one, matrix)
  figure.colorbar(image, ax=list(np.atleast_1d(axes)), label='percent')
  return figure


def _write_numbers(axes, matrix):
  for (i, j), value in np.ndenumerate(matrix):
    if value >= 0.5:
      axes.text(
        j,
        i,
        f'{value:.0f}',
        ha='center',
        va='center',
        fontsize=7,
        color='black' if value > 50 else 'white',
      )
