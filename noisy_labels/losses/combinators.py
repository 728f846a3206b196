"""Losses out of losses: weighted pairs, clipped logits, a margin."""

from collections.abc import Callable

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.losses import distributions
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding


def active_passive(
  active: Callable[..., chex.Array],
  passive: Callable[..., chex.Array],
  *,
  alpha: chex.Numeric,
  beta: chex.Numeric,
) -> Callable[..., chex.Array]:
  """Weigh an active and a passive loss: one learns, the other resists (APL).

    l = alpha l_active + beta l_passive

  An active loss only raises the probability of the label: normalized cross
  entropy, normalized focal loss. A passive one also lowers that of another
  class: mean absolute error, reverse cross entropy, the asymmetric losses,
  normalized negative cross entropy. Two symmetric losses make a symmetric one.

  Trust weight and bound are the same sums of the two losses'.

  In the code of active passive losses the mean absolute error of a pair is
  1 - p_y, half of `mean_absolute_error`: halve the beta that is published for
  NCE + MAE and NFL + MAE. (That of epsilon-softmax + MAE is of this one.)

  Official pairs and weights (alpha, beta): NCE + MAE or RCE, MNIST 1, 10,
  CIFAR-10 1, 1, CIFAR-100 10, 0.1; NCE + AGCE (a, q), CIFAR-10 1, 4 (6, 1.5),
  CIFAR-100 10, 0.1 (1.8, 3).

  Args:
    active: a loss, its hyper-parameters bound by `functools.partial`, say.
    passive: another one.
    alpha: the weight of the active loss, in [0, inf).
    beta: the weight of the passive loss, in [0, inf). Numbers or arrays that
      broadcast with the losses; differentiable.

  Returns:
    The loss, `(logits, labels, **hyper_parameters) -> losses`. What it is
    called with goes to both.

  Raises:
    ValueError: if a weight is a Python or numpy number out of range.

  Examples:
    >>> from noisy_labels import losses
    >>> loss = active_passive(
    ...   losses.cross_entropy, losses.mean_absolute_error, alpha=0.5, beta=2.0
    ... )
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> [f'{loss:.3f}' for loss in loss(logits, jnp.array([0, 1]))]
    ['0.540', '4.587']

  References:
    Ma et al., `Normalized Loss Functions for Deep Learning with Noisy Labels
    <https://arxiv.org/abs/2006.13554>`_, 2020
  """
  _checks.in_range('alpha', alpha, '[0, inf)')
  _checks.in_range('beta', beta, '[0, inf)')

  def loss(logits, labels, **hyper_parameters):
    learnt = active(logits, labels, **hyper_parameters)
    resisted = passive(logits, labels, **hyper_parameters)
    weights = (jnp.asarray(weight, learnt.dtype) for weight in (alpha, beta))
    learning, resisting = weights
    return learning * learnt + resisting * resisted

  return loss


