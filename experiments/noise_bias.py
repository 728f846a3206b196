"""How far an estimator misses a noise like that of a run, without the truth.

Labels are drawn anew, with a noise that is then known, and each estimator finds
it from the predictions that it has (`estimation.simulated_bias`). All draw from
one reference: what the confident joint, less its own bias, says of the noise,
and what it and the predictions of given labels say of the true classes. Under
an estimator's own assumptions it would find itself in the right.
"""

from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import estimators
from noisy_labels import estimation

# Labels are drawn of so many predictions, N times K, at most, and so many
# multiplications, N times K^2 in a pass; of more classes not at all.
_MAX_SIMULATED = 2**26
_MAX_PRODUCTS = 2**34
_MAX_CLASSES = 1000
_NAME = 'confident_joint'


class Reference(NamedTuple):
  """What labels are drawn from; of many examples only every so many.

  Attributes:
    log_probs: log P(given | x), `[M, K]`.
    clean_probs: P(true | x), `[M, K]`.
    noise: of the labels that are drawn.
    bias: what the confident joint finds of them, less what was drawn.
  """

  log_probs: jax.Array
  clean_probs: jax.Array
  noise: estimation.Estimate
  bias: estimation.Bias


def reference(
  labels: np.ndarray,
  log_probs: np.ndarray,
  *,
  seed: int,
  tick: Callable[[], None] | None = None,
) -> Reference | None:
  """Estimates the noise, and what the errors of the model add to the estimate.

  In the second of two rounds labels have the noise that the first has
  corrected: the bias of a noise that is too strong is not that of the true one.

  Args:
    labels: given labels, `[N]`.
    log_probs: log P(given | x) by a model that did not hear the label, `[N,
      K]`.
    seed: draws the labels.
    tick: called from time to time, see `num_steps`.

  Returns:
    The reference; None where there are too many classes.
  """
  if log_probs.shape[1] > _MAX_CLASSES:
    return None
  given, known = jnp.asarray(labels), jnp.asarray(log_probs)
  estimator = estimators.ticking(_NAME, tick)
  found = jax.jit(estimator.estimate)(given, known, None)
  step = _step(*known.shape)
  given, known = given[::step], known[::step]
  first, second = jax.random.split(_key(seed))
  clean = _clean(given, known, found)
  bias = _simulate(_NAME, tick, known, clean, found, first)
  better = estimation.corrected(found, bias)
  clean = _clean(given, known, better)
  bias = _simulate(_NAME, tick, known, clean, better, second)
  return Reference(known, clean, better, bias)


def of(
  name: str,
  reference: Reference,
  log_probs: np.ndarray,
  *,
  seed: int,
  tick: Callable[[], None] | None = None,
) -> estimation.Bias:
  """The bias of an estimator, where labels are drawn from a reference.

  Args:
    name: of the estimator.
    reference: what labels are drawn from.
    log_probs: what the estimator knows of all the examples, in their order, if
      it takes a model of the true class; else it is the reference's, `[N, K]`.
    seed: draws the labels.
    tick: called from time to time, see `num_steps`.

  Returns:
    The bias.
  """
  if name == _NAME:
    return reference.bias
  if estimators.ESTIMATORS[name].loss is estimators.GIVEN:
    known = reference.log_probs
  else:
    known = jnp.asarray(log_probs[:: _step(*log_probs.shape)])
  clean, noise = reference.clean_probs, reference.noise
  return _simulate(name, tick, known, clean, noise, _key(seed))


def num_steps(name: str, num_classes: int) -> int:
  """How often `reference` and then `of` call `tick`."""
  if num_classes > _MAX_CLASSES:
    return 0
  own = 0 if name == _NAME else estimators.ESTIMATORS[name].num_simulated
  return 1 + 2 * estimators.ESTIMATORS[_NAME].num_simulated + own


def _key(seed: int) -> jax.Array:
  """Another than the bootstrap's."""
  return jax.random.fold_in(jax.random.key(seed), 1)


def _step(num_examples: int, num_classes: int) -> int:
  size = num_examples * num_classes
  return max(
    -(-size // _MAX_SIMULATED), -(-size * num_classes // _MAX_PRODUCTS)
  )


@jax.jit
def _clean(labels, log_probs, noise):
  clean = estimation.clean_posterior(jnp.exp(log_probs), noise)
  return estimation.calibrate(clean, labels, noise)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _simulate(name, tick, log_probs, clean_probs, noise, key):
  estimator = estimators.ticking(name, tick)
  return estimation.simulated_bias(
    lambda labels: estimator.estimate(labels, log_probs, None),
    clean_probs,
    noise,
    key=key,
    num_resamples=estimator.num_simulated,
    of_true=estimator.of_trusted,
  )
