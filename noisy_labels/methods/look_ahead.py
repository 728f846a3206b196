"""One step ahead: what the weights of a batch would do to trusted examples."""

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def trusted_loss(
  weights: chex.Array,
  predict: method_lib.Predict,
  batch: dict[str, chex.Array],
  key: chex.PRNGKey,
  *,
  learning_rate: float,
) -> chex.Array:
  """The trusted examples' cross entropy after a step with these weights.

    theta' = theta - learning_rate d/dtheta sum_i weights_i (-log p_y(x_i))
    result = mean over the trusted examples of -log p'_y

  The model's parameters theta are a constant: the only gradient is that by the
  weights. It goes through the step, and is exact.

  Args:
    weights: of the examples, float `[batch]`; those of padding do not matter.
    predict: the model of the step.
    batch: of one device, with trusted examples.
    key: for what the model draws.
    learning_rate: of plain stochastic gradient descent.

  Returns:
    One number.
  """
  params = lax.stop_gradient(predict.params)
  # Were it NaN, the gradient by every parameter would be: 0 of it is NaN.
  images = jnp.where(
    jnp.expand_dims(rows.is_real(batch), range(1, batch['image'].ndim)),
    batch['image'],
    0,
  )

  def weighted(params):
    logits = rows.logits_of(
      lambda images, key: predict.apply(params, images, key),
      {**batch, 'image': images},
      key,
    )
    return jnp.sum(weights * rows.cross_entropies(logits, batch['label']))

  ahead = jax.tree.map(
    lambda leaf, slope: leaf - learning_rate * slope,
    params,
    jax.grad(weighted)(params),
  )
  trusted_key = jax.random.fold_in(key, 1)
  logits = predict.apply(ahead, batch['trusted_image'], trusted_key)
  return jnp.mean(rows.cross_entropies(logits, batch['trusted_label']))
