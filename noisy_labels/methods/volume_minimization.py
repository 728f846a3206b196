"""Volume minimisation: of all transition matrices that fit, the smallest."""

import jax
import jax.numpy as jnp
import optax

from noisy_labels import _checks
from noisy_labels import losses as losses_lib
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def volume_minimization(
  *,
  weight: float = 1e-4,
  initial_logit: float = -2.0,
  learning_rate: optax.ScalarOrSchedule = 1e-2,
) -> method_lib.Method:
  """Forward correction with the least transition matrix that fits (VolMinNet).

    l = -log sum_i p_i T[i, y] + weight log |det T|,  p = softmax(logits)
    T[i, j] = S[i, j] / sum_k S[i, k],  S[i, i] = 1,  S[i, j] = sigmoid(w[i, j])

  Predictions of the given label are explained by many pairs of a model and a T.
  Where the examples are scattered enough over the classes, the true T is the
  one whose simplex has the least volume; no anchor points are needed. Since
  S[i, j] < 1, the diagonal is the largest entry of each row.

  Trains: w, `[num_classes, num_classes]`, with Adam; its diagonal is without
  effect. Remembers nothing. The determinant costs num_classes^3 operations a
  step.

  Args:
    weight: of the volume, the paper's lambda, in [0, inf); official 1e-4.
    initial_logit: w at the beginning, in (-inf, inf). Official -2, and -4.5 on
      CIFAR-100.
    learning_rate: of w, a number or an optax schedule. Official: Adam at 0.01
      on MNIST and CIFAR-100, and on CIFAR-10 stochastic gradient descent at
      0.01 with momentum 0.9; on the latter two, a tenth after 30 epochs and
      again after 60. There is no weight decay on w. Those runs have some 30,000
      steps; with a few hundred, T needs a rate ten times as large to arrive
      before the model knows the labels by heart.

  Returns:
    A `Method` that learns a transition matrix.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Li et al., `Provably End-to-end Label-noise Learning without Anchor Points
    <https://arxiv.org/abs/2102.02400>`_, 2021
  """
  _checks.in_range('weight', weight, '[0, inf)')
  _checks.in_range('initial_logit', initial_logit, '(-inf, inf)')

  def init(key, num_examples, num_classes):
    del key, num_examples
    shape = num_classes, num_classes
    params = {'flip_logits': jnp.full(shape, initial_logit, float)}
    return method_lib.MethodState(params, {})

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    transition = _transition(state.params)
    losses = losses_lib.forward_corrected_cross_entropy(
      logits, batch['label'], transition=transition
    )
    volume = jnp.linalg.slogdet(transition).logabsdet
    return losses + weight * volume, (state.memory, {})

  return method_lib.Method(
    init,
    loss,
    optimizer=optax.adam(learning_rate),
    transition=_transition,
  )


def _transition(params):
  odds = jax.nn.sigmoid(params['flip_logits'])
  odds = jnp.where(jnp.eye(len(odds), dtype=bool), 1, odds)
  return odds / jnp.sum(odds, axis=-1, keepdims=True)
