"""Learning to reweight: only what helps on trusted examples is learnt."""

from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.methods import look_ahead
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import selection


def learning_to_reweight(
  *, learning_rate: float = 1.0, num_trusted: int = 100
) -> method_lib.Method:
  """Weights by which a step lowers the loss of trusted examples (L2RW).

    l_i = n w_i (-log p_y(x_i)),  w_i = max(u_i, 0) / sum_j max(u_j, 0)
    u_i = -dL(theta - learning_rate d/dtheta sum_j e_j (-log p_y(x_j))) / de_i
          at e = 0

  where L is the mean cross entropy of the step's trusted examples, and n counts
  the examples of the device's batch that are no padding: the mean of the losses
  is the sum of w_i (-log p_y), as in the paper. Since e is 0, u_i is the rate
  times the inner product of the gradients of L and of the example's loss: what
  points away from the trusted examples has weight 0. If all do, nothing is
  learnt in the step. Of several devices, each weighs its own batch. No gradient
  goes through w.

  The inner products are one forward derivative of the model, which has to have
  one: a layer with a `jax.custom_vjp` has none.

  Remembers: `selection.Memory(visits, kept)`, where kept is a positive weight.

  The official code has the weight decay of the model in L as well; the paper
  has not, and neither has this.

  Args:
    learning_rate: of the step that looks ahead, in (0, inf); 1 in the official
      code. It is a factor of all u_i, which w_i do not have any more: nothing
      depends on it, and there is no need to tune it.
    num_trusted: how many trusted examples a step takes on each device, an
      integer of at least 1; official 100, as many as in the batch.

  Returns:
    A `Method` that wants trusted examples; its metric `kept` is w_i > 0.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Ren et al., `Learning to Reweight Examples for Robust Deep Learning
    <https://arxiv.org/abs/1803.09050>`_, 2018
  """
  _checks.in_range('learning_rate', learning_rate, '(0, inf)')
  _checks.at_least('num_trusted', num_trusted, 1)

  def loss(predict, batch, state, key):
    # Before all transformations, for this one's model state is carried on.
    batch = look_ahead.without_padding(batch)
    logits = rows.logits_of(predict, batch, key)
    losses = rows.cross_entropies(logits, batch['label'])
    # With weights e = 0 the step ahead stays where it is.
    params = lax.stop_gradient(predict.params)
    direction = look_ahead.trusted_gradient(params, predict, batch, key)
    slopes = look_ahead.slopes(direction, predict, batch, key)
    useful = jnp.maximum(learning_rate * slopes, 0)
    total = jnp.sum(useful)
    weights = useful / jnp.where(total > 0, total, 1)
    number = jnp.sum(rows.is_real(batch))
    kept = weights > 0
    memory = selection.remember(state.memory, batch, kept)
    metrics = {'kept': kept.astype(losses.dtype)}
    return number * weights * losses, (memory, metrics)

  return method_lib.Method(
    selection.init,
    loss,
    num_trusted=num_trusted,
    opinion=selection.opinion,
  )
