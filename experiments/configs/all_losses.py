"""Every loss on digits with wrong labels, ranked: `all_losses.py:RATE,RATE`.

Both rates of docs/losses.md, in one command:

  python -m experiments.sweep --config=experiments/configs/all_losses.py:0.3,0.5
"""

import ml_collections

from experiments import recommended
from experiments.configs import common
from experiments.configs import four_systems

# Cross entropy trains these for the first epochs: 6 of 60, as in papers, and
# 20 for the first loss, which has no gradient at p_y < 0.5. The others subtract
# something from it, and so are unbounded below: in the papers' codes
# log(p + 1e-8) bounds them, here logits of this length do so at the same p.
_WARM_UP = {
  'truncated_generalized_cross_entropy': {'warm_up_epochs': 20.0},
  'confidence_regularized_cross_entropy': {
    'warm_up_epochs': 6.0,
    'ramp_epochs': 18.0,
    'max_logit_norm': 13.0,
  },
  'peer_loss': {
    'warm_up_epochs': 6.0,
    'ramp_epochs': 18.0,
    'max_logit_norm': 13.0,
  },
}


def get_config(rates: str = '0.3') -> ml_collections.ConfigDict:
  """A sweep of every loss with 3 seeds, or one for each of several rates."""
  if ',' not in rates:
    return _sweep(rates)
  config = ml_collections.ConfigDict()
  config.seeds = 3
  config.sweeps = ml_collections.ConfigDict(
    {
      f'noise_{recommended.rate_of(r) or 0:.0%}': _sweep(r)
      for r in rates.split(',')
    },
    sort_keys=False,
  )
  return config


def _sweep(rate):
  number = recommended.rate_of(rate) or 0.0
  four = four_systems.get_config(rate)
  sweep = ml_collections.ConfigDict()
  sweep.seeds = 3
  sweep.sort = 'last'
  sweep.base = common.get_config()
  sweep.base.noise.rate = number
  sweep.base.model.name = 'mlp'
  # Half the steps of the other configurations: there are 43 systems.
  sweep.base.batch_size = 128
  sweep.base.eval_every = 10
  sweep.base.checkpoint_every = sweep.base.epochs
  # As in the papers' tables. Adam would do away with what makes a loss robust,
  # small gradients.
  sweep.base.optimizer.name = 'sgd'
  sweep.base.optimizer.learning_rate = 0.04
  sweep.base.optimizer.weight_decay = 1e-4
  sweep.base.optimizer.max_gradient_norm = 5.0
  # Official values are for the rates 0.2, 0.4, 0.6 and 0.8.
  noise = 'symmetric:0.4' if number < 0.5 else 'symmetric:0.6'
  systems = four.systems.to_dict()
  for name in recommended.table():
    if name not in systems:
      fields = recommended.recommended(name, 'cifar10', noise).loss
      systems[name] = {'loss': {**fields, **_WARM_UP.get(fields['name'], {})}}
  sweep.systems = ml_collections.ConfigDict(systems, sort_keys=False)
  return sweep
