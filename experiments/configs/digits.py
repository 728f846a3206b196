"""Digits with 30% symmetric noise (true class excluded), a small CNN."""

import ml_collections

from experiments.configs import common


def get_config() -> ml_collections.ConfigDict:
  """The defaults, which are made for this data set."""
  return common.get_config()
