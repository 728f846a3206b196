"""Forward correction: the prediction goes through the noise, as labels do."""

from typing import TypeAlias

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy.typing as npt

from noisy_labels import _checks
from noisy_labels.losses import log_prob
from noisy_labels.losses import mixing
from noisy_labels.losses import mixture
from noisy_labels.losses import rounding
from noisy_labels.noise import structured
from noisy_labels.noise import transition as transition_lib

Transition: TypeAlias = (
  npt.ArrayLike
  | chex.Array
  | structured.SymmetricTransition
  | structured.PairFlipTransition
)


def forward_corrected_cross_entropy(
  logits: chex.Array, labels: chex.Array, *, transition: Transition
) -> chex.Array:
  """Cross entropy of the label that the noise makes of the prediction.

    l = -sum_k t_k log sum_i p_i T[i, k],  p = softmax(logits)
    dl/dz = sum_k t_k (p - q),  q_i = p_i T[i, k] / sum_j p_j T[j, k]

  It is the likelihood of the given label if T[i, j] = P(given j | true i) is
  the noise, so that its minimum over clean and noisy data is the same
  classifier.

  Posterior over the clean label: q, by Bayes' rule, given the label and the
  prediction. Bound: l <= -log min_i T[i, y], where this is not 0.

  With integer labels one column of T is read for each example; distributions
  take the product p T. A structured T needs neither: symmetric noise is
  `mixture_cross_entropy` with the noise_rate that its docstring tells, and a
  pair flip reads two probabilities.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf; noise may still give its label.
    labels: classes, integer `[...]`, or distributions over them, float
      `[..., num_classes]`. The loss is linear in a distribution. An integer
      outside 0 .. num_classes - 1 makes loss and gradient of its example NaN:
      to ignore an example, give it any valid label and mask its loss.
    transition: T, float `[num_classes, num_classes]` with rows that sum to 1,
      or `noise.SymmetricTransition` or `noise.PairFlipTransition`.
      Differentiable, with finite gradients where T is 0 too, and their rates as
      well: learn T through `jax.nn.softmax` of its rows, say.

  Returns:
    One loss an example `[...]`, float32 for logits of 16 bits.

  Raises:
    AssertionError: if shapes or dtypes do not fit.
    ValueError: if transition is of Python or numpy numbers and no transition
      matrix of that many classes, or its rate is out of range: a symmetric one
      must leave the true label the most probable.

  Examples:
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> transition = jnp.array([[0.7, 0.3], [0.1, 0.9]])
    >>> losses = forward_corrected_cross_entropy(
    ...   logits, labels, transition=transition
    ... )
    >>> [f'{loss:.3f}' for loss in losses]
    ['0.464', '0.990']

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017
  """
  _checks.logits_and_labels(logits, labels)
  if isinstance(transition, structured.SymmetricTransition):
    return _symmetric(logits, labels, transition)
  logits, labels = jax.tree.map(jnp.asarray, (logits, labels))
  if isinstance(transition, structured.PairFlipTransition):
    return _pair_flip(logits, labels, transition.rate)
  num_classes = logits.shape[-1]
  if not isinstance(transition, jax.Array):
    transition = transition_lib.check_transition(transition, num_classes)
  chex.assert_shape(
    transition,
    (num_classes, num_classes),
    custom_message='transition must have shape [num_classes, num_classes]',
  )
  transition = jnp.asarray(transition, rounding.wide_dtype(logits))
  if jnp.issubdtype(labels.dtype, jnp.integer):
    return _of_classes(logits, labels, transition)
  return _of_distributions(logits, labels, transition)


def _symmetric(logits, labels, transition):
  num_classes = logits.shape[-1]
  least = 1 - 1 / num_classes if transition.exclude_true else 1
  # Nearer to it, float32 does not tell the noise rate from 1.
  _checks.in_range('rate', transition.rate, f'[0, {least * (1 - 1e-6):.6g})')
  noise_rate = transition.rate / least
  return mixture.mixture_cross_entropy(logits, labels, noise_rate=noise_rate)


def _pair_flip(logits, labels, rate):
  _checks.in_range('rate', rate, '[0, 1]')
  logits = log_prob.widen(logits)
  rate = jnp.asarray(rate, logits.dtype)
  weights = jnp.stack([1 - rate, rate], axis=-1)
  if jnp.issubdtype(labels.dtype, jnp.integer):
    last = logits.shape[-1] - 1
    before = jnp.where(labels == 0, last, labels - 1).astype(jnp.int32)
    pair = [log_prob.label_log_prob(logits, k) for k in (labels, before)]
    return -mixing.log_mix(*_broadcast(jnp.stack(pair, axis=-1), weights))
  log_probs = log_prob.log_probs(logits)
  logs = jnp.stack([log_probs, jnp.roll(log_probs, 1, axis=-1)], axis=-1)
  log_given = mixing.log_mix(*_broadcast(logs, weights[..., None, :]))
  return _expected(log_given, labels)


def _of_classes(logits, labels, transition):
  """Read the column of the label: P(given label | true i) for each class i."""
  columns = jnp.take(transition.T, labels, axis=0, mode='clip')
  log_given = _log_given(logits, columns)
  return -log_given * log_prob.one_if_class(labels, logits)


def _of_distributions(logits, labels, transition):
  # On a GPU or TPU, the product would be of narrower numbers by default.
  given = jnp.matmul(
    jnp.exp(log_prob.log_probs(logits)), transition, precision='highest'
  )
  # So small that derivatives of second order would overflow, or p has.
  smallest = jnp.finfo(given.dtype).tiny ** (1 / 3)
  is_safe = (given > smallest) | (labels == 0)

  def by_product():
    absent = given <= smallest
    return _expected(jnp.log(jnp.where(absent, 1, given)), labels)

  # One class after the other, as for integer labels. Their columns are not kept
  # for the backward pass, but read again.
  @jax.checkpoint
  def add_class(losses, label_and_column):
    label, column = label_and_column
    columns = jnp.broadcast_to(column, logits.shape)
    log_given = _log_given(logits, columns)[..., None]
    return losses + _expected(log_given, label[..., None]), None

  def by_class():
    losses = jnp.zeros_like(given[..., 0])
    columns = (jnp.moveaxis(labels, -1, 0), transition.T)
    return lax.scan(add_class, losses, columns)[0]

  return lax.cond(jnp.all(is_safe), by_product, by_class)


def _log_given(logits, columns):
  """Return log sum_i p_i columns_i, where p may be too small for its dtype."""
  wide = rounding.widen(logits)
  largest = log_prob.largest_of(wide)
  total = jnp.sum(log_prob.exp_less(wide, largest), axis=-1)
  return mixing.log_mix(wide, columns, largest) - jnp.log(total)


def _expected(log_given, labels):
  # As in `expectation.over_labels`.
  absent = (labels == 0) & jnp.isneginf(log_given)
  log_given = jnp.where(absent, 0, log_given)
  return -jnp.sum(jnp.where(absent, 0, labels * log_given), axis=-1)


def _broadcast(logs, weights):
  return logs, jnp.broadcast_to(weights, logs.shape)
