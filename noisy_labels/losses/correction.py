"""Backward correction: any loss, made unbiased under known noise."""

from collections.abc import Callable

import chex
import jax
from jax import core
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks
from noisy_labels.losses import distributions
from noisy_labels.losses import forward
from noisy_labels.losses import log_prob
from noisy_labels.losses import rounding
from noisy_labels.noise import structured
from noisy_labels.noise import transition as transition_lib

# The largest sum of absolute values of a row of the inverse. Beyond it, float32
# has no digit left of what the corrected losses differ by.
_MAX_WEIGHT = 1e6


def backward_corrected(
  loss: Callable[..., chex.Array], transition: forward.Transition
) -> Callable[..., chex.Array]:
  """Correct a loss so that wrong labels cancel out of its expectation.

    l~(z, y) = sum_j (T^-1)[y, j] l(z, j),  T[i, j] = P(given j | true i)

  so that sum_j T[i, j] l~(z, j) = l(z, i): over the noise, the corrected loss
  of given labels has the expectation of the loss of true ones, whatever the
  loss and the prediction. A loss that is linear in the distribution of the
  label is called once, with the distribution t T^-1 in place of t.

  Posterior over the clean label: its place is taken by t T^-1, which sums to
  one and averages to the clean label, but has negative entries. Hence the
  corrected loss of one example may be negative, and is unbounded below where
  the loss has no bound: a flexible model will find that, unless training stops
  before or the loss is bounded. Corrected cross entropy under symmetric noise
  is `smoothed_cross_entropy` with negative smoothing.

  Args:
    loss: `(logits, labels, **hyper_parameters) -> losses`, linear in labels
      that are distributions.
    transition: T, float `[num_classes, num_classes]` with rows that sum to 1,
      or `noise.SymmetricTransition` or `noise.PairFlipTransition`.
      Differentiable. Of a matrix of numbers the inverse is computed once, here,
      in float64; of a traced one, where the loss is.

  Returns:
    The corrected loss, `(logits, labels, **hyper_parameters) -> losses`, for
    labels that are integers or distributions. Its logits should be finite: a
    masked class has a share in every corrected label.

  Raises:
    ValueError: if transition is not traced and no transition matrix, or has no
      inverse that is any use in float32.

  Examples:
    >>> from noisy_labels import losses as library
    >>> transition = jnp.array([[0.7, 0.3], [0.1, 0.9]])
    >>> corrected = backward_corrected(library.mean_absolute_error, transition)
    >>> logits = jnp.array([[2.0, 0.0], [2.0, 0.0]])
    >>> losses = corrected(logits, jnp.array([0, 1]))
    >>> [f'{loss:.3f}' for loss in losses]
    ['-0.523', '2.015']
    >>> [f'{loss:.3f}' for loss in transition @ losses]
    ['0.238', '1.762']

  References:
    Patrini et al., `Making Deep Neural Networks Robust to Label Noise: a Loss
    Correction Approach <https://arxiv.org/abs/1609.03683>`_, 2017

    Natarajan et al., `Learning with Noisy Labels
    <https://papers.nips.cc/paper/5073-learning-with-noisy-labels>`_, 2013
  """
  if isinstance(transition, structured.SymmetricTransition):
    _checks.in_range('rate', transition.rate, '[0, 1]')
    correct = _undo_symmetric(transition)
  else:
    correct = _undo_matrix(transition)

  def corrected(logits, labels, **hyper_parameters):
    _checks.logits_and_labels(logits, labels)
    logits, labels = jnp.asarray(logits), jnp.asarray(labels)
    return loss(logits, correct(logits, labels), **hyper_parameters)

  return corrected


def _undo_symmetric(transition):
  """T = (1 - e) I + (e / K) J has the inverse (I - (e / K) J) / (1 - e)."""

  def correct(logits, labels):
    num_classes = logits.shape[-1]
    least = 1 - 1 / num_classes if transition.exclude_true else 1
    noise_rate = transition.rate / least
    if not isinstance(noise_rate, jax.Array):
      with np.errstate(divide='ignore'):
        weight = (1 + noise_rate) / np.abs(np.subtract(1, noise_rate))
      if not np.all(weight < _MAX_WEIGHT):
        raise ValueError(
          'rate must leave the labels some information, got '
          f'{transition.rate!r}'
        )
    dtype = rounding.wide_dtype(logits)
    labels = distributions.of_labels(labels, num_classes, dtype)
    noise_rate = jnp.asarray(noise_rate, labels.dtype)[..., None]
    mass = jnp.sum(labels, axis=-1, keepdims=True)
    return (labels - noise_rate / num_classes * mass) / (1 - noise_rate)

  return correct


def _undo_matrix(transition):
  matrix = _inverse(transition)

  def correct(logits, labels):
    inverse = matrix(logits) if callable(matrix) else matrix
    num_classes = logits.shape[-1]
    chex.assert_shape(
      inverse,
      (*inverse.shape[:-2], num_classes, num_classes),
      custom_message='transition must have shape [num_classes, num_classes]',
    )
    inverse = jnp.asarray(inverse, rounding.wide_dtype(logits))
    if inverse.ndim > 2:  # One for each example.
      labels = distributions.of_labels(labels, num_classes, inverse.dtype)
      labels = labels.astype(inverse.dtype)[..., None, :]
      return jnp.matmul(labels, inverse, precision='highest')[..., 0, :]
    if jnp.issubdtype(labels.dtype, jnp.integer):
      rows = jnp.take(inverse, labels, axis=0, mode='clip')
      return rows * log_prob.one_if_class(labels, logits)[..., None]
    # On a GPU or TPU, the product would be of narrower numbers by default.
    labels = labels.astype(inverse.dtype)
    return jnp.matmul(labels, inverse, precision='highest')

  return correct


def _inverse(transition):
  """Return T^-1, or a function of the logits that does."""
  if isinstance(transition, structured.PairFlipTransition):
    rate = transition.rate
    if isinstance(rate, jax.Array):
      return lambda logits: jnp.linalg.inv(
        _pair_flip(rate.astype(rounding.wide_dtype(logits)), logits.shape[-1])
      )
    _checks.in_range('rate', rate, '[0, 1]')
    return lambda logits: _inverse_of_numbers(
      _pair_flip(np.asarray(rate, np.float64), logits.shape[-1])
    )
  if not isinstance(transition, core.Tracer):
    return _inverse_of_numbers(transition_lib.check_transition(transition))
  wide = transition.astype(jnp.promote_types(transition.dtype, jnp.float32))
  return jnp.linalg.inv(wide)


def _pair_flip(rate, num_classes):
  """`[..., K, K]` of rates `[...]`."""
  kept = np.eye(num_classes, dtype=rate.dtype)
  rate = rate[..., None, None]
  return (1 - rate) * kept + rate * np.roll(kept, 1, axis=1)


def _inverse_of_numbers(matrix):
  try:
    inverse = np.linalg.inv(matrix)
  except np.linalg.LinAlgError:
    inverse = np.full_like(matrix, np.inf)
  weight = abs(inverse).sum(axis=-1).max()
  if not weight < _MAX_WEIGHT:
    raise ValueError(
      'transition must have an inverse whose rows are small, got one that '
      f'multiplies losses by up to {weight:.3g}: some of its rows are alike'
    )
  return inverse
