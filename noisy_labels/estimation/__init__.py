"""Estimating the noise: predictions, or features, to T, rate and prior."""

from noisy_labels.estimation.anchors import anchor_points
from noisy_labels.estimation.anchors import anchor_rows
from noisy_labels.estimation.bayes import posterior
from noisy_labels.estimation.clusterability import consensus_counts
from noisy_labels.estimation.clusterability import hoc
from noisy_labels.estimation.clusterability import hoc_from_counts
from noisy_labels.estimation.clusterability import hoc_from_triples
from noisy_labels.estimation.confident import confident_from_counts
from noisy_labels.estimation.confident import confident_joint
from noisy_labels.estimation.confident import confident_matrix
from noisy_labels.estimation.confident_sums import ConfidentCounts
from noisy_labels.estimation.confident_sums import SelfConfidence
from noisy_labels.estimation.confident_sums import confident_counts
from noisy_labels.estimation.confident_sums import self_confidence
from noisy_labels.estimation.confident_sums import thresholds_from
from noisy_labels.estimation.dual import dual_from_counts
from noisy_labels.estimation.dual import dual_transition
from noisy_labels.estimation.dual import predicted_counts
from noisy_labels.estimation.em import EMResult
from noisy_labels.estimation.em import EMSums
from noisy_labels.estimation.em import em_sums
from noisy_labels.estimation.em import em_transition
from noisy_labels.estimation.estimate import Estimate
from noisy_labels.estimation.estimate import from_joint
from noisy_labels.estimation.estimate import from_transition
from noisy_labels.estimation.gaussian_mixture import GaussianMixture
from noisy_labels.estimation.gaussian_mixture import gaussian_mixture
from noisy_labels.estimation.gaussian_mixture import lower_posterior
from noisy_labels.estimation.neighbors import Neighbors
from noisy_labels.estimation.neighbors import nearest
from noisy_labels.estimation.neighbors import two_nearest
from noisy_labels.estimation.resampling import Interval
from noisy_labels.estimation.resampling import bootstrap
from noisy_labels.estimation.resampling import widen
from noisy_labels.estimation.simulation import Bias
from noisy_labels.estimation.simulation import calibrate
from noisy_labels.estimation.simulation import clean_posterior
from noisy_labels.estimation.simulation import corrected
from noisy_labels.estimation.simulation import simulated_bias
from noisy_labels.estimation.trusted import trusted_sums
from noisy_labels.estimation.trusted import trusted_transition

__all__ = (
  'Bias',
  'ConfidentCounts',
  'EMResult',
  'EMSums',
  'Estimate',
  'GaussianMixture',
  'Interval',
  'Neighbors',
  'SelfConfidence',
  'anchor_points',
  'anchor_rows',
  'bootstrap',
  'calibrate',
  'clean_posterior',
  'confident_counts',
  'confident_from_counts',
  'confident_joint',
  'confident_matrix',
  'consensus_counts',
  'corrected',
  'dual_from_counts',
  'dual_transition',
  'em_sums',
  'em_transition',
  'from_joint',
  'from_transition',
  'gaussian_mixture',
  'hoc',
  'hoc_from_counts',
  'hoc_from_triples',
  'lower_posterior',
  'nearest',
  'posterior',
  'predicted_counts',
  'self_confidence',
  'simulated_bias',
  'thresholds_from',
  'trusted_sums',
  'trusted_transition',
  'two_nearest',
  'widen',
)
