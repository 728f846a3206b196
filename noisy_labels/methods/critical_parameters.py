"""CDR: only the parameters that matter for the labels' fit learn from them."""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import optax

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def critical_parameters(*, noise_rate: float) -> method_lib.Method:
  """Robust early-learning by critical parameters (CDR).

    l = -log p_y
    g_i <- (1 - noise_rate) g_i  if |g_i w_i| is among the largest, otherwise 0

  for the gradient g of the mean loss by the weights w, before the model's
  optimiser sees it. The share 1 - noise_rate of all weights of the model are
  among the largest, chosen anew at each step; of equal ones at the bound, all.
  The others have little part in what was learnt so far, and would come to fit
  the wrong labels. They are left to the optimiser's weight decay, and with
  momentum, to what they were given before.

  Remembers nothing, and training goes on as long as one lets it. The paper
  stops early, by the accuracy on held-out examples with noisy labels.

  Followed is the official code: it chooses from all layers together, and among
  matrices and convolutions' kernels, while biases and normalisation get their
  gradient as it is. It has a schedule of the share over the first epochs, but
  replaces it by the constant in the next line. Its decay is that of the
  optimiser, of squares.

  Args:
    noise_rate: the share of wrong labels, the paper's tau, in [0, 1).

  Returns:
    A `Method` that wraps the optimiser of the model.

  Raises:
    ValueError: if noise_rate is out of range.

  References:
    Xia et al., `Robust Early-Learning: Hindering the Memorization of Noisy
    Labels <https://openreview.net/forum?id=Eql5b1_hTE4>`_, 2021
  """
  _checks.in_range('noise_rate', noise_rate, '[0, 1)')
  keep = optax.stateless(lambda g, w: _critical(g, w, 1 - noise_rate))

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    return rows.cross_entropies(logits, batch['label']), (state.memory, {})

  def wrap(optimizer):
    return optax.chain(keep, optimizer)

  return method_lib.Method(method_lib.init_nothing, loss, wrap_optimizer=wrap)


def _critical(
  gradients: chex.ArrayTree, params: chex.ArrayTree | None, share: float
) -> chex.ArrayTree:
  """The gradients, times the share where they are critical, 0 elsewhere."""
  if params is None:
    raise ValueError('params must be given: update(gradients, state, params)')
  importance = jax.tree.map(lambda g, w: jnp.abs(g * w), gradients, params)
  bound = _largest(
    [leaf for leaf in jax.tree.leaves(importance) if leaf.ndim >= 2], share
  )

  def keep(gradient, importance):
    if gradient.ndim < 2:
      return gradient
    return jnp.where(importance >= bound, share * gradient, 0)

  return jax.tree.map(keep, gradients, importance)


def _largest(values, share):
  """The bound at and above which a share of all values is; none is negative.

  By halving: on a CPU, a run with a sort instead took three times as long.
  """
  # A little more, or 1 - 0.45 of 20 is 10.9999 and not 11.
  number = share * sum(leaf.size for leaf in values) + 1e-3
  number = jnp.maximum(jnp.floor(number), 1)
  kind = jnp.result_type(jnp.float32, *values)
  # As integers, the bits of floats that are not negative have the same order.
  integer = jnp.dtype(f'int{jnp.finfo(kind).bits}')
  bits = [
    lax.bitcast_convert_type(leaf.astype(kind), integer) for leaf in values
  ]

  def halve(_, bounds):
    low, high = bounds
    middle = low + (high - low) // 2
    above = sum(jnp.sum(leaf >= middle) for leaf in bits)
    return jnp.where(
      above >= number, jnp.array([middle, high]), jnp.array([low, middle])
    )

  bounds = jnp.array([0, jnp.iinfo(integer).max], integer)
  bounds = lax.fori_loop(0, jnp.finfo(kind).bits, halve, bounds)
  return lax.bitcast_convert_type(bounds[0], kind)
