"""The formulas of cross entropy, clipped, mixture and smoothed."""

import numpy as np

from tests.losses import case_base


def smoothed(logits, labels, smoothing):
  return -(smooth(labels, smoothing) * case_base.log_softmax(logits)).sum(-1)


def smoothed_gradient(logits, labels, smoothing):
  target = smooth(labels, smoothing)
  p = case_base.softmax(logits)
  return p * target.sum(-1, keepdims=True) - target


def smooth(labels, smoothing):
  labels = np.asarray(labels, np.longdouble)
  smoothing = np.longdouble(smoothing)
  mass = labels.sum(-1, keepdims=True)
  return (1 - smoothing) * labels + smoothing * mass / labels.shape[-1]


def mixture(logits, labels, noise_rate):
  uniform = noise_rate / np.longdouble(logits.shape[-1])
  p = case_base.softmax(logits)
  return -(labels * np.log(uniform + (1 - noise_rate) * p)).sum(-1)


def mixture_gradient(logits, labels, noise_rate):
  p = case_base.softmax(logits)
  e = np.longdouble(noise_rate)
  c = e / (p.shape[-1] * (1 - e))
  ratio = labels * p / (c + p)
  return p * ratio.sum(-1, keepdims=True) - ratio


CASES = {
  'cross_entropy': case_base.of_label_probability(
    phi=lambda log_p, p: -log_p, trust=lambda log_p, p: np.ones_like(p)
  ),
  'clipped_cross_entropy': case_base.of_label_probability(
    phi=lambda log_p, p, max_loss: np.minimum(-log_p, max_loss),
    trust=lambda log_p, p, max_loss: -log_p <= max_loss,
    parameters=({'max_loss': 1.7}, {'max_loss': 6.0}),
    invalid=tuple(
      {'max_loss': value} for value in (0, -1.0, float('nan'), 'two')
    ),
  ),
  'mixture_cross_entropy': case_base.Case(
    mixture,
    mixture_gradient,
    parameters=({'noise_rate': 0.3}, {'noise_rate': 0.99}),
    invalid=tuple(
      {'noise_rate': value}
      for value in (-0.1, 1, 1.5, float('nan'), np.array([0.3, 1.0]), None)
    ),
    masking_deletes=False,
  ),
  'smoothed_cross_entropy': case_base.Case(
    smoothed,
    smoothed_gradient,
    parameters=({'smoothing': 0.1}, {'smoothing': -0.8}),
    invalid=tuple(
      {'smoothing': value} for value in (1.1, float('inf'), -float('inf'))
    ),
  ),
}
