"""Finds out what noise a run's labels have, from held-out predictions.

`config.noise_estimate` names an estimator of `noisy_labels.estimation`. Models
of folds are trained first (`folds.py`), by the same loop as any run and in a
directory below the run's. The estimator looks at the given labels, and at what
is predicted for each example by the model that did not hear its label; at true
labels never, but for those of the trusted examples of `config.num_trusted`.
"""

from collections.abc import Callable
import json
import pathlib
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments import errors
from experiments import log
from noisy_labels import estimation

# Beyond, an interval for each entry of T is more than anybody reads.
_MAX_CLASSES = 100


class NoiseEstimate(NamedTuple):
  """What was found out about the labels of a run.

  Attributes:
    estimator: by which.
    transition: `T[i, j] = P(given j | true i)`, float `[K, K]`.
    prior: `P(true i)`, float `[K]`.
    rate: the probability that a label is wrong.
    rate_interval: what a bootstrap over examples says of the rate, at 95%;
      None of an estimator that has none.
    transition_interval: the same for T, two `[K, K]`; None also where there
      are many classes.
  """

  estimator: str
  transition: np.ndarray
  prior: np.ndarray
  rate: float
  rate_interval: tuple[float, float] | None
  transition_interval: tuple[np.ndarray, np.ndarray] | None


class _Estimator(NamedTuple):
  """How an estimator is run.

  Attributes:
    estimate: from labels, log-probabilities and weights to an estimate.
    loss: what the folds are trained with, as fields of `config.loss`.
    num_resamples: of the bootstrap; 0 if the estimator takes no weights.
    of_trusted: whether the labels are the true ones of the trusted examples,
      and the others are left out.
  """

  estimate: Callable[..., estimation.Estimate]
  loss: dict[str, Any]
  num_resamples: int
  of_trusted: bool = False


# What an estimator takes a model of: of the labels given, or of the true ones.
_GIVEN = {'name': 'cross_entropy'}
_TRUE = {'name': 'generalized_cross_entropy', 'q': 0.7}
_ESTIMATORS = {
  'confident_joint': _Estimator(
    lambda labels, log_probs, weights: estimation.confident_joint(
      labels, jnp.exp(log_probs), weights=weights
    ),
    _GIVEN,
    200,
  ),
  'anchor_points': _Estimator(
    lambda labels, log_probs, weights: estimation.anchor_points(
      jnp.exp(log_probs), percentile=97.0
    ),
    _GIVEN,
    0,
  ),
  'dual_transition': _Estimator(
    lambda labels, log_probs, weights: estimation.dual_transition(
      labels, jnp.exp(log_probs), weights=weights
    ),
    _GIVEN,
    100,
  ),
  'hoc': _Estimator(
    lambda labels, log_probs, weights: estimation.hoc(
      jnp.exp(log_probs / 2),
      labels,
      num_classes=log_probs.shape[1],
      weights=weights,
    ),
    _TRUE,
    20,
  ),
  'em_transition': _Estimator(
    lambda labels, log_probs, weights: (
      estimation.em_transition(labels, log_probs, weights=weights).estimate
    ),
    _TRUE,
    50,
  ),
  'trusted_transition': _Estimator(
    lambda labels, log_probs, weights: estimation.trusted_transition(
      labels, jnp.exp(log_probs), weights=weights
    ),
    _GIVEN,
    200,
    of_trusted=True,
  ),
}
NAMES = tuple(_ESTIMATORS)
# Those that are told nothing but given labels.
UNTOLD = tuple(
  name for name, estimator in _ESTIMATORS.items() if not estimator.of_trusted
)


def check(config: ml_collections.ConfigDict) -> None:
  """Raises a `UsageError` if there is no such estimator, or nothing for it."""
  name = config.noise_estimate
  errors.check_name('config.noise_estimate', name, NAMES)
  if _ESTIMATORS[name].of_trusted and not config.num_trusted:
    raise errors.UsageError(
      f'config.noise_estimate={name} needs examples whose labels are known to '
      'be right: set config.num_trusted to their number, such as 1000'
    )


