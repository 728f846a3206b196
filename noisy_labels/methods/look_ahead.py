"""One step ahead: what the weights of a batch would do to trusted examples."""

from typing import Any

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def without_padding(batch: dict[str, chex.Array]) -> dict[str, chex.Array]:
  """The batch with zeros for images that are padding.

  Were they NaN, the gradient by every parameter would be: 0 of it is NaN.
  """
  is_real = jnp.expand_dims(rows.is_real(batch), range(1, batch['image'].ndim))
  return {**batch, 'image': jnp.where(is_real, batch['image'], 0)}


def step(
  weights: chex.Array,
  predict: method_lib.Predict,
  batch: dict[str, chex.Array],
  key: chex.PRNGKey,
  *,
  learning_rate: float,
) -> Any:
  """The model's parameters after a step of plain gradient descent.

    theta' = theta - learning_rate d/dtheta sum_i weights_i (-log p_y(x_i))

  Args:
    weights: of the examples, float `[batch]`; those of padding do not matter.
    predict: the model of the step.
    batch: of one device, from `without_padding`.
    key: for what the model draws.
    learning_rate: of the step.

  Returns:
    theta'.
  """

  def weighted(params):
    logits = _logits(params, predict, batch, key)
    return jnp.sum(weights * rows.cross_entropies(logits, batch['label']))

  return jax.tree.map(
    lambda leaf, slope: leaf - learning_rate * slope,
    predict.params,
    jax.grad(weighted)(predict.params),
  )


def trusted_gradient(
  params: Any,
  predict: method_lib.Predict,
  batch: dict[str, chex.Array],
  key: chex.PRNGKey,
) -> Any:
  """Of the trusted examples' mean cross entropy, by the model's parameters.

  Args:
    params: where it is taken.
    predict: the model of the step.
    batch: of one device, with trusted examples.
    key: for what the model draws.

  Returns:
    As params.
  """
  key = jax.random.fold_in(key, 1)

  def loss(params):
    logits = predict.apply(params, batch['trusted_image'], key)
    return jnp.mean(rows.cross_entropies(logits, batch['trusted_label']))

  return jax.grad(loss)(params)


def slopes(
  direction: Any,
  predict: method_lib.Predict,
  batch: dict[str, chex.Array],
  key: chex.PRNGKey,
) -> chex.Array:
  """How each example's cross entropy grows as parameters move.

  It is the inner product of direction and the example's own gradient, of which
  none is made: parameters move by a forward derivative of the model, which has
  to have one, and costs as much as predicting twice.

  With the `trusted_gradient` behind a `step` it is, times -learning_rate, the
  derivative of the trusted loss by the weights of that step, exactly.

  Args:
    direction: as the model's parameters.
    predict: the model of the step.
    batch: of one device, from `without_padding`.
    key: for what the model draws.

  Returns:
    Floats `[batch]`, 0 for padding. A constant to all gradients.
  """
  params = lax.stop_gradient(predict.params)
  logits, change = jax.jvp(
    lambda params: _logits(params, predict, batch, key), (params,), (direction,)
  )
  # The loss itself has no forward derivative, but each is of its row alone.
  by_logits = jax.grad(
    lambda logits: jnp.sum(rows.cross_entropies(logits, batch['label']))
  )(logits)
  return lax.stop_gradient(jnp.sum(by_logits * change, axis=-1))


def _logits(params, predict, batch, key):
  return rows.logits_of(
    lambda images, key: predict.apply(params, images, key), batch, key
  )
