"""Digits with 30% symmetric noise (true class excluded), a small CNN.

The noise may be told to the loss, or found out: `digits.py:told` and
`digits.py:auto` train the mixture loss either way.
"""

import ml_collections

from experiments.configs import common


def get_config(noise: str = '') -> ml_collections.ConfigDict:
  """The defaults, made for this data set; `noise` is nothing, told or auto."""
  config = common.get_config()
  if noise:
    config.loss.name = 'mixture_cross_entropy'
  if noise == 'told':
    # The mixture's rate counts redraws that come out right.
    config.loss.noise_rate = config.noise.rate / 0.9
  elif noise == 'auto':
    config.noise_estimate = 'confident_joint'
  elif noise:
    raise ValueError(f'digits.py:{noise} is neither digits.py:told nor :auto')
  return config
