"""Training methods: what a training loop needs beyond a loss."""

from noisy_labels.methods.batches import of_batches
from noisy_labels.methods.method import Method
from noisy_labels.methods.method import MethodState
from noisy_labels.methods.method import stateless
from noisy_labels.methods.warm_up import warm_up

__all__ = ('Method', 'MethodState', 'of_batches', 'stateless', 'warm_up')
