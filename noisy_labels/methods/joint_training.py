"""Joint training: two networks agree on what is right."""

import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import selection


def joint_training(
  *, noise_rate: float, weight: float = 0.9, ramp_epochs: float = 10.0
) -> method_lib.Method:
  """Joint training of two networks with co-regularisation (JoCoR).

    l = (1 - weight) (-log p1_y - log p2_y) + weight (KL(p1, p2) + KL(p2, p1))
    L = mean of l over the share 1 - R of the batch where l is smallest
    R = noise_rate min(t / ramp_epochs, 1)

  where t is how often the examples of the batch were seen before, on average.
  Two networks seldom agree on a wrong label: so their agreement, beside their
  losses, tells which labels are right, and where it is wanted anyway.

  Losses are n / m l for the m examples that are kept, where n counts the
  examples of the device's batch that are no padding. Of several devices, each
  chooses from its own batch. m is rounded down, and at least 1.

  Remembers: `selection.Memory(visits, kept)`.

  Args:
    noise_rate: the share of wrong labels, in [0, 1); half the flip rate in the
      official code for asymmetric noise, which half of the classes have.
    weight: of the agreement, the paper's lambda, in [0, 1]. In the paper 0.9 on
      MNIST and CIFAR-10, and 0.85 on CIFAR-100; 0.65 at 80% noise on CIFAR-10
      in the code's README.
    ramp_epochs: over how many epochs R grows, in [0, inf); the paper's T_k, 10
      there.

  Returns:
    A `Method` of two networks; its metrics are `kept` and `divergence`, the sum
    of the two KL.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Wei et al., `Combating Noisy Labels by Agreement: A Joint Training Method
    with Co-Regularization <https://arxiv.org/abs/2003.02752>`_, 2020
  """
  _checks.in_range('noise_rate', noise_rate, '[0, 1)')
  _checks.in_range('weight', weight, '[0, 1]')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    supervised = jnp.sum(rows.cross_entropies(logits, batch['label']), axis=0)
    divergence = _divergence(*log_prob.log_probs(logits))
    joint = (1 - weight) * supervised + weight * divergence
    epoch = selection.epoch_of(state.memory, batch)
    forget_rate = selection.ramp(noise_rate, epoch, ramp_epochs)
    kept = selection.smallest(joint, rows.is_real(batch), forget_rate)
    memory = selection.remember(state.memory, batch, kept)
    metrics = {'kept': kept.astype(jnp.float32), 'divergence': divergence}
    losses = joint * selection.mean_weights(kept, batch)
    return losses, (memory, metrics)

  return method_lib.Method(
    selection.init, loss, num_networks=2, opinion=selection.opinion
  )


def _divergence(first, second):
  """KL(p1, p2) + KL(p2, p1) of two log-probabilities, `[batch]`."""
  # On a class that both rule out they agree, and -inf less -inf is no number.
  ruled_out = jnp.isneginf(first) & jnp.isneginf(second)
  difference = jnp.where(ruled_out, 0, first - second)
  return jnp.sum((jnp.exp(first) - jnp.exp(second)) * difference, axis=-1)
