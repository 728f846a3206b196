"""DivideMix: labels that are probably wrong are forgotten, images are not."""

from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels import estimation
from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import mixing
from noisy_labels.methods import order
from noisy_labels.methods import rows
from noisy_labels.methods import selection
from noisy_labels.methods import sharpening

# The official mixture, of losses that range from 0 to 1.
_NUM_STEPS, _TOLERANCE, _LEAST_VARIANCE = 10, 1e-2, 5e-4


class Memory(NamedTuple):
  """What DivideMix remembers.

  Attributes:
    visits: how often each example was seen, int32 `[N]`.
    clean: the probability that its label is right, as each of the two networks
      sees it, float `[N, 2]`; 1 before the end of the first epoch.
  """

  visits: chex.Array
  clean: chex.Array


def divide_mix(
  *,
  warm_up_epochs: float = 10.0,
  unlabelled_weight: float = 25.0,
  ramp_epochs: float = 16.0,
  threshold: float = 0.5,
  temperature: float = 0.5,
  alpha: float = 4.0,
  confidence_penalty: float = 0.0,
) -> method_lib.Method:
  """Two networks tell each other whose labels to use, and guess the others.

  After each epoch a mixture of two normal distributions is fitted to the losses
  -log p_y of all examples by each network, and w is the probability that a loss
  is of the smaller ones. Each network then has the *other's* w, and p its own
  mean prediction for the two views of an image, p' that of both networks:

    t = sharpen(w y + (1 - w) p)  where w > threshold: labelled
    t = sharpen(p')               elsewhere: unlabelled
    x = r x_a + (1 - r) x_b,  t = r t_a + (1 - r) t_b
    r = max(s, 1 - s),  s ~ Beta(alpha, alpha)
    L = mean over labelled a of -sum_k t_k log p_k(x)
        + v mean over unlabelled a and k of (p_k(x) - t_k)^2
        + KL(1 / K, mean over all of p(x))
    v = unlabelled_weight min((e - warm_up_epochs) / ramp_epochs, 1)

  with sharpen(q)_k proportional to q_k^(1 / temperature), e the visits before
  this one, and b of both views of all examples of the batch. No gradient goes
  through t. In the first warm_up_epochs L is the mean of -log p_y over both
  views, plus confidence_penalty sum_k p_k log p_k.

  Remembers: `Memory(visits, clean)`. A small `clean` tells of a wrong label.

  A batch is drawn from all examples, and the masks of labelled and unlabelled
  ones divide it; the official code draws two batches of the same size, one of
  either kind. Means are over what there is of a kind, so the two terms have the
  same weights, but how many partners are labelled is as in the data. Official
  code trains the networks one after the other, on batches of their own; here
  they take each step together, with one batch, one r and one permutation for
  both: so the mixed images are the same, and one prediction of both networks
  serves. Of several devices, each mixes its own batch.

  The official code warms up on one view of each image, and v grows with every
  step, not from epoch to epoch.

  Not here: at 90% noise, the official code averages the losses of five epochs
  before it fits the mixture.

  Losses are n / m l for the m images of either kind, summed over views and
  networks, where n counts the examples of the device's batch that are no
  padding: their mean is L of the one plus L of the other.

  Args:
    warm_up_epochs: epochs of cross entropy, in [0, inf). Official: 10 on
      CIFAR-10, 30 on CIFAR-100.
    unlabelled_weight: the paper's lambda_u, in [0, inf). Official on CIFAR-10:
      0 for 20% symmetric and 40% asymmetric noise, 25 for 50 and 80%, 50 for
      90%; on CIFAR-100: 25 for 20%, 150 above.
    ramp_epochs: over how many epochs v grows, in [0, inf).
    threshold: of w, the paper's tau, in [0, 1). In the paper 0.6 at 90% noise.
    temperature: the paper's T, in (0, 1].
    alpha: in (0, inf).
    confidence_penalty: in [0, inf). Official: 1 for asymmetric noise.

  Returns:
    A `Method` of two networks and two views; its metric `labelled` is by how
    many of the two, as a share, a label is used.

  Raises:
    ValueError: if an argument is out of range.

  References:
    Li et al., `DivideMix: Learning with Noisy Labels as Semi-supervised
    Learning <https://arxiv.org/abs/2002.07394>`_, 2020
  """
  _checks.in_range('warm_up_epochs', warm_up_epochs, '[0, inf)')
  _checks.in_range('unlabelled_weight', unlabelled_weight, '[0, inf)')
  _checks.in_range('ramp_epochs', ramp_epochs, '[0, inf)')
  _checks.in_range('threshold', threshold, '[0, 1)')
  _checks.in_range('temperature', temperature, '(0, 1]')
  _checks.in_range('alpha', alpha, '(0, inf)')
  _checks.in_range('confidence_penalty', confidence_penalty, '[0, inf)')

  def loss(predict, batch, state, key):
    guess_key, predict_key, ratio_key, order_key = jax.random.split(key, 4)
    epoch = selection.epoch_of(state.memory, batch)
    late = epoch >= warm_up_epochs
    views = rows.both_views(batch)
    probs = _probs(rows.logits_of(predict, views, guess_key))
    clean = jnp.where(late, state.memory.clean[batch['row']].T[::-1], 1)
    targets = _targets(probs, clean, batch['label'], threshold, temperature)
    targets = lax.stop_gradient(jnp.tile(targets, (1, 2, 1)))
    labelled = jnp.tile(clean > threshold, (1, 2))
    # A warm-up mixes nothing, and its labels are those given.
    ratio = jnp.where(late, mixing.ratio(ratio_key, alpha), 1)
    partners = mixing.partners(order_key, rows.is_real(views))
    targets = jax.vmap(mixing.mix, (0, None, None))(targets, partners, ratio)
    mixed = mixing.mix(views['image'], partners, ratio)
    logits = rows.logits_of(predict, {**views, 'image': mixed}, predict_key)
    weight = selection.ramp(
      unlabelled_weight, epoch - warm_up_epochs, ramp_epochs
    )
    each = _semi_supervised(logits, targets, labelled, views, weight)
    each += jnp.where(
      late,
      _imbalance(logits, rows.is_real(views)),
      confidence_penalty * rows.negative_entropies(logits) / 2,
    )
    losses = jnp.sum(each.reshape(4, -1), axis=0)
    memory = state.memory._replace(
      visits=rows.add(state.memory.visits, batch, 1)
    )
    share = jnp.mean(clean > threshold, axis=0, dtype=jnp.float32)
    return losses, (memory, {'labelled': share})

  return method_lib.Method(
    _init,
    loss,
    num_networks=2,
    on_epoch=_divide,
    two_views=True,
    opinion=_opinion,
  )


