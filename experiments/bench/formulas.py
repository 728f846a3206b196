"""The losses as their papers write them, of probabilities and one-hot labels.

In operations that jax.numpy and PyTorch share: `xp` is either. Most official
codes, which are in PyTorch, are written so too, with clips of the probabilities
that are left out here. Autodiff finds the gradients.
"""

from collections.abc import Callable
import math
from typing import Any


def losses(name: str, xp: Any, probs: Any, one_hot: Any, **parameters: Any):
  """Return the losses `[...]`, of two arrays `[..., num_classes]` of xp's."""
  if name in _OF_LABEL_PROBABILITY:
    p = xp.sum(one_hot * probs, -1)
    return _OF_LABEL_PROBABILITY[name](xp, p, **parameters)
  return _OF_PROBABILITIES[name](xp, probs, one_hot, **parameters)


def known(name: str) -> bool:
  """Return whether the loss is written down here."""
  return name in _OF_LABEL_PROBABILITY or name in _OF_PROBABILITIES


def _huberised(xp, p, tau):
  line = 1 + math.log(tau) - tau * p
  return xp.where(p > 1 / tau, -xp.log(p), line)


def _huberised_generalized(xp, p, q, tau):
  contact = tau ** (1 / (q - 1))
  line = (1 - contact**q) / q + tau * (contact - p)
  return xp.where(p > contact, (1 - p**q) / q, line)


_OF_LABEL_PROBABILITY: dict[str, Callable[..., Any]] = {
  'asymmetric_exponential_loss': lambda xp, p, a: xp.exp(-p / a),
  'asymmetric_generalized_cross_entropy': (
    lambda xp, p, a, q: ((a + 1) ** q - (a + p) ** q) / q
  ),
  'asymmetric_unhinged_loss': (
    lambda xp, p, a, q: ((a - p) ** q - (a - 1) ** q) / q
  ),
  'clipped_cross_entropy': (
    lambda xp, p, max_loss: (-xp.log(p)).clip(max=max_loss)
  ),
  'cross_entropy': lambda xp, p: -xp.log(p),
  'focal_loss': lambda xp, p, gamma: -((1 - p) ** gamma) * xp.log(p),
  'generalized_cross_entropy': lambda xp, p, q: (1 - p**q) / q,
  'mean_absolute_error': lambda xp, p: 2 * (1 - p),
  'partially_huberised_cross_entropy': _huberised,
  'partially_huberised_generalized_cross_entropy': _huberised_generalized,
  'reverse_cross_entropy': lambda xp, p, log_zero: -log_zero * (1 - p),
  'symmetric_cross_entropy': (
    lambda xp, p, alpha, beta, log_zero: (
      -alpha * xp.log(p) - beta * log_zero * (1 - p)
    )
  ),
  'taylor_cross_entropy': (
    lambda xp, p, order: sum((1 - p) ** i / i for i in range(1, order + 1))
  ),
  'truncated_generalized_cross_entropy': (
    lambda xp, p, q, k: ((1 - p**q) / q).clip(max=(1 - k**q) / q)
  ),
}


def _cross_entropy(xp, p, target):
  return -xp.sum(target * xp.log(p), -1)


def _predicted(xp, p):
  return p == xp.amax(p, -1)[..., None]


def _share(xp, each, t):
  """What is the label's of a sum over the classes."""
  return xp.sum(t * each, -1) / xp.sum(each, -1)


def _bi_tempered(xp, p, t, t1, t2, num_iters=5):
  def exp(x, power):
    return (1 + (1 - power) * x).clip(min=0) ** (1 / (1 - power))

  def log(x, power):
    return (x ** (1 - power) - 1) / (1 - power)

  # log p is as good as the logits, from which it differs by a constant.
  below = xp.log(p) - xp.amax(xp.log(p), -1)[..., None]
  scaled = below
  for _ in range(num_iters):
    scaled = below * xp.sum(exp(scaled, t2), -1)[..., None] ** (1 - t2)
  total = xp.sum(exp(scaled, t2), -1)[..., None]
  q = exp(below + log(1 / total, t2), t2)
  surprise = t * (log(t + 1e-10, t1) - log(q, t1))
  return xp.sum(surprise - (t ** (2 - t1) - q ** (2 - t1)) / (2 - t1), -1)


def _epsilon_softmax(xp, p, t, m, max_loss=math.inf):
  moved = (p + m * _predicted(xp, p)) / (1 + m)
  return (-xp.log(xp.sum(t * moved, -1))).clip(max=max_loss)


def _jensen_shannon(xp, p, t, weight):
  mean = weight * t + (1 - weight) * p
  from_label = _cross_entropy(xp, mean, t)
  from_prediction = xp.sum(p * (xp.log(p) - xp.log(mean)), -1)
  scale = -1 / ((1 - weight) * math.log(1 - weight))
  return scale * (weight * from_label + (1 - weight) * from_prediction)


def _negative(xp, p, t, min_prob=1e-7):
  each = xp.log(p.clip(min=min_prob)) - math.log(min_prob)
  return 1 - _share(xp, each, t)


_OF_PROBABILITIES: dict[str, Callable[..., Any]] = {
  'asymmetric_mean_square_error': (
    lambda xp, p, t, a: xp.mean((a * t - p) ** 2, -1)
  ),
  'bi_tempered_logistic_loss': _bi_tempered,
  'confidence_regularized_cross_entropy': (
    lambda xp, p, t, beta: _cross_entropy(xp, p, t - beta / p.shape[-1])
  ),
  'epsilon_softmax_cross_entropy': _epsilon_softmax,
  'forward_corrected_cross_entropy': (
    lambda xp, p, t, transition: _cross_entropy(xp, p @ transition, t)
  ),
  'hard_bootstrapped_cross_entropy': (
    lambda xp, p, t, beta: _cross_entropy(
      xp, p, beta * t + (1 - beta) * _predicted(xp, p)
    )
  ),
  'jensen_shannon': _jensen_shannon,
  'mixture_cross_entropy': (
    lambda xp, p, t, noise_rate: _cross_entropy(
      xp, noise_rate / p.shape[-1] + (1 - noise_rate) * p, t
    )
  ),
  'normalized_cross_entropy': lambda xp, p, t: _share(xp, xp.log(p), t),
  'normalized_focal_loss': (
    lambda xp, p, t, gamma: _share(xp, (1 - p) ** gamma * xp.log(p), t)
  ),
  'normalized_generalized_cross_entropy': (
    lambda xp, p, t, q: _share(xp, 1 - p**q, t)
  ),
  'normalized_negative_cross_entropy': _negative,
  'smoothed_cross_entropy': (
    lambda xp, p, t, smoothing: _cross_entropy(
      xp, p, (1 - smoothing) * t + smoothing / p.shape[-1]
    )
  ),
  'soft_bootstrapped_cross_entropy': (
    lambda xp, p, t, beta: _cross_entropy(xp, p, beta * t + (1 - beta) * p)
  ),
}
