"""Which labels are wrong: arrays in, scores out, the higher the more so."""

from noisy_labels.detection.bayes import posterior
from noisy_labels.detection.calibration import calibrated_errors
from noisy_labels.detection.confident import confident_learning
from noisy_labels.detection.duplicates import Duplicates
from noisy_labels.detection.duplicates import conflicting_duplicates
from noisy_labels.detection.expectation import ErrorCount
from noisy_labels.detection.expectation import expected_errors
from noisy_labels.detection.forgetting import forgetting_events
from noisy_labels.detection.issues import LabelIssues
from noisy_labels.detection.issues import find_label_issues
from noisy_labels.detection.margins import ThresholdSamples
from noisy_labels.detection.margins import area_under_margin
from noisy_labels.detection.margins import margin_threshold
from noisy_labels.detection.margins import threshold_samples
from noisy_labels.detection.mixtures import loss_mixture
from noisy_labels.detection.neighbourhood import neighbour_agreement
from noisy_labels.detection.neighbourhood import out_of_distribution
from noisy_labels.detection.probability_scores import (
  confidence_weighted_entropy,
)
from noisy_labels.detection.probability_scores import normalized_margin
from noisy_labels.detection.probability_scores import self_confidence
from noisy_labels.detection.ranks import ensemble

__all__ = (
  'Duplicates',
  'ErrorCount',
  'LabelIssues',
  'ThresholdSamples',
  'area_under_margin',
  'calibrated_errors',
  'confidence_weighted_entropy',
  'confident_learning',
  'conflicting_duplicates',
  'ensemble',
  'expected_errors',
  'find_label_issues',
  'forgetting_events',
  'loss_mixture',
  'margin_threshold',
  'neighbour_agreement',
  'normalized_margin',
  'out_of_distribution',
  'posterior',
  'self_confidence',
  'threshold_samples',
)
