"""From held-out predictions to findings: how much noise, and where.

Each function finds one thing, and keeps it in a file of the audit's directory.
"""

from collections.abc import Callable
import functools
import pathlib

import numpy as np

from experiments import errors
from experiments import noise_bias
from experiments import noise_estimate
from experiments import progress
from experiments.audit import held_out
from experiments.audit import neighbours
from experiments.audit import scoring
from experiments.audit import sources
from experiments.audit import store

# A bootstrap passes over N K numbers, and several times over K^2, so often, but
# over no more than that in all.
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 200, 20
_PASSED = 2e10
_SQUARES = 10


def predictions(data: sources.Data, workdir: pathlib.Path) -> np.ndarray:
  """Probabilities by models that have not heard the label, floats `[N, K]`."""
  if data.arrays is not None:
    return data.arrays.probs
  return np.exp(held_out.read(workdir / 'folds').log_probs)


def noise(
  labels: np.ndarray,
  probs: np.ndarray,
  workdir: pathlib.Path,
  *,
  estimator: str,
  seed: int,
  title: str,
) -> dict[str, np.ndarray]:
  """Estimates the noise.

  Args:
    labels: given classes, int32 `[N]`.
    probs: held-out predictions, floats `[N, K]`.
    workdir: of the audit.
    estimator: one of `noise_estimate.UNTOLD`.
    seed: draws the bootstrap.
    title: of the progress bar.

  Returns:
    `transition` `[K, K]`, `prior` `[K]`, `rate` and `rate_interval`: two
    numbers, or none of an estimator that has no interval.
  """

  def make():
    with np.errstate(divide='ignore'):
      log_probs = np.log(probs)
    most = num_resamples(*probs.shape)
    num_classes = probs.shape[1]
    steps = noise_bias.num_steps(estimator, num_classes)
    steps += noise_estimate.num_steps(estimator, most_resamples=most)
    with progress.Progress(title, total=steps) as bar:
      found = noise_estimate.estimate(
        estimator,
        labels,
        log_probs,
        seed=seed,
        reference=noise_bias.reference(
          labels, log_probs, seed=seed, tick=bar.advance
        ),
        most_resamples=most,
        tick=bar.advance,
      )
    return {
      'transition': found.transition,
      'prior': found.prior,
      'rate': np.array(found.rate),
      'rate_interval': np.array(found.rate_interval or ()),
    }

  return store.kept(workdir / 'noise_estimate.npz', estimator, make)


def num_resamples(num_examples: int, num_classes: int) -> int:
  """How often to resample so many predictions."""
  size = (num_examples + _SQUARES * num_classes) * num_classes
  affordable = int(_PASSED / size)
  return min(max(affordable, _FEWEST_RESAMPLES), _MOST_RESAMPLES)


def scores(
  labels: np.ndarray,
  probs: np.ndarray,
  noise: dict[str, np.ndarray],
  workdir: pathlib.Path,
  *,
  detector: str,
  title: str,
) -> scoring.Scores:
  """Scores every label; see `scoring.find`, and `noise` above."""

  def make():
    with progress.Progress(title, total=scoring.num_steps(detector)) as bar:
      return scoring.find(
        labels,
        probs,
        noise['transition'],
        detector=detector,
        tick=bar.advance,
      )._asdict()

  return scoring.Scores(**store.kept(workdir / 'scores.npz', detector, make))


def near(
  data: sources.Data,
  workdir: pathlib.Path,
  *,
  should_stop: Callable[[], bool],
  title: str,
) -> tuple[neighbours.Neighbours, list[str]]:
  """Looks for duplicates and outliers.

  Args:
    data: of the audit; without images or features there is nowhere to look.
    workdir: of the audit.
    should_stop: asked from time to time.
    title: of the progress bar.

  Returns:
    What was found; and a sentence, if it was not looked for.

  Raises:
    StoppedError: should_stop said so.
  """
  features: Callable[[], np.ndarray]
  if data.images is not None:
    features = functools.partial(neighbours.of_pixels, data.images)
    dim = neighbours.COMPONENTS
  elif data.arrays and data.arrays.features is not None:
    features = functools.partial(np.asarray, data.arrays.features)
    dim = data.arrays.features.shape[1]
  else:
    return neighbours.NOTHING, [
      'Duplicates and outliers were not looked for: give --features.'
    ]
  reason = neighbours.too_many(len(data.labels), dim)
  if reason is not None:
    return neighbours.NOTHING, [reason]

  def make():
    # Twice for each example: for duplicates and for outliers.
    with progress.Progress(title, total=2 * len(data.labels)) as bar:

      def tick(rows):
        bar.advance(rows)
        if should_stop():
          raise errors.StoppedError(
            'stopped among the neighbours: the same command looks for them '
            'again'
          )

      return neighbours.find(features(), data.labels, tick=tick)._asdict()

  found = store.kept(workdir / 'neighbours.npz', 'counted', make)
  return neighbours.Neighbours(**found), []
