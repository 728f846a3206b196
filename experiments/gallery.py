"""Draws every loss in one page: its value, its trust weight, its parameters.

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

import jax
import jax.numpy as jnp
import jinja2
import numpy as np

from experiments import figures
from experiments import gradient_mass
from experiments import log
from experiments import named_losses
from experiments import recommended
from experiments.configs import common
from noisy_labels import losses
from noisy_labels import noise

NUM_CLASSES = 10
NOISE_RATE = 0.3

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

PROBS = np.concatenate(
  [np.geomspace(1e-3, 0.05, 60), np.linspace(0.055, 0.999, 140)]
)


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
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--output', type=pathlib.Path, required=True)
  parser.add_argument('--without_training', action='store_true')
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
  page = environment.get_template('gallery.html').render(
    cards=[card(name) for name in recommended.table() if _has_curve(name)],
    training=gradient_mass.draw() if train else [],
    num_classes=NUM_CLASSES,
    noise_rate=NOISE_RATE,
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
    for parameter in named_losses.parameters(name):
      if values := values_of(name, parameter):
        varied[parameter] = values
  drawn = []
  for parameter, values in varied.items():
    curves = {
      f'{parameter} = {value:g}': {**entry.loss, parameter: value}
      for value in values
    }
    drawn.append(_draw(curves))
  if not varied:
    drawn.append(_draw({name.replace('_', ' '): entry.loss}))
  return Card(name, summary, formula, fields, entry.source, drawn)


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


def _draw(curves: dict[str, dict[str, Any]]) -> str:
  """Loss and trust weight of each curve, cross entropy's in grey behind."""
  figure, (left, right) = figures.new(9, 3.2, columns=2)
  losses_of_label, weights = curve({'name': 'cross_entropy'})
  left.plot(PROBS, losses_of_label, color='0.8')
  right.plot(PROBS, weights, color='0.8', label='cross entropy')
  extremes: list[np.ndarray] = []
  for label, fields in curves.items():
    losses_of_label, weights = curve(fields)
    (line,) = left.plot(PROBS, losses_of_label)
    right.plot(PROBS, weights, color=line.get_color(), label=label)
    on_one = curve(fields, spread=False)
    if not np.allclose(on_one, (losses_of_label, weights), rtol=1e-3):
      left.plot(PROBS, on_one[0], color=line.get_color(), linestyle=':')
      right.plot(PROBS, on_one[1], color=line.get_color(), linestyle=':')
    # At p_y = 1 the gradient of cross entropy, which divides, is 0.
    inside = PROBS < 0.97
    extremes.append(np.stack([losses_of_label, weights])[:, inside])
  low, high = np.min(extremes, axis=(0, 2)), np.max(extremes, axis=(0, 2))
  left.set_ylim(min(low[0], 0) - 0.05, 1.05 * min(high[0], 7))
  right.set_ylim(1.05 * min(low[1], -0.05), 1.05 * max(high[1], 1))
  left.set_xlabel('probability of the label given, p_y')
  left.set_ylabel('loss')
  right.set_xscale('log')
  right.set_xlabel('p_y')
  right.set_ylabel('pull towards the label')
  right.axhline(0, color='0.6', linewidth=0.8)
  figure.legend(frameon=False, loc='outside right upper')
  return figures.svg(figure)


def curve(
  fields: dict[str, Any], *, spread: bool = True
) -> tuple[np.ndarray, np.ndarray]:
  """A loss and its trust weight at `PROBS`.

  Args:
    fields: of `config.loss`.
    spread: whether the other classes share the rest of the probability, or one
      has it: for losses of p_y alone it is the same.

  Returns:
    The loss, and the gradient at the label's logit over that of cross entropy.
  """
  transition = noise.symmetric(NUM_CLASSES, NOISE_RATE, exclude_true=True)
  config = common.get_config()
  config.loss.update(fields)
  loss = named_losses.make(
    config.loss, named_losses.facts(transition, transition)
  )
  weights = np.full(NUM_CLASSES - 1, 1 / (NUM_CLASSES - 1))
  if not spread:
    weights = np.array([1 - 1e-4, *([1e-4 / (NUM_CLASSES - 2)] * 8)])
  rest = np.log((1 - PROBS)[:, None] * weights)
  logits = jnp.asarray(np.column_stack([np.log(PROBS), rest]), jnp.float32)
  labels = jnp.zeros(len(PROBS), jnp.int32)

  def total(logits):
    values = loss(logits, labels)
    return jnp.sum(values), values

  gradient, values = jax.jit(jax.grad(total, has_aux=True))(logits)
  return np.asarray(values), np.asarray(gradient[:, 0]) / (PROBS - 1)


if __name__ == '__main__':
  main()
