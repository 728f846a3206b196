"""Small losses and large ones: which of two groups each is of."""

from collections.abc import Callable
from typing import Any

import chex
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels.detection import beta_mixture
from noisy_labels.detection import largest
from noisy_labels.estimation import inputs
from noisy_labels.estimation.gaussian_mixture import gaussian_mixture
from noisy_labels.estimation.gaussian_mixture import identity
from noisy_labels.estimation.gaussian_mixture import lower_posterior

_STEPS = {'beta': 10, 'gaussian': 100}
# Losses beyond these percentiles are outliers of a beta mixture.
_PERCENTILES = (5, 95)
_EDGE = 1e-3


def loss_mixture(
  losses: chex.Array,
  mask: chex.Array | None = None,
  *,
  kind: str = 'gaussian',
  num_steps: int | None = None,
  total: Callable[[Any], Any] = identity,
) -> chex.Array:
  """The probability that a loss is of the larger ones, by a mixture of two.

    w_2 D(l; theta_2) / (w_1 D(l; theta_1) + w_2 D(l; theta_2))

  D being normal (`estimation.gaussian_mixture`, of losses scaled to variance 1)
  or beta. The latter is fitted to losses between their 5th and 95th percentile,
  scaled to (0, 1), by EM with weighted moments; a loss outside is taken for
  0.001 or 0.999.

  Take cross entropies of the given labels after a few epochs, while right
  labels are learnt and wrong ones are not; and the beta mixture if they have
  a long tail, which a normal distribution would cover from both sides.

  The official code of the beta mixture interpolates percentiles, where here one
  of the losses is taken (numpy's `higher`), adds 1e-6 to the range and 1e-5 to
  the lower end, and looks posteriors up in a table of 100, in which they stay
  at their peak. Here they are computed, and stay there too.

  Args:
    losses: floats `[N]`, finite where they count.
    mask: 0 for losses that do not count, `[N]`; None if all do.
    kind: 'gaussian' or 'beta'.
    num_steps: of EM, at least 1; 100 for gaussian and 10 for beta, as in the
      paper's code, if None.
    total: adds a pytree over all devices, if the losses are a shard.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. If all
    losses are equal none is. A normal mixture's need not grow with the loss:
    far below both means, the component of larger variance is more probable.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Arazo et al., `Unsupervised Label Noise Modeling and Loss Correction
    <https://arxiv.org/abs/1904.11238>`_, 2019

    Li et al., `DivideMix: Learning with Noisy Labels as Semi-supervised
    Learning <https://arxiv.org/abs/2002.07394>`_, 2020
  """
  if kind not in _STEPS:
    raise ValueError(f"kind must be 'gaussian' or 'beta', got {kind!r}")
  num_steps = _STEPS[kind] if num_steps is None else num_steps
  _checks.at_least('num_steps', num_steps, 1)
  losses = jnp.asarray(losses)
  real = jnp.ones_like(losses, bool) if mask is None else jnp.asarray(mask) > 0
  losses = jnp.where(real, losses, 0)
  inputs.check_scores('losses', losses)
  losses = losses.astype(jnp.promote_types(losses.dtype, jnp.float32))
  of_kind = {'beta': _beta, 'gaussian': _gaussian}[kind]
  return of_kind(losses, real, num_steps, total)


def _gaussian(losses, real, num_steps, total):
  number, whole = total((jnp.sum(real), jnp.sum(losses)))
  number = jnp.maximum(number, 1)
  apart = jnp.where(real, losses - whole / number, 0)
  spread = jnp.sqrt(total(jnp.sum(apart**2)) / number)
  # Not what rounding leaves of equal losses.
  usable = spread > 1e-6 * jnp.abs(whole / number)
  scaled = jnp.where(usable, apart / jnp.where(usable, spread, 1), 0)
  mixture = gaussian_mixture(scaled, real, num_steps=num_steps, total=total)
  return 1 - lower_posterior(scaled, mixture)


def _beta(losses, real, num_steps, total):
  low, high = _percentiles(losses, real, total)
  within = real & (losses >= low) & (losses <= high)
  wide = high > low
  scaled = jnp.where(wide, (losses - low) / jnp.where(wide, high - low, 1), 0)
  scaled = jnp.clip(scaled, _EDGE, 1 - _EDGE)
  mixture = beta_mixture.fit(scaled, within, num_steps=num_steps, total=total)
  return beta_mixture.upper_posterior(scaled, mixture)


def _percentiles(losses, real, total):
  """The losses that so many percent of the others are below, `[2]`."""
  keys = largest.sortable(losses)

  def count(least):
    reached = real & (keys >= least[:, None])
    return total(jnp.sum(reached, axis=1, dtype=jnp.int32))

  number = total(jnp.sum(real, dtype=jnp.int32))
  percents = jnp.array(_PERCENTILES)
  # In whole numbers, as far as int32 has them.
  below = -(-percents * jnp.maximum(number - 1, 0) // 100)
  return largest.number_of(
    largest.smallest_of(count, number - below, keys.dtype)
  )
