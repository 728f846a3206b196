"""What a run gets of the configuration, for data of whatever size."""

import jax
import ml_collections
import numpy as np

from experiments import devices
from experiments import errors
from experiments.data import lanes

# What `config.epochs=None` means: so many examples in all, but each of them at
# least and at most so often. Held-out predictions get worse again, and too sure
# of themselves, when models have learnt wrong labels by heart.
_VISITS = 20_000
_FEWEST_GRAY, _FEWEST_COLOR, _MOST = 3, 10, 60
# What `config.batch_size=None` means: of fewer examples, and of more.
_MANY, _BATCHES = 10_000, (64, 128)


def fit(
  config: ml_collections.ConfigDict,
  num_examples: int,
  *,
  has_color: bool = False,
) -> ml_collections.ConfigDict:
  """The configuration with what has to fit the data.

  Args:
    config: of `configs/audit.py`.
    num_examples: how many there are.
    has_color: whether the images have; photographs are harder to learn.

  Returns:
    A copy: epochs and batches are chosen if they are None; folds and batches
    are no larger than the data, and at least one example is held out.
  """
  config = config.copy_and_resolve_references()
  if config.epochs is None:
    fewest = _FEWEST_COLOR if has_color else _FEWEST_GRAY
    config.epochs = min(max(-(-_VISITS // num_examples), fewest), _MOST)
  if config.batch_size is None:
    config.batch_size = _BATCHES[num_examples >= _MANY]
  config.folds = max(min(config.folds, num_examples), 2)
  config.validation_fraction = max(config.validation_fraction, 1 / num_examples)
  held = round(num_examples * config.validation_fraction)
  kept, number = num_examples - held, len(local(num_examples).devices)
  config.batch_size = min(config.batch_size, kept) // number * number
  return config


def fit_without(
  config: ml_collections.ConfigDict, num_examples: int, removed: np.ndarray
) -> ml_collections.ConfigDict:
  """The configuration for what is left of the examples.

  Args:
    config: fitted to all of them.
    num_examples: how many these are.
    removed: the indices of those that take no part.

  Returns:
    A copy: batches are no larger than what is left to train on, and one example
    is held out.

  Raises:
    UsageError: too few are left.
  """
  config = config.copy_and_resolve_references()
  kept = held = np.empty(0, int)
  while not len(held) and config.validation_fraction < 1:
    kept, held = (
      np.setdiff1d(part, removed)
      for part in lanes.hold_out(
        num_examples, config.validation_fraction, seed=config.seed
      )
    )
    if not len(held):
      config.validation_fraction += 1 / num_examples
  number = len(local(num_examples).devices)
  config.batch_size = min(config.batch_size, len(kept) // number * number)
  if not len(held) or not config.batch_size:
    raise errors.UsageError(
      f'the review removes {len(removed):,} of {num_examples:,} images, which '
      'leaves too few to train with: mark fewer to be removed'
    )
  return config


def local(num_examples: int) -> devices.Local:
  """The devices to train on: no more than can have an example each."""
  return devices.local(jax.local_devices()[: max(1, num_examples // 2)])


def of_folds(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """What trains the models of folds; only the last epoch is looked at."""
  config = config.copy_and_resolve_references()
  config.noise_estimate = None  # The audit's, and not the run's.
  config.eval_every = config.epochs
  return config


def of_model(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
  """What trains one model on all examples."""
  config = config.copy_and_resolve_references()
  config.noise_estimate = None
  config.folds = 0
  return config
