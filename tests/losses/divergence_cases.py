"""The formulas of divergences, tempered ones included, and of noise models."""

import numpy as np

from noisy_labels import losses
from noisy_labels import noise
from tests.losses.case_base import Case
from tests.losses.case_base import log_softmax
from tests.losses.case_base import softmax

NAN = float('nan')


def jensen_shannon(logits, labels, weight):
  p, weight = softmax(logits), np.longdouble(weight)
  losses = 0
  for k, label in enumerate(np.eye(p.shape[-1])):
    mixed = weight * label + (1 - weight) * p
    divergence = weight * kl(label, mixed) + (1 - weight) * kl(p, mixed)
    losses += labels[..., k] * divergence
  return losses / -((1 - weight) * np.log1p(-weight))


def jensen_shannon_gradient(logits, labels, weight):
  """Through dl / dp_k, which is the same for all k but the label.

  With m_k = w 1[k = y] + (1 - w) p_k it is (1 - w) log(p_k / m_k) / Z.
  """
  log_p, weight = log_softmax(logits), np.longdouble(weight)
  p, log_rest = np.exp(log_p), np.log1p(-weight)
  of_label = log_p - np.log(weight + (1 - weight) * p)
  trust = labels * p * (1 + of_label / log_rest)
  return p * trust.sum(-1, keepdims=True) - trust


def kl(p, q):
  positive = p > 0
  ratio = np.where(positive, p, 1) / np.where(positive, q, 1)
  return (p * np.log(ratio)).sum(-1)


def log_t(p, t):
  return np.log(p) if t == 1 else (p ** (1 - t) - 1) / (1 - t)


def exp_t(a, t):
  if t == 1:
    return np.exp(a)
  return np.maximum(1 + (1 - t) * a, 0) ** (1 / (1 - t))


def tempered_softmax(logits, t):
  """By bisection, between the normalizers of one class and of equal ones."""
  logits, t = np.asarray(logits, np.longdouble), np.longdouble(t)
  gaps = logits - logits.max(-1, keepdims=True)
  low = np.zeros((*gaps.shape[:-1], 1), np.longdouble)
  high = low - log_t(1 / np.longdouble(gaps.shape[-1]), t)
  for _ in range(80):
    middle = (low + high) / 2
    too_low = exp_t(gaps - middle, t).sum(-1, keepdims=True) > 1
    low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
  return exp_t(gaps - low, t)


def bi_tempered(logits, labels, t1, t2):
  p, t1 = tempered_softmax(logits, t2), np.longdouble(t1)
  rest = (1 - (p ** (2 - t1)).sum(-1, keepdims=True)) / (2 - t1)
  return (labels * (-log_t(p, t1) - rest)).sum(-1)


def bi_tempered_gradient(logits, labels, t1, t2):
  """Through the escort distribution: the paper, appendix."""
  p = tempered_softmax(logits, t2)
  mass = labels.sum(-1, keepdims=True)
  factor = np.where(p > 0, p, 1) ** (t2 - t1) * (p > 0)
  forced = (p * mass - labels) * factor
  escort = p**t2 / (p**t2).sum(-1, keepdims=True)
  return forced - escort * forced.sum(-1, keepdims=True)


def forward(logits, labels, transition):
  losses = []
  for log_p, label in zip(log_softmax(logits), labels, strict=True):
    _, largest, total = joint(log_p, transition)
    losses.append(-(label * (largest + np.log(total))).sum())
  return np.array(losses)


def forward_gradient(logits, labels, transition):
  """Prediction minus posterior, which Bayes' rule gives for each label."""
  gradients = []
  for log_p, label in zip(log_softmax(logits), labels, strict=True):
    terms, _, total = joint(log_p, transition)
    gradients.append(np.exp(log_p) * label.sum() - (terms / total) @ label)
  return np.array(gradients)


def joint(log_p, transition):
  """Of one example, P(true, given) over its largest for each label given."""
  if not isinstance(transition, np.ndarray):
    transition = transition.matrix(len(log_p))
  transition = np.asarray(transition, np.longdouble)
  possible = transition != 0
  # Not their product: p may be too small even for these floats.
  shifts = np.where(possible, log_p[:, None], -np.inf).max(0)
  terms = transition * np.exp(
    np.where(possible, log_p[:, None] - shifts, -np.inf)
  )
  return terms, shifts, terms.sum(0)


def random_transition(num_classes):
  """A transition matrix half of whose other entries are 0."""
  rng = np.random.default_rng(0)
  shape = (num_classes, num_classes)
  weights = rng.uniform(0.5, 1, shape) * rng.integers(2, size=shape)
  weights += 1e-3 * np.eye(num_classes)
  weights /= 2 * weights.sum(-1, keepdims=True)
  return weights + np.eye(num_classes) / 2


def each(key, *values):
  return tuple({key: value} for value in values)


CASES = {
  'jensen_shannon': Case(
    jensen_shannon,
    jensen_shannon_gradient,
    parameters=({'weight': 0.7}, {'weight': 0.05}),
    invalid=each('weight', 0, 1, NAN),
  ),
  'bi_tempered_logistic_loss': Case(
    bi_tempered,
    bi_tempered_gradient,
    parameters=(
      {'t1': 0.8, 't2': 1.2},
      {'t1': 0.8, 't2': 2.0},
      {'t1': 0.5, 't2': 0.9},
    ),
    invalid=(*each('t1', -0.1, 2, NAN), *each('t2', 0, NAN)),
    arrays=4.5,
  ),
  'forward_corrected_cross_entropy': Case(
    forward,
    forward_gradient,
    parameters=({'transition': random_transition},),
    masking_deletes=False,
    max_classes=1000,
    arrays=3.5,
  ),
  # Without the product with a matrix.
  **{
    f'forward_corrected_cross_entropy_{name}': Case(
      forward,
      forward_gradient,
      parameters=({'transition': transition},),
      static=('transition',),
      masking_deletes=False,
      max_classes=1000,
      arrays=1.5,
      loss=losses.forward_corrected_cross_entropy,
    )
    for name, transition in (
      ('redrawn', noise.SymmetricTransition(0.3, exclude_true=False)),
      ('replaced', noise.SymmetricTransition(0.3, exclude_true=True)),
      ('pair_flipped', noise.PairFlipTransition(0.2)),
    )
  },
}
