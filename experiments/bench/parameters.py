"""Hyper-parameters to measure the losses with, and ratios they must keep."""

from typing import Any
from typing import NamedTuple

import numpy as np


class Entry(NamedTuple):
  """How to measure a loss.

  parameters: its hyper-parameters. One that is a function is called with the
    number of classes.
  most: times optax's cross entropy, at most. Every loss must be faster than
    its form in PyTorch, besides.
  product: whether it may take the time of a product with a matrix of classes
    by classes, besides.
  max_classes: beyond it a parameter would be too large.
  """

  parameters: dict[str, Any]
  most: float = 1.1
  product: bool = False
  max_classes: int = 2**31


def _symmetric(num_classes: int) -> np.ndarray:
  """A dense transition matrix of 30% noise."""
  uniform = np.full((num_classes, num_classes), 0.3 / num_classes, np.float32)
  return uniform + 0.7 * np.eye(num_classes, dtype=np.float32)


_SUM = 1.25  # For one more sum over the classes.
_MORE = float('inf')  # For more exponentials or sums than that.

ENTRIES: dict[str, Entry] = {
  'asymmetric_exponential_loss': Entry({'a': 2.5}),
  'asymmetric_generalized_cross_entropy': Entry({'a': 0.6, 'q': 0.6}),
  'asymmetric_mean_square_error': Entry({'a': 20.0}, _MORE),
  'asymmetric_unhinged_loss': Entry({'a': 5.5, 'q': 3.0}),
  'bi_tempered_logistic_loss': Entry({'t1': 0.8, 't2': 1.2}, _MORE),
  'clipped_cross_entropy': Entry({'max_loss': 2.0}),
  'confidence_regularized_cross_entropy': Entry({'beta': 2.0}, _SUM),
  'cross_entropy': Entry({}),
  'epsilon_softmax_cross_entropy': Entry({'m': 1e4}, _MORE),
  'focal_loss': Entry({'gamma': 2.0}),
  'forward_corrected_cross_entropy': Entry(
    {'transition': _symmetric}, _SUM, product=True, max_classes=4096
  ),
  'generalized_cross_entropy': Entry({'q': 0.7}),
  'hard_bootstrapped_cross_entropy': Entry({'beta': 0.8}, _MORE),
  'jensen_shannon': Entry({'weight': 0.7}),
  'mean_absolute_error': Entry({}),
  'mixture_cross_entropy': Entry({'noise_rate': 0.3}),
  'normalized_cross_entropy': Entry({}, _SUM),
  'normalized_focal_loss': Entry({'gamma': 0.5}, _MORE),
  'normalized_generalized_cross_entropy': Entry({'q': 0.7}, _MORE),
  'normalized_negative_cross_entropy': Entry({}, _SUM),
  'partially_huberised_cross_entropy': Entry({'tau': 10.0}),
  'partially_huberised_generalized_cross_entropy': Entry(
    {'q': 0.7, 'tau': 10.0}
  ),
  'reverse_cross_entropy': Entry({'log_zero': -4.0}),
  'smoothed_cross_entropy': Entry({'smoothing': 0.1}, _SUM),
  'soft_bootstrapped_cross_entropy': Entry({'beta': 0.95}, _MORE),
  'symmetric_cross_entropy': Entry(
    {'alpha': 0.1, 'beta': 1.0, 'log_zero': -4.0}
  ),
  'taylor_cross_entropy': Entry({'order': 6}),
  'truncated_generalized_cross_entropy': Entry({'q': 0.7, 'k': 0.5}),
}


def of(name: str, num_classes: int) -> dict[str, Any]:
  """Return a loss's hyper-parameters for so many classes."""
  return {
    key: value(num_classes) if callable(value) else value
    for key, value in ENTRIES[name].parameters.items()
  }
