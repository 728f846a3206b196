"""The formulas of losses made of others, an example of each."""

import numpy as np

from noisy_labels import losses
from tests.losses import case_base


def backward_corrected(logits, labels, *, transition, q):
  loss = losses.backward_corrected(losses.generalized_cross_entropy, transition)
  return loss(logits, labels, q=q)


def backward_twin(logits, labels, transition, q):
  costs = (1 - case_base.softmax(logits) ** q) / q
  return (backward_target(labels, transition) * costs).sum(-1)


def backward_twin_gradient(logits, labels, transition, q):
  p = case_base.softmax(logits)
  trusted = backward_target(labels, transition) * p**q
  return p * trusted.sum(-1, keepdims=True) - trusted


def backward_target(labels, transition):
  """The solution of target @ transition = labels, refined from float64."""
  inverse = np.linalg.inv(np.asarray(transition, np.float64))
  target = np.zeros(labels.shape, np.longdouble)
  for _ in range(4):
    target = target + (labels - target @ transition) @ inverse
  return target


def uneven(num_classes):
  """A transition matrix without symmetry."""
  transition = 0.7 * np.eye(num_classes)
  transition += 0.2 * np.roll(np.eye(num_classes), 1, axis=1)
  shares = np.arange(1, num_classes + 1)
  return transition + 0.1 * shares / shares.sum()


def active_passive(logits, labels, *, alpha, beta):
  return losses.active_passive(
    losses.cross_entropy, losses.mean_absolute_error, alpha=alpha, beta=beta
  )(logits, labels)


def clip_logits(logits, labels, *, max_norm):
  # Called for its checks: of labels that do not fit logits, as they are given.
  losses.cross_entropy(logits, labels)
  clipped = losses.clip_logits(logits, max_norm=max_norm)
  return losses.cross_entropy(clipped, labels)


def clipped_twin(logits, labels, max_norm):
  logits = np.asarray(logits, np.longdouble)
  norm = np.sqrt((logits**2).sum(-1, keepdims=True))
  clipped = logits * max_norm / np.maximum(norm, max_norm)
  return -(labels * case_base.log_softmax(clipped)).sum(-1)


def with_margin(logits, labels, *, margin):
  loss = losses.with_margin(losses.mean_absolute_error, margin=margin)
  return loss(logits, labels)


def margin_twin(logits, labels, margin):
  p = case_base.softmax(np.longdouble(logits) + margin * labels)
  return (labels * 2 * (1 - p)).sum(-1)


CASES = {
  'active_passive': case_base.of_label_probability(
    lambda log_p, p, alpha, beta: -alpha * log_p + 2 * beta * (1 - p),
    lambda _, p, alpha, beta: alpha + 2 * beta * p,
    parameters=({'alpha': 0.5, 'beta': 2.0},),
    invalid=({'alpha': -1.0}, {'beta': float('nan')}),
    roundings=2,
    loss=active_passive,
  ),
  'backward_corrected': case_base.Case(
    backward_twin,
    backward_twin_gradient,
    parameters=({'transition': uneven, 'q': 0.7},),
    invalid=({'q': 2.0},),
    masking_deletes=False,
    max_classes=1000,
    arrays=5,
    loss=backward_corrected,
  ),
  'clip_logits': case_base.Case(
    clipped_twin,
    parameters=({'max_norm': 1.5}, {'max_norm': 20.0}),
    invalid=({'max_norm': 0}, {'max_norm': -1.0}),
    shift_invariant=False,
    arrays=2,
    loss=clip_logits,
  ),
  'with_margin': case_base.Case(
    margin_twin,
    parameters=({'margin': 2.4},),
    invalid=({'margin': float('inf')}, {'margin': 'two'}),
    linear=False,
    arrays=2,
    loss=with_margin,
  ),
}
