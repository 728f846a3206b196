"""ProMix: as many right labels as can be found, and no class before others."""

from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
import optax

from noisy_labels import _checks
from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import mixing
from noisy_labels.methods import order
from noisy_labels.methods import rows
from noisy_labels.methods import selection

# What pi counts at least: a class may never have been predicted.
_LEAST_PRIOR = 1e-30


class Memory(NamedTuple):
  """What ProMix remembers.

  Attributes:
    visits: how often each example was seen, int32 `[N]`.
    small: whether its loss is one of the smallest of its class, as each of the
      two networks sees it, bool `[N, 2]`.
    kept: by how many of the two, as a share, its label was used at its last
      visit, float32 `[N]`; 1 before the warm-up has ended.
  """

  visits: chex.Array
  small: chex.Array
  kept: chex.Array


def pro_mix(
  *,
  select_share: float = 0.5,
  confidence: float = 0.99,
  warm_up_epochs: float = 10.0,
  ramp_epochs: float = 50.0,
  guess_epochs: float = 350.0,
  guess_share: float = 0.9,
  debias: float = 0.8,
  decay: float = 0.9999,
  alpha: float = 4.0,
  confidence_penalty: float = 0.0,
) -> method_lib.Method:
  """Small losses of every class, and labels that a sure network agrees with.

  After each epoch, each network marks in every class the ceil(select_share N /
  K) examples with the smallest losses -log p_y. Of a batch, it then keeps

    the given label y, if marked, or if p_y > confidence
    from guess_epochs on the guess argmax_k p_k / pi_k^debias, if it keeps no
    label, and both networks predict the same class with p > confidence; the
    surest of these, up to guess_share of the batch with the labels kept

  for the p of the first view, and is trained by

    L = l(x, t) + g (l(x', t) + l(r x + (1 - r) x_b, r t + (1 - r) t_b))
    l(x, t) = mean over the kept of -sum_k t_k log softmax(z(x) + debias log pi)
    g = min(e / ramp_epochs, 1),  r = max(s, 1 - s),  s ~ Beta(alpha, alpha)
    pi <- decay pi + (1 - decay) mean over the kept of p

  where x' is the other view, t one-hot at the label or the guess, b another of
  the kept, and e the visits before this one. pi, 1 / K at first, is what the
  network predicts on average: adding its logarithm while training keeps it out
  of the logits. In the first warm_up_epochs, L is the mean of -log p_y, plus
  confidence_penalty sum_k p_k log p_k.

  Remembers: `Memory(visits, small, kept)`. `kept` of 0 tells of a wrong label.
  Trains: pi, float `[2, K]`, which is a running average of all devices: plain
  gradient descent on |pi - p|^2 / 2, at the rate 1 - decay.

  Left out of the official code:

  - the auxiliary pseudo head, a second classifier that alone hears guesses for
    what is not kept, to protect the first from them, with a weight that goes up
    to 0.1 in 100 of the 600 epochs and is 0 after. A model here has one head,
    and to teach it those guesses is what the second was to avoid. So nothing
    is learnt from what is not kept, and no pi of it is needed.
  - FMix beside mixup, in g: it cuts images along random shapes, and a method
    does not know what an image is.
  - stronger augmentation of the second view (three operations of RandAugment):
    a loop's matter; in `experiments`, `config.second_view`.
  - a select_share that grows over ramp_epochs: official commands keep it fixed.

  Losses are n / m l for the m kept examples of each network, summed over the
  two, where n counts the examples of the device's batch that are no padding:
  their mean is L_1 + L_2, which the official code descends too. Of equal losses
  of a class all are marked. Of several devices, each guesses and mixes in its
  own batch. The official confidence penalty takes negative logits for 0; here
  it is that of `divide_mix`.

  Args:
    select_share: rho in the official code, in (0, 1]. Official: 0.7 at 20%
      symmetric noise, else 0.5.
    confidence: tau, in [0, 1). Official: 0.99 on CIFAR-10, 0.95 on
      CIFAR-100.
    warm_up_epochs: in [0, inf). Official: 10 on CIFAR-10, 30 on CIFAR-100.
    ramp_epochs: over how many epochs g grows, in [0, inf), counted from the
      first, warm-up included. Official: 50.
    guess_epochs: from when labels are guessed, in [0, inf]. Official: the last
      250 of 600.
    guess_share: in [0, 1]. Official: 0.9.
    debias: in [0, inf). Official: 0.8 on CIFAR-10, 0.5 on CIFAR-100.
    decay: how much of pi is kept in a step, in [0, 1).
    alpha: in (0, inf).
    confidence_penalty: in [0, inf). Official: 1 for asymmetric noise.

  Returns:
    A `Method` of two networks and two views; its metrics are by how many of the
    two, as a share, a label was `kept` and `guessed`.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Xiao et al., `ProMix: Combating Label Noise via Maximizing Clean Sample
    Utility <https://arxiv.org/abs/2207.10276>`_, 2023
  """
  _checks.in_range('select_share', select_share, '(0, 1]')
  _checks.in_range('confidence', confidence, '[0, 1)')
  _checks.in_range('warm_up_epochs', warm_up_epochs, '[0, inf)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')
  _checks.in_range('guess_epochs', guess_epochs, '[0, inf]')
  _checks.in_range('guess_share', guess_share, '[0, 1]')
  _checks.in_range('debias', debias, '[0, inf)')
  _checks.in_range('decay', decay, '[0, 1)')
  _checks.in_range('alpha', alpha, '(0, inf)')
  _checks.in_range('confidence_penalty', confidence_penalty, '[0, inf)')

  def init(key, num_examples, num_classes):
    del key
    memory = Memory(
      visits=jnp.zeros(num_examples, jnp.int32),
      small=jnp.zeros((num_examples, 2), bool),
      kept=jnp.ones(num_examples),
    )
    prior = jnp.ones((2, num_classes)) / num_classes
    return method_lib.MethodState(prior, memory)

  def loss(predict, batch, state, key):
    predict_key, mixed_key, *keys = jax.random.split(key, 4)
    epoch = selection.epoch_of(state.memory, batch)
    late = epoch >= warm_up_epochs
    views = rows.both_views(batch)
    logits = rows.logits_of(predict, views, predict_key)
    first, second = jnp.split(logits, 2, axis=1)
    log_probs = lax.stop_gradient(log_prob.log_probs(first))
    probs = jnp.exp(log_probs)
    bias = debias * lax.stop_gradient(_log(state.params))[:, None]
    given = jax.nn.one_hot(batch['label'], probs.shape[-1], dtype=probs.dtype)

    sure = probs > confidence
    kept = state.memory.small[batch['row']].T
    kept = kept | jnp.any(sure & (given > 0), axis=-1) | ~late
    kept &= rows.is_real(batch)
    guessed = _agreed(probs, sure, kept, batch, guess_share)
    guessed &= late & (epoch >= guess_epochs)
    guesses = jnp.argmax(log_probs - bias, axis=-1)
    guesses = jax.nn.one_hot(guesses, probs.shape[-1], dtype=probs.dtype)
    targets = jnp.where(guessed[..., None], guesses, given)

    chosen = kept | guessed
    mixed, mixed_targets = _mix(batch['image'], targets, chosen, keys, alpha)
    mixed = rows.without_padding(predict.each(mixed, mixed_key), batch)
    more = losses_lib.cross_entropy(second + bias, targets)
    more += losses_lib.cross_entropy(mixed + bias, mixed_targets)
    strength = jnp.where(late, selection.ramp(1.0, epoch, ramp_epochs), 0)
    each = losses_lib.cross_entropy(first + bias, targets) + strength * more
    each += jnp.where(late, _descent(state.params, probs), 0)
    each *= selection.mean_weights(chosen, batch)
    penalty = confidence_penalty * rows.negative_entropies(first)
    losses = jnp.sum(jnp.where(late, each, each + penalty), axis=0)

    share = jnp.mean(kept, axis=0, dtype=jnp.float32)
    memory = state.memory._replace(
      visits=rows.add(state.memory.visits, batch, 1),
      kept=rows.write(state.memory.kept, batch, share),
    )
    share_guessed = jnp.mean(guessed, axis=0, dtype=jnp.float32)
    return losses, (memory, {'kept': share, 'guessed': share_guessed})

  def on_epoch(logits, batch, state, total):
    logits = rows.without_padding(logits, batch)
    small = order.smallest_of_classes(
      rows.cross_entropies(logits, batch['label']),
      batch,
      select_share,
      num_classes=logits.shape[-1],
      total=total,
    )
    return state.memory._replace(
      small=rows.write(state.memory.small, batch, small.T)
    )

  return method_lib.Method(
    init,
    loss,
    optimizer=optax.sgd(1 - decay),
    num_networks=2,
    on_epoch=on_epoch,
    two_views=True,
    opinion=lambda memory, labels: {'kept': memory.kept},
  )


