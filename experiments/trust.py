"""Trust weights: how a loss weighs labels of each probability."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from matplotlib import figure as mpl_figure
import numpy as np

from experiments import figures


def weights(
  loss: Callable[..., jax.Array], probs: np.ndarray, num_classes: int
) -> np.ndarray:
  """How strongly a loss pulls up a label of each probability.

  The gradient at the label's logit over that of cross entropy, `p_y - 1`, the
  rest of the probability being spread evenly. For losses of `p_y` alone this
  is their trust weight, whatever the rest.

  Args:
    loss: `(logits, labels) -> losses`.
    probs: probabilities of the label, in (0, 1).
    num_classes: how many classes there are.

  Returns:
    The weights, of the shape of `probs`.
  """
  others = jnp.broadcast_to(
    jnp.log((1 - probs) / (num_classes - 1))[:, None],
    (len(probs), num_classes - 1),
  )
  logits = jnp.concatenate([jnp.log(probs)[:, None], others], axis=1)
  labels = jnp.zeros(len(probs), jnp.int32)
  gradient = jax.grad(lambda z: jnp.sum(loss(z, labels)))(logits)
  return np.asarray(gradient[:, 0] / (probs - 1))


def draw(
  functions: dict[str, Callable[..., jax.Array]], num_classes: int
) -> mpl_figure.Figure:
  """Draws the trust weight of each loss by the probability of the label."""
  figure, axes = figures.new()
  # Denser where clipping jumps, so that its edge is drawn upright.
  probs = np.unique(
    np.concatenate([np.geomspace(1e-4, 0.99, 2000), np.linspace(0.1, 0.99)])
  )
  for name, loss in functions.items():
    axes.plot(
      probs, weights(loss, probs, num_classes), label=name.replace('_', ' ')
    )
  axes.axhline(0, color='0.6', linewidth=0.8)
  axes.set_xscale('log')
  axes.set_ylim(-0.6, 1.1)
  axes.set_xlabel('probability of the label given, p_y')
  axes.set_ylabel('weight of the pull towards the label')
  figures.legend_below(figure)
  return figure
