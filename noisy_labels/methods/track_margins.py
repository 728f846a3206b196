"""What training tells of each label in passing, for any method."""

from typing import Any
from typing import NamedTuple

import chex
from jax import lax
import jax.numpy as jnp

from noisy_labels.detection import margins as margins_lib
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


class Memory(NamedTuple):
  """What is remembered beside the method's own memory.

  Attributes:
    visits: how often each example was seen, int32 `[N]`.
    margins: the sum of its margins, float `[N]`.
    correct: whether its label was predicted at the last visit, bool `[N]`.
    learnt: whether it ever was, bool `[N]`.
    forgotten: how often it was no more, int32 `[N]`.
    inner: the method's memory.
  """

  visits: chex.Array
  margins: chex.Array
  correct: chex.Array
  learnt: chex.Array
  forgotten: chex.Array
  inner: Any


def track_margins(method: method_lib.Method) -> method_lib.Method:
  """Trains as before, and remembers the margin and the forgetting events.

    m_t = z_y - max_{k != y} z_k  at visit t
    margin = mean_t m_t,  forgotten = |{t: m_t > 0 and m_{t+1} <= 0}|

  The first is the AUM, which `detection.area_under_margin` and
  `margin_threshold` explain; the second, of an example that was never predicted
  as labelled, is the number of its visits, see `detection.forgetting_events`.
  Logits are those with which the step trains, before it is taken: nothing is
  predicted anew. Of several networks they are averaged.

  Of mixtures, the margin is that of the first label, as `mixup` has it.

  Args:
    method: what to train with, of one view.

  Returns:
    A `Method` whose opinion is that of the method, and `margin` and
    `forgotten`; both 0 before the first visit.

  Raises:
    ValueError: if the method has two views.

  References:
    Pleiss et al., `Identifying Mislabeled Data using the Area Under the Margin
    Ranking <https://arxiv.org/abs/2001.10528>`_, 2020

    Toneva et al., `An Empirical Study of Example Forgetting during Deep Neural
    Network Learning <https://arxiv.org/abs/1812.05159>`_, 2019
  """
  method_lib.check_one_view('track_margins', method)

  def init(key, num_examples, num_classes):
    params, inner = method.init(key, num_examples, num_classes)
    memory = Memory(
      visits=jnp.zeros(num_examples, jnp.int32),
      margins=jnp.zeros(num_examples),
      correct=jnp.zeros(num_examples, bool),
      learnt=jnp.zeros(num_examples, bool),
      forgotten=jnp.zeros(num_examples, jnp.int32),
      inner=inner,
    )
    return method_lib.MethodState(params, memory)

  def loss(predict, batch, state, key):
    watched, predicted = method_lib.watch(predict)
    losses, (inner, metrics) = method.loss(
      watched,
      batch,
      method_lib.MethodState(state.params, state.memory.inner),
      key,
    )
    logits = lax.stop_gradient(predicted[0])
    logits = jnp.mean(logits.reshape(-1, *logits.shape[-2:]), axis=0)
    memory = _remember(state.memory, batch, logits)
    return losses, (memory._replace(inner=inner), metrics)

  def opinion(memory, labels):
    inner = method.opinion(memory.inner, labels) if method.opinion else {}
    seen = jnp.maximum(memory.visits, 1)
    forgotten = jnp.where(memory.learnt, memory.forgotten, memory.visits)
    return {**inner, 'margin': memory.margins / seen, 'forgotten': forgotten}

  return method._replace(
    init=init,
    loss=loss,
    on_epoch=method_lib.epoch_of_inner(method),
    opinion=opinion,
  )


def _remember(memory, batch, logits):
  margins = margins_lib.margins(logits, batch['label'])
  correct = margins > 0
  lost = (memory.correct[batch['row']] & ~correct).astype(jnp.int32)
  learnt = memory.learnt[batch['row']] | correct
  return memory._replace(
    visits=rows.add(memory.visits, batch, 1),
    margins=rows.add(memory.margins, batch, margins),
    correct=rows.write(memory.correct, batch, correct),
    learnt=rows.write(memory.learnt, batch, learnt),
    forgotten=rows.add(memory.forgotten, batch, lost),
  )
