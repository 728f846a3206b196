"""The formulas of losses that look at the probabilities of all classes."""

import numpy as np

from tests.losses.case_base import Case
from tests.losses.case_base import log_softmax
from tests.losses.case_base import softmax

NAN = float('nan')


def normalized(cost):
  """A loss over its sum for all labels, from `(log_p, **parameters)`."""

  def value(logits, labels, **parameters):
    costs = cost(log_softmax(logits), **parameters)
    return (labels * costs).sum(-1) / costs.sum(-1)

  return value


def focal(log_p, gamma):
  return -((-np.expm1(log_p)) ** gamma) * log_p


def generalized(log_p, q):
  return -np.expm1(q * log_p)


def negative(logits, labels, min_prob=1e-7):
  p = np.maximum(softmax(logits), min_prob)
  a = np.log(p) - np.log(np.longdouble(min_prob))
  return (labels * (1 - a / a.sum(-1, keepdims=True))).sum(-1)


def square_error(logits, labels, a):
  p = softmax(logits)
  squares = (p**2).sum(-1, keepdims=True)
  of_label = (a - p) ** 2 + (squares - p**2)
  return (labels * of_label).sum(-1) / p.shape[-1]


def square_error_gradient(logits, labels, a):
  p = softmax(logits)
  mass = labels.sum(-1, keepdims=True)
  by_p = 2 * (mass * p - a * labels) / p.shape[-1]
  return p * (by_p - (p * by_p).sum(-1, keepdims=True))


def epsilon_softmax(logits, labels, m, max_loss=np.inf):
  costs = epsilon_softmax_costs(logits, m)
  return (labels * np.minimum(costs, max_loss)).sum(-1)


def epsilon_softmax_costs(logits, m):
  top, p = is_top(logits), softmax(logits)
  # Where p rounds to 1, 1 - p from the others.
  rest = np.where(top, 0, p).sum(-1, keepdims=True)
  return np.where(
    top,
    np.log1p(rest / (1 - rest + m)),
    np.log1p(np.longdouble(m)) - log_softmax(logits),
  )


def epsilon_softmax_gradient(logits, labels, m, max_loss=np.inf):
  p = softmax(logits)
  trust = np.where(is_top(logits), p / (p + m), 1)
  trust = labels * trust * (epsilon_softmax_costs(logits, m) <= max_loss)
  return p * trust.sum(-1, keepdims=True) - trust


def soft_bootstrapped(logits, labels, beta):
  log_p = log_softmax(logits)
  mass = labels.sum(-1, keepdims=True)
  target = beta * labels + (1 - beta) * mass * np.exp(log_p)
  return -(target * log_p).sum(-1)


def hard_bootstrapped(logits, labels, beta):
  target = hard_target(logits, labels, beta)
  return -(target * log_softmax(logits)).sum(-1)


def hard_bootstrapped_gradient(logits, labels, beta):
  mass = labels.sum(-1, keepdims=True)
  return softmax(logits) * mass - hard_target(logits, labels, beta)


def hard_target(logits, labels, beta):
  mass = labels.sum(-1, keepdims=True)
  return beta * labels + (1 - beta) * mass * is_top(logits)


def is_top(logits):
  return np.arange(logits.shape[-1]) == logits.argmax(-1)[..., None]


def confidence(logits, labels, beta, noise_prior=None):
  log_p = log_softmax(logits)
  prior = 1 / np.longdouble(log_p.shape[-1])
  if noise_prior is not None:
    prior = np.asarray(noise_prior, np.longdouble)
  mass = labels.sum(-1, keepdims=True)
  return -((labels - beta * prior * mass) * log_p).sum(-1)


def confidence_gradient(logits, labels, beta, noise_prior=None):
  p = softmax(logits)
  prior = np.full(p.shape[-1], 1 / np.longdouble(p.shape[-1]))
  if noise_prior is not None:
    prior = np.asarray(noise_prior, np.longdouble)
  target = labels - beta * prior * labels.sum(-1, keepdims=True)
  return p * target.sum(-1, keepdims=True) - target


def each(key, *values):
  return tuple({key: value} for value in values)


CASES = {
  'normalized_cross_entropy': Case(normalized(lambda log_p: -log_p)),
  'normalized_focal_loss': Case(
    normalized(focal),
    parameters=({'gamma': 0.5}, {'gamma': 2.0}),
    invalid=each('gamma', -0.1, NAN, float('inf')),
    arrays=2.5,
  ),
  'normalized_generalized_cross_entropy': Case(
    normalized(generalized),
    parameters=({'q': 0.7}, {'q': 0.05}),
    invalid=each('q', 0, 1.1, NAN),
    arrays=1.5,
  ),
  'normalized_negative_cross_entropy': Case(
    negative,
    parameters=({'min_prob': 1e-7}, {'min_prob': 1e-4}, {}),
    invalid=each('min_prob', 0, 0.5, NAN),
    arrays=2.5,
  ),
  'asymmetric_mean_square_error': Case(
    square_error,
    square_error_gradient,
    parameters=({'a': 30.0}, {'a': 1.5}),
    invalid=each('a', 0.9, float('inf'), NAN),
    arrays=1.5,
  ),
  'epsilon_softmax_cross_entropy': Case(
    epsilon_softmax,
    epsilon_softmax_gradient,
    parameters=({'m': 10.0}, {'m': 1e4, 'max_loss': 18.42}),
    invalid=(*each('m', -1.0, NAN), *each('max_loss', 0, NAN)),
    arrays=1.5,
  ),
  'soft_bootstrapped_cross_entropy': Case(
    soft_bootstrapped,
    parameters=({'beta': 0.95}, {'beta': 0.3}),
    invalid=each('beta', -0.1, 1.1, NAN),
    arrays=1.5,
  ),
  'hard_bootstrapped_cross_entropy': Case(
    hard_bootstrapped,
    hard_bootstrapped_gradient,
    parameters=({'beta': 0.8},),
    invalid=each('beta', -0.1, 1.1, NAN),
    arrays=1.5,
  ),
  'confidence_regularized_cross_entropy': Case(
    confidence,
    confidence_gradient,
    parameters=(
      {'beta': 2.0},
      {'beta': 0.5, 'noise_prior': lambda k: np.arange(1, k + 1) / k},
    ),
    invalid=each('beta', -0.1, NAN),
  ),
}
