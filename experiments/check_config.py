"""Numbers of a configuration that would train, but not what was meant."""

import math

import ml_collections

from experiments import errors
from experiments import noise_estimate

# Fields of a configuration, and the range of each, ends included.
_RANGES = (
  ('augment.crop_padding', 0, math.inf),
  ('augment.cutout', 0, math.inf),
  ('batch_size', 1, math.inf),
  ('checkpoint_every', 1, math.inf),
  ('early_stopping_epochs', 0, math.inf),
  ('epochs', 1, math.inf),
  ('eval_batch_size', 1, math.inf),
  ('estimation.epochs', 1, math.inf),
  ('estimation.folds', 2, 1000),
  ('eval_every', 1, math.inf),
  ('folds', 0, 1000),
  ('noise.seed', 0, 2**32 - 1),
  ('num_examples', 0, math.inf),
  ('num_trusted', 0, math.inf),
  ('optimizer.learning_rate', 0, math.inf),
  ('optimizer.max_gradient_norm', 0, math.inf),
  ('optimizer.momentum', 0, 1),
  ('optimizer.sharpness_radius', 0, math.inf),
  ('optimizer.weight_decay', 0, math.inf),
  ('schedule.every_epochs', 1e-6, math.inf),
  ('schedule.factor', 0, math.inf),
  ('schedule.warmup_epochs', 0, math.inf),
  ('second_view.magnitude', 0, 1),
  ('second_view.operations', 0, 100),
  ('seed', 0, 2**32 - 1),
  ('validation_fraction', 0, 0.999),
)


def check(config: ml_collections.ConfigDict) -> None:
  """Raises a `UsageError` for the first number that means nothing."""
  for field, lowest, highest in _RANGES:
    value = config
    for name in field.split('.'):
      value = value[name]
    if value is not None and not lowest <= value <= highest:
      raise errors.UsageError(
        f'config.{field}={value} is not between {lowest} and {highest}'
      )
  if config.noise_estimate is not None:
    noise_estimate.check(config)
  size = config.image_size
  if size is not None and (len(size) != 2 or min(size) < 1):
    raise errors.UsageError(
      f'config.image_size={size} is not a height and a width, as in (32, 32)'
    )
