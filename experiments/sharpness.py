"""Sharpness-aware minimisation: gradients at the worst point near by."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
import optax.contrib


def aware(
  optimizer: optax.GradientTransformation, *, radius: float, num_networks: int
) -> optax.GradientTransformation:
  """Takes the gradients of training where the loss is the largest near by.

  That is at w + radius g / ||g||, where g is the gradient at w. Each of several
  networks goes as far by itself. What a method trains beside the model stays
  where it is: it may have bounds, which a step up the slope would leave.

  Args:
    optimizer: of `{'model': ..., 'method': ...}`.
    radius: how far, the paper's rho, in (0, inf).
    num_networks: if more than one, the first axis of each of the model's
      parameters.

  Returns:
    An optimiser whose `update` must be given `grad_fn`, as that of
    `optax.contrib.sam`.

  References:
    Foret et al., `Sharpness-Aware Minimization for Efficiently Improving
    Generalization <https://arxiv.org/abs/2010.01412>`_, 2021
  """
  uphill = optax.chain(
    optax.stateless(functools.partial(_directions, num_networks)),
    optax.sgd(radius),
  )
  return optax.contrib.sam(optimizer, uphill, opaque_mode=True)


def _directions(num_networks: int, gradients: Any, params: Any) -> Any:
  """Gradients of length 1, or 0 where a batch teaches nothing."""
  del params

  def rows(leaf):
    return leaf.reshape((num_networks, -1))

  squares = jax.tree.map(
    lambda leaf: jnp.sum(rows(leaf) ** 2, axis=1), gradients['model']
  )
  norm = jnp.sqrt(jax.tree.reduce(jnp.add, squares))
  norm = jnp.where(norm > 0, norm, 1)[:, None]
  still = jax.tree.map(jnp.zeros_like, gradients)
  return still | {
    'model': jax.tree.map(
      lambda leaf: (rows(leaf) / norm).reshape(leaf.shape), gradients['model']
    )
  }
