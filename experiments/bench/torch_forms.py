"""The losses in PyTorch, as their official codes compute them.

From log_softmax or PyTorch's own cross entropy where those do, and else from
softmax and one-hot labels by the formulas of the papers.
"""

from collections.abc import Callable
import functools
from typing import Any

import jax
import numpy as np
import torch
from torch.nn import functional

from experiments.bench import formulas


def value_and_grad(
  name: str, parameters: dict[str, Any], logits: jax.Array, labels: jax.Array
) -> Callable:
  """Return a function of anything: value and gradient for these arrays."""
  z = torch.tensor(np.asarray(logits, np.float32))
  z = z.to(getattr(torch, logits.dtype.name))
  y = torch.tensor(np.asarray(labels, np.int64))
  arrays = {
    key: torch.tensor(value).to(z.dtype)
    for key, value in parameters.items()
    if isinstance(value, np.ndarray)
  }
  form = _LOGARITHMIC.get(name, functools.partial(_by_formula, name))

  def run(*_):
    leaf = z.detach().requires_grad_()
    value = form(leaf, y, **{**parameters, **arrays}).mean()
    value.backward()
    return value.detach(), leaf.grad

  return run


def _by_formula(name, z, y, **parameters):
  one_hot = functional.one_hot(y, z.shape[-1]).to(z.dtype)
  probs = functional.softmax(z, dim=-1)
  return formulas.losses(name, torch, probs, one_hot, **parameters)


def _cross_entropy(z, y, **options):
  return functional.cross_entropy(z, y, reduction='none', **options)


def _clipped(z, y, max_loss):
  return _cross_entropy(z, y).clip(max=max_loss)


def _smoothed(z, y, smoothing):
  return _cross_entropy(z, y, label_smoothing=smoothing)


def _focal(z, y, gamma):
  log_p = -_cross_entropy(z, y)
  return -((1 - log_p.exp()) ** gamma) * log_p


def _normalized(z, y):
  log_probs = functional.log_softmax(z, dim=-1)
  return _chosen(log_probs, y) / log_probs.sum(-1)


def _normalized_focal(z, y, gamma):
  log_probs = functional.log_softmax(z, dim=-1)
  each = (1 - log_probs.exp()) ** gamma * log_probs
  return _chosen(each, y) / each.sum(-1)


def _soft_bootstrapped(z, y, beta):
  log_probs = functional.log_softmax(z, dim=-1)
  entropy = -(log_probs.exp() * log_probs).sum(-1)
  return beta * _cross_entropy(z, y) + (1 - beta) * entropy


def _hard_bootstrapped(z, y, beta):
  predicted = z.argmax(-1)
  return beta * _cross_entropy(z, y) + (1 - beta) * _cross_entropy(z, predicted)


def _confidence_regularized(z, y, beta):
  log_probs = functional.log_softmax(z, dim=-1)
  return _cross_entropy(z, y) + beta * log_probs.mean(-1)


def _chosen(values, y):
  return values.gather(-1, y[:, None])[:, 0]


_LOGARITHMIC: dict[str, Callable] = {
  'clipped_cross_entropy': _clipped,
  'confidence_regularized_cross_entropy': _confidence_regularized,
  'cross_entropy': _cross_entropy,
  'focal_loss': _focal,
  'hard_bootstrapped_cross_entropy': _hard_bootstrapped,
  'normalized_cross_entropy': _normalized,
  'normalized_focal_loss': _normalized_focal,
  'smoothed_cross_entropy': _smoothed,
  'soft_bootstrapped_cross_entropy': _soft_bootstrapped,
}
