"""Learning classifiers from wrong labels: pure, jittable parts in JAX."""

from noisy_labels import detection
from noisy_labels import estimation
from noisy_labels import losses
from noisy_labels import methods
from noisy_labels import noise

__version__ = '0.1.0'

__all__ = ('detection', 'estimation', 'losses', 'methods', 'noise')