def _init(key, num_examples, num_classes):
  del key, num_classes
  memory = Memory(
    visits=jnp.zeros(num_examples, jnp.int32),
    clean=jnp.ones((num_examples, 2)),
  )
  return method_lib.MethodState(params={}, memory=memory)


def _probs(logits):
  return jnp.exp(log_prob.log_probs(logits))


def _targets(probs, clean, label, threshold, temperature):
  """Refined labels, and guesses where they are not trusted, `[2, batch, K]`."""
  num_classes = probs.shape[-1]
  own = jnp.mean(probs.reshape(2, 2, -1, num_classes), axis=1)
  given = jax.nn.one_hot(label, num_classes, dtype=probs.dtype)
  trust = clean[..., None].astype(probs.dtype)
  chosen = jnp.where(
    trust > threshold,
    trust * given + (1 - trust) * own,
    jnp.mean(own, axis=0),
  )
  return sharpening.sharpen(chosen, temperature)


def _semi_supervised(logits, targets, labelled, views, weight):
  """The first two terms of L, `[2, 2 batch]`; their sum is n L."""
  real = rows.is_real(views)
  batch = {'mask': views['mask'][: len(real) // 2]}
  cross_entropy = losses_lib.cross_entropy(logits, targets)
  errors = (_probs(logits) - targets) ** 2
  supervised = selection.mean_weights(labelled & real, batch) * cross_entropy
  guessed = selection.mean_weights(~labelled & real, batch)
  return supervised + weight * guessed * jnp.mean(errors, axis=-1)


def _imbalance(logits, real):
  """The third term of L, a share for each image, `[2, 2 batch]`."""
  return jnp.where(real, rows.imbalance(logits, real)[:, None] / 2, 0)


def _opinion(memory, labels):
  del labels
  return {'clean': jnp.mean(memory.clean, axis=1)}


def _divide(logits, batch, state, total):
  """The memory with each network's view of every label."""
  logits = rows.without_padding(logits, batch)
  losses = rows.cross_entropies(logits, batch['label'])
  values = order.from_0_to_1(losses, batch, total)
  mixture = estimation.gaussian_mixture(
    values,
    batch['mask'],
    num_steps=_NUM_STEPS,
    tolerance=_TOLERANCE,
    least_variance=_LEAST_VARIANCE,
    total=total,
  )
  clean = estimation.lower_posterior(values, mixture)
  clean = clean.T.astype(state.memory.clean.dtype)
  return state.memory._replace(
    clean=rows.write(state.memory.clean, batch, clean)
  )
