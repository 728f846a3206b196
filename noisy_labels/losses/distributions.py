"""Labels of either kind as distributions over the classes."""

import chex
import jax
import jax.numpy as jnp


def of_labels(
  labels: chex.Array, num_classes: int, dtype: jnp.dtype = jnp.float32
) -> chex.Array:
  """Return distributions `[..., num_classes]`, one-hot for integers `[...]`.

  Of the wider of dtype and their own. An integer that is no class gives NaN, as
  it does in every loss.
  """
  labels = jnp.asarray(labels)
  if jnp.issubdtype(labels.dtype, jnp.floating):
    chex.assert_axis_dimension(labels, -1, num_classes)
    return labels.astype(jnp.promote_types(labels.dtype, dtype))
  chex.assert_type(
    labels,
    int,
    custom_message='labels must be integer classes [...], or '
    'floating-point distributions [..., num_classes]',
  )
  classes = labels.astype(jnp.promote_types(labels.dtype, jnp.int16))
  is_class = (classes >= 0) & (classes < num_classes)
  one_hot = jax.nn.one_hot(classes, num_classes, dtype=dtype)
  return jnp.where(is_class[..., None], one_hot, jnp.nan)
