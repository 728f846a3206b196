"""Truncated loss with pruning: labels are given up, and taken up again."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob
from noisy_labels.losses import powers
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


class Memory(NamedTuple):
  """Attributes: visits, int32 `[N]`, and whether it is kept, bool `[N]`."""

  visits: chex.Array
  kept: chex.Array


def truncated_pruning(
  *, q: float = 0.7, k: float = 0.5, start_epochs: int = 40, every: int = 10
) -> method_lib.Method:
  """Generalized cross entropy of the labels that are believed (truncated Lq).

    l = w (1 - p_y^q) / q + (1 - w) (1 - k^q) / q,  p = softmax(logits)
    w <- 1 if p_y > k, otherwise 0     at visits start_epochs,
                                       start_epochs + every, ...
    dl/dz = w p_y^q (p - e_y)

  It is the minimisation by turns of `truncated_generalized_cross_entropy`:
  over the model, and from time to time over which labels to keep. In between a
  label that was given up stays so, whatever is predicted.

  Remembers: `Memory(visits, kept)`. kept is w, 1 before the first pruning.

  An example's w is decided when it is visited, by the prediction of that visit,
  and holds at once. In the paper it is decided for all examples at the end of
  an epoch. An implementation in wide use decides by the network that was best
  on the test set so far, which true labels chose.

  Args:
    q: in [0, 1]; 0.7 in the paper.
    k: the probability up to which a label is given up, in (0, 1); 0.5 in the
      paper.
    start_epochs: how many visits come before the first pruning, an integer of
      at least 0; 40 in the paper.
    every: how many visits from one pruning to the next, an integer of at least
      1; 10 in the paper.

  Returns:
    A `Method`; its metric `kept` is w.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Zhang and Sabuncu, `Generalized Cross Entropy Loss for Training Deep Neural
    Networks with Noisy Labels <https://arxiv.org/abs/1805.07836>`_, section
    3.4, 2018
  """
  _checks.in_range('q', q, '[0, 1]')
  _checks.in_range('k', k, '(0, 1)')
  _checks.at_least('start_epochs', start_epochs, 0)
  _checks.at_least('every', every, 1)

  def init(key, num_examples, num_classes):
    del key, num_classes
    visits = jnp.zeros(num_examples, jnp.int32)
    return method_lib.MethodState(
      {}, Memory(visits, jnp.ones(num_examples, bool))
    )

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    visits, kept = (values[batch['row']] for values in state.memory)
    log_p = log_prob.label_log_prob(logits, batch['label'])
    since = visits - start_epochs
    decides = (since >= 0) & (since % every == 0)
    kept = jnp.where(decides, log_p > jnp.log(k), kept)
    heard = losses_lib.generalized_cross_entropy(logits, batch['label'], q=q)
    given_up = -powers.box_cox(jnp.log(k), q)
    memory = Memory(
      rows.add(state.memory.visits, batch, 1),
      rows.write(state.memory.kept, batch, kept),
    )
    metrics = {'kept': kept.astype(jnp.float32)}
    return jnp.where(kept, heard, given_up), (memory, metrics)

  def opinion(memory, labels):
    del labels
    return {'kept': memory.kept}

  return method_lib.Method(init, loss, opinion=opinion)
