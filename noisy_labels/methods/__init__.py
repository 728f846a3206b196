"""Training methods: what a training loop needs beyond a loss.

Three tuples say of what kind each public function is; a new one is listed in
its tuple and in `__all__`, and the tests hold it to the contract of `Method`.
"""

from noisy_labels.methods.batches import of_batches
from noisy_labels.methods.co_teaching import co_teaching
from noisy_labels.methods.co_teaching_plus import co_teaching_plus
from noisy_labels.methods.confidence_regularized_sieve import (
  confidence_regularized_sieve,
)
from noisy_labels.methods.critical_parameters import critical_parameters
from noisy_labels.methods.divide_mix import divide_mix
from noisy_labels.methods.early_learning_regularization import (
  early_learning_regularization,
)
from noisy_labels.methods.early_learning_regularization_plus import (
  early_learning_regularization_plus,
)
from noisy_labels.methods.gold_loss_correction import gold_loss_correction
from noisy_labels.methods.joint_training import joint_training
from noisy_labels.methods.learning_to_reweight import learning_to_reweight
from noisy_labels.methods.meta_weight_net import meta_weight_net
from noisy_labels.methods.method import Method
from noisy_labels.methods.method import MethodState
from noisy_labels.methods.method import Predict
from noisy_labels.methods.method import stateless
from noisy_labels.methods.mixup import mixup
from noisy_labels.methods.noise_adaptation_layer import noise_adaptation_layer
from noisy_labels.methods.pro_mix import pro_mix
from noisy_labels.methods.progressive_early_stopping import (
  progressive_early_stopping,
)
from noisy_labels.methods.sparse_over_parameterization import (
  sparse_over_parameterization,
)
from noisy_labels.methods.sparse_over_parameterization_plus import (
  sparse_over_parameterization_plus,
)
from noisy_labels.methods.track_margins import track_margins
from noisy_labels.methods.transition_revision import transition_revision
from noisy_labels.methods.truncated_pruning import truncated_pruning
from noisy_labels.methods.views import of_views
from noisy_labels.methods.volume_minimization import volume_minimization
from noisy_labels.methods.warm_up import warm_up

# (*, hyper_parameters) -> Method.
METHODS = (
  'co_teaching',
  'co_teaching_plus',
  'confidence_regularized_sieve',
  'critical_parameters',
  'divide_mix',
  'early_learning_regularization',
  'early_learning_regularization_plus',
  'gold_loss_correction',
  'joint_training',
  'learning_to_reweight',
  'meta_weight_net',
  'noise_adaptation_layer',
  'pro_mix',
  'progressive_early_stopping',
  'sparse_over_parameterization',
  'sparse_over_parameterization_plus',
  'transition_revision',
  'truncated_pruning',
  'volume_minimization',
)

# Loss in, method out.
LIFTS = (
  'of_batches',
  'of_views',
  'stateless',
)

# (method, *, hyper_parameters) -> Method.
WRAPPERS = (
  'mixup',
  'track_margins',
  'warm_up',
)

__all__ = (
  'Method',
  'MethodState',
  'Predict',
  'co_teaching',
  'co_teaching_plus',
  'confidence_regularized_sieve',
  'critical_parameters',
  'divide_mix',
  'early_learning_regularization',
  'early_learning_regularization_plus',
  'gold_loss_correction',
  'joint_training',
  'learning_to_reweight',
  'meta_weight_net',
  'mixup',
  'noise_adaptation_layer',
  'of_batches',
  'of_views',
  'pro_mix',
  'progressive_early_stopping',
  'sparse_over_parameterization',
  'sparse_over_parameterization_plus',
  'stateless',
  'track_margins',
  'transition_revision',
  'truncated_pruning',
  'volume_minimization',
  'warm_up',
)
