"""Every loss with what the conformance suite needs to hold it to its contract.

To have a new loss tested, list it in `losses.__all__` and here. The formulas
are written down a second time, from the mathematics and not from the code: in
numpy's longest floats, and in plain JAX for autodiff to differentiate.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Case(NamedTuple):
  """A loss's parameters to test it with, and its formulas.

  value: `(logits, labels, **parameters) -> losses`, in numpy.
  gradient: the same arguments; by the logits, in numpy, in closed form.
  plain: as value, in JAX.
  parameters: sets of hyper-parameters.
  invalid: hyper-parameters out of range.
  masking_deletes: whether a class masked by -inf might as well not exist.
  """

  value: Callable
  gradient: Callable
  plain: Callable
  parameters: tuple[dict[str, float], ...] = ({},)
  invalid: tuple[dict[str, object], ...] = ()
  masking_deletes: bool = True


def log_softmax(logits):
  logits = np.asarray(logits, np.longdouble)
  shifted = logits - logits.max(-1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def softmax(logits):
  return np.exp(log_softmax(logits))


def cross_entropy(logits, labels):
  return -(labels * log_softmax(logits)).sum(-1)


def cross_entropy_gradient(logits, labels):
  return softmax(logits) * labels.sum(-1, keepdims=True) - labels


def cross_entropy_plain(logits, labels):
  return -jnp.sum(labels * jax.nn.log_softmax(logits), -1)


def clipped(logits, labels, max_loss):
  return (labels * np.minimum(-log_softmax(logits), max_loss)).sum(-1)


def clipped_gradient(logits, labels, max_loss):
  heard = labels * (-log_softmax(logits) <= max_loss)
  return softmax(logits) * heard.sum(-1, keepdims=True) - heard


def clipped_plain(logits, labels, max_loss):
  losses = jnp.minimum(-jax.nn.log_softmax(logits), max_loss)
  return jnp.sum(labels * losses, -1)


def mixture(logits, labels, noise_rate):
  uniform = noise_rate / np.longdouble(logits.shape[-1])
  mixed = uniform + (1 - np.longdouble(noise_rate)) * softmax(logits)
  return -(labels * np.log(mixed)).sum(-1)


def mixture_gradient(logits, labels, noise_rate):
  p = softmax(logits)
  e = np.longdouble(noise_rate)
  c = e / (p.shape[-1] * (1 - e))
  ratio = labels * p / (c + p)
  return p * ratio.sum(-1, keepdims=True) - ratio


def mixture_plain(logits, labels, noise_rate):
  uniform = noise_rate / logits.shape[-1]
  mixed = uniform + (1 - noise_rate) * jax.nn.softmax(logits)
  return -jnp.sum(labels * jnp.log(mixed), -1)


def smooth(labels, smoothing):
  mass = labels.sum(-1, keepdims=True)
  return (1 - smoothing) * labels + smoothing * mass / labels.shape[-1]


def smoothed(logits, labels, smoothing):
  labels = np.asarray(labels, np.longdouble)
  return cross_entropy(logits, smooth(labels, np.longdouble(smoothing)))


def smoothed_gradient(logits, labels, smoothing):
  labels = np.asarray(labels, np.longdouble)
  smoothing = np.longdouble(smoothing)
  return cross_entropy_gradient(logits, smooth(labels, smoothing))


def smoothed_plain(logits, labels, smoothing):
  return cross_entropy_plain(logits, smooth(labels, smoothing))


CASES = {
  'cross_entropy': Case(
    cross_entropy, cross_entropy_gradient, cross_entropy_plain
  ),
  'clipped_cross_entropy': Case(
    clipped,
    clipped_gradient,
    clipped_plain,
    parameters=({'max_loss': 1.7}, {'max_loss': 6.0}),
    invalid=tuple(
      {'max_loss': value} for value in (0, -1.0, float('nan'), 'two')
    ),
  ),
  'mixture_cross_entropy': Case(
    mixture,
    mixture_gradient,
    mixture_plain,
    parameters=({'noise_rate': 0.3}, {'noise_rate': 0.99}),
    invalid=tuple(
      {'noise_rate': value}
      for value in (-0.1, 1, 1.5, float('nan'), np.array([0.3, 1.0]), None)
    ),
    masking_deletes=False,
  ),
  'smoothed_cross_entropy': Case(
    smoothed,
    smoothed_gradient,
    smoothed_plain,
    parameters=({'smoothing': 0.1}, {'smoothing': -0.8}),
    invalid=tuple(
      {'smoothing': value} for value in (1.1, float('inf'), -float('inf'))
    ),
  ),
}