def find(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  train: Callable[..., Any],
  title: str,
) -> NoiseEstimate:
  """Trains models of folds, or reads what they predicted, and estimates.

  Args:
    config: of the run whose labels are in question.
    workdir: the run's directory.
    train: `(config, workdir, title=...)`, which trains, writing predictions.
    title: what the run is called.

  Returns:
    The estimate, which is also in `noise_estimate/ESTIMATOR.json`.

  Raises:
    UsageError: there is no such estimator, or it needs trusted examples, of
      which there are none.
  """
  check(config)
  name = config.noise_estimate
  folder = workdir / 'noise_estimate'
  saved = read(config, workdir)
  if saved is not None:
    return saved
  estimator = _ESTIMATORS[name]
  folds = folder / f'folds_{estimator.loss["name"]}'
  train(
    _of_folds(config, estimator.loss),
    folds,
    title=f'{title}: {config.estimation.folds} folds',
  )
  with np.load(folds / 'predictions.npz') as saved:
    labels, log_probs = saved['label'], saved['log_probs']
    if estimator.of_trusted:
      labels = saved['trusted_label']
      log_probs, labels = log_probs[labels >= 0], labels[labels >= 0]
  found = estimate(name, labels, log_probs, seed=config.seed)
  if jax.process_index() == 0:
    log.write_json(folder / f'{name}.json', _plain(found))
    print(describe(found), flush=True)
  return found


def read(
  config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> NoiseEstimate | None:
  """The estimate that a run in this directory has made, if it got so far."""
  path = workdir / 'noise_estimate' / f'{config.noise_estimate}.json'
  return _read(path) if path.exists() else None


def estimate(
  name: str,
  labels: np.ndarray,
  log_probs: np.ndarray,
  *,
  seed: int,
  most_resamples: int = 200,
) -> NoiseEstimate:
  """Estimates the noise from held-out predictions.

  Args:
    name: one of `NAMES`.
    labels: given labels, `[N]`; for `trusted_transition` the true ones, of the
      trusted examples alone.
    log_probs: log P(class | x) by a model that did not hear the label, `[N,
      K]`.
    seed: draws the bootstrap.
    most_resamples: of the bootstrap; estimators that are slow take less.

  Returns:
    The estimate.
  """
  estimator = _ESTIMATORS[name]
  num_resamples = min(estimator.num_resamples, most_resamples)
  arrays = jnp.asarray(labels), jnp.asarray(log_probs)
  run = jax.jit(estimator.estimate)
  result = run(*arrays, None)
  interval = None
  if num_resamples:
    every_entry = len(result.prior) <= _MAX_CLASSES

    @jax.jit
    def resample(labels, log_probs, key):
      def once(weights):
        found = estimator.estimate(labels, log_probs, weights)
        return found.rate, found.transition if every_entry else None

      return estimation.bootstrap(
        once, len(labels), key=key, num_resamples=num_resamples
      )

    lower, upper = resample(*arrays, jax.random.key(seed))
    interval = jax.tree.map(np.asarray, (lower, upper))
  return NoiseEstimate(
    estimator=name,
    transition=np.asarray(result.transition, np.float64),
    prior=np.asarray(result.prior, np.float64),
    rate=float(result.rate),
    rate_interval=interval and tuple(float(end[0]) for end in interval),
    transition_interval=(
      tuple(end[1] for end in interval)
      if interval and interval[0][1] is not None
      else None
    ),
  )


def describe(found: NoiseEstimate) -> str:
  """The estimated rate, in a sentence."""
  line = f'{found.estimator}: {found.rate:.1%} of the labels given are wrong'
  if found.rate_interval:
    lower, upper = found.rate_interval
    line += f' ({lower:.1%} to {upper:.1%})'
  return line


def _of_folds(
  config: ml_collections.ConfigDict, loss: dict[str, Any]
) -> ml_collections.ConfigDict:
  """The configuration that trains the folds of another."""
  folds = ml_collections.ConfigDict(config.to_dict())
  for field in folds.loss:
    folds.loss[field] = loss.get(field)
  for field in folds.method:
    folds.method[field] = None
  folds.noise_estimate = None
  folds.folds = config.estimation.folds
  folds.epochs = config.estimation.epochs
  folds.eval_every = folds.epochs
  return folds


def _plain(found: NoiseEstimate) -> dict[str, Any]:
  return jax.tree.map(
    lambda leaf: leaf.tolist() if isinstance(leaf, np.ndarray) else leaf,
    found._asdict(),
  )


def _read(path: pathlib.Path) -> NoiseEstimate:
  try:
    saved = json.loads(path.read_text())
    interval = saved['transition_interval']
    return NoiseEstimate(
      saved['estimator'],
      np.array(saved['transition']),
      np.array(saved['prior']),
      saved['rate'],
      saved['rate_interval'] and tuple(saved['rate_interval']),
      interval and tuple(map(np.array, interval)),
    )
  except (json.JSONDecodeError, KeyError, TypeError) as error:
    raise errors.RunError(
      f'{path} is damaged ({error}): remove it, and it is made again'
    ) from error
