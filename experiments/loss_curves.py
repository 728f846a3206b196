"""A loss and its trust weight by the probability of the label, drawn."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import figures
from experiments import named_losses
from experiments.configs import common
from noisy_labels import noise

NUM_CLASSES = 10
NOISE_RATE = 0.3

PROBS = np.concatenate(
  [np.geomspace(1e-3, 0.05, 60), np.linspace(0.055, 0.999, 140)]
)


def draw(curves: dict[str, dict[str, Any]]) -> str:
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
