"""Noise models: how given labels come from true ones, reproducibly."""

from noisy_labels.noise import class_maps
from noisy_labels.noise.annotators import annotate
from noisy_labels.noise.annotators import majority_vote
from noisy_labels.noise.class_dependent import asymmetric
from noisy_labels.noise.class_dependent import asymmetric_on_mutated_array
from noisy_labels.noise.class_dependent import pair_flip
from noisy_labels.noise.class_dependent import random_class_dependent
from noisy_labels.noise.corruption import Corrupted
from noisy_labels.noise.corruption import corrupt
from noisy_labels.noise.corruption import corrupt_by_row
from noisy_labels.noise.corruption import measure
from noisy_labels.noise.counter import uniform
from noisy_labels.noise.margins import margin_dependent
from noisy_labels.noise.margins import margin_factor
from noisy_labels.noise.observer_errors import DawidSkene
from noisy_labels.noise.observer_errors import dawid_skene
from noisy_labels.noise.parts import part_dependent
from noisy_labels.noise.structured import PairFlipTransition
from noisy_labels.noise.structured import SymmetricTransition
from noisy_labels.noise.transition import check_transition
from noisy_labels.noise.transition import compose
from noisy_labels.noise.transition import from_counts
from noisy_labels.noise.transition import from_matrix
from noisy_labels.noise.transition import symmetric
from noisy_labels.noise.transition_properties import TransitionProperties
from noisy_labels.noise.transition_properties import properties

__all__ = (
  'Corrupted',
  'DawidSkene',
  'PairFlipTransition',
  'SymmetricTransition',
  'TransitionProperties',
  'annotate',
  'asymmetric',
  'asymmetric_on_mutated_array',
  'check_transition',
  'class_maps',
  'compose',
  'corrupt',
  'corrupt_by_row',
  'dawid_skene',
  'from_counts',
  'from_matrix',
  'majority_vote',
  'margin_dependent',
  'margin_factor',
  'measure',
  'pair_flip',
  'part_dependent',
  'properties',
  'random_class_dependent',
  'symmetric',
  'uniform',
)
