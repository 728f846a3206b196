"""Early learning regularisation: what was learnt first is not unlearnt."""

from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.methods import early_learning
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def early_learning_regularization(
  *, beta: float = 0.7, weight: float = 3.0
) -> method_lib.Method:
  """Early learning regularisation (ELR).

    l = -log p_y + weight log(1 - sum_k p_k t_k),  p = softmax(logits)
    t <- beta t + (1 - beta) p     at every visit, before t is used
    dl/dz = (p - e_y) + weight (q - p)
    q_k = p_k (1 - t_k) / sum_j p_j (1 - t_j)

  The target t of an example is a running average of what was predicted for it,
  0 before its first visit. The second term rewards predictions that agree with
  t. Its gradient grows as cross entropy's on a right label vanishes, so that
  right labels go on to be heard, and it cancels cross entropy's on a wrong
  label that t has seen through.

  Remembers: t, float32 `[N, num_classes]`. It is a good guess of the true
  label after training.

  A 1 - t_k below 1e-4 counts as 1e-4, which bounds the loss below; everything
  is computed in logarithms and is finite for all logits. The official code
  clips p to [1e-4, 1 - 1e-4] instead, in the regulariser and in what enters the
  target: in between the two agree, and beyond, its regulariser has no gradient.

  Args:
    beta: how much of the target is kept at a visit, in [0, 1). Official: 0.7
      on CIFAR-10, the default, and 0.9 on CIFAR-10 with asymmetric noise and on
      CIFAR-100.
    weight: of the regulariser, the paper's lambda, in [0, inf). Official: 3
      on CIFAR-10, the default, 1 with asymmetric noise, and 7 on CIFAR-100.

  Returns:
    A `Method`; its metric `agreement` is sum_k p_k t_k.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Liu et al., `Early-Learning Regularization Prevents Memorization of Noisy
    Labels <https://arxiv.org/abs/2007.00151>`_, 2020
  """
  _checks.in_range('beta', beta, '[0, 1)')
  _checks.in_range('weight', weight, '[0, inf)')

  def init(key, num_examples, num_classes):
    del key
    return method_lib.MethodState({}, jnp.zeros((num_examples, num_classes)))

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    log_probs = log_prob.log_probs(logits)
    probs = lax.stop_gradient(jnp.exp(log_probs))
    targets = beta * state.memory[batch['row']] + (1 - beta) * probs
    log_rest = early_learning.log_rest(log_probs, targets)
    losses = rows.cross_entropies(logits, batch['label']) + weight * log_rest
    memory = rows.write(state.memory, batch, targets)
    return losses, (memory, {'agreement': -jnp.expm1(log_rest)})

  return method_lib.Method(init, loss, opinion=early_learning.opinion)