def _log(prior):
  return jnp.log(jnp.maximum(prior, _LEAST_PRIOR))


def _agreed(probs, sure, kept, batch, guess_share):
  """Of which examples each network guesses the label, bool `[2, batch]`."""
  real = rows.is_real(batch)
  same = jnp.argmax(probs[0], axis=-1) == jnp.argmax(probs[1], axis=-1)
  among = same & jnp.all(jnp.any(sure, axis=-1), axis=0) & ~kept & real
  surest = jnp.mean(jnp.max(probs, axis=-1), axis=0)
  room = guess_share * jnp.sum(real) - jnp.sum(kept, axis=-1, keepdims=True)
  ranks = jnp.argsort(jnp.argsort(jnp.where(among, -surest, 0), axis=-1))
  # A little more, or 0.9 of 20 is 17.9999 and not 18.
  return among & (ranks < jnp.floor(room + 1e-3))


def _mix(images, targets, chosen, keys, alpha):
  """What each network mixes, and the labels of that, `[2, batch, ...]`."""
  ratio_keys, order_keys = (jax.random.split(key) for key in keys)
  ratios = jax.vmap(mixing.ratio, (0, None))(ratio_keys, alpha)
  partners = jax.vmap(mixing.partners)(order_keys, chosen)
  mixed = jax.vmap(mixing.mix, (None, 0, 0))(images, partners, ratios)
  return mixed, jax.vmap(mixing.mix)(targets, partners, ratios)


def _descent(prior, probs):
  """0, with the gradient prior - p."""
  distance = jnp.sum((prior[:, None] - probs) ** 2, axis=-1) / 2
  return distance - lax.stop_gradient(distance)
