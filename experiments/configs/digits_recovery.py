r"""30% symmetric noise on the digits, estimated with ten seeds.

python -m experiments.recovery --workdir=runs/digits_recovery \
  --config=experiments/configs/digits_recovery.py

How often the interval of the confident joint covers the truth: in each row the
labels, the folds and the models are others.
"""

from typing import Any

import ml_collections

from experiments.configs import common

SEEDS = 10


def get_config() -> ml_collections.ConfigDict:
  """What `experiments/recovery.py` runs."""
  config = ml_collections.ConfigDict()
  config.estimators = ('confident_joint',)
  config.base = common.get_config()
  config.base.model.name = 'mlp'
  problems: dict[str, Any] = {
    f'digits, seed {seed}': {'seed': seed} for seed in range(SEEDS)
  }
  config.problems = ml_collections.ConfigDict(problems, sort_keys=False)
  return config
