"""ELR+: two averaged networks say to each other what was learnt first."""

from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob
from noisy_labels.methods import early_learning
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import mixing
from noisy_labels.methods import rows
from noisy_labels.methods import selection


class Memory(NamedTuple):
  """What ELR+ remembers.

  Attributes:
    visits: how often each example was seen, int32 `[N]`.
    targets: the averages of what was predicted for it, one for each of the two
      networks that learn from them, float32 `[N, 2, num_classes]`.
  """

  visits: chex.Array
  targets: chex.Array


def early_learning_regularization_plus(
  *,
  beta: float = 0.7,
  weight: float = 3.0,
  alpha: float = 1.0,
  ema_decay: float = 0.997,
  ramp_epochs: float = 0.0,
) -> method_lib.Method:
  """Early learning regularisation with mixup and two networks (ELR+).

    t_n <- beta t_n + (1 - beta) q_m(x)    for each network n, the other being m
    l_n = -sum_k y'_k log p_nk(x') + w log(1 - sum_k p_nk(x') t'_nk)
    x' = r x_a + (1 - r) x_b, and y' and t' likewise,  r >= 1/2
    w = weight exp(-5 (1 - min(e / ramp_epochs, 1))^2)

  p_n is a network's prediction, q_n that by the running average of its weights,
  for the image as it is. r is max(r, 1 - r) of a draw from Beta(alpha, alpha),
  one for a batch, and b another example of the batch; both networks see the
  same mixture. e is how often the examples of the batch were seen before, on
  average. The targets are those of `early_learning_regularization`, but made by
  the other network, whose errors are others, and which changes slowly.

  Losses are summed over the two networks. On several devices, each mixes its
  own batch, and nothing is mixed with padding. Mixup is in it: it needs no
  `mixup` around it.

  Remembers: `Memory(visits, targets)`. Both targets are good guesses of the
  true label after training.

  The official code gives each of the two networks labels with noise of its own:
  together they see more right labels than there are. Here both see the same
  labels. It draws a mixture for each network. On data of 100 classes it trains
  cross entropy on y' t' / sum_k y'_k t'_k, of which the paper says nothing;
  here, on y'. Its average weights begin with a decay that rises to ema_decay
  over 40,000 steps; here it is ema_decay from the first step on.

  Args:
    beta: how much of the target is kept at a visit, in [0, 1). Official: 0.7
      on CIFAR-10, 0.9 on CIFAR-10 with asymmetric noise and on CIFAR-100.
    weight: of the regulariser, the paper's lambda, in [0, inf). Official: 3
      on CIFAR-10, 1 on CIFAR-10 with asymmetric noise, 7 on CIFAR-100.
    alpha: of mixup, in (0, inf). Official: 1.
    ema_decay: how much of the average weights is kept at a step, in (0, 1).
      Official: 0.997.
    ramp_epochs: over how many epochs the regulariser's weight rises, in
      [0, inf). Official: none on CIFAR-10, 40,000 steps on CIFAR-100, which are
      about 102 epochs.

  Returns:
    A `Method` of two networks that asks for their averages; its metric
    `agreement` is sum_k p_k t_k, the mean of the two networks'.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Liu et al., `Early-Learning Regularization Prevents Memorization of Noisy
    Labels <https://arxiv.org/abs/2007.00151>`_, 2020
  """
  _checks.in_range('beta', beta, '[0, 1)')
  _checks.in_range('weight', weight, '[0, inf)')
  _checks.in_range('alpha', alpha, '(0, inf)')
  _checks.in_range('ema_decay', ema_decay, '(0, 1)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')

  def init(key, num_examples, num_classes):
    del key
    memory = Memory(
      visits=jnp.zeros(num_examples, jnp.int32),
      targets=jnp.zeros((num_examples, 2, num_classes)),
    )
    return method_lib.MethodState({}, memory)

  def loss(predict, batch, state, key):
    mix_key, own_key, other_key = jax.random.split(key, 3)
    mixture = mixing.draw_mixture(batch, mix_key, alpha=alpha)
    mixed = {**batch, 'image': mixture(batch['image'])}
    # The first prediction's batch statistics are kept.
    logits = rows.logits_of(predict, mixed, own_key)
    taught = _by_the_other(predict, batch, other_key)
    past = state.memory.targets[batch['row']]
    targets = beta * past + (1 - beta) * taught
    log_rest = early_learning.log_rest(
      log_prob.log_probs(logits), jnp.swapaxes(mixture(targets), 0, 1)
    )
    label = mixture(jax.nn.one_hot(batch['label'], logits.shape[-1]))
    epoch = selection.epoch_of(state.memory, batch)
    losses = losses_lib.cross_entropy(
      logits, jnp.broadcast_to(label, logits.shape)
    )
    losses += weight * _ramp(epoch, ramp_epochs) * log_rest
    memory = Memory(
      visits=rows.add(state.memory.visits, batch, 1),
      targets=rows.write(state.memory.targets, batch, targets),
    )
    agreement = -jnp.expm1(log_rest).mean(axis=0)
    return losses.sum(axis=0), (memory, {'agreement': agreement})

  return method_lib.Method(
    init,
    loss,
    num_networks=2,
    mixes_images=True,
    ema_decay=ema_decay,
    opinion=_opinion,
  )


def _opinion(memory, labels):
  return early_learning.opinion(jnp.mean(memory.targets, axis=1), labels)


def _by_the_other(predict, batch, key):
  """What each network is taught: the other's prediction, `[batch, 2, K]`."""

  def by_average(images, key):
    return predict.apply(predict.averaged, images, key)

  logits = lax.stop_gradient(rows.logits_of(by_average, batch, key))
  return jnp.swapaxes(jnp.exp(log_prob.log_probs(logits[::-1])), 0, 1)


def _ramp(epoch, ramp_epochs):
  if not ramp_epochs:
    return 1.0
  return jnp.exp(-5 * (1 - jnp.clip(epoch / ramp_epochs, 0, 1)) ** 2)
