"""Co-teaching where the two networks disagree."""

import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import selection


def co_teaching_plus(
  *,
  noise_rate: float,
  warm_up_epochs: float = 20.0,
  ramp_epochs: float = 10.0,
) -> method_lib.Method:
  """Co-teaching among the examples that two networks predict differently.

  As `co_teaching`, whose docstring has the formulas; but from warm_up_epochs
  on, the batch that is chosen from is that of the examples whose most probable
  class is not the same for both. Networks that teach each other come to agree,
  and to be one; where they differ they have something to say. A batch without
  any such example teaches nothing.

  Remembers: `selection.Memory(visits, kept)`, where kept counts small losses
  among all examples of the batch, as in `co_teaching`: that two networks agree
  on an example says nothing of its label.

  This is the paper's algorithm. Its official code takes the softmax twice,
  since it hands probabilities to a function of logits; divides by the number of
  kept examples twice; and while the epoch times the batch's number in it is
  below 5000, it lets a batch without disagreement teach all of itself. Here
  warm-up is for that: with warm_up_epochs=0, networks that begin alike never
  learn. Where it would keep no example it keeps all that differ, and here one.

  Args:
    noise_rate: the share of wrong labels, in [0, 1); the paper's tau.
    warm_up_epochs: how many epochs of co-teaching come first, in [0, inf).
      Official: 0 on MNIST, 20 on CIFAR-10, 5 on CIFAR-100.
    ramp_epochs: over how many epochs the share that is left out grows, in
      [0, inf); the paper's E_k, 10 there.

  Returns:
    A `Method` of two networks; its metrics are `kept`, by how many of the two,
    as a share, an example was chosen, and `disagreement`.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Yu et al., `How does Disagreement Help Generalization against Label
    Corruption? <https://arxiv.org/abs/1901.04215>`_, 2019
  """
  _checks.in_range('noise_rate', noise_rate, '[0, 1)')
  _checks.in_range('warm_up_epochs', warm_up_epochs, '[0, inf)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    each = rows.cross_entropies(logits, batch['label'])
    epoch = selection.epoch_of(state.memory, batch)
    forget_rate = selection.ramp(noise_rate, epoch, ramp_epochs)
    first, second = jnp.argmax(logits, axis=-1)
    differ = first != second
    real = rows.is_real(batch)
    among = real & (differ | (epoch < warm_up_epochs))
    kept = selection.smallest(each, among, forget_rate)
    small = selection.smallest(each, real, forget_rate)
    losses, (memory, metrics) = selection.exchange(
      each, kept, batch, state.memory, remembered=small
    )
    metrics = {**metrics, 'disagreement': differ.astype(jnp.float32)}
    return losses, (memory, metrics)

  return method_lib.Method(
    selection.init, loss, num_networks=2, opinion=selection.opinion
  )
