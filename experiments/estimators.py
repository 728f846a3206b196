"""The estimators of the noise, as the experiments run them."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp

from noisy_labels import estimation


class Estimator(NamedTuple):
  """How an estimator is run.

  Attributes:
    estimate: from labels, log-probabilities and weights to an estimate.
    loss: what the folds are trained with, as fields of `config.loss`.
    num_resamples: of the bootstrap; 0 if the estimator takes no weights.
    num_simulated: how often labels are drawn to tell the bias.
    of_trusted: whether the labels are the true ones of the trusted examples,
      and the others are left out.
  """

  estimate: Callable[..., estimation.Estimate]
  loss: dict[str, Any]
  num_resamples: int
  num_simulated: int
  of_trusted: bool = False


# What an estimator takes a model of: of the labels given, or of the true ones.
GIVEN = {'name': 'cross_entropy'}
TRUE = {'name': 'generalized_cross_entropy', 'q': 0.7}
ESTIMATORS = {
  'confident_joint': Estimator(
    lambda labels, log_probs, weights: estimation.confident_joint(
      labels, jnp.exp(log_probs), weights=weights
    ),
    GIVEN,
    200,
    20,
  ),
  'anchor_points': Estimator(
    lambda labels, log_probs, weights: estimation.anchor_points(
      jnp.exp(log_probs), percentile=97.0
    ),
    GIVEN,
    0,
    5,
  ),
  'dual_transition': Estimator(
    lambda labels, log_probs, weights: estimation.dual_transition(
      labels, jnp.exp(log_probs), weights=weights
    ),
    GIVEN,
    100,
    20,
  ),
  'hoc': Estimator(
    lambda labels, log_probs, weights: estimation.hoc(
      jnp.exp(log_probs / 2),
      labels,
      num_classes=log_probs.shape[1],
      weights=weights,
    ),
    TRUE,
    20,
    5,
  ),
  'em_transition': Estimator(
    lambda labels, log_probs, weights: (
      estimation.em_transition(labels, log_probs, weights=weights).estimate
    ),
    TRUE,
    50,
    10,
  ),
  'trusted_transition': Estimator(
    lambda labels, log_probs, weights: estimation.trusted_transition(
      labels, jnp.exp(log_probs), weights=weights
    ),
    GIVEN,
    200,
    20,
    of_trusted=True,
  ),
}


def ticking(name: str, tick: Callable[[], None] | None) -> Estimator:
  """The estimator, which calls `tick` each time that it runs, compiled too."""
  estimator = ESTIMATORS[name]
  if tick is None:
    return estimator

  def counted(*args):
    jax.debug.callback(tick)
    return estimator.estimate(*args)

  return estimator._replace(estimate=counted)
