"""Noise models: how given labels come from true ones, reproducibly."""

from noisy_labels.noise.corruption import Corrupted
from noisy_labels.noise.corruption import corrupt
from noisy_labels.noise.corruption import measure
from noisy_labels.noise.counter import uniform
from noisy_labels.noise.structured import PairFlipTransition
from noisy_labels.noise.structured import SymmetricTransition
from noisy_labels.noise.transition import check_transition
from noisy_labels.noise.transition import symmetric

__all__ = (
  'Corrupted',
  'PairFlipTransition',
  'SymmetricTransition',
  'check_transition',
  'corrupt',
  'measure',
  'symmetric',
  'uniform',
)
