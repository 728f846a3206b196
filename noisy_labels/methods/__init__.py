"""Training methods: what a training loop needs beyond a loss."""

from noisy_labels.methods.method import Method
from noisy_labels.methods.method import MethodState
from noisy_labels.methods.method import stateless

__all__ = ('Method', 'MethodState', 'stateless')
