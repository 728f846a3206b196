"""Every public method, as a training would make it; small numbers of epochs."""

import functools

import jax
import numpy as np

from noisy_labels import losses
from noisy_labels import methods
from tests.methods import tiny_training

TRANSITION = np.array([[0.7, 0.3, 0.0], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
TRUSTED = np.where(
  np.arange(tiny_training.NUM_EXAMPLES) % 4 == 0,
  np.arange(tiny_training.NUM_EXAMPLES) % tiny_training.NUM_CLASSES,
  -1,
)
GCE = functools.partial(losses.generalized_cross_entropy, q=0.7)
STAGED = methods.progressive_early_stopping(
  steps_per_epoch=1,
  part_of=lambda path: 2,
  first_epochs=1,
  second_epochs=0,
  third_epochs=1,
)


def against_shuffled(logits, labels, *, key):
  shuffled = jax.random.permutation(key, labels)
  return losses.cross_entropy(logits, labels) - losses.cross_entropy(
    logits, shuffled
  )


CASES = {
  'co_teaching': methods.co_teaching(noise_rate=0.4, ramp_epochs=2.0),
  'co_teaching_plus': methods.co_teaching_plus(
    noise_rate=0.4, warm_up_epochs=1.0, ramp_epochs=2.0
  ),
  'confidence_regularized_sieve': methods.confidence_regularized_sieve(
    start_epochs=1.0, ramp_epochs=2.0, sieve_epochs=2.0
  ),
  'critical_parameters': methods.critical_parameters(noise_rate=0.4),
  'divide_mix': methods.divide_mix(
    warm_up_epochs=1.0, unlabelled_weight=25.0, ramp_epochs=2.0
  ),
  'early_learning_regularization': methods.early_learning_regularization(
    beta=0.7, weight=3.0
  ),
  'early_learning_regularization_plus': (
    methods.early_learning_regularization_plus(
      beta=0.7, weight=3.0, ema_decay=0.9, ramp_epochs=2.0
    )
  ),
  'gold_loss_correction': methods.gold_loss_correction(
    transition=TRANSITION, trusted_labels=TRUSTED
  ),
  'joint_training': methods.joint_training(noise_rate=0.4, ramp_epochs=2.0),
  'learning_to_reweight': methods.learning_to_reweight(num_trusted=4),
  'meta_weight_net': methods.meta_weight_net(num_trusted=4),
  'mixup': methods.mixup(methods.stateless(GCE), alpha=1.0),
  'mixup of co_teaching': methods.mixup(
    methods.co_teaching(noise_rate=0.4, ramp_epochs=2.0), alpha=4.0
  ),
  'noise_adaptation_layer': methods.noise_adaptation_layer(
    transition=TRANSITION
  ),
  'of_batches': methods.of_batches(against_shuffled),
  'of_views': methods.of_views(
    functools.partial(
      losses.generalized_jensen_shannon, weights=(0.5, 0.25, 0.25)
    )
  ),
  'pro_mix': methods.pro_mix(
    confidence=0.6, warm_up_epochs=1.0, ramp_epochs=2.0, guess_epochs=2.0
  ),
  'progressive_early_stopping': STAGED,
  'sparse_over_parameterization': methods.sparse_over_parameterization(
    u_learning_rate=10.0, v_learning_rate=10.0
  ),
  'sparse_over_parameterization_plus': (
    methods.sparse_over_parameterization_plus(
      u_learning_rate=10.0, v_learning_rate=10.0
    )
  ),
  'stateless': methods.stateless(GCE),
  'track_margins': methods.track_margins(methods.stateless(GCE)),
  'track_margins of co_teaching': methods.track_margins(
    methods.co_teaching(noise_rate=0.4, ramp_epochs=2.0)
  ),
  'track_margins of mixup': methods.track_margins(
    methods.mixup(methods.stateless(GCE), alpha=1.0)
  ),
  'track_margins of progressive_early_stopping': methods.track_margins(STAGED),
  'track_margins of volume_minimization': methods.track_margins(
    methods.volume_minimization()
  ),
  'transition_revision': methods.transition_revision(
    transition=TRANSITION, learning_rate=1e-2
  ),
  'truncated_pruning': methods.truncated_pruning(start_epochs=1, every=2),
  'volume_minimization': methods.volume_minimization(),
  'warm_up': methods.warm_up(methods.stateless(GCE), epochs=1.0),
  'warm_up of co_teaching': methods.warm_up(
    methods.co_teaching(noise_rate=0.4), epochs=1.0, ramp_epochs=2.0
  ),
  'warm_up of meta_weight_net': methods.warm_up(
    methods.meta_weight_net(num_trusted=4), epochs=1.0
  ),
  'warm_up of progressive_early_stopping': methods.warm_up(STAGED, epochs=1.0),
  'warm_up of volume_minimization': methods.warm_up(
    methods.volume_minimization(), epochs=1.0
  ),
}
