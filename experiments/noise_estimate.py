"""Finds out what noise a run's labels have, from held-out predictions.

`config.noise_estimate` names an estimator of `noisy_labels.estimation`. Models
of folds are trained first (`folds.py`), by the same loop as any run and in a
directory below the run's. The estimator looks at the given labels, and at what
is predicted for each example by the model that did not hear its label; at true
labels never, but for those of the trusted examples of `config.num_trusted`.
The interval of an estimator that takes a model of the true class needs models
of the given label besides (`noise_bias.py`).
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
from experiments import estimators
from experiments import log
from experiments import noise_bias
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
    rate_interval: what a bootstrap over examples says of the rate, at 95%,
      widened by `rate_bias` and that of the noise which it was found with; None
      where there is neither.
    transition_interval: the same for T, two `[K, K]`; None also where there
      are many classes.
    rate_bias: estimated rate less the true one, where labels are drawn with a
      noise like that of the run (`noise_bias.py`); None where it cannot be
      told.
  """

  estimator: str
  transition: np.ndarray
  prior: np.ndarray
  rate: float
  rate_interval: tuple[float, float] | None
  transition_interval: tuple[np.ndarray, np.ndarray] | None
  rate_bias: float | None = None


NAMES = tuple(estimators.ESTIMATORS)
# Those that are told nothing but given labels.
UNTOLD = tuple(
  name for name in NAMES if not estimators.ESTIMATORS[name].of_trusted
)


def check(config: ml_collections.ConfigDict) -> None:
  """Raises a `UsageError` if there is no such estimator, or nothing for it."""
  name = config.noise_estimate
  errors.check_name('config.noise_estimate', name, NAMES)
  if estimators.ESTIMATORS[name].of_trusted and not config.num_trusted:
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
  own = estimators.ESTIMATORS[name]

  def predictions(loss):
    folds = folder / f'folds_{loss["name"]}'
    train(
      _of_folds(config, loss),
      folds,
      title=f'{title}: {config.estimation.folds} folds',
    )
    with np.load(folds / 'predictions.npz') as saved:
      return dict(saved)

  given = predictions(estimators.GIVEN)
  known = given if own.loss is estimators.GIVEN else predictions(own.loss)
  labels, log_probs = known['label'], known['log_probs']
  if own.of_trusted:
    labels = known['trusted_label']
    log_probs, labels = log_probs[labels >= 0], labels[labels >= 0]
  reference = noise_bias.reference(
    given['label'], given['log_probs'], seed=config.seed
  )
  found = estimate(
    name, labels, log_probs, seed=config.seed, reference=reference
  )
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


def num_steps(name: str, *, most_resamples: int = 200) -> int:
  """How often `estimate` itself calls `tick`; see there for the arguments."""
  return 1 + min(estimators.ESTIMATORS[name].num_resamples, most_resamples)


def estimate(
  name: str,
  labels: np.ndarray,
  log_probs: np.ndarray,
  *,
  seed: int,
  reference: noise_bias.Reference | None,
  most_resamples: int = 200,
  tick: Callable[[], None] | None = None,
) -> NoiseEstimate:
  """Estimates the noise from held-out predictions.

  Args:
    name: one of `NAMES`.
    labels: given labels, `[N]`; for `trusted_transition` the true ones, of the
      trusted examples alone.
    log_probs: log P(class | x) by a model that did not hear the label, `[N,
      K]`.
    seed: draws the bootstrap.
    reference: what the bias is found with; None, and there is none.
    most_resamples: of the bootstrap; estimators that are slow take less.
    tick: called from time to time, `num_steps` times, and those of
      `noise_bias.of`. A program that calls it is not kept between launches.

  Returns:
    The estimate.
  """
  estimator = estimators.ticking(name, tick)
  num_resamples = min(estimator.num_resamples, most_resamples)
  arrays = jnp.asarray(labels), jnp.asarray(log_probs)
  result = jax.jit(estimator.estimate)(*arrays, None)
  interval, bias = None, None
  if num_resamples:
    key = jax.random.key(seed)
    interval = _interval(estimator, *arrays, key, num_resamples)
  if reference is not None:
    bias = noise_bias.of(name, reference, log_probs, seed=seed, tick=tick)
    point = _part(result)
    interval = interval or estimation.Interval(point, point)
    interval = _widened(interval, bias, reference.bias)
  if interval:
    interval = jax.tree.map(lambda ends: np.clip(ends, 0, 1), interval)
  jax.effects_barrier()  # The last ticks.
  return NoiseEstimate(
    estimator=name,
    transition=np.asarray(result.transition, np.float64),
    prior=np.asarray(result.prior, np.float64),
    rate=float(result.rate),
    rate_interval=(
      (float(interval.lower.rate), float(interval.upper.rate))
      if interval
      else None
    ),
    transition_interval=(
      (interval.lower.transition, interval.upper.transition)
      if interval and len(result.prior) <= _MAX_CLASSES
      else None
    ),
    rate_bias=None if bias is None else float(bias.rate),
  )


def _part(found: Any) -> estimation.Bias:
  """What there is an interval of; T is left out, as a zero, if it is large."""
  few = len(found.transition) <= _MAX_CLASSES
  return estimation.Bias(found.rate, found.transition if few else jnp.zeros(()))


def _interval(
  estimator, labels, log_probs, key, num_resamples
) -> estimation.Interval:
  """The chance in the examples, of the rate and, of few classes, of T."""

  @jax.jit
  def run(labels, log_probs, key):
    def once(weights):
      return _part(estimator.estimate(labels, log_probs, weights))

    return estimation.bootstrap(
      once, len(labels), key=key, num_resamples=num_resamples
    )

  return run(labels, log_probs, key)


def _widened(interval, bias, of_reference) -> estimation.Interval:
  """By the bias, and by what the noise that it was found with may be off."""
  interval = estimation.widen(interval, _part(bias))
  if bias is of_reference:
    return interval
  return estimation.widen(interval, _part(of_reference))


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
      saved.get('rate_bias'),
    )
  except (json.JSONDecodeError, KeyError, TypeError) as error:
    raise errors.RunError(
      f'{path} is damaged ({error}): remove it, and it is made again'
    ) from error
