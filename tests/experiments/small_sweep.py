"""A sweep of two systems and two seeds, which takes seconds."""

from typing import Any

import ml_collections

from experiments.configs import four_systems


def config(**base: Any) -> ml_collections.ConfigDict:
  """The sweep, with these fields of its base."""
  sweep = four_systems.get_config()
  sweep.seeds = 2
  for name in ('clipped_cross_entropy', 'smoothed_cross_entropy'):
    del sweep.systems[name]
  sweep.base.update_from_flattened_dict(
    {
      'epochs': 2,
      'model.name': 'mlp',
      'checkpoint_every': 2,
      **base,
    }
  )
  return sweep
