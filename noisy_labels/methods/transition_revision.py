"""Revision of an estimated transition matrix, by importance weights."""

from jax import lax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from noisy_labels import losses as losses_lib
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.noise import transition as transition_lib

_LEAST = 1e-6


def transition_revision(
  *,
  transition: npt.ArrayLike,
  learning_rate: optax.ScalarOrSchedule = 5e-7,
) -> method_lib.Method:
  """Reweighted cross entropy with a trained correction of T (T-Revision).

    l = -(p_y / g_y) log p_y,  g_j = sum_i p_i (T + slack)[i, j]

  with p = softmax(logits). The weight P(true y | x) / P(given y | x) makes the
  expected loss under the noise the expected cross entropy under true labels.
  Gradients go through it, to the slack and to the model.

  Trains: slack, `[num_classes, num_classes]`, 0 at the beginning, with Adam.
  Remembers nothing. T + slack is not made a transition matrix, as in the paper;
  but an entry below 1e-6 counts as that, lest the weight be negative, until its
  gradient brings it back.

  The official schedule is to estimate T; to train with slack 0 and the weight
  as a constant; and then to train model and slack by this loss, both with Adam
  at 5e-7. A model that begins with this loss is pushed to p_y = 0 as well,
  where l is 0 too: go over to it from cross entropy, `warm_up(method,
  epochs=...)`.

  The official code has two forms of this loss, and neither is the paper's. The
  one that its program calls goes over the examples of a batch, and adds the
  slack to T once more at each, so that the last of 128 has T + 128 slack; in
  the one that takes a batch at once (v2) the weight is a constant, and the
  slack never learns. This is the paper's.

  Args:
    transition: the estimate of T, `[num_classes, num_classes]`.
    learning_rate: of the slack, a number or an optax schedule; official 5e-7.

  Returns:
    A `Method` that learns a transition matrix: T + slack.

  Raises:
    ValueError: if transition is not a transition matrix; by init, if it is not
      of num_classes.

  References:
    Xia et al., `Are Anchor Points Really Indispensable in Label-Noise Learning?
    <https://arxiv.org/abs/1906.00189>`_, 2019
  """
  estimate = transition_lib.check_transition(np.asarray(transition))

  def revised(params):
    matrix = jnp.asarray(estimate, float) + params['slack']
    # Without the bound in the gradient: an entry that is at it can grow again.
    return matrix + lax.stop_gradient(jnp.maximum(matrix, _LEAST) - matrix)

  def init(key, num_examples, num_classes):
    del key, num_examples
    transition_lib.check_transition(estimate, num_classes)
    params = {'slack': jnp.zeros((num_classes, num_classes))}
    return method_lib.MethodState(params, {})

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    cross_entropy = rows.cross_entropies(logits, batch['label'])
    of_given = losses_lib.forward_corrected_cross_entropy(
      logits, batch['label'], transition=revised(state.params)
    )
    # Where p_y is 0 so is l, and no gradient comes from there.
    never = jnp.isposinf(cross_entropy)
    cross_entropy = jnp.where(never, 0, cross_entropy)
    weights = jnp.exp(jnp.where(never, -jnp.inf, of_given - cross_entropy))
    return weights * cross_entropy, (state.memory, {'weight': weights})

  return method_lib.Method(
    init, loss, optimizer=optax.adam(learning_rate), transition=revised
  )
