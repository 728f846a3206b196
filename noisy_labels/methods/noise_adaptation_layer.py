"""The noise adaptation layer: a transition matrix that is trained along."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from noisy_labels import losses as losses_lib
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.noise import transition as transition_lib

# Added before the logarithm, for entries that are 0.
_LEAST = 1e-8


def noise_adaptation_layer(
  *,
  transition: npt.ArrayLike,
  learning_rate: optax.ScalarOrSchedule = 1e-3,
) -> method_lib.Method:
  """Forward correction with a transition matrix that is trained (s-model).

    l = -log sum_i p_i T[i, y],  p = softmax(logits)
    T[i, j] = exp(w[i, j]) / sum_k exp(w[i, k])

  A second softmax layer turns the model's prediction of the true label into one
  of the given label. w begins at log(T + 1e-8) of an estimate; from a bad one,
  or without, model and layer may share the work in another way, such as with
  classes exchanged.

  Trains: w, with Adam. Remembers nothing. What a w learns whose T is almost 0
  is almost nothing: T stays near the estimate where that is sure.

  Args:
    transition: where T begins, `[num_classes, num_classes]`, such as
      `estimation.confident_joint` finds. In the paper, it is the confusion
      matrix of predictions and given labels of a model trained by cross
      entropy.
    learning_rate: of w, a number or an optax schedule. The official code has
      Adam at its default, 0.001, for layer and model.

  Returns:
    A `Method` that learns a transition matrix.

  Raises:
    ValueError: if transition is not a transition matrix; by init, if it is not
      of num_classes.

  References:
    Goldberger and Ben-Reuven, `Training deep neural-networks using a noise
    adaptation layer <https://openreview.net/forum?id=H12GRgcxg>`_, 2017
  """
  initial = transition_lib.check_transition(np.asarray(transition))

  def init(key, num_examples, num_classes):
    del key, num_examples
    matrix = transition_lib.check_transition(initial, num_classes)
    params = {'log_transition': jnp.log(jnp.asarray(matrix + _LEAST, float))}
    return method_lib.MethodState(params, {})

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    losses = losses_lib.forward_corrected_cross_entropy(
      logits, batch['label'], transition=_transition(state.params)
    )
    return losses, (state.memory, {})

  return method_lib.Method(
    init,
    loss,
    optimizer=optax.adam(learning_rate),
    transition=_transition,
  )


def _transition(params):
  return jax.nn.softmax(params['log_transition'], axis=-1)
