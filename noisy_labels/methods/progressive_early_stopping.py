"""Progressive early stopping: late layers are stopped before early ones."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import staged_training


class Memory(NamedTuple):
  """What progressive early stopping remembers.

  Attributes:
    epochs: how many have ended, int32 `[N]`; the same for all, since an epoch
      leaves out examples at random, but ends for each of them.
    weight: how much it counts, float32 `[N]`; 0 after the three stages if its
      label is not what is predicted, which tells of a wrong label.
  """

  epochs: chex.Array
  weight: chex.Array


def progressive_early_stopping(
  *,
  steps_per_epoch: int,
  part_of: Callable[[str], int],
  first_epochs: int = 25,
  second_epochs: int = 7,
  third_epochs: int = 5,
  late_learning_rate: float = 1e-4,
) -> method_lib.Method:
  """Progressive early stopping (PES), without semi-supervised learning.

    l = -log p_y,  by parts of the network:
      first_epochs:   all parts
      second_epochs:  parts 1 and 2, from the beginning, part 0 being frozen
      third_epochs:   part 2, from the beginning, the others being frozen
    afterwards all parts, by the confident examples, those with argmax p = y:
      L = sum_i w_i l_i / sum_i w_i,  w_i = c / n_y  or 0

  where n_y is how many confident examples have label y, and c the mean of the
  n_k that are not 0. Late layers fit wrong labels sooner than early ones do. So
  the early ones are trained for long, and late ones then, anew, for less, on
  what the early ones have learnt. The confident examples are found after each
  epoch from the end of the third stage on.

  Losses are n w_i l_i / sum_i w_i, where n counts the examples of the device's
  batch that are no padding, and sums are over that batch.

  Remembers: `Memory(epochs, weight)`.

  The paper's are the stages, Adam for parts 1 and 2, and the confident
  examples. Simplified is this: parts that begin anew do so with the parameters
  that training began with, not with other random ones, and in the first step of
  their stage. Batches are of all examples, so that those of the last stage have
  fewer that count, instead of there being fewer batches. Predictions are for
  images as they are, not the mean over two augmented views. The model's
  optimiser rests while parts 1 and 2 are trained, its schedule included, as the
  official code's does, and then goes on with all: a schedule is to be as long
  as the epochs without these two stages. The code's goes on with the
  late layers of the first stage, which are no longer in use, and so never
  trains the new ones.

  Args:
    steps_per_epoch: an integer of at least 1.
    part_of: from where a parameter is in the tree of parameters, such as
      `'params/Dense_0/kernel'`, to its part: 0, 1 or 2.
    first_epochs: the paper's T_1, an integer of at least 0. Official: 25 on
      CIFAR-10, 30 on CIFAR-100.
    second_epochs: T_2, an integer of at least 0; at 0, part 1 is trained with
      part 0. Official: 7.
    third_epochs: T_3, an integer of at least 0; at 0, part 2 is trained with
      part 1. Official: 5. (Before semi-supervised learning, the code has only
      a last layer, for 5 epochs, after 20 on CIFAR-10, 35 on CIFAR-100.)
    late_learning_rate: of Adam, in (0, inf). Official: 1e-4.

  Returns:
    A `Method` that wraps the optimiser of the model and sees the end of epochs;
    its metric `kept` is whether the example counts.

  Raises:
    ValueError: if an argument is out of range; when training begins, if a part
      is none of 0, 1 and 2.

  References:
    Bai et al., `Understanding and Improving Early Stopping for Learning with
    Noisy Labels <https://arxiv.org/abs/2106.15853>`_, 2021
  """
  _checks.at_least('steps_per_epoch', steps_per_epoch, 1)
  _checks.at_least('first_epochs', first_epochs, 0)
  _checks.at_least('second_epochs', second_epochs, 0)
  _checks.at_least('third_epochs', third_epochs, 0)
  _checks.in_range('late_learning_rate', late_learning_rate, '(0, inf)')
  epochs = first_epochs, second_epochs, third_epochs

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    real = rows.is_real(batch)
    weight = jnp.where(real, state.memory.weight[batch['row']], 0)
    share = jnp.sum(real) / _or_one(jnp.sum(weight))
    losses = share * weight * rows.cross_entropies(logits, batch['label'])
    metrics = {'kept': (weight > 0).astype(losses.dtype)}
    return losses, (state.memory, metrics)

  def on_epoch(logits, batch, state, total):
    real = rows.is_real(batch)
    confident = (jnp.argmax(logits, axis=-1) == batch['label']) & real
    label = jax.nn.one_hot(batch['label'], logits.shape[-1])
    counts = total(jnp.sum(confident[:, None] * label, axis=0))
    share = jnp.sum(counts) / _or_one(jnp.sum(counts > 0))
    chosen = confident * share / _or_one(counts[batch['label']])
    ended, before = state.memory
    ended = ended + real.astype(ended.dtype)
    weight = jnp.where(real & (ended >= sum(epochs)), chosen, before)
    return Memory(ended, weight.astype(before.dtype))

  def wrap(optimizer):
    return staged_training.staged(
      optimizer,
      part_of=part_of,
      steps=[number * steps_per_epoch for number in epochs],
      late_learning_rate=late_learning_rate,
    )

  return method_lib.Method(
    _init,
    loss,
    on_epoch=on_epoch,
    wrap_optimizer=wrap,
    opinion=lambda memory, labels: {'kept': memory.weight > 0},
  )


def _init(key, num_examples, num_classes):
  del key, num_classes
  memory = Memory(
    epochs=jnp.zeros(num_examples, jnp.int32), weight=jnp.ones(num_examples)
  )
  return method_lib.MethodState({}, memory)


def _or_one(number):
  """The number, or what can be divided by where it is 0."""
  return jnp.where(number > 0, number, 1)
