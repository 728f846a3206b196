"""What `experiments.audit` trains: five models of folds, and one of all.

  python -m experiments.audit --images=photos --workdir=runs/photos

The loss is robust: what a model believes of an example should not be what
another example's wrong label says. The network is one that two CPU cores train;
for photographs and a GPU, `--config.model.name=resnet18
--config.image_size='(64,64)' --config.augment.flip` finds more.
"""

import ml_collections
from ml_collections import config_dict

from experiments.configs import common


def get_config() -> ml_collections.ConfigDict:
  """The defaults, for digits, MNIST and folders of small photographs."""
  config = common.get_config()
  # The labels are what they are. Another noise is for trying the audit.
  config.noise.name = 'none'
  # How the noise is estimated from what models of folds predict.
  config.noise_estimate = 'confident_joint'
  config.folds = 5
  # By the number of examples N: 20,000 / N, but from 3, of coloured images 10,
  # to 60; and 64, from 10,000 examples on 128.
  del config.epochs, config.batch_size
  config.epochs = config_dict.placeholder(int)
  config.loss.name = 'generalized_cross_entropy'
  config.loss.q = 0.5
  config.model.name = 'cnn4'
  config.validation_fraction = 0.05
  config.batch_size = config_dict.placeholder(int)
  config.eval_every = 5
  config.checkpoint_every = 5
  return config
