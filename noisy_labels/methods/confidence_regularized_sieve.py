"""The sample sieve: only labels that beat random ones are heard."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows
from noisy_labels.methods import selection

# What a probability counts at least, where confidence is rewarded.
_LEAST_PROB = 1e-8


class Memory(NamedTuple):
  """Attributes: visits, int32 `[N]`, and whether it is kept, bool `[N]`."""

  visits: chex.Array
  kept: chex.Array


def confidence_regularized_sieve(
  *,
  beta: float = 2.0,
  start_epochs: float = 10.0,
  ramp_epochs: float = 30.0,
  sieve_epochs: float = 30.0,
  noise_prior: chex.Array | None = None,
) -> method_lib.Method:
  """Confidence regularisation and sample sieve (CORES2).

    l = v n / sum(v) (-log p_y - b sum_k prior_k c_k),  p = softmax(logits)
    c_k = -log(p_k + 1e-8)
    v = 1 if -log p_y <= mean_k c_k or the visit is before sieve_epochs,
        otherwise 0
    b = beta clip((visits - start_epochs) / ramp_epochs, 0, 1)

  where n counts the examples of the device's batch that are no padding: the
  mean of `confidence_regularized_cross_entropy` over those that the sieve
  keeps, with a bound. It keeps a label that costs no more than one drawn evenly
  would.

  Remembers: `Memory(visits, kept)`. kept is the last v, True before the first
  visit; where it is False at the end, the label is probably wrong.

  The 1e-8 is the official code's, and it matters: without it confidence is
  rewarded without end, logits grow as fast as they can, and training diverges.

  The official code reaches the whole beta an epoch earlier, begins to sieve one
  later, divides the learning rate by 1 + b, and takes the examples that it
  dropped out of the prior; here the prior is that of the paper, of all labels.

  Args:
    beta: how much confidence is rewarded in the end, in [0, inf).
    start_epochs: how many visits come before the reward, in [0, inf).
    ramp_epochs: over how many it grows, in [0, inf).
    sieve_epochs: how many come before the sieve, in [0, inf). The defaults are
      official, up to one epoch.
    noise_prior: the distribution of the given labels, float `[num_classes]`;
      None for the uniform one.

  Returns:
    A `Method`; its metric `kept` is v.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Cheng et al., `Learning with Instance-Dependent Label Noise: A Sample Sieve
    Approach <https://arxiv.org/abs/2010.02347>`_, 2021
  """
  _checks.in_range('beta', beta, '[0, inf)')
  _checks.in_range('start_epochs', start_epochs, '[0, inf)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')
  _checks.in_range('sieve_epochs', sieve_epochs, '[0, inf)')

  def init(key, num_examples, num_classes):
    del key, num_classes
    visits = jnp.zeros(num_examples, jnp.int32)
    return method_lib.MethodState(
      {}, Memory(visits, jnp.ones(num_examples, bool))
    )

  def loss(predict, batch, state, key):
    logits = rows.logits_of(predict, batch, key)
    visits = state.memory.visits[batch['row']]
    log_probs = log_prob.log_probs(logits)
    label = rows.cross_entropies(logits, batch['label'])
    each = -jnp.logaddexp(log_probs, jnp.log(_LEAST_PROB))
    kept = (visits < sieve_epochs) | (label <= jnp.mean(each, axis=-1))
    kept &= rows.is_real(batch)
    reward = selection.ramp(beta, visits - start_epochs, ramp_epochs)
    reward = jnp.where(visits < start_epochs, 0, reward)
    prior = 1 / each.shape[-1] if noise_prior is None else noise_prior
    losses = label - reward * jnp.sum(prior * each, axis=-1)
    memory = Memory(
      rows.add(state.memory.visits, batch, 1),
      rows.write(state.memory.kept, batch, kept),
    )
    losses *= selection.mean_weights(kept, batch)
    return losses, (memory, {'kept': kept.astype(jnp.float32)})

  def opinion(memory, labels):
    del labels
    return {'kept': memory.kept}

  return method_lib.Method(init, loss, opinion=opinion)
