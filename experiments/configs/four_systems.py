"""The four systems of the question, on digits with 30% of the labels wrong."""

import math

import ml_collections

from experiments import errors
from experiments.configs import common


def get_config(rate: str = '0.3') -> ml_collections.ConfigDict:
  """A sweep: 4 systems, 3 seeds; `rate` is the share of wrong labels."""
  sweep = ml_collections.ConfigDict()
  sweep.base = common.get_config()
  sweep.seeds = 3
  sweep.base.eval_every = 2
  try:
    number = float(rate)
  except ValueError:
    raise errors.UsageError(
      f'four_systems.py:{rate}: {rate!r} is no rate; give a number, as in '
      'four_systems.py:0.3'
    ) from None
  num_classes, sweep.base.noise.rate = 10, number
  # The mixture's rate counts redraws that come out right, `rate` does not.
  mixture_rate = number * num_classes / (num_classes - 1)
  sweep.systems = ml_collections.ConfigDict(
    {
      'cross_entropy': {'loss': {'name': 'cross_entropy'}},
      'clipped_cross_entropy': {
        # No example costs more than one that the mixture has given up.
        'loss': {
          'name': 'clipped_cross_entropy',
          'max_loss': math.log(num_classes / number) if number else math.inf,
        },
      },
      'mixture_cross_entropy': {
        'loss': {'name': 'mixture_cross_entropy', 'noise_rate': mixture_rate},
      },
      'smoothed_cross_entropy': {
        'loss': {'name': 'smoothed_cross_entropy', 'smoothing': number},
      },
    },
    sort_keys=False,
  )
  return sweep
