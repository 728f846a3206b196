"""Draws the losses in one page: value, trust weight, hyper-parameters.

  python -m experiments.gallery --output=DIR

Writes DIR/losses.html, which loads nothing. The last figures come from a short
training on digits with wrong labels; --without_training leaves them out.
"""

import argparse
from collections.abc import Callable
from collections.abc import Sequence
import inspect
import pathlib
from typing import Any
from typing import NamedTuple

import jinja2

from experiments import gradient_mass
from experiments import log
from experiments import loss_curves
from experiments import loss_fields
from experiments import progress as progress_lib
from experiments import recommended
from noisy_labels import losses

# What to draw for a hyper-parameter: by its name, or by loss and name where one
# name means several things.
VALUES: dict[str, Sequence[float]] = {
  'a': (0.1, 0.6, 2.0, 6.0),
  'asymmetric_exponential_loss.a': (0.5, 1.0, 2.5, 5.0),
  'asymmetric_mean_square_error.a': (1.0, 10.0, 30.0),
  'asymmetric_unhinged_loss.a': (1.1, 1.5, 3.0, 5.5),
  'asymmetric_unhinged_loss.q': (0.1, 1.0, 3.0),
  'asymmetric_generalized_cross_entropy.q': (0.2, 0.6, 1.5, 3.0),
  'alpha': (0.0, 0.1, 1.0),
  'beta': (0.1, 0.5, 1.0),
  'soft_bootstrapped_cross_entropy.beta': (0.3, 0.6, 0.8, 0.95),
  'hard_bootstrapped_cross_entropy.beta': (0.3, 0.6, 0.8, 0.95),
  'gamma': (0.0, 0.5, 2.0, 5.0),
  'k': (0.01, 0.1, 0.5),
  'log_zero': (-2.0, -4.0, -9.21),
  'min_prob': (1e-3, 1e-5, 1e-7),
  'm': (1.0, 10.0, 1e3, 1e5),
  'max_loss': (1.0, 2.0, 3.5, 6.0),
  'noise_rate': (0.01, 0.1, 0.3, 0.6),
  'order': (1, 2, 6, 20),
  'partially_huberised_generalized_cross_entropy.q': (0.1, 0.4, 0.7),
  'q': (0.1, 0.4, 0.7, 1.0),
  'smoothing': (-0.5, 0.1, 0.3),
  't1': (0.2, 0.5, 0.8, 1.0),
  't2': (1.0, 1.2, 2.0, 4.0),
  'tau': (2.0, 5.0, 10.0, 50.0),
  'weight': (0.1, 0.5, 0.7, 0.9),
}


class Card(NamedTuple):
  """One loss of the page."""

  name: str
  summary: str
  formula: str
  fields: dict[str, Any]
  source: str
  figures: list[str]


def main() -> None:
  """Draws what the flags say."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.gallery',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--output', type=pathlib.Path, required=True, help='a directory'
  )
  parser.add_argument(
    '--without_training',
    action='store_true',
    help='draw no figures of a training, and train nothing',
  )
  arguments = parser.parse_args()
  path = write(arguments.output, train=not arguments.without_training)
  print(f'Gallery: {path.absolute()}')


def write(output: pathlib.Path, *, train: bool = True) -> pathlib.Path:
  """Writes the page and returns its path."""
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
  )
  names = [name for name in recommended.table() if _has_curve(name)]
  cards = []
  with progress_lib.Progress('Drawing', total=len(names)) as progress:
    for name in names:
      progress.say(name)
      cards.append(card(name))
      progress.advance()
  page = environment.get_template('gallery.html').render(
    cards=[*cards, *map(card_without_figures, losses.OF_BATCHES)],
    training=gradient_mass.draw() if train else [],
    num_classes=loss_curves.NUM_CLASSES,
    noise_rate=loss_curves.NOISE_RATE,
  )
  output.mkdir(parents=True, exist_ok=True)
  path = output / 'losses.html'
  log.write_text(path, page)
  return path


def card(name: str) -> Card:
  """Draws a loss or a pair of `recommended.table()`."""
  entry = recommended.recommended(name, 'cifar10', 'symmetric:0.4')
  fields = {k: v for k, v in entry.loss.items() if k != 'name'}
  summary, formula = '', ''
  varied = {}
  if name in losses.PER_EXAMPLE:
    summary, formula = _explain(getattr(losses, name))
    for parameter in loss_fields.parameters(name):
      if values := values_of(name, parameter):
        varied[parameter] = values
  drawn = []
  for parameter, values in varied.items():
    curves = {
      f'{parameter} = {value:g}': {**entry.loss, parameter: value}
      for value in values
    }
    drawn.append(loss_curves.draw(curves))
  if not varied:
    drawn.append(loss_curves.draw({name.replace('_', ' '): entry.loss}))
  return Card(name, summary, formula, fields, entry.source, drawn)


def card_without_figures(name: str) -> Card:
  """Describes a loss that is no function of one prediction."""
  summary, formula = _explain(getattr(losses, name))
  return Card(name, summary, formula, {}, '', [])


def values_of(loss: str, parameter: str) -> Sequence[float]:
  """What to draw for a hyper-parameter; empty if there is nothing to see."""
  return VALUES.get(f'{loss}.{parameter}', VALUES.get(parameter, ()))


def _has_curve(name: str) -> bool:
  """Whether an example's loss is its own, not that of its whole batch."""
  return name not in losses.OF_BATCHES


def _explain(loss: Callable[..., Any]) -> tuple[str, str]:
  """The first line of a docstring, and the formula below it."""
  lines = (inspect.getdoc(loss) or '').splitlines()
  formula = []
  for line in lines[2:]:
    if line and not line.startswith(' '):
      break
    formula.append(line)
  return lines[0], inspect.cleandoc('\n'.join(formula))


if __name__ == '__main__':
  main()