def clip_logits(logits: chex.Array, *, max_norm: chex.Numeric) -> chex.Array:
  """Bound the length of the vector of logits, which bounds any loss of it.

    z~ = z min(1, max_norm / |z|_2)

  With it, cross entropy is at most log(1 + (K - 1) exp(sqrt(2) max_norm)), for
  no two logits differ by more than sqrt(2) max_norm. The gradient keeps its
  component across z, times max_norm / |z|, and loses the one along z. Call it
  on the logits of training alone; the class predicted is the same without it.

  Unlike the losses it is not indifferent to a number added to all logits. A
  masked class stays masked, and does not count for the length.

  This is the LogitClip of the paper, continuous at the bound. Its official code
  rescales logits longer than tau to length 1 / tau instead, which is another
  function unless tau = 1: published results at tau = 1.5 were trained with
  logits of length up to 1.5, those that were longer reset to 0.67.

  Args:
    logits: unnormalised log-probabilities, float `[..., num_classes]`. A class
      may be masked by -inf.
    max_norm: tau, in (0, inf]; infinity turns clipping off. The paper finds 1
      to 1.5 best for CIFAR-10. A number or an array that broadcasts with
      `[...]`; differentiable.

  Returns:
    Logits of the same shape, float32 for logits of 16 bits.

  Raises:
    AssertionError: if logits are not floating-point numbers.
    ValueError: if max_norm is a Python or numpy number out of range.

  Examples:
    >>> logits = clip_logits(jnp.array([3.0, -jnp.inf, -4.0]), max_norm=1.0)
    >>> [f'{logit:.1f}' for logit in logits]
    ['0.6', '-inf', '-0.8']

  References:
    Wei et al., `Mitigating Memorization of Noisy Labels by Clipping the Model
    Prediction <https://arxiv.org/abs/2212.04055>`_, 2023
  """
  chex.assert_type(logits, float)
  _checks.in_range('max_norm', max_norm, '(0, inf]')
  logits = jnp.asarray(logits)
  wide = logits.astype(rounding.wide_dtype(logits))
  max_norm = jnp.asarray(max_norm, wide.dtype)[..., None]
  is_class = wide > -jnp.inf
  finite = jnp.where(is_class, wide, 0)
  square = jnp.sum(jnp.square(finite), axis=-1, keepdims=True)
  # The length has no derivative at 0, where it does not matter.
  is_long = square > jnp.square(max_norm)
  norm = jnp.sqrt(jnp.where(is_long, square, 1))
  clipped = finite * jnp.where(is_long, max_norm / norm, 1)
  return jnp.where(is_class, clipped, wide)


def with_margin(
  loss: Callable[..., chex.Array], *, margin: chex.Numeric
) -> Callable[..., chex.Array]:
  """Add a margin to the logit of the label before a loss ('logit bias').

    l~(z, y) = l(z + m e_y, y),  m = margin
    dl~/dz = w(p~_y) (p~ - e_y),  p~ = softmax(z + m e_y)

  for a loss of the label's probability alone with the trust weight w: trust and
  prediction are those of p~_y = p_y e^m / (1 - p_y + p_y e^m).

  A robust loss trusts a label as far as the model believes it, and a fresh
  model of many classes believes none: its losses are flat there, and it
  underfits. A margin lets training begin where the loss is steep. A fresh
  model's label gets the probability that it would have among C classes, of
  equal logits, with

    m = log((K - 1) / (C - 1))

  and C = 10 is a number of classes with which most robust losses learn.
  Use it in training alone: predictions are of the logits as they are.

  The bound stays; a symmetric loss is symmetric no more.

  Args:
    loss: `(logits, labels, **hyper_parameters) -> losses`.
    margin: m, in (-inf, inf); 0 is the loss itself. Negative, it asks for a
      label more probable than the others by so much. A number or an array that
      broadcasts with the losses; differentiable.

  Returns:
    The loss with a margin, `(logits, labels, **hyper_parameters) -> losses`.
    A distribution t for a label adds margin t to the logits; the loss is then
    not linear in it.

  Raises:
    ValueError: if margin is a Python or numpy number out of range.

  Examples:
    >>> from noisy_labels import losses
    >>> loss = with_margin(losses.mean_absolute_error, margin=2.0)
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> [f'{loss:.3f}' for loss in loss(logits, jnp.array([0, 1]))]
    ['0.036', '1.000']

  References:
    Staats, Thamm and Rosenow, `Enhancing Noise-Robust Losses for Large-Scale
    Noisy Data Learning <https://arxiv.org/abs/2306.05497>`_, 2023
  """
  _checks.in_range('margin', margin, '(-inf, inf)')

  def with_it(logits, labels, **hyper_parameters):
    _checks.logits_and_labels(logits, labels)
    logits, labels = jnp.asarray(logits), jnp.asarray(labels)
    wide = logits.astype(rounding.wide_dtype(logits))
    target = distributions.of_labels(labels, wide.shape[-1], wide.dtype)
    added = jnp.asarray(margin, wide.dtype)[..., None] * target
    # So that a margin is not rounded to the spacing of large logits.
    wide -= log_prob.largest_of(wide)[..., None]
    return loss(wide + added.astype(wide.dtype), labels, **hyper_parameters)

  return with_it
